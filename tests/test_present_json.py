import json
from dataclasses import replace

from rag.datatypes import Conflict, ConflictValue, Question
from rag.present.json import answer_to_json, hit_to_json
from tests.fake_pipeline import ENGLISH as MEMBERS_EN
from tests.fake_pipeline import OLYMPICS, FakePipeline

PIPELINE = FakePipeline()
ANSWER = PIPELINE.ask(Question(text=MEMBERS_EN))
ARTICLES = PIPELINE.articles

# The contract's fields, in its order. A field may be added; none may be renamed or dropped.
ANSWER_FIELDS = [
    *("id", "question", "question_language", "standalone_question", "status", "confidence", "text"),
    *("citations", "conflicts", "hits", "timings_ms"),
]
CITATION_FIELDS = [
    *("marker", "article_id", "source", "title", "date", "language", "quote", "start", "end", "score"),
    "answer_span",
]
HIT_FIELDS = ["rank", "article_id", "source", "start", "end", "text", "score"]


def test_every_field_of_the_contract_is_there() -> None:
    shown = answer_to_json(ANSWER, ARTICLES)

    assert list(shown)[: len(ANSWER_FIELDS)] == ANSWER_FIELDS
    assert all(list(citation)[: len(CITATION_FIELDS)] == CITATION_FIELDS for citation in shown["citations"])
    assert all(list(hit)[: len(HIT_FIELDS)] == HIT_FIELDS for hit in shown["hits"])
    assert shown["timings_ms"] == {"embed": 1.0, "search": 1.0, "read": 1.0, "total": 3.0}


def test_quotes_and_spans_are_slices_of_the_article() -> None:
    citation = answer_to_json(ANSWER, ARTICLES)["citations"][0]
    text = ARTICLES[citation["article_id"]].text

    assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert citation["answer_span"] == {
        "text": "83",
        "start": citation["start"] + citation["quote"].index("83"),
        "end": citation["start"] + citation["quote"].index("83") + 2,
    }


def test_what_is_not_known_is_null() -> None:
    citation = answer_to_json(ANSWER, ARTICLES)["citations"][1]

    assert citation["date"] is None
    assert citation["answer_span"] is None


def test_a_refusal_keeps_the_nearest_passages() -> None:
    refusal = PIPELINE.ask(Question(text=OLYMPICS))
    shown = answer_to_json(refusal, ARTICLES)

    assert (shown["status"], shown["citations"]) == ("no_evidence", [])
    assert len(refusal.hits) > 2
    assert [hit["text"] for hit in shown["hits"]] == [hit.passage.text for hit in refusal.hits]


def test_conflicts_point_at_markers() -> None:
    values = (ConflictValue(value="79", citation=1), ConflictValue(value="83", citation=2))
    answer = replace(ANSWER, conflicts=(Conflict(subject="الأعضاء", values=values),))

    assert answer_to_json(answer, ARTICLES)["conflicts"] == [
        {"subject": "الأعضاء", "values": [{"value": "79", "citation": 1}, {"value": "83", "citation": 2}]}
    ]


def test_a_hit_names_its_file() -> None:
    hit = hit_to_json(ANSWER.hits[0], ARTICLES)

    assert hit["source"] == "000_5777fd76cff240d9.txt"
    assert ARTICLES[hit["article_id"]].text[hit["start"] : hit["end"]] == hit["text"]


def test_everything_is_plain_json() -> None:
    shown = answer_to_json(ANSWER, ARTICLES)

    assert json.loads(json.dumps(shown, ensure_ascii=False, allow_nan=False)) == shown
