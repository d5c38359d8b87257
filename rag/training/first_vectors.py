"""Step 3, alignment: a first vector for each new piece, from the English pieces that it is translated by.

p(English piece | Arabic piece) by IBM Model 1 (Brown et al. 1993); the vector is the mixture of the likeliest
English pieces' vectors. Without any training such vectors already retrieve across the languages.
"""

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from rag.training.alignment import Alignment
from rag.training.corpus import Pair

Matrix = NDArray[np.float32]
_NULL = ""
"""Stands in every Arabic side for English words that no Arabic word says."""
_BEST = 6
_LEAST_SHARE = 0.05
"""Of the likeliest piece's probability, below which another is noise."""


def _bags(tokenizer: Tokenizer, texts: list[str]) -> list[list[str]]:
    return [encoding.tokens for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]


def first_vectors(tokenizer: Tokenizer, pairs: list[Pair], vectors: Matrix, new: dict[str, int]) -> Matrix:
    """All vectors (rows, d): those of the start, `vectors`, with a first one for each `new` piece at its row.

    A piece never aligned takes the mean of the start's vectors.
    """
    if not new:
        return vectors
    row_of = tokenizer.get_vocab()
    english, arabic = (_bags(tokenizer, [pair[side] for pair in pairs]) for side in (0, 1))
    # Only pairs with a new piece bear evidence for one.
    told = [
        (one, [_NULL, *other]) for one, other in zip(english, arabic, strict=True) if not new.keys().isdisjoint(other)
    ]
    found = Alignment(told).given_arabic()
    grown = np.concatenate([vectors, np.zeros((max(row_of.values()) + 1 - len(vectors), vectors.shape[1]), np.float32)])
    grown[list(new.values())] = vectors.mean(axis=0)
    for piece in new.keys() & found.keys():
        best = sorted(found[piece].items(), key=lambda item: (-item[1], item[0]))[:_BEST]
        # An Arabic word quoted in English text tells nothing.
        chosen = [
            (row_of[word], share) for word, share in best if share >= _LEAST_SHARE * best[0][1] and word not in new
        ]
        if chosen:
            shares = np.array([share for _, share in chosen], np.float32)
            grown[new[piece]] = shares @ vectors[[row for row, _ in chosen]] / shares.sum()
    return grown
