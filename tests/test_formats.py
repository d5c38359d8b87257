"""Public collections: what is read of SQuAD and BEIR files, what is refused, and a run over one of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.formats import Collection, read_beir, read_squad
from eval.gold import GoldQuestion
from eval.run import Options, run_eval
from rag.articles import load_articles
from rag.config import Settings
from rag.errors import UsageError

ROME = "عقد وزراء خارجية التحالف الدولي اجتماعهم في روما في حزيران 2021."
DAM = "افتتح الخديوي قناطر الدلتا على النيل شمالي القاهرة سنة 1861."
BREAD = "يخمر خباز دمشق العجين ليلة كاملة قبل أن يخبزه في تنور من طين."


def squad(path: Path, *paragraphs: tuple[str, list[dict[str, Any]]]) -> Path:
    data = [{"title": "t", "paragraphs": [{"context": text, "qas": asked} for text, asked in paragraphs]}]
    path.write_text(json.dumps({"version": "1.1", "data": data}, ensure_ascii=False), encoding="utf-8")
    return path


def asked(identity: str, question: str, text: str = "", context: str = "", **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    answers = [{"text": text, "answer_start": context.index(text)}] if text else []
    return {"id": identity, "question": question, "answers": answers} | changes


def gold_of(collection: Collection, folder: Path) -> list[GoldQuestion]:
    collection.write(folder)
    return collection.questions({article.id: article for article in load_articles([folder])})


@pytest.fixture
def xquad(tmp_path: Path) -> Path:
    return squad(
        tmp_path / "xquad.ar.json",
        (ROME, [asked("1", "أين اجتمع وزراء التحالف؟", "روما", ROME), asked("2", "متى اجتمعوا؟", "2021", ROME)]),
        (DAM, [asked("3", "متى افتتحت القناطر؟", "1861", DAM)]),
        (BREAD, [asked("4", "كم دولة في الاتحاد الأوروبي؟", is_impossible=True)]),
    )


def test_squad_answers_are_evidence_at_their_place(xquad: Path, tmp_path: Path) -> None:
    collection = read_squad(xquad)
    assert (collection.name, len(collection.documents)) == ("xquad.ar.json", 3)
    folder = tmp_path / "articles"
    folder.mkdir()
    first, second, third, fourth = gold_of(collection, folder)
    assert (first.id, first.language, first.answers, first.answerable) == ("1", "ar", ("روما",), True)
    assert first.articles == second.articles != third.articles
    [[span]] = third.evidence_spans
    assert (folder / third.articles[0]).read_text(encoding="utf-8")[span.start : span.end] == "1861"
    assert (fourth.answerable, fourth.articles, fourth.type) == (False, (), "unanswerable")


def test_an_answer_that_stands_twice_is_the_one_meant(tmp_path: Path) -> None:
    text = "زار روما ثم عاد إلى روما."
    second = text.rindex("روما")
    row = {"id": "1", "question": "إلى أين عاد؟", "answers": [{"text": "روما", "answer_start": second}]}
    folder = tmp_path / "articles"
    folder.mkdir()
    [gold] = gold_of(read_squad(squad(tmp_path / "s.json", (text, [row]))), folder)
    assert gold.evidence_spans[0][0].start == second


def test_a_paragraph_given_twice_is_one_document(tmp_path: Path) -> None:
    path = squad(
        tmp_path / "tydi.json",
        (ROME, [asked("1", "أين اجتمعوا؟", "روما", ROME)]),
        (ROME, [asked("2", "متى اجتمعوا؟", "2021", ROME)]),
    )
    collection = read_squad(path)
    assert len(collection.documents) == 1
    folder = tmp_path / "articles"
    folder.mkdir()
    first, second = gold_of(collection, folder)
    assert first.articles == second.articles


def test_questions_of_one_file_are_asked_of_the_texts_of_another(xquad: Path, tmp_path: Path) -> None:
    english = squad(tmp_path / "xquad.en.json", ("any", [asked("3", "When were the barrages opened?")]))
    collection = read_squad(xquad, english)
    assert collection.name == "xquad.en.json over xquad.ar.json"
    assert len(collection.documents) == 3  # those that nobody asks of distract all the same
    folder = tmp_path / "articles"
    folder.mkdir()
    [gold] = gold_of(collection, folder)
    assert (gold.question, gold.language, gold.answers) == ("When were the barrages opened?", "en", ("1861",))


def beir(folder: Path, *qrels: str) -> Path:
    (folder / "qrels").mkdir(parents=True)
    documents = {"d1": ROME, "d2": DAM, "d3": BREAD}
    rows = [{"_id": name, "title": "", "text": text} for name, text in documents.items()]
    queries = [{"_id": "q1", "text": "اجتماع التحالف في روما"}, {"_id": "q2", "text": "bread of Damascus"}]
    for name, lines in (("corpus", rows), ("queries", queries)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    text = "\n".join(["query-id\tcorpus-id\tscore", *qrels]) + "\n"
    (folder / "qrels" / "test.tsv").write_text(text, encoding="utf-8")
    return folder


def test_beir_grades_whole_documents(tmp_path: Path) -> None:
    collection = read_beir(beir(tmp_path / "scifact", "q1\td1\t2", "q1\td2\t1", "q2\td1\t0", "q2\td3\t1"))
    folder = tmp_path / "articles"
    folder.mkdir()
    first, second = gold_of(collection, folder)
    assert (collection.name, first.grades, second.grades) == ("scifact", (2, 1), (1,))
    assert (first.evidence_spans, first.answerable) == ((), True)
    assert (folder / second.articles[0]).read_text(encoding="utf-8") == BREAD


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not of SQuAD's format"),
        ("[]", "not of SQuAD's format"),
        ('{"data": [{"paragraphs": [{"qas": [{"id": "1", "question": "x", "answers": []}]}]}]}', "no field 'context'"),
        ('{"data": [{"paragraphs": [{"context": "c", "qas": [{"id": "1", "answers": []}]}]}]}', "no field 'question'"),
        ('{"data": []}', "no questions in it"),
    ],
)
def test_a_file_that_is_not_squad_is_named(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=r"x\.json.*" + said):
        read_squad(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [("q1 d1 1", "not `query<TAB>document"), ("q9\td1\t1", "no such query"), ("q1\td1\tx", "not `query")],
)
def test_bad_qrels_are_named_with_their_line(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(UsageError, match=r"test\.tsv:3: " + said):
        read_beir(beir(tmp_path / "b", "q1\td1\t1", line))


def test_what_is_missing_or_doubled_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"corpus\.jsonl: cannot be read"):
        read_beir(tmp_path)
    with pytest.raises(UsageError, match="no questions in it"):
        read_beir(beir(tmp_path / "b", "q1\td1\t0"))
    twice = squad(tmp_path / "s.json", (ROME, [asked("1", "أين؟", "روما", ROME)] * 2))
    with pytest.raises(UsageError, match="1 questions have an id that another one has"):
        read_squad(twice)
    folder = beir(tmp_path / "c", "q1\td1\t1")
    (folder / "queries.jsonl").write_text('{"_id": "q1"}\n', encoding="utf-8")
    with pytest.raises(UsageError, match=r"queries\.jsonl:1: .*no field 'text'"):
        read_beir(folder)


def test_the_real_pipeline_is_measured_on_a_collection(xquad: Path, tmp_path: Path) -> None:
    options = Options(collection=read_squad(xquad), out=tmp_path / "out")
    assert run_eval(Settings(index_dir=tmp_path / "untouched"), options) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["gold"] == "xquad.ar.json"
    measures = report["groups"]["language"]["all"]["measures"]
    # Three paragraphs on three subjects: this says that the parts meet, not how good the system is.
    assert measures["articles nDCG@10"]["mean"] > 0.8
    assert measures["hits Success@3"]["mean"] == 1
    assert not (tmp_path / "untouched").exists()
