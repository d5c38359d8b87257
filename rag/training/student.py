"""The model in training: a BERT of transformers, mean pooling, unit length; nothing else touches torch modules."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

Matrix = NDArray[np.float32]
Encoder = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Piece ids and mask to unit vectors."""
WORDS = "embeddings.word_embeddings.weight"


def open_tokenizer(path: Path, tokens: int) -> Tokenizer:
    """The tokenizer of a file, cutting texts at `tokens` pieces and padding nothing."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(tokens)
    return tokenizer


def open_model(folder: Path) -> BertModel:
    """The BERT of a model folder in single precision, without pooler and dropout."""
    configuration = BertConfig.from_pretrained(folder)
    configuration.hidden_dropout_prob = configuration.attention_probs_dropout_prob = 0.0
    return BertModel.from_pretrained(
        folder,
        config=configuration,
        add_pooling_layer=False,
        dtype=torch.float32,
        attn_implementation="eager",  # on short texts and CPUs as fast as the fused one, and it compiles
        use_safetensors=True,
    )


def with_words(model: BertModel, vectors: Matrix) -> BertModel:
    """`model` with these piece vectors (rows, d) in place of its own."""
    rows = torch.from_numpy(vectors)
    model.embeddings.word_embeddings = torch.nn.Embedding(len(rows), rows.shape[1], padding_idx=0, _weight=rows)
    model.config.vocab_size = len(rows)
    return model


def restore(model: BertModel, path: Path) -> BertModel:
    """`model` with the weights of a checkpoint."""
    state = load_file(path)
    model.load_state_dict(state)
    return model


def pack(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Piece ids and mask, both int64 (texts, longest)."""
    encodings = tokenizer.encode_batch(list(texts))
    longest = max(len(encoding.ids) for encoding in encodings)
    ids = torch.zeros(len(encodings), longest, dtype=torch.long)
    mask = torch.zeros(len(encodings), longest, dtype=torch.long)
    for at, encoding in enumerate(encodings):
        ids[at, : len(encoding.ids)] = torch.tensor(encoding.ids)
        mask[at, : len(encoding.ids)] = 1
    return ids, mask


def embed(model: BertModel, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Unit vectors (texts, d)."""
    states = model(input_ids=ids, attention_mask=mask).last_hidden_state
    weights = mask.unsqueeze(-1).to(states.dtype)
    return torch.nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=-1)


def encoder_of(model: BertModel, *, compiled: bool) -> Encoder:
    """`embed` of this model; compiled it is a fifth faster on a CPU, for two minutes at the start."""
    return partial(torch.compile(embed, dynamic=True) if compiled else embed, model)


def by_length(tokenizer: Tokenizer, texts: Sequence[str], batch_tokens: int) -> Iterator[list[int]]:
    """Numbers of texts of like length, in batches of about as many pieces, padding included."""
    lengths = [len(encoding.ids) for encoding in tokenizer.encode_batch(list(texts))]
    batch: list[int] = []
    for number in sorted(range(len(texts)), key=lambda at: (lengths[at], at)):
        if batch and (len(batch) + 1) * lengths[number] > batch_tokens:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


@torch.no_grad()
def encode(model: BertModel, tokenizer: Tokenizer, texts: Sequence[str], batch_tokens: int = 4096) -> Matrix:
    """Unit vectors (texts, d) in single precision, in order."""
    vectors = np.zeros((len(texts), model.config.hidden_size), np.float32)
    for numbers in by_length(tokenizer, texts, batch_tokens):
        vectors[numbers] = embed(model, *pack(tokenizer, [texts[number] for number in numbers])).numpy()
    return vectors
