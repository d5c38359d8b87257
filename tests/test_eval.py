"""Judging answers, summing up, comparing with a baseline and the whole run, with fakes and with the real thing."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import eval.run
from eval.ablation import VARIANTS, switched
from eval.baseline import compare, load_former
from eval.gold import GoldQuestion, load_gold
from eval.run import run_eval
from eval.score import HEADLINE, MEASURES, Score, judge, summarise
from rag.config import Settings
from rag.datatypes import Answer, AnswerSpan, Article, Citation, Hit, Passage, Question, Timings
from rag.errors import ArticleError, UsageError

SENTENCES = ("يضم التحالف 79 دولة.", "عُقد الاجتماع في روما.", "وصل الوزير أمس.", "انتهى التقرير.")
TEXT = " ".join(SENTENCES)
ARTICLE = Article(id="a", source="a.txt", title="التحالف", language="ar", text=TEXT)
ARTICLES = {"a": ARTICLE}


def place(sentence: int) -> tuple[int, int]:
    start = TEXT.index(SENTENCES[sentence])
    return start, start + len(SENTENCES[sentence])


def citation(sentence: int, marker: int = 1) -> Citation:
    start, end = place(sentence)
    return Citation(
        marker=marker,
        article_id="a",
        source="a.txt",
        title="التحالف",
        date=None,
        language="ar",
        quote=SENTENCES[sentence],
        start=start,
        end=end,
        score=1.0,
    )


def hit(rank: int, *sentences: int) -> Hit:
    start, end = place(sentences[0])[0], place(sentences[-1])[1]
    passage = Passage(
        id=f"a#{sentences[0]}",
        article_id="a",
        start=start,
        end=end,
        text=TEXT[start:end],
        language="ar",
        heading="",
        sentences=(),
    )
    return Hit(rank=rank, passage=passage, score=1 / rank, dense=0.5, lexical=1.0)


def answer(*cited: int, hits: tuple[Hit, ...] = (), total: float = 10.0) -> Answer:
    return Answer(
        id="q",
        question="؟",
        question_language="ar",
        standalone_question="؟",
        status="answered" if cited else "no_evidence",
        confidence=0.9,
        text="",
        citations=tuple(citation(sentence, marker) for marker, sentence in enumerate(cited, start=1)),
        conflicts=(),
        hits=hits,
        timings=Timings(embed=1.0, search=2.0, read=3.0, total=total),
    )


def gold_record(identity: str, language: str = "ar", evidence: int | None = 1, **changes: object) -> dict[str, object]:
    return {
        "id": identity,
        "language": language,
        "question": f"سؤال {identity}",
        "history": [],
        "answerable": evidence is not None,
        "type": "unanswerable" if evidence is None else "number",
        "articles": [] if evidence is None else ["a.txt"],
        "evidence": [] if evidence is None else [SENTENCES[evidence]],
        "answers": [],
        "pair": None,
    } | changes


def write_gold(path: Path, *records: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture
def gold(tmp_path: Path) -> GoldQuestion:
    """Its evidence is the second sentence."""
    return load_gold(write_gold(tmp_path / "one.jsonl", gold_record("q", answers=["روما"])), ARTICLES)[0]


def measured(score: Score) -> dict[str, float | None]:
    return {name: measure(score) for name, measure in MEASURES.items()}


def test_a_score_by_hand(gold: GoldQuestion) -> None:
    # Evidence: sentence 1. Hits: [2,3] no, [0,1] yes. Citations: 3 no (its passage [2,3] no), 0 no, but its passage
    # [0,1] holds 1; then 1 itself.
    score = judge(gold, answer(3, 0, 1, hits=(hit(1, 2, 3), hit(2, 0, 1))), ARTICLES)
    assert score.hits == (False, True)
    assert score.citations == (False, False, True)
    assert score.citations_or_passage == (False, True, True)
    found = measured(score)
    assert [found[f"hits {name}"] for name in ("Success@1", "Success@3", "Success@5", "RR@10")] == [0, 1, 1, 1 / 2]
    assert [found[f"citations {name}"] for name in ("Success@1", "Success@3", "RR@10")] == [0, 1, 1 / 3]
    assert [found[f"citations or passage {name}"] for name in ("Success@1", "Success@3", "RR@10")] == [0, 1, 1 / 2]
    # The first quote is "انتهى التقرير": no word of "روما".
    assert found["answer F1"] == 0
    assert found["refused wrong"] == 0
    assert found["refused right"] is None


def test_the_answer_is_the_first_quote_or_its_span(gold: GoldQuestion) -> None:
    # "عقد اجتماع في روما" against "روما": 2*1 / (4+1).
    assert judge(gold, answer(1, 0), ARTICLES).f1 == pytest.approx(0.4)
    start = TEXT.index("روما")
    marked = replace(citation(1), answer_span=AnswerSpan(text="روما", start=start, end=start + 4))
    spanned = replace(answer(1), citations=(marked,))
    assert judge(gold, spanned, ARTICLES).f1 == 1.0
    assert judge(gold, spanned, ARTICLES).exact == 1.0


def test_a_refused_and_a_failed_question_get_the_worst_of_each(gold: GoldQuestion) -> None:
    refused = measured(judge(gold, answer(hits=(hit(1, 0, 1),)), ARTICLES))
    assert refused["hits Success@1"] == 1  # retrieval is judged all the same
    assert refused["citations Success@3"] == refused["citations or passage Success@3"] == refused["answer F1"] == 0
    assert refused["refused wrong"] == 1
    failed = measured(judge(gold, None, ARTICLES))
    assert {value for name, value in failed.items() if name not in ("refused wrong", "refused right")} == {0}
    assert failed["refused wrong"] == 1


def test_an_unanswerable_question_counts_for_refusing_only(tmp_path: Path) -> None:
    [gold] = load_gold(write_gold(tmp_path / "gold.jsonl", gold_record("q", evidence=None)), ARTICLES)
    for given, expected in ((answer(), 1.0), (answer(0), 0.0), (None, 0.0)):
        found = measured(judge(gold, given, ARTICLES))
        assert {name: value for name, value in found.items() if value is not None} == {"refused right": expected}


def test_faults_of_citations_are_counted(gold: GoldQuestion) -> None:
    score = judge(gold, answer(0, 1, 0), ARTICLES)
    assert (score.quotes, score.wrong_quotes, score.repeated) == (3, 0, 1)
    moved = replace(citation(1), start=0, end=5)
    score = judge(gold, replace(answer(1), citations=(moved,)), ARTICLES)
    assert (score.quotes, score.wrong_quotes, score.repeated) == (1, 1, 0)


def score(identity: str, *citations: bool, language: Any = "ar", **changes: Any) -> Score:  # noqa: ANN401
    return replace(Score(id=identity, language=language, answerable=True, citations=citations), **changes)


def test_summaries_are_by_language_and_over_all() -> None:
    spent = [Timings(embed=0, search=0, read=0, total=total) for total in (10.0, 30.0)]
    summary = summarise(
        [
            score("1", True, timings=spent[0]),
            score("2", False, True, timings=spent[1]),
            score("3", failed=True, language="en"),
            Score(id="4", language="en", answerable=False, refused=True),
        ]
    )
    arabic, english, everything = summary["ar"], summary["en"], summary["all"]
    assert (arabic.questions, arabic.answerable, arabic.failed) == (2, 2, 0)
    assert (english.questions, english.answerable, english.failed) == (2, 1, 1)
    assert arabic.measures["citations Success@1"].mean == 0.5
    assert arabic.measures["citations RR@10"].mean == pytest.approx((1 + 1 / 2) / 2)
    assert english.measures["citations Success@1"].mean == 0
    assert everything.measures["citations Success@3"].mean == pytest.approx(2 / 3)
    assert everything.measures["refused right"].mean == 1
    assert everything.measures["refused wrong"].mean == pytest.approx(1 / 3)
    assert "refused right" not in arabic.measures
    # 10 and 30: the median half way, p95 at 95% of the way.
    assert arabic.latency_ms["total"].p50 == 20
    assert arabic.latency_ms["total"].p95 == pytest.approx(29)
    assert english.latency_ms == {}
    assert everything.latency_ms["total"].p50 == 20


def former_of(scores: list[Score]) -> dict[str, dict[str, float]]:
    return {each.id: {k: v for k, v in measured(each).items() if v is not None} for each in scores}


def test_a_run_is_worse_when_it_loses_beyond_chance() -> None:
    all_right = [score(str(n), True) for n in range(40)]
    one_lost = [score("0", False), *all_right[1:]]
    ten_lost = [*(score(str(n), False) for n in range(10)), *all_right[10:]]
    assert not compare(all_right, former_of(all_right)).is_worse
    assert not compare(one_lost, former_of(all_right)).is_worse
    assert not compare(all_right, former_of(ten_lost)).is_worse
    worse = compare(ten_lost, former_of(all_right))
    assert worse.is_worse
    assert worse.differences["all"][HEADLINE].mean == pytest.approx(-10 / 40)
    assert "en" in worse.differences
    assert worse.differences["en"] == {}


def test_losing_one_language_is_seen_among_gains_in_the_other() -> None:
    arabic = [score(f"ar{n}", False) for n in range(20)]
    english = [score(f"en{n}", True, language="en") for n in range(20)]
    now = arabic + english
    former = former_of([replace(each, citations=(not each.citations[0],)) for each in now])
    comparison = compare(now, former)
    assert comparison.differences["all"][HEADLINE].mean == 0
    assert comparison.is_worse


def test_only_questions_of_both_runs_are_compared() -> None:
    comparison = compare([score("1", True), score("2", False)], former_of([score("2", True), score("3", True)]))
    assert (comparison.compared, comparison.left_out) == (1, 2)
    assert comparison.differences["all"][HEADLINE].mean == -1
    with pytest.raises(UsageError, match="none of these gold questions"):
        compare([score("1", True)], former_of([score("2", True)]))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1}', '{"format": 1, "questions": {"q": {"m": "x"}}}'])
def test_a_baseline_that_is_no_report_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="--baseline"):
        load_former(path)
    with pytest.raises(UsageError, match="cannot be read"):
        load_former(tmp_path / "none.json")


def test_variants_switch_only_parts_of_the_retrieval() -> None:
    settings = Settings(k=7, dense=False)
    assert switched(settings, VARIANTS["full"]) == Settings(k=7)
    assert switched(settings, VARIANTS["dense only"]) == Settings(k=7, lexical=False, late=False)
    assert len({str(switched(settings, switches)) for switches in VARIANTS.values()}) == len(VARIANTS)


class FakePipeline:
    """Cites the sentence whose number is the last character of the question's id; `x` refuses, `!` fails."""

    articles: Mapping[str, Article] = ARTICLES

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @classmethod
    def open(cls, settings: Settings) -> "FakePipeline":
        return cls(settings)

    def ask(self, question: Question) -> Answer:
        wanted = question.id[-1]
        if wanted == "!":
            raise ArticleError("the article is gone")
        # Without its lexical leg this fake finds nothing.
        cited = () if wanted == "x" or not self.settings.lexical else (int(wanted),)
        return replace(answer(*cited, hits=(hit(1, 0, 1), hit(2, 2, 3))), id=question.id, question=question.text)


@pytest.fixture
def fake_gold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three right citations and one refusal that is right."""
    monkeypatch.setattr(eval.run, "Pipeline", FakePipeline)
    return write_gold(
        tmp_path / "gold.jsonl",
        gold_record("ar-1"),
        gold_record("ar-0", evidence=0),
        gold_record("en-1", "en"),
        gold_record("en-x", "en", evidence=None),
    )


def row(printed: str, name: str) -> str:
    """The cells of a printed table's row, spaces between them."""
    [found] = [line for line in printed.splitlines() if line.startswith(f"{name}  ")]
    return " ".join(found.removeprefix(name).split())


def test_a_run_prints_and_writes_its_report(
    fake_gold: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "out"
    assert run_eval(Settings(), fake_gold, out, None) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("gold.jsonl: 4 questions, 3 of them answerable; 0 failed.\n")
    assert row(printed.out, "measure") == "ar en all"
    assert row(printed.out, "citations Success@1") == "100.0 [100.0 100.0] 100.0 [100.0 100.0] 100.0 [100.0 100.0]"
    assert row(printed.out, "refused right") == "- 100.0 [100.0 100.0] 100.0 [100.0 100.0]"
    assert row(printed.out, "ms total p50 / p95") == "10.0 / 10.0 10.0 / 10.0 10.0 / 10.0"
    assert row(printed.out, "citations that are no verbatim slice") == "0 of 2 0 of 1 0 of 3"
    assert "asking: 4 of 4 questions" in printed.err
    answers = [json.loads(line) for line in (out / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [each["id"] for each in answers] == ["ar-1", "ar-0", "en-1", "en-x"]
    assert answers[0]["citations"][0]["quote"] == SENTENCES[1]
    assert set(answers[0]["timings_ms"]) == {"embed", "search", "read", "total"}
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["groups"]["all"]["measures"]["refused right"]["mean"] == 1
    assert report["questions"]["ar-0"]["citations Success@1"] == 1
    assert report["settings"]["lexical"] is True
    page = (out / "report.md").read_text(encoding="utf-8")
    assert "| citations Success@1 | 100.0 [100.0 100.0] |" in page
    assert "Failed" not in page


def test_a_failed_question_fails_the_run_but_not_the_others(
    fake_gold: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with fake_gold.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(gold_record("ar-!")) + "\n")
    assert run_eval(Settings(), fake_gold, tmp_path, None) == 1
    printed = capsys.readouterr()
    assert "ar-!: the article is gone" in printed.err
    assert "4 of them answerable; 1 failed." in printed.out
    last = (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(last) == {"id": "ar-!", "question": "سؤال ar-!", "error": "the article is gone"}
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["groups"]["all"]["measures"]["citations Success@1"]["mean"] == pytest.approx(3 / 4)
    assert "## Failed (1)\n\n- `ar-!` سؤال ar-!" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_citation_that_is_no_slice_fails_the_run(
    fake_gold: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = {"a": replace(ARTICLE, text=TEXT.replace("روما", "باريس"))}
    monkeypatch.setattr(FakePipeline, "articles", changed)
    record = gold_record("ar-1", evidence=0)
    assert run_eval(Settings(), write_gold(fake_gold, gold_record("ar-0", evidence=0)), tmp_path, None) == 0
    assert run_eval(Settings(), write_gold(fake_gold, record), tmp_path, None) == 1


def test_ablation_adds_a_table_by_language(fake_gold: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_eval(Settings(), fake_gold, tmp_path, None, with_ablation=True) == 0
    printed = capsys.readouterr().out
    assert [line for line in printed.splitlines() if line.startswith("What each part")] == [
        f"What each part is worth: {group}" for group in ("ar", "en", "all")
    ]
    ablation = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["ablation"]
    cited = {name: groups["all"]["measures"]["citations Success@1"]["mean"] for name, groups in ablation.items()}
    assert cited == {name: float(switches.lexical) for name, switches in VARIANTS.items()}


def test_a_run_is_compared_with_a_baseline(fake_gold: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    former = tmp_path / "former"
    assert run_eval(Settings(), fake_gold, former, None) == 0
    assert run_eval(Settings(), fake_gold, tmp_path, former / "report.json") == 0
    assert "not significantly worse" in capsys.readouterr().out
    # Without its lexical leg the fake loses every citation.
    assert run_eval(Settings(lexical=False), fake_gold, tmp_path, former / "report.json") == 1
    printed = capsys.readouterr().out
    assert "Against the baseline (4 questions in both, 0 in one only): citations Success@3 is significantly" in printed
    assert "-100.0 [-100.0 -100.0]" in printed


def test_a_folder_that_cannot_be_written_is_named(fake_gold: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match=r"--out .*file.*cannot be written"):
        run_eval(Settings(), fake_gold, tmp_path / "file", None)


SEEDS = Path(__file__).resolve().parent.parent / "seeds"
TOWN = "عقد الثلاثاء، أوّل اجتماع على مستوى كبار مسؤولي الأمن القومي، في مدينة زافيدوفا"
REAL = (
    ("ar", "في أي مدينة عقد أول اجتماع لكبار مسؤولي الأمن القومي لروسيا وإيران وسوريا والعراق؟", "004", TOWN),
    ("en", "In which town did the security officials of Russia, Iran, Syria and Iraq first meet?", "004", TOWN),
    ("ar", "من هو أمين مجلس الأمن القومي الإيراني؟", "004", "أمين مجلس الأمن القومي الإيراني علي شمخاني"),
    ("ar", "كم عدد أعضاء التحالف الدولي الملتزمين بمواجهة داعش؟", "001", "يلتزم أعضاء التحالف الدولي الـ 83"),
    ("en", "When did the foreign ministers of the coalition meet?", "002", "انعقد يوم 28 يونيو 2021، اجتماع التحالف"),
    ("ar", "من فاز بكأس العالم لكرة القدم عام 2010؟", None, ""),
    ("en", "What is the recipe of a chocolate cake?", None, ""),
)
"""Language, question, article (its first three letters) and evidence."""


def test_the_real_pipeline_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {path.name[:3]: path.name for path in SEEDS.glob("*.txt")}
    answerable = {"answerable": True, "type": "number"}
    records = [
        gold_record(f"q{number}", language, None, question=question)
        | ({} if article is None else answerable | {"articles": [names[article]], "evidence": [evidence]})
        for number, (language, question, article, evidence) in enumerate(REAL)
    ]
    settings = Settings(index_dir=tmp_path / "index", paths=(SEEDS,))
    assert run_eval(settings, write_gold(tmp_path / "gold.jsonl", *records), tmp_path / "out", None) == 0
    everything = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["groups"]["all"]
    assert (everything["questions"], everything["answerable"], everything["failed"]) == (7, 5, 0)
    assert (everything["wrong_quotes"], everything["repeated_sentences"]) == (0, 0)
    assert everything["quotes"] >= 1
    assert 0 < everything["latency_ms"]["total"]["p50"] <= everything["latency_ms"]["total"]["p95"]
    # Easy questions: this says that evidence, hits and citations meet, not how good the system is.
    assert everything["measures"]["hits Success@5"]["mean"] >= 4 / 5
    assert everything["measures"]["citations or passage Success@3"]["mean"] >= 3 / 5
    answers = [json.loads(line) for line in (tmp_path / "out" / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [each["question"] for each in answers] == [question for _, question, _, _ in REAL]
    assert "citations Success@3" in capsys.readouterr().out
