"""A sentence-transformers model like those on the hub, of a few kilobytes, made on the spot."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import WordPieceTrainer
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

DIMENSION = 16
MAX_TOKENS = 32
_LINES = (
    "عقد التحالف الدولي اجتماعه في روما في حزيران",
    "حضر الاجتماع وزراء خارجية الدول الأعضاء",
    "query: passage: the army bought twelve drones in May",
    "the coalition met in Rome and New York",
)
_SPECIAL = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}


def make_tiny_model(folder: Path) -> Path:
    """Save into `folder` a BERT of two layers with random weights and mean pooling, no prompts; gives `folder` back."""
    parts = folder.with_name(f"{folder.name}-parts")
    tokenizer = _tokenizer()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=DIMENSION,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=MAX_TOKENS,
        # Larger than usual, so that untrained layers still tell words apart.
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(parts)
    tokenizer.save_pretrained(parts)
    modules = [Transformer(str(parts)), Pooling(DIMENSION, pooling_mode="mean")]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder), create_model_card=False)
    return folder


def variant(model: Path, name: str, *, prompts: Mapping[str, str] | None = None, padding_side: str = "right") -> Path:
    """A copy of `model` beside it, with these prompts; the vocabulary and the weights stay the same."""
    folder = model.with_name(name)
    shutil.copytree(model, folder)
    _set(folder / "config_sentence_transformers.json", "prompts", dict(prompts or {}))
    _set(folder / "tokenizer_config.json", "padding_side", padding_side)
    return folder


def _set(path: Path, key: str, value: object) -> None:
    table = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(table | {key: value}), encoding="utf-8")


def _tokenizer() -> PreTrainedTokenizerFast:
    words = Tokenizer(WordPiece(unk_token="[UNK]"))
    words.normalizer = BertNormalizer(lowercase=True)
    words.pre_tokenizer = BertPreTokenizer()
    trainer = WordPieceTrainer(vocab_size=120, special_tokens=list(_SPECIAL.values()), show_progress=False)
    words.train_from_iterator(_LINES, trainer)
    ends = [(name, words.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    words.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=MAX_TOKENS, **_SPECIAL)  # type: ignore[no-untyped-call]
