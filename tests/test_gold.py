"""Reading gold questions: what is accepted, and that every problem is named with its line."""

import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.gold import GoldError, GoldQuestion, QuestionType, load_gold, repeated
from eval.metrics import Span
from rag.articles import load_articles
from rag.datatypes import Article
from rag.errors import UsageError
from rag.text import fold

ROOT = Path(__file__).resolve().parent.parent

HALF = "يضم التحالف 79 دولة. واجتمع في روما."
ARTICLES = {
    "000": Article(id="000", source="000.txt", title="", language="ar", text=f"{HALF}\n{HALF}"),
    "001": Article(id="001", source="001.txt", title="", language="ar", text="يضم التحالف 79 دولة. وانتهى."),
}


def record(**changes: object) -> dict[str, object]:
    return {
        "id": "q1",
        "language": "ar",
        "question": "كم دولة في التحالف؟",
        "history": [],
        "answerable": True,
        "type": "number",
        "articles": ["000.txt"],
        "evidence": ["يضم التحالف 79 دولة."],
        "answers": ["79"],
        "pair": None,
    } | changes


def write(path: Path, *records: object) -> Path:
    lines = (r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in records)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(GoldError) as caught:
        load_gold(path, ARTICLES)
    found = str(caught.value).splitlines()
    assert found == list(caught.value.problems)
    assert all(line.startswith(f"{path}:") for line in found)
    return [line.removeprefix(f"{path}:") for line in found]


def test_a_question_is_read_with_all_occurrences_of_its_evidence(tmp_path: Path) -> None:
    path = write(tmp_path / "gold.jsonl", record(note="ignored", history=["ما التحالف؟"]))
    [question] = load_gold(path, ARTICLES)
    assert (question.id, question.language, question.type, question.pair) == ("q1", "ar", "number", None)
    assert question.history == ("ما التحالف؟",)
    assert question.answers == ("79",)
    # Article 000 says everything twice; 001 says it too, but is not named.
    second = len(HALF) + 1
    assert question.evidence_spans == (
        (Span(article_id="000", start=0, end=20), Span(article_id="000", start=second, end=second + 20)),
    )


def test_spans_are_in_every_named_article_and_slice_to_the_evidence(tmp_path: Path) -> None:
    path = write(
        tmp_path / "gold.jsonl",
        record(articles=["001.txt", "000.txt", "001.txt"], evidence=["التحالف 79", "وانتهى."]),
    )
    [question] = load_gold(path, ARTICLES)
    assert [[span.article_id for span in spans] for spans in question.evidence_spans] == [
        ["001", "000", "000"],
        ["001"],
    ]
    texts = [
        [ARTICLES[span.article_id].text[span.start : span.end] for span in spans] for spans in question.evidence_spans
    ]
    assert texts == [["التحالف 79"] * 3, ["وانتهى."]]


def test_nuggets_are_facts_with_evidence(tmp_path: Path) -> None:
    nuggets = [{"text": "79 دولة", "evidence": ["التحالف 79"]}, {"text": "روما", "evidence": ["في روما", "واجتمع"]}]
    path = write(tmp_path / "gold.jsonl", record(type="brief", nuggets=nuggets))
    [question] = load_gold(path, ARTICLES)
    # Everything stands twice in the article.
    assert [len(spans) for spans in question.nuggets] == [2, 4]


def test_a_question_asked_twice_is_found(tmp_path: Path) -> None:
    rows = (record(), record(id="q2", question="كم دولةً في التّحالف؟"), record(id="q3", history=["ما التحالف؟"]))
    assert repeated(load_gold(write(tmp_path / "gold.jsonl", *rows), ARTICLES)) == [
        'q2: asks the same as q1: "كم دولةً في التّحالف؟"'
    ]


def test_order_blank_lines_and_byte_order_mark(tmp_path: Path) -> None:
    lines = [json.dumps(record(id=name, pair=pair)) for name, pair in (("b", "a"), ("a", "b"))]
    path = tmp_path / "gold.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n\r\n".join(lines).encode() + b"\r\n")
    assert [(question.id, question.pair) for question in load_gold(path, ARTICLES)] == [("b", "a"), ("a", "b")]


def test_a_line_separator_inside_a_text_does_not_break_the_line(tmp_path: Path) -> None:
    path = write(tmp_path / "gold.jsonl", record(question="كم دولة\u2028في التحالف؟"))
    assert load_gold(path, ARTICLES)[0].question == "كم دولة\u2028في التحالف؟"


def test_an_unanswerable_question_needs_no_evidence(tmp_path: Path) -> None:
    path = write(
        tmp_path / "gold.jsonl",
        record(answerable=False, type="unanswerable", articles=[], evidence=[], answers=[]),
    )
    assert load_gold(path, ARTICLES)[0].evidence_spans == ()


def test_the_nearest_sentence_is_shown_beside_evidence_that_is_not_there(tmp_path: Path) -> None:
    [found] = problems(write(tmp_path / "gold.jsonl", record(evidence=["يضم التحالف ٧٩ دولة اليوم"])))
    assert found.endswith('; nearest, in 000.txt: "يضم التحالف 79 دولة."')


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "1: broken JSON: "),
        ("[1]", "1: broken JSON: an object was expected, not list"),
        ("[" * 100_000, "1: broken JSON: "),
        ({k: v for k, v in record().items() if k != "pair"}, "1: missing field 'pair'"),
        (record(id=" "), "1: field 'id' must be a text, not \" \""),
        (record(id=7), "1: field 'id' must be a text, not 7"),
        (record(language="fr"), "1: field 'language' must be ar or en, not \"fr\""),
        (record(question="\ud800"), "1: field 'question' must be a text, not"),
        (record(history=None), "1: field 'history' must be a list of texts, not null"),
        (record(answerable="yes"), "1: field 'answerable' must be true or false, not \"yes\""),
        (record(type="why"), "1: field 'type' must be one of number, date,"),
        (record(articles="000.txt"), "1: field 'articles' must be a list of file names"),
        (record(evidence=["", "x"]), "1: field 'evidence' must be a list of texts"),
        (record(answers=[79]), "1: field 'answers' must be a list of texts, not [79]"),
        (record(pair=3), "1: field 'pair' must be null or a question's id, not 3"),
        (record(articles=["999.txt"]), "1: unknown article '999.txt'; known: 000.txt, 001.txt"),
        (record(articles=["000"]), "1: unknown article '000'"),
        (record(evidence=[]), "1: answerable without evidence"),
        (record(type="unanswerable"), "1: answerable, but of type 'unanswerable'"),
        (record(evidence=["يضم التحالف 81 دولة."]), '1: evidence not verbatim in the articles named: "يضم التحالف 81'),
        (record(evidence=["وانتهى."]), "1: evidence not verbatim in the articles named"),  # in 001, which is not named
        (record(articles=[]), "1: evidence not verbatim in the articles named"),
        (record(answers=["79", "81"]), '1: answer outside the evidence: "81"'),
        (record(answers=["9"]), '1: answer outside the evidence: "9"'),
        (record(nuggets=[{"text": "روما"}]), "1: field 'nuggets' must be a list of text and evidence"),
        (
            record(nuggets=[{"text": "روما", "evidence": ["في باريس"]}]),
            "1: evidence not verbatim in the articles named",
        ),
        (record(pair="q9"), "1: unknown pair 'q9'"),
        (record(pair="q1"), "1: unknown pair 'q1': no other question"),
    ],
)
def test_each_problem_is_named(tmp_path: Path, line: object, reason: str) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text(line if isinstance(line, str) else json.dumps(line), encoding="utf-8")
    [found] = problems(path)
    assert found.startswith(reason)


def test_all_problems_come_at_once_in_line_order(tmp_path: Path) -> None:
    path = write(
        tmp_path / "gold.jsonl",
        record(),
        "not JSON",
        "",
        record(question=3, answers="79"),
        record(id="q2", pair="q3"),
        record(id="q4", evidence=["لا شيء", "ولا هذا"]),
    )
    found = problems(path)
    assert [line.split(":")[0] for line in found] == ["2", "4", "4", "4", "5", "6", "6"]
    assert "4: duplicate id 'q1', first on line 1" in found


def test_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    line = json.dumps(record(), ensure_ascii=False)
    path.write_bytes(line.encode() + b"\n" + line.encode("cp1256"))
    [found] = problems(path)
    assert found.startswith("2: wrong encoding: not UTF-8 at byte ")


def test_a_missing_and_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(GoldError, match="cannot read the gold questions"):
        load_gold(tmp_path / "none.jsonl", ARTICLES)
    (tmp_path / "empty.jsonl").write_bytes(b"\n")
    with pytest.raises(GoldError, match="no questions in the file"):
        load_gold(tmp_path / "empty.jsonl", ARTICLES)


def test_it_is_wrong_usage() -> None:
    assert issubclass(GoldError, UsageError)
    assert GoldError(("gold.jsonl:1: broken",)).exit_status == 2


@settings(max_examples=60)
@given(content=st.binary(max_size=60), start=st.sampled_from([b"", b"{", b'{"id": ']))
def test_any_bytes_are_refused_with_their_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, start: bytes
) -> None:
    path = tmp_path_factory.mktemp("gold") / "gold.jsonl"
    path.write_bytes(start + content)
    problems(path)


@settings(max_examples=60)
@given(start=st.integers(0, len(HALF) - 1), length=st.integers(1, 20))
def test_any_slice_of_an_article_is_evidence(tmp_path_factory: pytest.TempPathFactory, start: int, length: int) -> None:
    evidence = HALF[start : start + length]
    if not evidence.strip():
        return
    path = write(tmp_path_factory.mktemp("gold") / "gold.jsonl", record(evidence=[evidence], answers=[]))
    [spans] = load_gold(path, ARTICLES)[0].evidence_spans
    assert Span(article_id="000", start=start, end=start + len(evidence)) in spans
    assert all(ARTICLES["000"].text[span.start : span.end] == evidence for span in spans)


# --- the project's own questions

GOLD = ROOT / "eval" / "gold"
SEEDS = {article.id: article for article in load_articles([ROOT / "seeds"])}


def own(name: str) -> list[GoldQuestion]:
    return load_gold(GOLD / name, SEEDS)


def test_the_test_split_is_what_its_card_says() -> None:
    questions = own("test.jsonl")
    card = (GOLD / "CARD.md").read_text(encoding="utf-8")
    counts = {language: sum(each.language == language for each in questions) for language in ("ar", "en")}
    assert f"{len(questions)} ({counts['ar']} Arabic, {counts['en']} English)" in card
    assert len(questions) >= 160
    assert sum(each.pair is not None for each in questions) // 2 >= 40
    assert sum(not each.answerable for each in questions) >= 40
    assert sum(bool(each.history) for each in questions) >= 15
    assert {each.type for each in questions} == set(get_args(QuestionType)) - {"brief"}


def test_briefs_have_nuggets_in_both_languages() -> None:
    briefs = own("briefs.jsonl")
    by_id = {each.id: each for each in briefs}
    assert len(briefs) >= 12
    for each in briefs:
        assert each.type == "brief"
        assert each.pair is not None
        assert len(each.nuggets) >= 5
        assert set(each.evidence) == set(by_id[each.pair].evidence)


def test_no_question_is_in_both_splits() -> None:
    asked = [
        {(*map(fold, each.history), fold(each.question)) for each in own(name)}
        for name in ("test.jsonl", "calibration.jsonl")
    ]
    assert asked[0] & asked[1] == set()


@pytest.mark.parametrize("name", ["test.jsonl", "briefs.jsonl"])
def test_pairs_are_mutual_and_of_one_evidence(name: str) -> None:
    by_id = {each.id: each for each in own(name)}
    for each in by_id.values():
        if each.pair is not None:
            other = by_id[each.pair]
            assert (other.pair, {other.language, each.language}) == (each.id, {"ar", "en"})
            assert (set(other.evidence), other.type) == (set(each.evidence), each.type)
