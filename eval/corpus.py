"""What was searched, as evaluation needs it: which passages and sentences hold a piece of evidence."""

from collections.abc import Iterable, Mapping, Sequence

from eval.metrics import Span, holds, overlap
from rag.datatypes import Article, Passage, Sentence
from rag.text import fold

Units = Mapping[str, Sequence[tuple[Span, str]]]
"""By article id: spans in order, each with the id of the first unit anywhere that says the same."""


class Corpus:
    """Articles and the units that they were cut into. Copies of one text share an id, for search shows only one."""

    def __init__(self, articles: Mapping[str, Article], passages: Sequence[Passage]) -> None:
        self.articles = articles
        self.ids = {article.source: article.id for article in articles.values()}
        self._passages = _units(articles, passages)
        self._sentences = _units(articles, [sentence for passage in passages for sentence in passage.sentences])

    def passages_with(self, evidence: Iterable[Span]) -> dict[str, int]:
        """Ids of the passages that hold any of the evidence, each with grade 1."""
        return _wanted(self._passages, evidence)

    def sentences_with(self, evidence: Iterable[Span]) -> dict[str, int]:
        """Ids of the sentences that hold any of the evidence, each with grade 1."""
        return _wanted(self._sentences, evidence)

    def passage_id(self, span: Span) -> str:
        """The id of a passage that was found."""
        return _first(self._passages, span, {})

    def sentence_id(self, span: Span, wanted: Mapping[str, int]) -> str:
        """The id of a quote: that of its first sentence among `wanted`, else of its first one."""
        return _first(self._sentences, span, wanted)


def _units(articles: Mapping[str, Article], parts: Iterable[Passage | Sentence]) -> Units:
    first: dict[str, str] = {}
    units: dict[str, list[tuple[Span, str]]] = {identity: [] for identity in articles}
    for part in parts:
        identity = f"{part.article_id}:{part.start}-{part.end}"
        said = " ".join(fold(part.text).split())
        span = Span(article_id=part.article_id, start=part.start, end=part.end)
        units[part.article_id].append((span, first.setdefault(said, identity)))
    return units


def _wanted(units: Units, evidence: Iterable[Span]) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for target in evidence:
        near = [(span, identity) for span, identity in units[target.article_id] if overlap(span, target)]
        holding = [identity for span, identity in near if holds(span, target)]
        if near and not holding:  # evidence longer than any unit: the one with most of it
            holding = [max(near, key=lambda unit: overlap(unit[0], target))[1]]
        wanted |= dict.fromkeys(holding, 1)
    return wanted


def _first(units: Units, span: Span, wanted: Mapping[str, int]) -> str:
    inside = [identity for unit, identity in units.get(span.article_id, ()) if holds(span, unit)]
    return next((identity for identity in inside if identity in wanted), inside[0] if inside else str(span))
