"""IBM Model 1 over bags of stems, in both directions, vectorised (Brown et al. 1993)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ROUNDS = 5
LONGEST = 40
"""Stems of a side beyond which a pair is left out: long pairs align badly and cost their product."""
SUPPORT_PRIOR = 2.0
"""Expected sightings at which a pair in no dictionary is half believed, and may carry a synonym across."""
LEAST_PIVOT = 0.05
"""Least probability that may carry a synonym across."""


class Alignment:
    """Translation probabilities between English and Arabic stems that occur in one sentence pair."""

    def __init__(self, pairs: Iterable[tuple[list[str], list[str]]]) -> None:
        """Align `pairs` of (English stems, Arabic stems); repeats inside a side count once."""
        kept = [(set(one), set(other)) for one, other in pairs if 0 < len(one) <= LONGEST and 0 < len(other) <= LONGEST]
        self.english, english = _numbered([sorted(one) for one, _ in kept])
        self.arabic, arabic = _numbered([sorted(other) for _, other in kept])
        one, other = _crossed(np.array([len(one) for one, _ in kept]), np.array([len(other) for _, other in kept]))
        codes, link = np.unique(english[one] * len(self.arabic) + arabic[other], return_inverse=True)
        # A link is a distinct (English stem, Arabic stem) pair.
        self._rows, self._columns = np.divmod(codes, len(self.arabic))
        self._given_english, counts = _expect(link, other, self._rows)
        self._given_arabic, _ = _expect(link, one, self._columns)
        self._counts = counts
        values = np.sqrt(self._given_english * self._given_arabic)
        self._strengths = csr_matrix((values, (self._rows, self._columns)), (len(self.english), len(self.arabic)))
        self._english_row = {word: row for row, word in enumerate(self.english)}
        self._arabic_row = {word: row for row, word in enumerate(self.arabic)}

    def strength(self, english: str, arabic: str) -> float:
        """Geometric mean of p(arabic | english) and p(english | arabic); 0 for a pair never seen."""
        row, column = self._english_row.get(english), self._arabic_row.get(arabic)
        return 0.0 if row is None or column is None else float(self._strengths[row, column])

    def given_arabic(self) -> dict[str, dict[str, float]]:
        """p(english | arabic) of every link, by Arabic word."""
        found: dict[str, dict[str, float]] = defaultdict(dict)
        for row, column, probability in zip(self._rows, self._columns, self._given_arabic, strict=True):
            found[self.arabic[column]][self.english[row]] = float(probability)
        return found

    def strongest(self, least: float) -> Iterator[tuple[str, str, float]]:
        """Pairs of at least this strength, lowered where they rest on little text."""
        values = np.sqrt(self._given_english * self._given_arabic)
        lowered = values * self._counts / (self._counts + SUPPORT_PRIOR)
        for at in np.flatnonzero(lowered >= least):
            yield self.english[self._rows[at]], self.arabic[self._columns[at]], float(lowered[at])

    def synonyms(self, least: float) -> dict[str, dict[str, float]]:
        """Stems of one language that meet over the other: the walk there and back, symmetric."""
        to_arabic = self._matrix(self._given_english)
        to_english = self._matrix(self._given_arabic).T
        found: dict[str, dict[str, float]] = defaultdict(dict)
        for walk, words in ((to_arabic @ to_english, self.english), (to_english @ to_arabic, self.arabic)):
            both = walk.multiply(walk.T).sqrt().tocoo()
            for at in np.flatnonzero((both.data >= least) & (both.row != both.col)):
                found[words[both.row[at]]][words[both.col[at]]] = float(both.data[at])
        return found

    def _matrix(self, values: Floats) -> csr_matrix:
        kept = (values >= LEAST_PIVOT) & (self._counts >= SUPPORT_PRIOR)
        return csr_matrix(
            (values[kept], (self._rows[kept], self._columns[kept])), (len(self.english), len(self.arabic))
        )


def _numbered(bags: list[list[str]]) -> tuple[list[str], Ints]:
    """The vocabulary, sorted, and all bags end to end as rows of it."""
    words = sorted({word for bag in bags for word in bag})
    rows = {word: row for row, word in enumerate(words)}
    return words, np.array([rows[word] for bag in bags for word in bag], np.int64)


def _crossed(ones: Ints, others: Ints) -> tuple[Ints, Ints]:
    """For bags of these sizes end to end, the positions of every (one, other) of a pair."""
    repeats = np.repeat(others, ones)
    one = np.repeat(np.arange(len(repeats)), repeats)
    starts = np.repeat(np.cumsum(others) - others, ones)
    within = np.arange(len(one)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    return one, np.repeat(starts, repeats) + within


def _expect(link: Ints, target: Ints, source: Ints) -> tuple[Floats, Floats]:
    """p(target stem | source stem) and the expected count of each link."""
    probability = np.ones(len(source))
    counts: Floats = probability
    for _ in range(ROUNDS):
        share = probability[link]
        share /= np.bincount(target, share)[target]
        counts = np.asarray(np.bincount(link, share), np.float64)
        probability = counts / np.bincount(source, counts)[source]
    return probability, counts
