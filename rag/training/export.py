"""Step 7, averaging and export: the mean of some checkpoints as a sentence-transformers folder.

The mean of the weights of several stages is mostly better than the last (model soups, Wortsman et al. 2022).
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules.normalize import Normalize
from sentence_transformers.base.modules.transformer import Transformer
from sentence_transformers.sentence_transformer.modules.pooling import Pooling
from tokenizers import Tokenizer
from transformers import BertModel, PreTrainedTokenizerFast
from transformers.models.bert.modeling_bert import BertPooler


def average(paths: Sequence[Path], shares: Sequence[float]) -> dict[str, torch.Tensor]:
    """Weighted mean of checkpoints of one shape; the shares sum to 1."""
    states = [load_file(path) for path in paths]
    return {
        name: torch.stack([share * state[name].float() for share, state in zip(shares, states, strict=True)]).sum(0)
        if states[0][name].is_floating_point()
        else states[0][name]
        for name in states[0]
    }


def export(model: BertModel, tokenizer: Tokenizer, tokens: int, folder: Path) -> None:
    """Write `folder` anew: half-precision safetensors, tokenizer, mean pooling, unit length."""
    # Never used, but transformers warns of a BERT without one; zeros keep the file reproducible.
    model.pooler = BertPooler(model.config)  # type: ignore[no-untyped-call]
    torch.nn.init.zeros_(model.pooler.dense.weight)
    torch.nn.init.zeros_(model.pooler.dense.bias)
    inner = folder.with_name(folder.name + ".part")
    shutil.rmtree(inner, ignore_errors=True)
    model.half().save_pretrained(inner)  # type: ignore[no-untyped-call]
    wrapped = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        sep_token="[SEP]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        mask_token="[MASK]",
        model_max_length=tokens,
    )
    wrapped.save_pretrained(inner)
    transformer = Transformer(str(inner), max_seq_length=tokens)
    pooling = Pooling(model.config.hidden_size, pooling_mode="mean")
    shutil.rmtree(folder, ignore_errors=True)
    whole = SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu")
    whole.save(str(folder), create_model_card=False)
    shutil.rmtree(inner)
    _unpadded(folder / "tokenizer.json")


def _unpadded(path: Path) -> None:
    """Padding and cutting are set by whoever reads the file."""
    stated = json.loads(path.read_text(encoding="utf-8"))
    stated["padding"] = stated["truncation"] = None
    path.write_text(json.dumps(stated, ensure_ascii=False), encoding="utf-8")
