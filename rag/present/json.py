"""Answers and hits as the JSON that scripts rely on; field for field as the contract says."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rag.datatypes import Answer, Article, Brief, Hit

_SCORE_DIGITS = 6
_MS_DIGITS = 3


def answer_to_json(answer: Answer, articles: Mapping[str, Article]) -> dict[str, Any]:
    """`answer` as plain dicts, lists, strings and numbers; `articles` by id name the hits' files."""
    return {
        "id": answer.id,
        "question": answer.question,
        "question_language": answer.question_language,
        "standalone_question": answer.standalone_question,
        "status": answer.status,
        "confidence": round(answer.confidence, _SCORE_DIGITS),
        "text": answer.text,
        "citations": [asdict(citation) | {"score": _rounded(citation.score)} for citation in answer.citations],
        "conflicts": [
            {"subject": conflict.subject, "values": [asdict(value) for value in conflict.values]}
            for conflict in answer.conflicts
        ],
        "hits": [hit_to_json(hit, articles) for hit in answer.hits],
        "timings_ms": {phase: round(ms, _MS_DIGITS) for phase, ms in asdict(answer.timings).items()},
        "strength": answer.strength,
        "written_by": answer.written_by,
        "note": answer.note,
    }


def brief_to_json(brief: Brief, articles: Mapping[str, Article]) -> dict[str, Any]:
    """The brief's answer with its points beside the citations."""
    points = [{"text": point.text, "markers": list(point.markers)} for point in brief.points]
    return answer_to_json(brief.answer, articles) | {"points": points}


def hit_to_json(hit: Hit, articles: Mapping[str, Article]) -> dict[str, Any]:
    """`hit` as a plain dict; offsets are code points into the article's text."""
    passage = hit.passage
    return {
        "rank": hit.rank,
        "article_id": passage.article_id,
        "source": articles[passage.article_id].source,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "score": _rounded(hit.score),
        "dense": _rounded(hit.dense),
        "lexical": _rounded(hit.lexical),
    }


def _rounded(score: float) -> float:
    return round(float(score), _SCORE_DIGITS)
