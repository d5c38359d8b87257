"""The measures: pure functions over spans, ranked relevance, texts and per-question values.

ranx and ir-measures offer the ranked ones too, but with numba or a wrapped C program behind them, and neither
knows evidence spans; these few are shorter than the conversion would be. Revisit when nDCG or many runs come.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.datatypes import Article, Citation
from rag.sentences import sentence_spans
from rag.text import fold

BOOTSTRAP_SEED = 20240601
RESAMPLES = 2000

_ARTICLES = re.compile(r"\b(?:a|an|the)\b|\bال")
"""English articles as SQuAD drops them; the Arabic one where it begins a word (see `normalise_answer`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of one article's text: code points, half-open `[start, end)`."""

    article_id: str
    start: int
    end: int


def holds(span: Span, target: Span) -> bool:
    """Whether `span` covers at least half of the characters of `target` (all of them when it contains it).

    Half, because gold evidence may be a sentence and a half where a citation is one sentence, and because the
    larger part of a sentence is enough for a reader to check it; a shared word is not.
    """
    if span.article_id != target.article_id:
        return False
    shared = min(span.end, target.end) - max(span.start, target.start)
    return shared > 0 and 2 * shared >= target.end - target.start


def relevance(ranked: Iterable[Span], evidence: Sequence[Span]) -> tuple[bool, ...]:
    """For each span, best first, whether it holds any of the evidence spans."""
    return tuple(any(holds(span, target) for target in evidence) for span in ranked)


def relevance_with_passage(
    ranked: Iterable[Span], passages: Sequence[Span], evidence: Sequence[Span]
) -> tuple[bool, ...]:
    """For each quote, best first, whether it or a passage that it was taken from holds any of the evidence.

    A quote was taken from the passages that hold it, so a quote over the border of two may count for either.
    """
    return tuple(
        any(relevance([quote, *(passage for passage in passages if holds(passage, quote))], evidence))
        for quote in ranked
    )


def success_at(ranked: Sequence[bool], k: int) -> float:
    """Success@k: 1.0 if any of the first `k` is relevant, else 0.0."""
    return float(any(ranked[:k]))


def reciprocal_rank(ranked: Sequence[bool], k: int) -> float:
    """RR@k: one over the rank (from 1) of the first relevant among the first `k`; 0.0 without one."""
    return next((1.0 / rank for rank, relevant in enumerate(ranked[:k], start=1) if relevant), 0.0)


def normalise_answer(text: str) -> str:
    """Text as answers are compared: SQuAD's normalisation for English and MLQA's for Arabic, in one.

    Folds as the search does (case, diacritics, tatweel, alef and hamza, digits), deletes punctuation and
    symbols, drops articles and joins words with single spaces. One function serves both languages because their
    scripts do not overlap, and an English question is often answered in Arabic.

    It differs from MLQA's script, which deletes the letters `ال` anywhere in a word (العالم becomes ع م): here
    only where they begin one.
    """
    letters = "".join(c for c in fold(text) if unicodedata.category(c)[0] not in "PS")
    return " ".join(_ARTICLES.sub(" ", letters).split())


def token_f1(predicted: str, answers: Sequence[str]) -> float:
    """SQuAD's F1 over the words of the normalised texts, in [0, 1], against the best of `answers`."""
    return max((_f1(normalise_answer(predicted).split(), normalise_answer(a).split()) for a in answers), default=0.0)


def exact_match(predicted: str, answers: Sequence[str]) -> float:
    """1.0 if the normalised text equals one of the normalised `answers`, else 0.0."""
    return float(any(normalise_answer(predicted) == normalise_answer(answer) for answer in answers))


def _f1(predicted: list[str], answer: list[str]) -> float:
    if not predicted or not answer:
        return float(predicted == answer)
    shared = (Counter(predicted) & Counter(answer)).total()
    return 2 * shared / (len(predicted) + len(answer))


def wrong_quotes(citations: Iterable[Citation], articles: Mapping[str, Article]) -> int:
    """How many citations are not what they say: the quote, or its answer span, is no slice of the article."""
    return sum(not _is_slice(citation, articles) for citation in citations)


def _is_slice(citation: Citation, articles: Mapping[str, Article]) -> bool:
    article = articles.get(citation.article_id)
    # A negative or reversed span could still slice to an equal text, and would point elsewhere in the page.
    if article is None or not 0 <= citation.start < citation.end <= len(article.text):
        return False
    span = citation.answer_span
    inside = span is None or (
        citation.start <= span.start < span.end <= citation.end and article.text[span.start : span.end] == span.text
    )
    return inside and article.text[citation.start : citation.end] == citation.quote


def repeated_sentences(citations: Iterable[Citation]) -> int:
    """How many sentences of one answer's quotes say what an earlier one of them says (folded text equal)."""
    folded = [
        " ".join(fold(citation.quote[start:end]).split())
        for citation in citations
        for start, end in sentence_spans(citation.quote)
    ]
    return len(folded) - len(set(folded))


def percentile(values: Sequence[float], q: float) -> float:
    """The `q`-th percentile (0 to 100) of at least one value, by linear interpolation."""
    return float(np.percentile(values, q))


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over `n` questions and the bounds of its 95% interval by bootstrap over questions."""

    n: int
    mean: float
    low: float
    high: float


def estimate(values: Sequence[float], *, resamples: int = RESAMPLES, seed: int = BOOTSTRAP_SEED) -> Estimate | None:
    """The mean and its percentile bootstrap interval, the same at every call; None of nothing.

    For two runs of the same questions, pass the differences: that is the paired bootstrap.
    """
    if not values:
        return None
    observed = np.asarray(values, dtype=np.float64)
    rows = np.random.default_rng(seed).integers(0, len(observed), size=(resamples, len(observed)))
    low, high = np.percentile(observed[rows].mean(axis=1), [2.5, 97.5])
    return Estimate(n=len(observed), mean=float(observed.mean()), low=float(low), high=float(high))
