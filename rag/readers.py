"""Hits to citations: the extractive reader picks the sentences that answer, verbatim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from rag.calibration import Calibration
from rag.confidence import confidence_features, leading_hits
from rag.conflicts import Told, counted_amounts, counted_terms, find_conflicts
from rag.datatypes import AnswerSpan, Article, Citation, Hit, Sentence
from rag.lexicon import Lexicon
from rag.protocols import Query, Reading
from rag.scoring import Candidates, SentenceScorer, asked_stems, term_stems
from rag.spans import find_spans
from rag.text import fold, stem, tokens

_MAX_CITATIONS = 5
_SURE_CITATIONS = 3
_MAX_JOINED_CHARS = 700
_FAR_BEHIND = 6.0
"""A second or third sentence that scores this much below the first (log odds) is no part of the answer."""
_MARKED_BEHIND = 4.0
"""A number further behind is likely some other number: it is not marked as the short answer."""
_NAMED = 0.3
"""Weight from which a way to say a word of the question counts as saying it."""
_CLOSE_BEHIND = 2.0
"""A fourth or fifth one must come this near."""


@dataclass(frozen=True, slots=True)
class _Quote:
    """A stretch of one article around the chosen sentence `[core_start, core_end)`."""

    article_id: str
    start: int
    end: int
    core_start: int
    core_end: int


def mint(
    article: Article, start: int, end: int, *, marker: int, score: float, answer_span: AnswerSpan | None = None
) -> Citation:
    """The citation of `[start, end)` of an article: the only way that one comes into being."""
    return Citation(
        marker=marker,
        article_id=article.id,
        source=article.source,
        title=article.title,
        date=article.date,
        language=article.language,
        quote=article.text[start:end],
        start=start,
        end=end,
        score=score,
        answer_span=answer_span,
    )


class ExtractiveReader:
    """Ranks the sentences of the hits by fitted weights and quotes the best one to five."""

    def __init__(
        self, articles: Mapping[str, Article], scorer: SentenceScorer, lexicon: Lexicon, calibration: Calibration
    ) -> None:
        self._articles = articles
        self._scorer = scorer
        self._lexicon = lexicon
        self._calibration = calibration

    def read(self, query: Query, hits: Sequence[Hit]) -> Reading:
        """Citations, best first, and the probability that they answer; nothing and 0 without hits."""
        if not hits:
            return Reading(citations=(), confidence=0.0)
        candidates = self._scorer.candidates(query, hits)
        scores = self._calibration.ranking.score(candidates.features)
        quotes = self._choose(candidates, scores)
        quotes += self._differing(query, candidates, scores, quotes)
        citations = [
            self._cite(query, marker, quote, score, marked=quotes[0][1] - score <= _MARKED_BEHIND)
            for marker, (quote, score) in enumerate(quotes, start=1)
        ]
        support = self._scorer.support(query, leading_hits(candidates, scores))
        evidence = confidence_features(query, candidates, scores, support)
        told = [
            Told(citation=citation, start=quote.core_start, end=quote.core_end)
            for citation, (quote, _) in zip(citations, quotes, strict=True)
        ]
        return Reading(
            citations=tuple(citations),
            confidence=self._calibration.probability(evidence),
            conflicts=find_conflicts(query, told, self._lexicon),
        )

    def _choose(self, candidates: Candidates, scores: NDArray[np.float64]) -> list[tuple[_Quote, float]]:
        """Quotes and their scores, best first, no text twice and none overlapping another."""
        chosen: list[tuple[_Quote, float]] = []
        texts: set[str] = set()
        order = np.argsort(-scores, kind="stable")
        for position in order:
            behind = float(scores[order[0]] - scores[position])
            limit = _FAR_BEHIND if len(chosen) < _SURE_CITATIONS else _CLOSE_BEHIND
            if len(chosen) == _MAX_CITATIONS or behind > limit:
                break
            sentence = candidates.sentences[position]
            key = fold(sentence.text)
            quote = self._joined(sentence, candidates.hits[position])
            if key in texts or any(_overlap(quote, other) for other, _ in chosen):
                continue
            texts.add(key)
            chosen.append((quote, float(scores[position])))
        return chosen

    def _differing(
        self,
        query: Query,
        candidates: Candidates,
        scores: NDArray[np.float64],
        chosen: Sequence[tuple[_Quote, float]],
    ) -> list[tuple[_Quote, float]]:
        """Quotes that give another number of the same thing than the chosen ones do, as far as there is room.

        A sentence that scores too low for an answer by itself must not hide that the sources differ; it counts if it
        has all that the question names.
        """
        told = [self._articles[quote.article_id].text[quote.core_start : quote.core_end] for quote, _ in chosen]
        amounts = frozenset[Fraction]().union(*(counted_amounts(query, text, self._lexicon) for text in told))
        asked = counted_terms(query)
        named = [at for at, term in enumerate(query.terms) if asked and term.span[0] >= asked[0].span[0]]
        more: list[tuple[_Quote, float]] = []
        for position in np.argsort(-scores, kind="stable") if amounts else ():
            sentence = candidates.sentences[position]
            if len(chosen) + len(more) == _MAX_CITATIONS or candidates.coverage[position, named].min() < _NAMED:
                continue
            new = counted_amounts(query, sentence.text, self._lexicon) - amounts
            quote = self._joined(sentence, candidates.hits[position])
            if new and not any(_overlap(quote, other) for other, _ in [*chosen, *more]):
                amounts |= new
                more.append((quote, float(scores[position])))
        return more

    def _joined(self, sentence: Sentence, hit: Hit) -> _Quote:
        """The sentence, with a lead-in that ends in a colon before it, and with what its own colon announces."""
        sentences = hit.passage.sentences
        first = last = sentences.index(sentence)
        text = self._articles[sentence.article_id].text
        if first and sentences[first - 1].text.endswith(":"):
            first -= 1
        if sentence.text.endswith(":"):
            listed = text[: sentences[last + 1].start].rstrip(" \u00a0")[-1:] if last + 1 < len(sentences) else ""
            while last + 1 < len(sentences) and sentences[last + 1].end - sentences[first].start <= _MAX_JOINED_CHARS:
                last += 1
                if not _is_bullet(listed):
                    break
        if sentences[last].end - sentences[first].start > _MAX_JOINED_CHARS:
            first = last = sentences.index(sentence)
        return _Quote(sentence.article_id, sentences[first].start, sentences[last].end, sentence.start, sentence.end)

    def _cite(self, query: Query, marker: int, quote: _Quote, score: float, *, marked: bool) -> Citation:
        article = self._articles[quote.article_id]
        span = self._answer_span(query, article, quote) if marked else None
        return mint(article, quote.start, quote.end, marker=marker, score=score, answer_span=span)

    def _answer_span(self, query: Query, article: Article, quote: _Quote) -> AnswerSpan | None:
        """The number, date or name asked for: the one nearest to the question's words, not repeated from it."""
        text = article.text[quote.core_start : quote.core_end]
        asked = asked_stems(query)
        spans = [
            (start, end)
            for start, end in find_spans(text, query.answer_type, self._lexicon)
            if not asked.issuperset(stem(token.text) for token in tokens(text[start:end]))
        ]
        if not spans:
            return None
        places = self._matched_places(query, text)
        start, end = min(spans, key=lambda span: (_distance(span, places), span[0]))
        begin = quote.core_start + start
        return AnswerSpan(text=text[start:end], start=begin, end=quote.core_start + end)

    def _matched_places(self, query: Query, text: str) -> list[int]:
        """Where in `text` the words of the question stand, in either language."""
        asked = term_stems(query)
        return [token.start for token in tokens(text) if stem(token.text) in asked]


def _is_bullet(mark: str) -> bool:
    return bool(mark) and mark in "ـ-–—•*·▪●"


def _overlap(one: _Quote, other: _Quote) -> bool:
    return one.article_id == other.article_id and one.start < other.end and other.start < one.end


def _distance(span: tuple[int, int], places: Sequence[int]) -> float:
    """Mean distance in characters from a span to the two nearest places outside it."""
    distances = sorted(max(span[0] - place, place - span[1], 0) for place in places if not span[0] <= place < span[1])
    return float(np.mean(distances[:2])) if distances else 0.0
