"""What the page's public endpoints do: scalars in, the contract's JSON out."""

from dataclasses import replace
from typing import Any, Protocol

from rag.datatypes import Hit, Language, Question
from rag.errors import UsageError
from rag.present.conversation import Answerer, well_formed
from rag.present.json import answer_to_json, brief_to_json, hit_to_json

MAX_HITS = 100
_FRAMES: dict[str, Language | None] = {"auto": None, "ar": "ar", "en": "en"}


class Searcher(Answerer, Protocol):
    """What the endpoints need of a pipeline."""

    def search(self, text: str, k: int) -> list[Hit]:
        """At most `k` hits, best first; raises RagError."""
        ...


class Endpoints:
    """The endpoints over one pipeline, whose answers look at `settings.k` passages. Clients send what they like."""

    def __init__(self, pipeline: Searcher, usual_k: int) -> None:
        self._pipeline = pipeline
        self._usual_k = usual_k

    def ask(self, question: str, k: int = 10, language: str = "auto") -> dict[str, Any]:
        """Answer a question in Arabic or English.

        `k` (1 to 100) is how many of the nearest passages come with the answer; `language` is that of the words
        around the quotes: ar, en, or auto for the question's own.
        """
        wanted, frame = _hits(k), _frame(language)
        answer = self._pipeline.ask(Question(text=_text("question", question), language=frame))
        hits = answer.hits
        if wanted > self._usual_k:
            hits = tuple(self._pipeline.search(answer.standalone_question, wanted))
        return answer_to_json(replace(answer, hits=hits[:wanted]), self._pipeline.articles)

    def brief(self, topic: str, language: str = "auto") -> dict[str, Any]:
        """Tell a topic in five to eight cited points; none, and status `no_evidence`, where the articles do not.

        `language` is that of the words around the quotes: ar, en, or auto for the topic's own.
        """
        question = Question(text=_text("topic", topic), language=_frame(language))
        return brief_to_json(self._pipeline.brief(question), self._pipeline.articles)

    def search(self, query: str, k: int = 10) -> dict[str, Any]:
        """Find the `k` (1 to 100) passages nearest to a query, best first."""
        text = _text("query", query)
        hits = self._pipeline.search(text, _hits(k))
        return {"query": text, "hits": [hit_to_json(hit, self._pipeline.articles) for hit in hits]}


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{name} {value!r} is not a text")
    return well_formed(value)


def _frame(language: str) -> Language | None:
    if language not in _FRAMES:
        raise UsageError(f"language {language!r} is unknown; use auto, ar or en")
    return _FRAMES[language]


def _hits(k: object) -> int:
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MAX_HITS:
        raise UsageError(f"k {k!r} is not a whole number from 1 to {MAX_HITS}")
    return k
