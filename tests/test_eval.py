"""Judging answers, summing up, comparing two runs and the whole run, with fakes and with the real thing."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import eval.run
from eval.ablation import VARIANTS, switched
from eval.answering import answer_into
from eval.compare import change_of, compare, keep, load_report, run_of
from eval.corpus import Corpus
from eval.gold import GoldError, GoldQuestion, load_gold
from eval.run import Options, run_check, run_compare, run_eval
from eval.score import Score, Verdict, judge, summarise
from eval.statistics import Estimate
from rag.config import Settings
from rag.datatypes import (
    Answer,
    AnswerSpan,
    Article,
    Brief,
    Citation,
    Conflict,
    ConflictValue,
    Hit,
    Passage,
    Point,
    Question,
    Sentence,
    Timings,
)
from rag.errors import ArticleError, UsageError
from rag.present.json import answer_to_json

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


def passage(*sentences: int) -> Passage:
    start, end = place(sentences[0])[0], place(sentences[-1])[1]
    parts = ((number, *place(number)) for number in sentences)
    return Passage(
        id=f"a#{sentences[0]}",
        article_id="a",
        start=start,
        end=end,
        text=TEXT[start:end],
        language="ar",
        heading="",
        sentences=tuple(Sentence(article_id="a", start=a, end=b, text=SENTENCES[number]) for number, a, b in parts),
    )


PASSAGES = (passage(0, 1), passage(2, 3))
CORPUS = Corpus(ARTICLES, PASSAGES)


def hit(rank: int, *sentences: int) -> Hit:
    return Hit(rank=rank, passage=passage(*sentences), score=1 / rank, dense=0.5, lexical=1.0)


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


def score_of(gold: GoldQuestion, given: Answer | None, corpus: Corpus = CORPUS) -> Score:
    """`given` judged; None is an error."""
    record = {"error": "gone"} if given is None else answer_to_json(given, ARTICLES)
    [found] = judge([gold], {gold.id: record}, corpus)
    return found


def test_a_score_by_hand(gold: GoldQuestion) -> None:
    # Evidence: sentence 1. Hits: [2,3] no, [0,1] yes. Citations: 3 no (its passage [2,3] no), 0 no, but its passage
    # [0,1] holds 1; then 1 itself.
    found = score_of(gold, answer(3, 0, 1, hits=(hit(1, 2, 3), hit(2, 0, 1)))).values
    names = ("Success@1", "Success@3", "Success@5", "R@5", "RR@10")
    assert [found[f"hits {name}"] for name in names] == [0, 1, 1, 1, 1 / 2]
    assert [found[f"citations {name}"] for name in names] == pytest.approx([0, 1, 1, 1, 1 / 3])
    assert found["hits nDCG@10"] == pytest.approx(0.6309, abs=1e-4)  # 1 / log2(3)
    assert found["citations nDCG@10"] == 0.5  # 1 / log2(4)
    assert [found[f"articles {name}"] for name in names] == [1] * 5
    assert [found[f"citations or passage Success@{k}"] for k in (1, 3)] == [0, 1]
    assert [found["citation precision"], found["citation recall"]] == pytest.approx([1 / 3, 1])
    # The first quote is "انتهى التقرير": no word of "روما".
    assert found["answer F1"] == 0
    assert found["refused wrong"] == 0
    assert "refused right" not in found
    assert "list recall" not in found


def test_the_answer_is_the_first_quote_or_its_span(gold: GoldQuestion) -> None:
    # "عقد اجتماع في روما" against "روما": 2*1 / (4+1).
    assert score_of(gold, answer(1, 0)).values["answer F1"] == pytest.approx(0.4)
    start = TEXT.index("روما")
    marked = replace(citation(1), answer_span=AnswerSpan(text="روما", start=start, end=start + 4))
    spanned = score_of(gold, replace(answer(1), citations=(marked,))).values
    assert (spanned["answer F1"], spanned["answer exact match"]) == (1, 1)


def test_a_refused_and_a_failed_question_get_the_worst_of_each(gold: GoldQuestion) -> None:
    refused = score_of(gold, answer(hits=(hit(1, 0, 1),)))
    assert refused.verdict == "refused"
    assert refused.values["hits Success@1"] == 1  # retrieval is judged all the same
    for name in ("citations Success@3", "citations or passage Success@3", "answer F1", "citation precision"):
        assert refused.values[name] == 0
    assert refused.values["refused wrong"] == 1
    failed = score_of(gold, None)
    assert failed.verdict == "failed"
    assert failed.values.keys() == refused.values.keys()
    assert {value for name, value in failed.values.items() if name != "refused wrong"} == {0}
    assert failed.values["refused wrong"] == 1


def test_a_question_without_a_record_has_failed(gold: GoldQuestion) -> None:
    [found] = judge([gold], {}, CORPUS)
    assert (found.verdict, found.values["hits Success@5"]) == ("failed", 0)


def test_an_unanswerable_question_counts_for_refusing_only(tmp_path: Path) -> None:
    [gold] = load_gold(write_gold(tmp_path / "gold.jsonl", gold_record("q", evidence=None)), ARTICLES)
    verdicts: tuple[tuple[Answer | None, Verdict, float], ...] = (
        (answer(), "right", 1.0),
        (answer(0), "answered", 0.0),
        (None, "failed", 0.0),
    )
    for given, verdict, expected in verdicts:
        found = score_of(gold, given)
        assert (found.verdict, found.values) == (verdict, {"refused right": expected})


def test_lists_conflicts_and_nuggets(tmp_path: Path) -> None:
    record = gold_record(
        "q",
        type="conflict",
        answers=["79", "روما"],
        nuggets=[{"text": "79", "evidence": [SENTENCES[0]]}, {"text": "أمس", "evidence": [SENTENCES[2]]}],
    )
    record["evidence"] = [SENTENCES[0], SENTENCES[1]]
    [gold] = load_gold(write_gold(tmp_path / "gold.jsonl", record), ARTICLES)
    given = replace(
        answer(0, 3),
        conflicts=(Conflict(subject="؟", values=(ConflictValue(value="79 دولة", citation=1),)),),
    )
    found = score_of(gold, given).values
    assert found["citation recall"] == 0.5
    assert found["list recall"] == 0.5
    assert found["conflict values"] == 0.5
    assert found["nugget recall"] == 0.5
    assert found["hits R@5"] == 0


def test_only_articles_are_ranked_where_no_words_are_named(tmp_path: Path, gold: GoldQuestion) -> None:
    whole = replace(gold, evidence=(), evidence_spans=(), answers=(), grades=(2,))
    found = score_of(whole, answer(1, hits=(hit(1, 0, 1),))).values
    assert found["articles nDCG@10"] == 1
    assert not any(name.startswith(("hits", "citation")) for name in found)


def test_evidence_longer_than_any_passage_is_its_largest_part(tmp_path: Path) -> None:
    record = gold_record("q") | {"evidence": [TEXT]}
    [gold] = load_gold(write_gold(tmp_path / "gold.jsonl", record), ARTICLES)
    assert CORPUS.passages_with(gold.evidence_spans[0]) == {f"a:0-{place(1)[1]}": 1}


def test_copies_of_a_passage_are_one_thing_to_find(tmp_path: Path) -> None:
    copy = replace(ARTICLE, id="b", source="b.txt")
    twice = [*PASSAGES, *(replace(each, article_id="b", sentences=()) for each in PASSAGES)]
    corpus = Corpus(ARTICLES | {"b": copy}, twice)
    record = gold_record("q", articles=["b.txt", "a.txt"])
    [gold] = load_gold(write_gold(tmp_path / "gold.jsonl", record), corpus.articles)
    found = score_of(gold, answer(1, hits=(hit(1, 0, 1),)), corpus).values
    assert (found["hits R@5"], found["hits nDCG@10"]) == (1, 1)


def test_faults_of_citations_are_counted(gold: GoldQuestion) -> None:
    score = score_of(gold, answer(0, 1, 0))
    assert (score.quotes, score.wrong_quotes, score.repeated) == (3, 0, 1)
    moved = replace(citation(1), start=0, end=5)
    score = score_of(gold, replace(answer(1), citations=(moved,)))
    assert (score.quotes, score.wrong_quotes, score.repeated) == (1, 1, 0)


HEADLINE = "citations Success@3"


def score(identity: str, *, right: bool = True, language: Any = "ar", **changes: Any) -> Score:  # noqa: ANN401
    plain = Score(
        id=identity,
        language=language,
        direction=f"{language}>ar",
        type="number",
        articles=("a.txt",),
        answerable=True,
        verdict="right" if right else "wrong",
        confidence=0.9,
        values={HEADLINE: float(right), "refused wrong": 0.0},
        quotes=1,
    )
    return replace(plain, **changes)


def test_summaries_are_by_group() -> None:
    spent = [{"embed": 0.0, "search": 0.0, "read": 0.0, "total": total} for total in (10.0, 30.0)]
    scores = [
        score("1", timings=spent[0]),
        score("2", right=False, timings=spent[1]),
        score("3", language="en", verdict="failed", values={HEADLINE: 0.0, "refused wrong": 1.0}),
        score("4", language="en", type="unanswerable", answerable=False, confidence=0.1, values={"refused right": 1.0}),
    ]
    summary = summarise(scores)
    assert list(summary) == ["ar", "en", "all"]
    arabic, english, everything = summary.values()
    assert (arabic.questions, arabic.answerable, arabic.failed) == (2, 2, 0)
    assert (english.questions, english.answerable, english.failed) == (2, 1, 1)
    assert arabic.measures[HEADLINE].mean == 0.5
    assert everything.measures[HEADLINE].mean == pytest.approx(1 / 3)
    assert everything.measures["refused right"].mean == 1
    assert everything.measures["refused wrong"].mean == pytest.approx(1 / 3)
    assert "refused right" not in arabic.measures
    # 10 and 30: the median half way, p95 at 95% of the way.
    assert arabic.latency_ms["total"].p50 == 20
    assert arabic.latency_ms["total"].p95 == pytest.approx(29)
    assert arabic.latency_ms["total"].p99 == pytest.approx(29.8)
    assert english.latency_ms == {}
    # All answerable questions have more confidence than the other; nothing to tell apart in Arabic.
    assert everything.measures["confidence AUROC"].mean == 1
    assert "confidence AUROC" not in arabic.measures
    assert list(summarise(scores, "direction")) == ["ar>ar", "en>ar"]
    assert {name: each.questions for name, each in summarise(scores, "type").items()} == {
        "number": 3,
        "unanswerable": 1,
    }
    assert summarise(scores, "answerable")["unanswerable"].questions == 1
    assert summarise(scores, "article")["a.txt"].questions == 4


def is_worse(now: Sequence[Score], former: Sequence[Score]) -> bool:
    return compare(keep(now), keep(former)).is_worse


def test_a_run_is_worse_when_it_loses_beyond_chance() -> None:
    all_right = [score(str(n)) for n in range(40)]
    one_lost = [score("0", right=False), *all_right[1:]]
    ten_lost = [*(score(str(n), right=False) for n in range(10)), *all_right[10:]]
    assert not is_worse(all_right, all_right)
    assert not is_worse(one_lost, all_right)
    assert not is_worse(all_right, ten_lost)
    worse = compare(keep(ten_lost), keep(all_right))
    assert worse.is_worse
    assert worse.differences["all"][HEADLINE].mean == pytest.approx(-10 / 40)
    assert "en" not in worse.differences
    assert [name for name, change in worse.changes.items() if change == "worse"] == [str(n) for n in range(10)]
    assert set(compare(keep(all_right), keep(ten_lost)).changes.values()) == {"better", "same"}


def test_more_wrong_refusals_are_worse() -> None:
    some = [score(str(n), values={HEADLINE: 1.0, "refused wrong": float(n < 10)}) for n in range(40)]
    assert is_worse(some, [score(str(n)) for n in range(40)])
    more = Estimate(n=40, mean=0.2, low=0.1, high=0.3)
    assert (change_of("refused wrong", more), change_of("refused right", more)) == ("worse", "better")
    assert change_of("refused wrong", replace(more, low=-0.1)) == "same"


def test_losing_one_language_is_seen_among_gains_in_the_other() -> None:
    now = [score(f"ar{n}", right=False) for n in range(20)] + [score(f"en{n}", language="en") for n in range(20)]
    former = [score(each.id, right=each.verdict != "right", language=each.language) for each in now]
    comparison = compare(keep(now), keep(former))
    assert comparison.differences["all"][HEADLINE].mean == 0
    assert comparison.is_worse


def test_only_questions_of_both_runs_are_compared() -> None:
    comparison = compare(keep([score("1"), score("2", right=False)]), keep([score("2"), score("3")]))
    assert (comparison.compared, comparison.left_out) == (1, 2)
    assert comparison.differences["all"][HEADLINE].mean == -1
    with pytest.raises(UsageError, match="no question in common"):
        compare(keep([score("1")]), keep([score("2")]))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"format": 2}',
        '{"format": 2, "questions": {"q": {"m": "x"}}}',
        '{"format": 1, "questions": {}}',
    ],
)
def test_a_baseline_that_is_no_report_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(str(path))):
        load_report(path)
    with pytest.raises(UsageError, match="cannot be read"):
        load_report(tmp_path / "none.json")


def test_variants_switch_only_parts_of_the_system() -> None:
    settings = Settings(k=7, dense=False)
    assert switched(settings, "full") == Settings(k=7)
    assert switched(settings, "dense only") == Settings(k=7, lexical=False, late=False)
    assert switched(settings, "passages of 300") == Settings(k=7, passage_chars=300)
    assert len({str(switched(settings, name)) for name in VARIANTS}) == len(VARIANTS)


class FakePipeline:
    """Cites the sentence whose number is the last character of the question's id; `x` refuses, `!` fails."""

    articles: Mapping[str, Article] = ARTICLES
    passages: Sequence[Passage] = PASSAGES

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

    def brief(self, topic: Question) -> Brief:
        found = replace(answer(0, 2), id=topic.id, question=topic.text)
        return Brief(answer=found, points=tuple(Point(text=c.quote, markers=(c.marker,)) for c in found.citations))


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


def evaluate(gold: Path | None, out: Path, settings: Settings = Settings(), **options: Any) -> int:  # noqa: ANN401, B008
    return run_eval(settings, Options(gold=gold, out=out, **options))


def row(printed: str, name: str) -> str:
    """The cells of a printed table's row, spaces between them."""
    [found] = [line for line in printed.splitlines() if line.startswith(f"{name}  ")]
    return " ".join(found.removeprefix(name).split())


def test_a_run_prints_and_writes_its_report(
    fake_gold: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "out"
    assert evaluate(fake_gold, out) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("gold.jsonl: 4 questions, 3 of them answerable; 0 failed.\n")
    assert row(printed.out, "measure") == "ar en all"
    assert row(printed.out, "citations Success@1") == "100.0 [100.0 100.0] 100.0 [100.0 100.0] 100.0 [100.0 100.0]"
    assert row(printed.out, "refused right") == "- 100.0 [100.0 100.0] 100.0 [100.0 100.0]"
    assert row(printed.out, "ms total p50 / p95 / p99") == " ".join(["10.0 / 10.0 / 10.0"] * 3)
    assert row(printed.out, "citations that are no verbatim slice") == "0 of 2 0 of 1 0 of 3"
    answers = [json.loads(line) for line in (out / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [each["id"] for each in answers] == ["ar-1", "ar-0", "en-1", "en-x"]
    assert answers[0]["citations"][0]["quote"] == SENTENCES[1]
    assert set(answers[0]["timings_ms"]) == {"embed", "search", "read", "total"}
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["groups"]["language"]["all"]["measures"]["refused right"]["mean"] == 1
    assert report["groups"]["direction"]["en>ar"]["questions"] == 2
    assert report["questions"]["ar-0"]["values"]["citations Success@1"] == 1
    assert report["questions"]["en-x"]["verdict"] == "right"
    assert report["settings"]["lexical"] is True
    page = (out / "report.md").read_text(encoding="utf-8")
    assert "| citations Success@1 | 100.0 [100.0 100.0] |" in page
    assert "Failed" not in page


def test_a_failed_question_fails_the_run_but_not_the_others(
    fake_gold: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with fake_gold.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(gold_record("ar-!")) + "\n")
    assert evaluate(fake_gold, tmp_path) == 1
    printed = capsys.readouterr()
    assert "4 of them answerable; 1 failed." in printed.out
    last = (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(last) == {"id": "ar-!", "question": "سؤال ar-!", "error": "the article is gone"}
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["groups"]["language"]["all"]["measures"]["citations Success@1"]["mean"] == pytest.approx(3 / 4)
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "## Failed (1)\n\n- `ar-!` سؤال ar-! (the article is gone)" in page


def test_a_citation_that_is_no_slice_fails_the_run(
    fake_gold: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = {"a": replace(ARTICLE, text=TEXT.replace("روما", "باريس"))}
    monkeypatch.setattr(FakePipeline, "articles", changed)
    record = gold_record("ar-1", evidence=0)
    assert evaluate(write_gold(fake_gold, gold_record("ar-0", evidence=0)), tmp_path) == 0
    assert evaluate(write_gold(fake_gold, record), tmp_path) == 1


def test_ablation_adds_a_table_by_language(fake_gold: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(fake_gold, tmp_path, ablation=True) == 0
    printed = capsys.readouterr().out
    assert [line for line in printed.splitlines() if line.startswith("What each part")] == [
        f"What each part is worth: {group}" for group in ("ar", "en", "all")
    ]
    ablation = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["ablation"]
    cited = {name: groups["all"]["measures"]["citations Success@1"]["mean"] for name, groups in ablation.items()}
    assert cited == {name: float(variant.get("lexical", True)) for name, variant in VARIANTS.items()}


def test_a_run_is_compared_with_a_baseline(fake_gold: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    former = tmp_path / "former"
    assert evaluate(fake_gold, former) == 0
    assert evaluate(fake_gold, tmp_path, baseline=former / "report.json") == 0
    assert "not significantly worse" in capsys.readouterr().out
    # Without its lexical leg the fake loses every citation.
    assert evaluate(fake_gold, tmp_path, Settings(lexical=False), baseline=former) == 1
    printed = capsys.readouterr().out
    assert "Against the baseline (4 questions in both, 0 in one only): significantly worse" in printed
    assert "-100.0 [-100.0 -100.0] worse" in printed


def test_two_runs_are_compared_with_their_texts(
    fake_gold: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate(fake_gold, tmp_path / "one")
    evaluate(fake_gold, tmp_path / "other", Settings(lexical=False))
    capsys.readouterr()
    assert run_compare(tmp_path / "one", tmp_path / "other") == 1
    printed = capsys.readouterr().out
    assert "4 questions in both, 0 in one only; significantly worse\n" in printed
    assert f"worse: 3\n\nar-1  سؤال ar-1\n- {SENTENCES[1]}\n+ no evidence (confidence 0.90)\n" in printed
    assert printed.endswith("same: 1\n")
    assert run_compare(tmp_path / "other", tmp_path / "one") == 0
    assert "better: 3\n" in capsys.readouterr().out
    assert run_of(load_report(tmp_path / "one")) == run_of(load_report(tmp_path / "one" / "report.json"))


def test_the_page_shows_failing_questions_escaped(fake_gold: Path, tmp_path: Path) -> None:
    hostile = "<script>alert('كم')</script>"
    with fake_gold.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(gold_record("ar-3", question=hostile)) + "\n")
    evaluate(fake_gold, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#39;كم&#39;)&lt;/script&gt;" in page
    assert "evidence in passage 1, not cited" in page
    assert SENTENCES[3] in page  # what was cited
    assert SENTENCES[1] in page  # what should have been
    assert not re.search(r"(?:src|href)=", page)  # nothing is fetched


def test_trec_files_lie_beside_the_report(fake_gold: Path, tmp_path: Path) -> None:
    evaluate(fake_gold, tmp_path)
    run = (tmp_path / "hits.run").read_text(encoding="utf-8").splitlines()
    assert run[0] == f"ar-1 Q0 a:0-{place(1)[1]} 1 -1 sanad"
    assert (tmp_path / "articles.qrels").read_text(encoding="utf-8").splitlines()[0] == "ar-1 0 a 1"
    start, end = place(1)
    assert f"ar-1 0 a:{start}-{end} 1" in (tmp_path / "citations.qrels").read_text(encoding="utf-8")


def test_a_brief_is_asked_for_as_a_brief(fake_gold: Path, tmp_path: Path) -> None:
    nuggets = [{"text": str(n), "evidence": [SENTENCES[n]]} for n in (0, 1)]
    write_gold(fake_gold, gold_record("b-1", type="brief", nuggets=nuggets))
    evaluate(fake_gold, tmp_path)
    [record] = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [point["markers"] for point in record["points"]] == [[1], [2]]
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["questions"]["b-1"]["values"]["nugget recall"] == 0.5


# --- a run that is killed


class Asking(FakePipeline):
    """Counts what it is asked, and is killed at the question numbered `dies`."""

    def __init__(self, dies: int | None = None) -> None:
        super().__init__(Settings())
        self.asked: list[str] = []
        self.dies = dies

    def ask(self, question: Question) -> Answer:
        if len(self.asked) == self.dies:
            raise KeyboardInterrupt
        self.asked.append(question.id)
        return super().ask(question)


@pytest.fixture
def ten(tmp_path: Path) -> list[GoldQuestion]:
    records = (gold_record(f"q{number}-1", question=f"سؤال {number}") for number in range(10))
    return load_gold(write_gold(tmp_path / "ten.jsonl", *records), ARTICLES)


@pytest.mark.parametrize("dies", range(10))
def test_a_killed_run_goes_on_without_losing_or_doubling(ten: list[GoldQuestion], tmp_path: Path, dies: int) -> None:
    first, second = Asking(dies), Asking()
    with pytest.raises(KeyboardInterrupt):
        answer_into(first, ten, tmp_path, "run")
    assert not (tmp_path / "run.jsonl").exists()
    records = answer_into(second, ten, tmp_path, "run")
    names = [question.id for question in ten]
    assert first.asked + second.asked == names
    assert list(records) == names
    lines = (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == names
    assert not (tmp_path / "run.part.jsonl").exists()


def test_a_torn_last_line_is_asked_again(ten: list[GoldQuestion], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        answer_into(Asking(5), ten, tmp_path, "run")
    part = tmp_path / "run.part.jsonl"
    part.write_bytes(part.read_bytes()[:-30])
    again = Asking()
    assert len(answer_into(again, ten, tmp_path, "run")) == 10
    assert again.asked == [question.id for question in ten[4:]]


def test_a_part_of_another_run_is_not_taken_up(ten: list[GoldQuestion], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        answer_into(Asking(5), ten, tmp_path, "run")
    other = Asking()
    answer_into(other, ten, tmp_path, "another model")
    assert len(other.asked) == 10


# --- a gold file proven


def test_check_says_what_a_gold_file_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(paths=(SEEDS,), index_dir=tmp_path / "none")
    assert run_check(settings, SEEDS.parent / "eval" / "gold" / "test.jsonl") == 0
    assert "nothing malformed; " in capsys.readouterr().out
    twice = write_gold(tmp_path / "gold.jsonl", *(gold_record(name, evidence=None, question="من؟") for name in "ab"))
    with pytest.raises(GoldError, match="b: asks the same as a"):
        run_check(settings, twice)


def test_a_folder_that_cannot_be_written_is_named(fake_gold: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match=r"--out .*file.*cannot be written"):
        evaluate(fake_gold, tmp_path / "file")


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
    assert evaluate(write_gold(tmp_path / "gold.jsonl", *records), tmp_path / "out", settings) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    everything = report["groups"]["language"]["all"]
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


def test_bad_gold_leaves_what_an_earlier_run_wrote(fake_gold: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    evaluate(fake_gold, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with fake_gold.open("a", encoding="utf-8") as stream:
        stream.write("{broken\n")
    with pytest.raises(GoldError, match=r"gold\.jsonl:5: broken JSON"):
        evaluate(fake_gold, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
