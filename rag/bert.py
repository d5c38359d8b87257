"""A BERT encoder in numpy, for questions: importing sentence-transformers takes longer than answering does.

The arithmetic is that of Devlin et al. (2019) as `transformers` computes it; tests hold the two equal. It serves
the bundled model's questions, one short text at a time; passages and all other models go through
sentence-transformers.
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from rag.layers import Matrix, linear, softmax


def _erf(values: Matrix) -> Matrix:
    """Abramowitz & Stegun 7.1.26, at most 1.5e-7 off: numpy has none of its own."""
    sign, size = np.sign(values), np.abs(values)
    t = 1 / (1 + 0.3275911 * size)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.asarray(sign * (1 - series * np.exp(-size * size)), dtype=np.float32)


def _gelu(values: Matrix) -> Matrix:
    return np.asarray(0.5 * values * (1 + _erf(values / np.float32(np.sqrt(2)))), dtype=np.float32)


class BertEncoder:
    """The model of a sentence-transformers folder for which `can_read` holds."""

    def __init__(self, folder: Path) -> None:
        configuration = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        limits = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        self._heads = int(configuration["num_attention_heads"])
        self._layers = int(configuration["num_hidden_layers"])
        self._epsilon = float(configuration["layer_norm_eps"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(int(limits["model_max_length"]))
        # Embedding rows stay in half precision until looked up; the layers are few enough to widen.
        self._tensors = {
            name: tensor if name == "embeddings.word_embeddings.weight" else tensor.astype(np.float32)
            for name, tensor in load_file(folder / "model.safetensors").items()
        }

    @property
    def dimension(self) -> int:
        """Length of an output vector."""
        return int(self._tensors["embeddings.LayerNorm.weight"].shape[0])

    @staticmethod
    def can_read(folder: Path) -> bool:
        """Whether `folder` is a BERT with GELU whose sentence vector is the mean of its outputs."""
        try:
            configuration = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            pooling = json.loads((folder / "1_Pooling" / "config.json").read_text(encoding="utf-8"))
            modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return (
            configuration.get("architectures") == ["BertModel"]
            and configuration.get("hidden_act") == "gelu"
            and configuration.get("position_embedding_type", "absolute") == "absolute"
            and pooling.get("pooling_mode") == "mean"
            and [module["type"].rsplit(".", 1)[-1] for module in modules] == ["Transformer", "Pooling", "Normalize"]
        )

    def encode(self, text: str) -> tuple[Matrix, list[tuple[int, int]]]:
        """Outputs (pieces, d) of the last layer, special pieces included, and the pieces' spans in `text`."""
        encoding = self._tokenizer.encode(text)
        states = self._embed(np.array(encoding.ids))
        for layer in range(self._layers):
            states = self._layer(f"encoder.layer.{layer}", states)
        return states, list(encoding.offsets)

    def _embed(self, ids: NDArray[np.int64]) -> Matrix:
        words = self._tensors["embeddings.word_embeddings.weight"][ids].astype(np.float32)
        places = self._tensors["embeddings.position_embeddings.weight"][: len(ids)]
        kind = self._tensors["embeddings.token_type_embeddings.weight"][0]
        return self._norm("embeddings.LayerNorm", words + places + kind)

    def _layer(self, name: str, states: Matrix) -> Matrix:
        attended = self._linear(f"{name}.attention.output.dense", self._attend(f"{name}.attention.self", states))
        states = self._norm(f"{name}.attention.output.LayerNorm", states + attended)
        inner = _gelu(self._linear(f"{name}.intermediate.dense", states))
        return self._norm(f"{name}.output.LayerNorm", states + self._linear(f"{name}.output.dense", inner))

    def _attend(self, name: str, states: Matrix) -> Matrix:
        pieces, width = states.shape
        query, key, value = (
            self._linear(f"{name}.{role}", states).reshape(pieces, self._heads, -1).transpose(1, 0, 2)
            for role in ("query", "key", "value")
        )
        weights = softmax(query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(width // self._heads)))
        return np.asarray((weights @ value).transpose(1, 0, 2).reshape(pieces, width), dtype=np.float32)

    def _linear(self, name: str, values: Matrix) -> Matrix:
        return linear(self._tensors, name, values)

    def _norm(self, name: str, values: Matrix) -> Matrix:
        centred = values - values.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self._epsilon)
        scaled = centred / spread * self._tensors[f"{name}.weight"] + self._tensors[f"{name}.bias"]
        return np.asarray(scaled, dtype=np.float32)
