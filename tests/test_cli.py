import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import pytest

from eval.run import Options
from rag.cli import main
from rag.config import Settings
from rag.datatypes import Answer, Hit, Question
from tests.conftest import TopicEmbedder
from tests.fake_pipeline import ARABIC as MEMBERS_AR
from tests.fake_pipeline import ENGLISH as MEMBERS_EN
from tests.fake_pipeline import OLYMPICS, FakePipeline

ROOT = Path(__file__).resolve().parent.parent
CONTRACT_FIELDS = (
    "id question question_language standalone_question status confidence text citations conflicts hits timings_ms "
    "strength written_by note"
)


class ShellPipeline(FakePipeline):
    """The fake with what the shell needs besides; remembers the settings it was opened with."""

    opened: Settings
    batches: list[int]

    @classmethod
    def open(cls, settings: Settings) -> Self:
        cls.opened, cls.batches = settings, []
        return cls()

    def ask(self, question: Question) -> Answer:
        answer = super().ask(question)
        return replace(answer, id=question.id, hits=answer.hits[: self.opened.k])

    def ask_batch(self, questions: Sequence[Question]) -> list[Answer]:
        self.batches.append(len(questions))
        return [self.ask(question) for question in questions]

    def search(self, text: str, k: int) -> list[Hit]:
        return [] if text == OLYMPICS else super().search(text, k)


@pytest.fixture(autouse=True)
def _pipeline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = ModuleType("rag.pipeline")
    module.Pipeline = ShellPipeline  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rag.pipeline", module)
    monkeypatch.chdir(tmp_path)


def batch_file(tmp_path: Path, *lines: object) -> str:
    path = tmp_path / "أسئلة.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return str(path)


def test_ask_prints_the_cited_sentences_and_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", MEMBERS_AR]) == 0

    out, err = capsys.readouterr()
    assert "يلتزم أعضاء التحالف الدولي الـ 83" in out
    assert "[1]" in out
    assert "001_3d39952ec6612205.txt" in out
    assert err == ""


def test_ask_json_prints_the_contracts_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", MEMBERS_EN, "--json"]) == 0

    answer = json.loads(capsys.readouterr().out)
    assert list(answer) == CONTRACT_FIELDS.split()
    assert answer["question"] == MEMBERS_EN


def test_arabic_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    main(["ask", MEMBERS_AR, "--json"])

    assert MEMBERS_AR in capsys.readouterr().out


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_refusal_has_a_status_of_its_own(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", OLYMPICS, *options]) == 3

    assert "The articles do not answer this question." in capsys.readouterr().out


@pytest.mark.parametrize(("lang", "words"), [("ar", "المصادر"), ("en", "Sources"), ("auto", "Sources")])
def test_lang_chooses_the_words_around_the_quotes(lang: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["ask", MEMBERS_EN, "--lang", lang])

    assert words in capsys.readouterr().out


def test_k_is_the_number_of_hits(capsys: pytest.CaptureFixture[str]) -> None:
    main(["ask", MEMBERS_EN, "--k", "2", "--json"])
    assert len(json.loads(capsys.readouterr().out)["hits"]) == 2

    main(["search", MEMBERS_EN, "--k", "2", "--json"])
    assert len(json.loads(capsys.readouterr().out)["hits"]) == 2


def test_search_prints_passages_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "coalition"]) == 0

    out = capsys.readouterr().out
    assert out.index("1. (1.000)") < out.index("2. (0.500)")


def test_search_that_finds_nothing_has_the_status_of_a_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", OLYMPICS]) == 3
    assert capsys.readouterr().out == "No passage was found.\n"


def test_a_batch_is_answered_line_by_line_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    questions = [{"id": f"q{n}", "question": MEMBERS_AR, "history": ["ما التحالف؟"]} for n in range(300)]
    path = batch_file(tmp_path, {"id": "first", "question": OLYMPICS}, "", *questions)

    assert main(["ask", "--batch", path, "--json"]) == 0

    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["id"] for answer in answers] == ["first", *(f"q{n}" for n in range(300))]
    assert answers[0]["status"] == "no_evidence"
    assert ShellPipeline.batches == [128, 128, 45]


def test_a_batch_can_be_searched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = batch_file(tmp_path, {"id": "a", "question": OLYMPICS}, {"id": "b", "question": MEMBERS_AR})

    assert main(["search", "--batch", path, "--k", "2"]) == 0

    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["id"], len(line["hits"])) for line in found] == [("a", 0), ("b", 2)]


def test_a_batch_is_read_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = json.dumps({"id": "a", "question": MEMBERS_AR}).encode()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"\xef\xbb\xbf" + line)))

    assert main(["ask", "--batch", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "a"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: not JSON"),
        ("[1]", "line 2: not an object"),
        ("{}", "line 2: `question` is missing or not a text"),
        ({"id": 7, "question": "من؟"}, "line 2: `id` is 7, not a text"),
        ({"question": "من؟", "history": "x"}, "line 2: `history` is not a list of texts"),
        ({"question": "  "}, "line 2: the question is empty"),
        ({"question": "🙂"}, "line 2: the question '🙂' has no word in it"),
        ({"question": "س" * 2001}, "line 2: the question has 2,001 characters; ask in at most 2,000"),
        ("[" * 100_000, "line 2: not JSON"),
    ],
)
def test_a_malformed_line_is_named_before_anything_is_answered(
    tmp_path: Path, line: object, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = batch_file(tmp_path, {"id": "a", "question": MEMBERS_AR}, line)

    assert main(["ask", "--batch", path, "--json"]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["asks"],
        ["ask"],
        ["ask", ""],
        ["ask", " \n"],
        ["ask", "🙂🙂"],
        ["ask", "؟!"],
        ["ask", "س" * 100_000],
        ["ask", "one?", "two?"],
        ["ask", "one?", "--batch", "file"],
        ["ask", "--batch", "none.jsonl"],
        ["ask", "why?", "--k", "0"],
        ["ask", "why?", "--k", "many"],
        ["ask", "why?", "--lang", "fr"],
        ["ask", "why?", "--jso"],
        ["ask", "why?", "--config", "none.toml"],
        ["search"],
        ["serve", "--port", "99999"],
        ["brief"],
        ["brief", " "],
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("sanad: ")
    assert err.count("\n") == 1


def test_brief_prints_its_points_under_their_articles_then_the_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["brief", MEMBERS_EN]) == 0

    printed = capsys.readouterr().out
    pipeline = FakePipeline()
    for citation in pipeline.ask(Question(text=MEMBERS_EN)).citations:
        assert f"- {citation.quote} [{citation.marker}]" in printed
        assert pipeline.articles[citation.article_id].title in printed
    assert "Sources\n[1] " in printed


def test_brief_json_has_points_beside_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["brief", MEMBERS_AR, "--json"]) == 0

    brief = json.loads(capsys.readouterr().out)
    assert list(brief) == [*CONTRACT_FIELDS.split(), "points"]
    assert brief["question"] == MEMBERS_AR
    markers = [marker for point in brief["points"] for marker in point["markers"]]
    assert markers == [citation["marker"] for citation in brief["citations"]]


def test_brief_on_what_the_articles_do_not_cover_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["brief", OLYMPICS, "--lang", "ar"]) == 3

    assert capsys.readouterr().out.startswith("\u2067لا تجيب المقالات")


@pytest.mark.parametrize("suffix", [".md", ".html", ".docx"])
def test_brief_goes_to_a_file(suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"brief{suffix}"
    assert main(["brief", MEMBERS_EN, "--out", str(path)]) == 0
    assert capsys.readouterr().out == ""
    assert path.stat().st_size > 500


def test_brief_to_another_kind_of_file_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["brief", MEMBERS_EN, "--out", str(tmp_path / "brief.pdf")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("text", ["\x00 why \x1b[31m", "<script>alert(1)</script>", "\ud800 سؤال"])
def test_odd_questions_are_asked_all_the_same(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", text, "--json"]) == 0

    assert json.loads(capsys.readouterr().out)["question"] == text.replace("\ud800", "\ufffd")


def test_an_interrupt_ends_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(settings: Settings) -> ShellPipeline:
        raise KeyboardInterrupt

    monkeypatch.setattr(ShellPipeline, "open", interrupted)

    assert main(["ask", "why?"]) == 1
    assert capsys.readouterr().err == "sanad: interrupted\n"


def test_build_says_what_it_indexed(
    settings: Settings, corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rag.build.open_embedder", lambda settings: TopicEmbedder())

    assert main(["build", str(corpus), "--index", str(settings.index_dir)]) == 0

    out, err = capsys.readouterr()
    assert out.startswith(f"{settings.index_dir}: 3 articles, 3 passages, 6 sentences; ")
    assert "sanad: indexing 3 articles" in err


def test_build_of_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rag.build.open_embedder", lambda settings: TopicEmbedder())

    assert main(["build", str(tmp_path / "none"), "--index", str(tmp_path / "index")]) == 1

    assert "none: no such file or folder" in capsys.readouterr().err


def test_serve_hands_its_address_to_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Settings] = []
    page = ModuleType("app")
    page.main = served.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "app", page)

    assert main(["serve", "--host", "0.0.0.0", "--port", "8123"]) == 0
    assert (served[0].host, served[0].port) == ("0.0.0.0", 8123)


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What `sanad eval` has called, with what."""
    calls: list[tuple[Any, ...]] = []

    def stand_in(name: str) -> Callable[..., int]:
        def call(*arguments: Any) -> int:  # noqa: ANN401
            calls.append((name, *arguments))
            return 1

        return call

    for name in ("run_eval", "run_compare", "run_check"):
        monkeypatch.setattr(f"eval.run.{name}", stand_in(name))
    return calls


def test_eval_hands_its_arguments_on(evaluated: list[tuple[Any, ...]]) -> None:
    assert main(["eval", "gold.jsonl", "--out", "there", "--ablation", "--baseline", "former"]) == 1
    [(name, _, options)] = evaluated
    assert name == "run_eval"
    assert options == Options(gold=Path("gold.jsonl"), out=Path("there"), ablation=True, baseline=Path("former"))


def test_eval_has_two_verbs(evaluated: list[tuple[Any, ...]]) -> None:
    assert main(["eval", "compare", "one", "other"]) == 1
    assert main(["eval", "check", "gold.jsonl"]) == 1
    assert evaluated[0] == ("run_compare", Path("one"), Path("other"))
    assert (evaluated[1][0], evaluated[1][2]) == ("run_check", Path("gold.jsonl"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", "one"],
        ["check"],
        ["a.jsonl", "b.jsonl"],
        ["a.jsonl", "--squad", "x.json"],
        ["--squad", "x.json", "--beir", "x"],
        ["--questions", "x.json"],
    ],
)
def test_eval_wants_one_thing_to_measure(
    arguments: list[str], evaluated: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert evaluated == []


def run(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":  # noqa: ANN401
    command = [sys.executable, "-m", "rag", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)


def test_help_names_every_command() -> None:
    result = run("--help")

    assert result.returncode == 0
    for command in ("build", "ask", "search", "brief", "serve", "eval", "audit", "doctor"):
        assert f"    {command} " in result.stdout


def test_help_and_wrong_usage_load_nothing_heavy() -> None:
    script = (
        "import sys; from rag.cli import main\n"
        "assert main(['ask', '']) == 2\n"
        "sys.exit(', '.join({'torch', 'numpy', 'gradio', 'faiss'} & set(sys.modules)) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr


def run_brief_as(printed: str, **options: Any) -> "subprocess.CompletedProcess[bytes]":  # noqa: ANN401
    """Run `sanad brief` in a process of its own, where the command prints what `printed` evaluates to."""
    script = (
        "import sys; from rag import cli\n"
        f"cli._COMMANDS['brief'] = lambda arguments: cli._print({printed}) or 0\n"
        "sys.exit(cli.main(['brief', 'x']))"
    )
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.PIPE, check=False, **options)


def test_output_is_utf8_whatever_the_terminal_says() -> None:
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}

    result = run_brief_as(r"'\u0633\u0646\u062f\n'", env=ascii_only)

    assert result.stdout.decode("utf-8") == "سند\n"
    assert result.returncode == 0


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        result = run_brief_as("'سطر\\n'", stdout=writing)
    finally:
        os.close(writing)

    assert (result.returncode, result.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_under_the_output_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        result = run_brief_as("'سطر\\n'", stdout=full)

    assert result.returncode == 1
    assert result.stderr == b"sanad: the output cannot be written: No space left on device\n"
