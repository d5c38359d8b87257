import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.audit import Finding, SavedAnswer, audit, findings_to_json, read_answers, summarise
from rag.build import build_index
from rag.cli import main
from rag.config import Settings
from rag.datatypes import Article, Question
from rag.errors import UsageError
from rag.lexicon import Lexicon
from rag.pipeline import Pipeline
from rag.present.json import answer_to_json
from tests.conftest import ARTICLES, TopicEmbedder

LEXICON = Lexicon.open()
ROME = (
    "اجتماع روما\n\nانعقد يوم 28 يونيو 2021 اجتماع التحالف الدولي في روما. شارك في الاجتماع 83 وزيرا ووفدا. "
    "وقال أنتوني بلينكن إن عشرة آلاف مقاتل محتجزون. صدر القرار رقم 2254 عن مجلس الأمن.\n"
)
AID = (
    "Aid\n\nEurope has given 400 million dollars to Syria since 2017. The coalition had 79 members then. "
    "Jens Stoltenberg of NATO spoke in Brussels on Tuesday.\n"
)
TODAY = {
    name: Article(id=name, source=f"{name}.txt", title=name, language="und", text=text)
    for name, text in (("rome", ROME), ("aid", AID))
}
MEETING = "انعقد يوم 28 يونيو 2021 اجتماع التحالف الدولي في روما."
MINISTERS = "شارك في الاجتماع 83 وزيرا ووفدا."
FIGHTERS = "وقال أنتوني بلينكن إن عشرة آلاف مقاتل محتجزون."
RESOLUTION = "صدر القرار رقم 2254 عن مجلس الأمن."
DOLLARS = "Europe has given 400 million dollars to Syria since 2017."
MEMBERS = "The coalition had 79 members then."
SPOKE = "Jens Stoltenberg of NATO spoke in Brussels on Tuesday."

Row = dict[str, Any]


def cited(quote: str, marker: int = 1, **changed: object) -> Row:
    """A citation of `quote` as the contract has it, then with `changed` fields."""
    article = TODAY["rome" if quote in ROME else "aid"]
    start = article.text.index(quote)
    row = {"marker": marker, "article_id": article.id, "source": article.source, "title": article.title, "date": None}
    row |= {"language": "ar", "quote": quote, "start": start, "end": start + len(quote), "score": 1.0}
    return row | {"answer_span": None} | changed


def spanned(quote: str, words: str, *, by: int = 0) -> Row:
    """A citation of `quote` whose answer span is `words`, moved by so many characters."""
    row = cited(quote)
    start = row["start"] + quote.index(words) + by
    return row | {"answer_span": {"text": words, "start": start, "end": start + len(words)}}


def saved(text: str, *citations: Row, **changed: object) -> Row:
    row = {"id": "q1", "question": "?", "status": "answered", "text": text, "citations": list(citations)}
    return row | {"conflicts": [], "hits": []} | changed


def read(*rows: object) -> list[SavedAnswer]:
    return read_answers("\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode(), "a.json")


def findings(row: Row) -> list[Finding]:
    [answer] = read(row)
    return audit(answer, TODAY, LEXICON)


def red(row: Row) -> list[str]:
    return [f"{finding.place}: {finding.verdict}" for finding in findings(row) if not finding.ok]


def claimed(prose: str, *quotes: str) -> list[str]:
    """What fails of `prose` over `quotes`, cited as [1], [2] and so on: the messages."""
    row = saved(prose, *(cited(quote, marker) for marker, quote in enumerate(quotes, start=1)))
    return [finding.message for finding in findings(row) if not finding.ok]


def test_an_answer_of_quotes_is_green_line_by_line() -> None:
    row = saved(f"من «اجتماع روما»:\n{MINISTERS} [1]\n{DOLLARS} [2]", spanned(MINISTERS, "83"), cited(DOLLARS, 2))

    assert [str(finding) for finding in findings(row)] == [
        "ok     answer q1, whole: citations: 2, sentences with markers: 2",
        "ok     answer q1, citation 1: the quote stands at [68, 100) of rome.txt",
        "ok     answer q1, citation 1, answer span: '83' stands at [85, 87)",
        "ok     answer q1, citation 2: the quote stands at [5, 62) of aid.txt",
        "ok     answer q1, marked sentence 1: its numbers, dates and names stand in the quotes of [1]",
        "ok     answer q1, marked sentence 2: its numbers, dates and names stand in the quotes of [2]",
    ]


def test_a_refusal_claims_nothing() -> None:
    assert red(saved("لا تجيب المقالات عن هذا السؤال.", status="no_evidence")) == []


def test_an_answer_that_cites_nothing_is_red() -> None:
    assert red(saved("There were 99 of them.")) == ["whole: uncited"]
    assert red(saved(MINISTERS, cited(MINISTERS))) == ["whole: uncited"]


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, None),
        ({"article_id": "removed"}, "no article"),
        ({"start": 67, "end": 99}, "moved"),
        ({"end": 101}, "moved"),
        ({"start": 68 - len(ROME), "end": 100 - len(ROME)}, "moved"),
        ({"start": 10**30, "end": 10**30 + 32}, "moved"),
        ({"quote": MINISTERS.replace("83", "84")}, "gone"),
        ({"quote": MINISTERS.replace("وزيرا", "وزيراً"), "end": 101}, "gone"),
        ({"quote": DOLLARS}, "gone"),
        ({"quote": "", "start": 0, "end": 0}, "gone"),
    ],
)
def test_a_quote_stands_word_for_word_in_its_place(changed: Row, verdict: str | None) -> None:
    # The text is a refusal's, so that only the citation is judged.
    row = saved("-", cited(MINISTERS) | changed, status="no_evidence")

    assert red(row) == ([f"citation 1: {verdict}"] if verdict else [])


def test_a_moved_quote_is_shown_where_it_stands_now() -> None:
    row = saved("-", cited(MINISTERS, start=0, end=32), status="no_evidence")

    assert "the quote stands at [68, 100) of rome.txt, no longer at [0, 32)" in str(findings(row)[1])


def test_a_quote_at_the_end_of_its_article_ends_with_it() -> None:
    last = cited("on Tuesday.\n")

    assert red(saved("-", last, status="no_evidence")) == []
    # A slice in Python would stop at the end without a word.
    assert red(saved("-", last | {"end": last["end"] + 5}, status="no_evidence")) == ["citation 1: moved"]


@pytest.mark.parametrize(
    ("citation", "sound"),
    [
        (spanned(MINISTERS, "83"), True),
        (spanned(MINISTERS, MINISTERS), True),
        (spanned(MINISTERS, "83", by=1), False),
        (spanned(MINISTERS, "ووفدا.", by=1), False),
        (spanned(MINISTERS, "شارك", by=-1), False),
        (cited(MINISTERS, answer_span={"text": "", "start": 70, "end": 70}), False),
        (cited(MINISTERS, answer_span={"text": "83", "start": 87, "end": 85}), False),
    ],
)
def test_an_answer_span_is_a_slice_of_its_quote(citation: Row, sound: bool) -> None:
    row = saved("-", citation, status="no_evidence")

    assert red(row) == ([] if sound else ["citation 1, answer span: bad answer span"])


def test_a_marker_needs_a_citation() -> None:
    assert red(saved(f"{MINISTERS} [1][7]\nNothing stands here [9].", cited(MINISTERS))) == [
        "marked sentence 1: no such citation",
        "marked sentence 2: no such citation",
    ]


@pytest.mark.parametrize(
    ("prose", "failing"),
    [
        ("حضر 83 وزيرا [1].", None),
        ("حضر ٨٣ وزيرا. [1]", None),
        ("There were 83 ministers [1].", None),
        ("There were eighty three ministers [1].", None),
        ("حضر 84 وزيرا [1].", "the number '84' "),
        ("There were 8 ministers [1].", "the number '8' "),
        ("شارك 830 وزيرا [1].", "the number '830' "),
        ("شارك 83 مليون وزير [1].", "the number '83 مليون' "),
    ],
)
def test_a_number_stands_in_the_quotes(prose: str, failing: str | None) -> None:
    messages = claimed(prose, MINISTERS)

    assert len(messages) == bool(failing)
    assert not failing or messages[0] == f"{failing}does not stand in the quotes of [1]"


@pytest.mark.parametrize(
    ("prose", "quote", "green"),
    [
        ("قدمت أوروبا 400 مليون دولار لسوريا [1].", DOLLARS, True),
        ("Europe gave 400,000,000 dollars [1].", DOLLARS, True),
        ("Europe gave 400 dollars [1].", DOLLARS, False),
        ("Ten thousand fighters are held [1].", FIGHTERS, True),
        ("Nine thousand fighters are held [1].", FIGHTERS, False),
        ("Resolution 2254 was adopted [1].", RESOLUTION, True),
        ("Resolution 2255 was adopted [1].", RESOLUTION, False),
        ("صدر القرار رقم 2255 [1].", RESOLUTION, False),
    ],
)
def test_numbers_are_compared_by_what_they_amount_to(prose: str, quote: str, green: bool) -> None:
    assert (claimed(prose, quote) == []) is green


@pytest.mark.parametrize(
    ("prose", "quote", "green"),
    [
        ("عقد في 28 حزيران 2021 [1].", MEETING, True),
        ("They met on 28 June 2021 [1].", MEETING, True),
        ("They met in June 2021 [1].", MEETING, True),
        ("They met on 28/6/2021 [1].", MEETING, True),
        ("They met in 2021 [1].", MEETING, True),
        ("They met on 29 June 2021 [1].", MEETING, False),
        ("They met in July 2021 [1].", MEETING, False),
        ("عقد في 28 يونيو 2020 [1].", MEETING, False),
        ("حدث ذلك منذ عام 2017 [1].", DOLLARS, True),
        ("حدث ذلك في 3 آذار 2017 [1].", DOLLARS, False),
        ("تحدث يوم الثلاثاء [1].", SPOKE, True),
        ("تحدث يوم الأربعاء [1].", SPOKE, False),
    ],
)
def test_a_date_stands_in_the_quotes_with_all_its_parts(prose: str, quote: str, green: bool) -> None:
    assert (claimed(prose, quote) == []) is green


@pytest.mark.parametrize(
    ("prose", "quote", "green"),
    [
        ("The ministers met in Rome [1].", MEETING, True),
        ("The ministers met in Paris [1].", MEETING, False),
        ("اجتمعوا في باريس [1].", MEETING, False),
        ("Yesterday Antony Blinken spoke of fighters [1].", FIGHTERS, True),
        ("Antony Blinken spoke [1].", MINISTERS, False),
        ("تحدث بلينكن عن المقاتلين [1].", FIGHTERS, True),
        ("تحدث بايدن عن المقاتلين [1].", FIGHTERS, False),
        ("تحدث ستولتنبرغ ببروكسل [1].", SPOKE, True),
        ("تحدث ستولتنبرغ بباريس [1].", SPOKE, False),
        ("The speaker was Jens Al-Stoltenberg [1].", SPOKE, True),
        ("The speaker was Grebniktov [1].", SPOKE, False),
        ("A speaker of the European Union was there [1].", SPOKE, False),
        ("كان الناتو حاضرا [1].", SPOKE, True),
        ("كان الناتو حاضرا [1].", MINISTERS, False),
    ],
)
def test_a_name_stands_in_the_quotes_in_either_language(prose: str, quote: str, green: bool) -> None:
    assert (claimed(prose, quote) == []) is green


def test_a_name_that_no_dictionary_has_is_told_by_its_sound() -> None:
    quote = "Antony Grebniktov"
    article = Article(id="x", source="x.txt", title="x", language="en", text=quote)
    citation = cited(MINISTERS) | {"quote": quote, "article_id": "x", "start": 0, "end": len(quote)}
    [sound] = read(saved("وصل أنتوني غربنكتوف [1].", citation))
    [other] = read(saved("وصل أنتوني غرلنكشوف [1].", citation))

    assert all(finding.ok for finding in audit(sound, {"x": article}, LEXICON))
    assert not all(finding.ok for finding in audit(other, {"x": article}, LEXICON))


def test_a_sentence_answers_for_its_own_markers_only() -> None:
    prose = "The coalition had 79 members. [1] In Rome there were 83 ministers. [2]"

    assert claimed(prose, MEMBERS, MINISTERS + " " + FIGHTERS) == [
        "the name 'Rome' does not stand in the quotes of [2]"
    ]
    assert claimed("It had 79 members [1], then 83 ministers came [2].", MEMBERS, MINISTERS) == []
    assert claimed("It had 79 members [1]. Then 79 came [2].", MEMBERS, MINISTERS) == [
        "the number '79' does not stand in the quotes of [2]"
    ]


def test_a_long_sentence_is_one_sentence() -> None:
    long = "It had 84 ministers, " + "and many other people came as well, " * 12 + "as is said of it"

    assert claimed(f"{long} [1].", MINISTERS) == ["the number '84' does not stand in the quotes of [1]"]


def test_the_numbers_of_a_list_are_no_claims() -> None:
    assert claimed("1. There were 83 ministers [1].\n2) It had 79 members [2].", MINISTERS, MEMBERS) == []


def test_what_carries_no_marker_is_not_judged() -> None:
    assert claimed(f"In Paris there were 99.\n{MINISTERS} [1]", MINISTERS) == []


def conflict(value: str, marker: int) -> Row:
    return {"subject": "عدد الأعضاء", "values": [{"value": "83", "citation": 1}, {"value": value, "citation": marker}]}


@pytest.mark.parametrize(
    ("value", "marker", "verdict"),
    [
        ("79", 2, None),
        ("٧٩", 2, None),
        ("79 members", 2, None),
        ("7", 2, "not in the quotes"),
        ("79", 1, "not in the quotes"),
        ("", 2, "not in the quotes"),
        ("79", 3, "no such citation"),
    ],
)
def test_a_value_in_conflict_stands_in_its_quote(value: str, marker: int, verdict: str | None) -> None:
    row = saved("-", cited(MINISTERS), cited(MEMBERS, 2), status="no_evidence", conflicts=[conflict(value, marker)])

    assert red(row) == ([f"conflict over 'عدد الأعضاء', {value!r}: {verdict}"] if verdict else [])


def test_a_line_is_one_line_whatever_the_file_says() -> None:
    [_, finding] = findings(saved("-", cited(MINISTERS, article_id="a\nb"), id="x\n\x1b[31my", status="no_evidence"))

    assert str(finding).isprintable()


def test_the_summary_counts_what_failed() -> None:
    sound, broken = findings(saved(f"{MINISTERS} [1]", cited(MINISTERS))), findings(saved("-"))

    assert summarise(sound) == "3 checks: all ok"
    assert summarise(sound + broken) == "4 checks: 1 FAILED"
    assert findings_to_json(broken) == {
        "ok": False,
        "checks": 1,
        "failed": 1,
        "findings": [
            {
                "answer": "q1",
                "place": "whole",
                "verdict": "uncited",
                "message": "it answers without a citation",
                "ok": False,
            }
        ],
    }


def test_a_file_holds_one_answer_or_one_a_line() -> None:
    row = saved("\u2028[1]", cited(MINISTERS))

    assert [answer.id for answer in read(row, row | {"id": ""}, {**row, "id": "q3"})] == ["q1", "2", "q3"]
    assert len(read_answers(b"\xef\xbb\xbf" + json.dumps(row, indent=2).encode(), "a.json")) == 1
    assert read_answers(json.dumps(row).encode() + b"\n\n", "a.json")[0].text == "\u2028[1]"


def without(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ("", "a.json: holds no answer; audit what `sanad ask ... --json` printed"),
        ("answer?", "a.json: line 1: not JSON in UTF-8"),
        ("[" * 100_000, "a.json: line 1: not JSON in UTF-8"),
        ("[]", "a.json: not an answer: it is not an object"),
        ({}, "a.json: not an answer: `status` is missing or not a text"),
        (saved("-", status="maybe"), "`status` is 'maybe'"),
        (without(saved("-"), "citations"), "`citations` is missing or not a list"),
        (without(saved("-"), "text"), "`text` is missing or not a text"),
        (saved("-", citations=[7]), "`citations[0].marker` is missing or not a whole number"),
        (saved("-", cited(MINISTERS), cited(MEMBERS)), "two citations have the same `marker`"),
        (saved("-", cited(MINISTERS), cited(MEMBERS, 2, start="0")), "`citations[1].start` is missing or not a whole"),
        (saved("-", cited(MINISTERS, end=True)), "`citations[0].end` is missing or not a whole number"),
        (saved("-", cited(MINISTERS, answer_span=[])), "`citations[0].answer_span.text` is missing or not a text"),
        (saved("-", conflicts={}), "`conflicts` is missing or not a list"),
        (saved("-", conflicts=[{"subject": "x"}]), "`conflicts[].values` is missing or not a list"),
        (saved("-", conflicts=[{"subject": "x", "values": [{}]}]), "`conflicts[].values[].value` is missing or not"),
        (json.dumps(saved("-")) + "\n{}", "a.json: line 2: not an answer: `status` is missing or not a text"),
    ],
)
def test_what_is_no_answer_is_named(contents: object, message: str) -> None:
    text = contents if isinstance(contents, str) else json.dumps(contents, ensure_ascii=False)

    with pytest.raises(UsageError) as raised:
        read_answers(text.encode(), "a.json")

    assert message in str(raised.value)
    assert str(raised.value).endswith("audit what `sanad ask ... --json` printed, one answer or one a line")
    assert "\n" not in str(raised.value)


TEXTS = st.text(
    st.sampled_from("0123٨٣.,،؛:؟![]()«» \n ابوفيعشرلمةحزنًـ abcdJuneMay") | st.characters(exclude_categories=["Cs"]),
    min_size=1,
    max_size=200,
) | st.sampled_from([ROME, AID])


@st.composite
def sliced(draw: st.DrawFn) -> tuple[Article, list[Row]]:
    """An article and citations of any slices of it."""
    text = draw(TEXTS)
    article = Article(id="a", source="a.txt", title="a", language="und", text=text)
    rows = []
    for marker in range(1, draw(st.integers(1, 4)) + 1):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        row = {"marker": marker, "article_id": "a", "quote": text[start:end], "start": start, "end": end}
        first = draw(st.integers(start, end - 1))
        last = draw(st.integers(first + 1, end))
        rows.append(row | {"answer_span": {"text": text[first:last], "start": first, "end": last}})
    return article, rows


def framed(rows: list[Row], unmarked: Callable[[str], str]) -> Row:
    return saved("\n".join(["From «a»:", *(f"{unmarked(row['quote'])} [{row['marker']}]" for row in rows)]), *rows)


def unmarked(quote: str) -> str:
    """As the pipeline writes a quote that has a marker of its own."""
    return quote.replace("[", "[\u2060")


@given(made=sliced())
def test_whatever_quotes_slices_is_green(made: tuple[Article, list[Row]]) -> None:
    article, rows = made
    [answer] = read(framed(rows, unmarked))

    assert [str(finding) for finding in audit(answer, {"a": article}, LEXICON) if not finding.ok] == []


@given(made=sliced(), which=st.integers(0, 3), at=st.integers(0, 200), char=st.characters(exclude_categories=["Cs"]))
def test_any_changed_character_of_a_quote_is_red(
    made: tuple[Article, list[Row]], which: int, at: int, char: str
) -> None:
    article, rows = made
    row = rows[which % len(rows)]
    at %= len(row["quote"])
    changed = row | {"quote": row["quote"][:at] + char + row["quote"][at + 1 :]}
    [answer] = read(framed([changed if each is row else each for each in rows], unmarked))

    place = f"citation {row['marker']}"
    [verdict] = [each.verdict for each in audit(answer, {"a": article}, LEXICON) if each.place == place]
    assert verdict in (("ok",) if char == row["quote"][at] else ("moved", "gone"))


NAMES = st.sampled_from(["id", "status", "text", "citations", "conflicts", "marker", "quote", "start"])
ANY_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.just("answered"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
)


@given(row=ANY_JSON)
def test_any_json_is_an_answer_or_is_named(row: object) -> None:
    try:
        answers = read_answers(json.dumps(row).encode(), "a.json")
    except UsageError as error:
        named = str(error)
    else:
        named = "" if audit(answers[0], TODAY, LEXICON) else "nothing was found"

    assert named == "" or "not an answer" in named


class TestShell:
    QUOTE = "حضر الاجتماع 83 وزيرا."

    @pytest.fixture
    def index(self, settings: Settings) -> str:
        """The index over the shared tiny corpus; its folder."""
        build_index(settings, TopicEmbedder())
        return str(settings.index_dir)

    def row(self, **changed: object) -> Row:
        start = ARTICLES["rome.txt"].index(self.QUOTE)
        citation = {"marker": 1, "article_id": "rome", "quote": self.QUOTE, "start": start}
        citation |= {"end": start + len(self.QUOTE), "answer_span": None}
        return saved(f"{self.QUOTE} [1]", citation | changed)

    def file(self, tmp_path: Path, *rows: Row) -> str:
        path = tmp_path / "جواب.json"
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
        return str(path)

    def test_all_green_is_status_0(self, index: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["audit", self.file(tmp_path, self.row()), "--index", index]) == 0

        out, err = capsys.readouterr()
        assert [line.split()[0] for line in out.splitlines()] == ["ok", "ok", "ok", "3"]
        assert err == ""

    def test_anything_red_is_status_1(self, index: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        rows = (self.row(), self.row(start=0, end=len(self.QUOTE)))

        assert main(["audit", self.file(tmp_path, *rows), "--index", index]) == 1

        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines] == ["ok"] * 4 + ["FAILED", "ok", "6"]
        assert lines[-1] == "6 checks: 1 FAILED"

    def test_json_is_one_object(self, index: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["audit", self.file(tmp_path, self.row(article_id="?")), "--json", "--index", index]) == 1

        printed = json.loads(capsys.readouterr().out)
        assert (printed["ok"], printed["checks"], printed["failed"]) == (False, 3, 1)
        assert printed["findings"][1]["verdict"] == "no article"

    def test_an_unusable_file_is_one_line_and_status_2(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "a.json").write_bytes(b"\xff")

        for path in (tmp_path / "a.json", tmp_path / "none.json", tmp_path):
            assert main(["audit", str(path)]) == 2
            out, err = capsys.readouterr()
            assert (out, err.count("\n")) == ("", 1)
            assert err.startswith(f"sanad: {path}: ")

    def test_a_missing_index_is_one_line_and_status_1(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["audit", self.file(tmp_path, self.row()), "--index", str(tmp_path / "none")]) == 1

        assert "there is no index; build one with" in capsys.readouterr().err

    def test_an_answer_comes_through_a_pipe(
        self, index: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        raw = json.dumps(self.row()).encode()
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))

        assert main(["audit", "-", "--index", index]) == 0

    def test_an_index_out_of_date_is_said_to_be_so(
        self, index: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (corpus / "rome.txt").write_text("صار الخبر خبرا آخر.", encoding="utf-8")

        assert main(["audit", self.file(tmp_path, self.row()), "--index", index]) == 0

        err = capsys.readouterr().err
        assert "auditing by an index that is out of date (changed مقالات/rome.txt); `sanad build --index" in err
        assert err.count("\n") == 1

    def test_an_index_whose_articles_have_gone_is_audited_by_all_the_same(
        self, index: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        corpus.rename(tmp_path / "elsewhere")

        assert main(["audit", self.file(tmp_path, self.row()), "--index", index]) == 0
        assert "no such file or folder" in capsys.readouterr().err


QUESTIONS = (
    "كم دولة شاركت في اجتماع روما؟",
    "How much have European countries contributed since 2017?",
    "من اغتال قاسم سليماني؟",
    "What are the aims of the coalition?",
    "متى تشكل التحالف الدولي؟",
)


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_the_pipeline_answers_is_green(seeds_pipeline: Pipeline, question: str) -> None:
    answer = seeds_pipeline.ask(Question(text=question))
    [again] = read(answer_to_json(answer, seeds_pipeline.articles))

    assert [str(each) for each in audit(again, seeds_pipeline.articles, LEXICON) if not each.ok] == []
