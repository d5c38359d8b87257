"""Step 4, teacher, what the student learns from: the base model's vectors of English texts, computed once and kept."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import BertModel

from rag.training.student import encode

_PART = 20_000
"""Texts between two savings."""


class Taught:
    """Unit vectors by text, kept in a folder as half precision; a text once taught is not computed again."""

    def __init__(self, folder: Path) -> None:
        """Open what `folder` holds, if anything."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._row_of: dict[str, int] = {}
        self._parts: list[NDArray[np.float16]] = []
        for path in sorted(folder.glob("*.npy")):
            texts = path.with_suffix(".txt").read_text(encoding="utf-8").split("\n")
            self._add(texts, np.load(path, allow_pickle=False))
        self._vectors = np.concatenate(self._parts) if self._parts else np.zeros((0, 0), np.float16)

    def _add(self, texts: Sequence[str], vectors: NDArray[np.float16]) -> None:
        self._row_of |= {text: len(self._row_of) + at for at, text in enumerate(texts)}
        self._parts.append(vectors)

    def learn(self, teacher: BertModel, tokenizer: Tokenizer, texts: Iterable[str]) -> None:
        """Compute and keep the vectors of the texts that are new; a text may hold no line break."""
        new = sorted(set(texts) - self._row_of.keys())
        for first in range(0, len(new), _PART):
            part = new[first : first + _PART]
            vectors = encode(teacher, tokenizer, part).astype(np.float16)
            path = self._folder / f"{len(self._row_of):09d}.npy"
            path.with_suffix(".txt").write_text("\n".join(part), encoding="utf-8")
            np.save(path, vectors, allow_pickle=False)
            self._add(part, vectors)
        self._vectors = np.concatenate(self._parts) if self._parts else self._vectors

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (texts, d) in single precision. Raises KeyError for a text never learnt."""
        return self._vectors[[self._row_of[text] for text in texts]].astype(np.float32)
