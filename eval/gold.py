"""Gold questions: reading the file and proving every line of it against the articles.

Gold points at articles and at their words, never at passages, so chunking can change without invalidating it.
Beyond the contract's fields a line may have `nuggets`, the facts that a brief on its topic should tell:
`[{"text": "...", "evidence": ["<verbatim substring>", ...]}, ...]`.
"""

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from eval.metrics import Span, tells, token_f1
from rag.datatypes import Article
from rag.errors import UsageError
from rag.sentences import sentence_spans
from rag.text import fold

QuestionType = Literal[
    "number",
    "date",
    "person",
    "list",
    "reason",
    "definition",
    "comparison",
    "conflict",
    "multi-article",
    "brief",
    "unanswerable",
]

DEFAULT_GOLD = Path(__file__).parent / "gold" / "test.jsonl"


class GoldError(UsageError):
    """A gold file that cannot be used; `problems` is all that is wrong, each `file:line: reason`, in line order."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldQuestion:
    """A question whose evidence is known.

    `articles` are file names; each text of `evidence` is verbatim in at least one of them, and its entry of
    `evidence_spans` is all its occurrences there (an article may repeat its text), by article as named, then by
    position. `grades` are how relevant each article is, all alike if empty. `answers` are equally right short
    answers, or the items of a list; `pair` is the id of the same question in the other language. `nuggets` are the
    occurrences of each fact that a brief should tell.
    """

    id: str
    language: Literal["ar", "en"]
    question: str
    history: tuple[str, ...]
    answerable: bool
    type: QuestionType
    articles: tuple[str, ...]
    evidence: tuple[str, ...]
    answers: tuple[str, ...]
    pair: str | None
    evidence_spans: tuple[Spans, ...]
    grades: tuple[int, ...] = ()
    nuggets: tuple[Spans, ...] = ()


Record = dict[str, object]

_SHOWN_CHARS = 80


def load_gold(path: Path, articles: Mapping[str, Article]) -> list[GoldQuestion]:
    """The questions of a JSONL file in its order; fields beyond the contract's are ignored.

    Args:
        path: UTF-8, one object a line; blank lines are skipped.
        articles: the corpus by article id.

    Raises:
        GoldError: with every problem of the file at once.
    """
    try:
        lines = path.read_bytes().removeprefix(BOM_UTF8).split(b"\n")
    except OSError as error:
        raise GoldError((f"{path}: cannot read the gold questions ({error.strerror}); give a JSONL file",)) from error
    sources = {article.source: article for article in articles.values()}
    problems: list[tuple[int, str]] = []
    records: list[tuple[int, Record]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        record, reasons = _parse(line)
        if record is not None:
            records.append((number, record))
            reasons = _reasons(record, sources)
        problems += [(number, reason) for reason in reasons]
    problems += _cross_reasons(records)
    if problems:
        raise GoldError(tuple(f"{path}:{number}: {reason}" for number, reason in sorted(problems, key=lambda p: p[0])))
    if not records:
        raise GoldError((f"{path}:1: no questions in the file",))
    return [_question(record, sources) for _, record in records]


def repeated(gold: list[GoldQuestion]) -> list[str]:
    """A line for each question that asks the same as an earlier one, after the same history."""
    first: dict[tuple[str, ...], str] = {}
    lines = []
    for question in gold:
        asked = tuple(" ".join(fold(text).split()) for text in (*question.history, question.question))
        if first.setdefault(asked, question.id) != question.id:
            lines.append(f"{question.id}: asks the same as {first[asked]}: {_shown(question.question)}")
    return lines


def _parse(line: bytes) -> tuple[Record | None, list[str]]:
    try:
        record = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return None, [f"wrong encoding: not UTF-8 at byte {error.start + 1}"]
    except (ValueError, RecursionError) as error:
        return None, [f"broken JSON: {error}"]
    if not isinstance(record, dict):
        return None, [f"broken JSON: an object was expected, not {type(record).__name__}"]
    return record, []


def _is_text(value: object) -> bool:
    # A lone surrogate, which JSON can spell, would fail later when a report is written.
    return isinstance(value, str) and bool(value.strip()) and not any("\ud800" <= c <= "\udfff" for c in value)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(_is_text(text) for text in value)


_FIELDS: dict[str, tuple[Callable[[object], bool], str]] = {
    "id": (_is_text, "a text"),
    "language": (lambda value: value in ("ar", "en"), "ar or en"),
    "question": (_is_text, "a text"),
    "history": (_is_texts, "a list of texts"),
    "answerable": (lambda value: isinstance(value, bool), "true or false"),
    "type": (lambda value: value in get_args(QuestionType), "one of " + ", ".join(get_args(QuestionType))),
    "articles": (_is_texts, "a list of file names"),
    "evidence": (_is_texts, "a list of texts"),
    "answers": (_is_texts, "a list of texts"),
    "pair": (lambda value: value is None or _is_text(value), "null or a question's id"),
}


def _reasons(record: Record, sources: Mapping[str, Article]) -> list[str]:
    """What is wrong with one record by itself; the evidence is judged once the fields are right."""
    missing = [f"missing field {name!r}" for name in _FIELDS if name not in record]
    wrong = [
        f"field {name!r} must be {expected}, not {_shown(record[name])}"
        for name, (is_right, expected) in _FIELDS.items()
        if name in record and not is_right(record[name])
    ]
    if "nuggets" in record and not _is_nuggets(record["nuggets"]):
        wrong.append(f"field 'nuggets' must be a list of text and evidence, not {_shown(record['nuggets'])}")
    return missing + wrong or _evidence_reasons(record, sources)


def _is_nuggets(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, dict) and _is_text(each.get("text")) and _is_texts(each.get("evidence")) and each["evidence"]
        for each in value
    )


def _evidence_reasons(record: Record, sources: Mapping[str, Article]) -> list[str]:
    names, evidence = cast("list[str]", record["articles"]), cast("list[str]", record["evidence"])
    reasons = [
        f"unknown article {name!r}; known: {', '.join(sorted(sources))}" for name in names if name not in sources
    ]
    if record["answerable"] and not evidence:
        reasons.append("answerable without evidence")
    if record["answerable"] and record["type"] == "unanswerable":
        reasons.append("answerable, but of type 'unanswerable'")
    if not reasons:
        reasons = [
            f"evidence not verbatim in the articles named: {_shown(text)}{_nearest(text, names, sources)}"
            for text in evidence + [text for texts in _nuggets(record) for text in texts]
            if not _occurrences(text, names, sources)
        ]
    if not reasons and record["answerable"]:
        reasons = [
            f"answer outside the evidence: {_shown(answer)}"
            for answer in cast("list[str]", record["answers"])
            if not any(tells(text, answer) for text in evidence)
        ]
    return reasons


def _nuggets(record: Record) -> list[list[str]]:
    return [nugget["evidence"] for nugget in cast("list[dict[str, list[str]]]", record.get("nuggets", []))]


def _nearest(text: str, names: list[str], sources: Mapping[str, Article]) -> str:
    """The sentence of the articles most like `text`, to be shown beside it."""
    sentences = [
        (token_f1(sources[name].text[start:end], [text]), name, sources[name].text[start:end])
        for name in names
        for start, end in sentence_spans(sources[name].text)
    ]
    likeness, name, sentence = max(sentences, default=(0.0, "", ""))
    return f"; nearest, in {name}: {_shown(sentence)}" if likeness > 0 else ""


def _cross_reasons(records: list[tuple[int, Record]]) -> list[tuple[int, str]]:
    """What is wrong between records: ids given twice, pairs that are no question."""
    first: dict[str, int] = {}
    reasons = []
    for number, record in records:
        identity = record.get("id")
        if isinstance(identity, str) and first.setdefault(identity, number) != number:
            reasons.append((number, f"duplicate id {identity!r}, first on line {first[identity]}"))
    for number, record in records:
        pair = record.get("pair")
        if isinstance(pair, str) and (pair not in first or pair == record.get("id")):
            reasons.append((number, f"unknown pair {pair!r}: no other question has this id"))
    return reasons


def _occurrences(text: str, names: list[str], sources: Mapping[str, Article]) -> Spans:
    spans = []
    for article in (sources[name] for name in dict.fromkeys(names)):
        start = article.text.find(text)
        while start >= 0:
            spans.append(Span(article_id=article.id, start=start, end=start + len(text)))
            start = article.text.find(text, start + 1)
    return tuple(spans)


def _question(record: Record, sources: Mapping[str, Article]) -> GoldQuestion:
    fields = {
        name: tuple(value) if isinstance(value, list) else value for name, value in record.items() if name in _FIELDS
    }
    names, evidence = cast("list[str]", record["articles"]), cast("list[str]", record["evidence"])
    return GoldQuestion(
        **fields,  # type: ignore[arg-type]  # proven by _FIELDS
        evidence_spans=tuple(_occurrences(text, names, sources) for text in evidence),
        nuggets=tuple(
            tuple(span for text in texts for span in _occurrences(text, names, sources)) for texts in _nuggets(record)
        ),
    )


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
