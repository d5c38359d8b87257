"""The shell's edge: `sanad build | ask | search | brief | serve | eval | audit | doctor`.

Results go to stdout, everything else to stderr. Exit status: 0 answered or done, 1 failed, 2 wrong usage,
3 nothing in the articles answers this. Heavy modules are imported by the command that needs them, so that
`sanad --help` and a wrong argument answer at once.
"""

import json
import logging
import os
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from rag import __version__
from rag.batch import check_question, read_batch
from rag.config import EVAL_OUT, Settings, default_paths, load_settings
from rag.datatypes import Article, Language, Question
from rag.errors import ArticleError, RagError, UsageError
from rag.manifest import Manifest, build_command

if TYPE_CHECKING:
    from rag.pipeline import Pipeline

DONE, FAILED, NO_EVIDENCE = 0, 1, 3
_LOG = logging.getLogger(__name__)
_FRAMES: dict[str, Language | None] = {"auto": None, "ar": "ar", "en": "en"}
_BATCH = 128


class _Parser(ArgumentParser):
    """An argument parser whose errors join the family and so become one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`")


class _OutputError(RagError):
    """The results cannot be written."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; `argv` without the program's name, None for the process's own. Returns the exit status."""
    _speak_utf8(sys.stdout, sys.stderr)
    with _logs_on_stderr():
        try:
            arguments = _parser().parse_args(argv)
            return _COMMANDS[arguments.command](arguments)
        except RagError as error:
            sys.stderr.write(f"sanad: {error}\n")
            return error.exit_status
        except KeyboardInterrupt:
            sys.stderr.write("sanad: interrupted\n")
            return FAILED
        except BrokenPipeError:
            # Whoever read us has gone; Python would complain once more when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED


def _parser() -> ArgumentParser:
    common = _Parser(add_help=False, argument_default=SUPPRESS, allow_abbrev=False)
    common.add_argument("--index", metavar="DIR", help="the index's folder (default: index/)")
    common.add_argument("--config", metavar="FILE", type=Path, help="settings in TOML (default: sanad.toml, if there)")
    common.add_argument("--embedder", metavar="MODEL", help="bundled, or any sentence-transformers name or folder")
    common.add_argument("--revision", metavar="COMMIT", help="revision of a model on the hub")
    common.add_argument("--passage-chars", metavar="N", help="longest passage, in characters (default: 600)")

    parser = _Parser(
        prog="sanad",
        description="Cited answers, in Arabic or English, over a folder of articles.",
        epilog="Exit status: 0 answered or done, 1 failed, 2 wrong usage, 3 nothing in the articles answers this.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"sanad {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, summary: str) -> ArgumentParser:
        return commands.add_parser(
            name, help=summary, description=summary, parents=[common], argument_default=SUPPRESS, allow_abbrev=False
        )

    build = command("build", "Index articles.")
    build.add_argument("paths", metavar="PATHS", nargs="*", help="files or folders of articles (default: seeds/)")
    ask = command("ask", "Answer a question from the articles.")
    ask.add_argument("question", metavar="QUESTION", nargs="?")
    ask.add_argument("--lang", choices=tuple(_FRAMES), help="language of the words around the quotes (default: auto)")
    search = command("search", "List the passages nearest to a query.")
    search.add_argument("question", metavar="QUERY", nargs="?")
    for asking in (ask, search):
        asking.add_argument("--k", metavar="N", help="passages to list (default: 10)")
        asking.add_argument("--json", action="store_true", help="one JSON object")
        asking.add_argument(
            "--batch", metavar="FILE", type=Path, help='JSONL, {"id", "question", "history"} a line; one answer a line'
        )
    brief = command("brief", "Sum up a topic in five to eight cited points.")
    brief.add_argument("topic", metavar="TOPIC")
    brief.add_argument("--lang", choices=tuple(_FRAMES), help="language of the words around the quotes (default: auto)")
    brief.add_argument("--json", action="store_true", help="one JSON object")
    brief.add_argument("--out", metavar="FILE", type=Path, help="write it to a .md, .html or .docx file instead")
    serve = command("serve", "Serve the page.")
    serve.add_argument("--host", metavar="H", help="address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", metavar="P", help="port to listen on (default: 7860)")
    evaluate = command("eval", "Measure the answers on gold questions; compare two runs; check a gold file.")
    evaluate.add_argument(
        "gold",
        metavar="GOLD.jsonl | compare A B | check GOLD.jsonl",
        nargs="*",
        help="gold questions (default: the project's own); two folders of reports; or a gold file to prove",
    )
    evaluate.add_argument("--out", metavar="DIR", type=Path, help="where to write the report (default: eval/out)")
    evaluate.add_argument("--baseline", metavar="FILE", type=Path, help="an earlier report.json to compare with")
    evaluate.add_argument("--ablation", action="store_true", help="also with parts of the system switched off")
    evaluate.add_argument("--squad", metavar="FILE", type=Path, help="questions and texts in SQuAD's format instead")
    evaluate.add_argument("--questions", metavar="FILE", type=Path, help="ask those of this SQuAD file, by their ids")
    evaluate.add_argument("--beir", metavar="DIR", type=Path, help="questions and documents of a BEIR folder instead")
    audit = command("audit", "Check a saved answer against the articles of today: quotes, markers, figures, names.")
    audit.add_argument(
        "answers", metavar="ANSWER.json", type=Path, help="answers saved from `sanad ask --json`; - for standard input"
    )
    audit.add_argument("--json", action="store_true", help="the findings as one JSON object")
    command("doctor", "Verify index, model and settings; say what mends them.")
    return parser


def _settings(arguments: Namespace) -> Settings:
    given = vars(arguments)
    names = ("index", "embedder", "revision", "passage_chars", "k", "host", "port")
    flags: dict[str, object] = {name: given[name] for name in names if name in given}
    if given.get("paths"):
        flags["paths"] = given["paths"]
    return load_settings(flags, config=given.get("config"))


def _build(arguments: Namespace) -> int:
    settings = _settings(arguments)
    _quiet_libraries()
    from rag.build import build_index

    report = build_index(settings)
    sizes = ", ".join(f"{count} {name}" for name, count in report.counts.items() if count or name != "skipped")
    _print(f"{settings.index_dir}: {sizes}; {report.duration_s:.1f} s\n")
    return DONE


def _ask(arguments: Namespace) -> int:
    settings = _settings(arguments)
    given = vars(arguments)
    frame = _FRAMES[given.get("lang", "auto")]
    questions = _questions(given, settings, frame)
    pipeline = _open_pipeline(settings)
    from rag.present.json import answer_to_json
    from rag.present.terminal import render_answer

    if "batch" in given:
        for start in range(0, len(questions), _BATCH):
            for answer in pipeline.ask_batch(questions[start : start + _BATCH]):
                _print_json(answer_to_json(answer, pipeline.articles))
        return DONE
    answer = pipeline.ask(questions[0])
    if given.get("json"):
        _print_json(answer_to_json(answer, pipeline.articles))
    else:
        language = frame or answer.question_language
        _print(render_answer(answer, pipeline.articles, language=language, bold=_shows_bold(sys.stdout)))
    return DONE if answer.status == "answered" else NO_EVIDENCE


def _search(arguments: Namespace) -> int:
    settings = _settings(arguments)
    given = vars(arguments)
    questions = _questions(given, settings, None)
    pipeline = _open_pipeline(settings)
    from rag.present.json import hit_to_json
    from rag.present.terminal import render_hits
    from rag.text import detect_language

    found = 0
    for question in questions:
        hits = pipeline.search(question.text, settings.k)
        found += len(hits)
        if given.get("json") or "batch" in given:
            listed = [hit_to_json(hit, pipeline.articles) for hit in hits]
            _print_json({"id": question.id, "question": question.text, "hits": listed})
        else:
            _print(render_hits(hits, pipeline.articles, language=detect_language(question.text)))
    return DONE if found or "batch" in given else NO_EVIDENCE


def _brief(arguments: Namespace) -> int:
    settings = _settings(arguments)
    given = vars(arguments)
    frame = _FRAMES[given.get("lang", "auto")]
    topic = check_question(given["topic"], max_question_chars=settings.max_question_chars)
    pipeline = _open_pipeline(settings)
    from rag.present.export import write_brief
    from rag.present.json import brief_to_json
    from rag.present.terminal import render_brief

    brief = pipeline.brief(Question(text=topic, language=frame))
    language = frame or brief.answer.question_language
    if "out" in given:
        write_brief(given["out"], brief, pipeline.articles, language)
    if given.get("json"):
        _print_json(brief_to_json(brief, pipeline.articles))
    elif "out" not in given:
        _print(render_brief(brief, pipeline.articles, language=language))
    return DONE if brief.points else NO_EVIDENCE


def _serve(arguments: Namespace) -> int:
    settings = _settings(arguments)
    _quiet_libraries()
    import app

    app.main(settings)
    return DONE


def _eval(arguments: Namespace) -> int:
    settings = _settings(arguments)
    given = vars(arguments)
    _quiet_libraries()
    from eval.formats import read_beir, read_squad
    from eval.run import Options, run_check, run_compare, run_eval

    words: list[str] = given.get("gold", [])
    if words[:1] == ["compare"] and len(words) == 3:
        return run_compare(Path(words[1]), Path(words[2]))
    if words[:1] == ["check"] and len(words) == 2:
        return run_check(settings, Path(words[1]))
    sources = [*words, *(name for name in ("squad", "beir") if name in given)]
    if len(sources) > 1 or words in (["compare"], ["check"]) or ("questions" in given and "squad" not in given):
        raise UsageError("sanad eval wants one of GOLD.jsonl, compare A B, check GOLD.jsonl, --squad FILE, --beir DIR")
    collection = read_squad(given["squad"], given.get("questions")) if "squad" in given else None
    collection = read_beir(given["beir"]) if "beir" in given else collection
    options = Options(
        gold=Path(words[0]) if words else None,
        collection=collection,
        out=given.get("out", EVAL_OUT),
        baseline=given.get("baseline"),
        ablation=bool(given.get("ablation")),
    )
    return run_eval(settings, options)


def _doctor(arguments: Namespace) -> int:
    settings = _settings(arguments)
    _quiet_libraries()
    from rag.doctor import examine

    findings = examine(settings)
    for finding in findings:
        _print(f"{finding}\n")
    return DONE if all(finding.ok for finding in findings) else FAILED


def _audit(arguments: Namespace) -> int:
    settings = _settings(arguments)
    given = vars(arguments)
    from rag.audit import audit, findings_to_json, read_answers, summarise
    from rag.lexicon import Lexicon

    answers = read_answers(_read_bytes(given["answers"]), str(given["answers"]))
    articles, lexicon = _indexed_articles(settings), Lexicon.open()
    findings = [finding for answer in answers for finding in audit(answer, articles, lexicon)]
    if given.get("json"):
        _print_json(findings_to_json(findings))
    else:
        _print("".join(f"{finding}\n" for finding in findings) + summarise(findings) + "\n")
    return DONE if all(finding.ok for finding in findings) else FAILED


_COMMANDS: dict[str, Callable[[Namespace], int]] = {
    "build": _build,
    "ask": _ask,
    "search": _search,
    "brief": _brief,
    "serve": _serve,
    "eval": _eval,
    "audit": _audit,
    "doctor": _doctor,
}


def _questions(given: Mapping[str, Any], settings: Settings, frame: Language | None) -> list[Question]:
    if ("question" in given and given["question"] is not None) == ("batch" in given):
        raise UsageError(f"sanad {given['command']} wants either one question in quotes or --batch FILE")
    if "batch" in given:
        return read_batch(given["batch"], language=frame, max_question_chars=settings.max_question_chars)
    text = check_question(given["question"], max_question_chars=settings.max_question_chars)
    return [Question(text=text, language=frame)]


def _open_pipeline(settings: Settings) -> "Pipeline":
    _quiet_libraries()
    from rag.pipeline import Pipeline

    return Pipeline.open(settings)


def _read_bytes(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == Path("-") else path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; name a saved answer") from error


def _indexed_articles(settings: Settings) -> Mapping[str, Article]:
    """The articles of the index as it stands, by id; no model is loaded. Says so where their files have changed."""
    from rag.fingerprint import differing_sources, find_sources
    from rag.snapshot import open_verified
    from rag.store import FaissStore

    def check(manifest: Manifest) -> None:
        paths = settings.paths or tuple(map(Path, manifest.paths)) or default_paths()
        try:
            changes = differing_sources(manifest.sources, find_sources(paths, manifest.sources))
        except ArticleError as error:
            changes = [str(error)]
        if changes:
            command = build_command(settings.index_dir, manifest.paths)
            _LOG.warning("auditing by an index that is out of date (%s); `%s` renews it", "; ".join(changes), command)

    return open_verified(settings.index_dir, FaissStore.open, check=check).articles


def _quiet_libraries() -> None:
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")


def _print_json(value: Mapping[str, object]) -> None:
    _print(json.dumps(value, ensure_ascii=False) + "\n")


def _print(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _OutputError(f"the output cannot be written: {error.strerror}") from error


def _shows_bold(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _speak_utf8(*streams: TextIO) -> None:
    for stream in streams:
        # Not there when a test or a caller has put another object in the stream's place.
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(encoding="utf-8", errors="replace")


@contextmanager
def _logs_on_stderr() -> Iterator[None]:
    logger = logging.getLogger("rag")
    level, stderr = logger.level, logging.StreamHandler(sys.stderr)
    stderr.setFormatter(logging.Formatter("sanad: %(message)s"))
    logger.addHandler(stderr)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(stderr)
        logger.setLevel(level)
