"""What one answer is worth beside its evidence: pure functions over spans, quotes and texts.

The ranked measures are in `eval.ranking`, means and intervals in `eval.statistics`.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.datatypes import Article
from rag.sentences import sentence_spans
from rag.text import fold

_ARTICLES = re.compile(r"\b(?:a|an|the)\b|\bال")
"""English articles as SQuAD drops them; the Arabic one where it begins a word (see `normalise_answer`)."""
_PREFIXES = "[وفبكلسا]{0,4}"
"""And, so, by, like, for, will, and what is left of the article after one of them."""

Quoted = Mapping[str, Any]
"""A citation as the contract's JSON has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of one article's text: code points, half-open `[start, end)`."""

    article_id: str
    start: int
    end: int


def overlap(span: Span, other: Span) -> int:
    """How many characters both cover."""
    shared = min(span.end, other.end) - max(span.start, other.start)
    return max(0, shared) if span.article_id == other.article_id else 0


def holds(span: Span, target: Span) -> bool:
    """Whether `span` covers at least half of the characters of `target` (all of them when it contains it).

    Half, because gold evidence may be a sentence and a half where a citation is one sentence, and because the
    larger part of a sentence is enough for a reader to check it; a shared word is not.
    """
    shared = overlap(span, target)
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


def normalise_answer(text: str) -> str:
    """Text as answers are compared: SQuAD's normalisation for English and MLQA's for Arabic, in one.

    Folds as the search does (case, diacritics, tatweel, alef and hamza, digits), deletes punctuation and
    symbols, drops articles and joins words with single spaces. One function serves both languages because their
    scripts do not overlap, and an English question is often answered in Arabic.

    It differs from MLQA's script, which deletes the letters `ال` anywhere in a word (العالم becomes ع م): here
    only where they begin one.
    """
    return _plain(text, "")


def _plain(text: str, mark: str) -> str:
    """Folded words without articles, with `mark` in place of punctuation and symbols."""
    letters = "".join(mark if unicodedata.category(c)[0] in "PS" else c for c in fold(text))
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


def tells(text: str, item: str) -> bool:
    """Whether `item` stands in `text`, word for word when folded; its first word may bear Arabic prefixes."""
    wanted, said = _plain(item, " "), _plain(text, " ")  # a mark may stand between words: "2-التعامل"
    return bool(wanted) and bool(re.search(rf"(?<!\w){_PREFIXES}{re.escape(wanted)}(?!\w)", said))


def list_recall(text: str, items: Sequence[str]) -> float:
    """Share of `items` that stand in `text`; 0.0 of no items."""
    return sum(tells(text, item) for item in items) / len(items) if items else 0.0


def wrong_quotes(citations: Iterable[Quoted], articles: Mapping[str, Article]) -> int:
    """How many citations are not what they say: the quote, or its answer span, is no slice of the article."""
    return sum(not _is_slice(citation, articles) for citation in citations)


def _is_slice(citation: Quoted, articles: Mapping[str, Article]) -> bool:
    article = articles.get(citation["article_id"])
    start, end, span = citation["start"], citation["end"], citation.get("answer_span")
    # A negative or reversed span could still slice to an equal text, and would point elsewhere in the page.
    if article is None or not 0 <= start < end <= len(article.text):
        return False
    inside = not span or (
        start <= span["start"] < span["end"] <= end and article.text[span["start"] : span["end"]] == span["text"]
    )
    return bool(inside and article.text[start:end] == citation["quote"])


def repeated_sentences(quotes: Iterable[str]) -> int:
    """How many sentences of one answer's quotes say what an earlier one of them says (folded text equal)."""
    folded = [" ".join(fold(quote[a:b]).split()) for quote in quotes for a, b in sentence_spans(quote)]
    return len(folded) - len(set(folded))
