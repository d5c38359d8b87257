"""Public collections as they come: SQuAD-style files (XQuAD, ARCD, MLQA, TyDi) and BEIR folders.

Their documents become articles of a throw-away index, so that a public number can be put beside ours.
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.gold import GoldError, GoldQuestion, Spans
from eval.metrics import Span
from rag.datatypes import Article
from rag.errors import UsageError
from rag.text import detect_language


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question of a collection.

    `answers` are (text, position in the document); `documents` grade by name; none: unanswerable.
    """

    id: str
    question: str
    documents: Mapping[str, int]
    answers: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Documents, each a text by name, and what is asked of them."""

    name: str
    documents: Mapping[str, str]
    asked: tuple[Asked, ...]

    def write(self, folder: Path) -> None:
        """Write each document as an article of its own, named by its number."""
        for number, text in enumerate(self.documents.values()):
            (folder / _file(number)).write_text(text, encoding="utf-8", newline="")

    def questions(self, articles: Mapping[str, Article]) -> list[GoldQuestion]:
        """The questions over the articles that `write` made; evidence is the answer's words at their place."""
        sources = {article.source: article for article in articles.values()}
        files = {name: _file(number) for number, name in enumerate(self.documents)}
        return [_question(each, files, sources) for each in self.asked]


def read_squad(path: Path, questions: Path | None = None) -> Collection:
    """A file of SQuAD's format 1.1 or 2.0; `questions` is a second one, whose questions are asked by their ids.

    With it, paragraphs and answers in one language are asked for in another, as MLQA and XQuAD do.

    Raises:
        UsageError: a file that cannot be read, is not of that format, or has no question.
    """
    asked_as = {row["id"]: row["question"] for _, _, row in _paragraphs(questions)} if questions else None
    documents: dict[str, str] = {}
    names: dict[str, str] = {}
    asked = []
    for place, context, row in _paragraphs(path):
        name = names.setdefault(context, place)  # a paragraph given twice is one document, or none could be right
        documents[name] = context
        if asked_as is not None and row["id"] not in asked_as:
            continue
        answers = () if row.get("is_impossible") else tuple((a["text"], a["answer_start"]) for a in row["answers"])
        asked.append(
            Asked(
                id=str(row["id"]),
                question=row["question"] if asked_as is None else asked_as[row["id"]],
                documents={name: 1} if answers else {},
                answers=answers,
            )
        )
    name = path.name if questions is None else f"{questions.name} over {path.name}"
    return _collection(name, documents, asked, path)


def _paragraphs(path: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name of the paragraph, its text, and each question's row."""
    try:
        data = json.loads(_read(path))["data"]
        for number, article in enumerate(data):
            for part, paragraph in enumerate(article["paragraphs"]):
                for row in paragraph["qas"]:
                    row["id"], row["question"], row["answers"]  # named here if missing
                    yield f"{number}.{part}", paragraph["context"], row
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path}: not of SQuAD's format ({_what(error)}); give a file such as xquad.ar.json"
        ) from error


def read_beir(folder: Path, split: str = "test") -> Collection:
    """A BEIR folder: `corpus.jsonl`, `queries.jsonl`, `qrels/<split>.tsv` (Thakur et al. 2021).

    Raises:
        UsageError: a file that cannot be read, is not of that format, or has no question.
    """
    corpus = {row["_id"]: row for row in _rows(folder / "corpus.jsonl", "text")}
    documents = {name: "\n\n".join(filter(None, [row.get("title", ""), row["text"]])) for name, row in corpus.items()}
    queries = {row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl", "text")}
    qrels = folder / "qrels" / f"{split}.tsv"
    grades: dict[str, dict[str, int]] = {}
    for number, line in enumerate(_read(qrels).splitlines(), start=1):
        cells = line.split("\t")
        if number == 1 and cells[-1:] == ["score"]:
            continue
        if len(cells) != 3 or not cells[2].lstrip("-").isdecimal():
            raise UsageError(f"{qrels}:{number}: not `query<TAB>document<TAB>grade`: {line[:80]!r}")
        if cells[0] not in queries or cells[1] not in documents:
            raise UsageError(f"{qrels}:{number}: no such query or document: {line[:80]!r}")
        if int(cells[2]) > 0:
            grades.setdefault(cells[0], {})[cells[1]] = int(cells[2])
    asked = [Asked(id=name, question=queries[name], documents=found) for name, found in grades.items()]
    return _collection(folder.name, documents, asked, folder)


def _rows(path: Path, field: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_read(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            row["_id"], row[field]  # named here if missing
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}:{number}: not a line of BEIR's format ({_what(error)})") from error
        yield row


def _what(error: Exception) -> str:
    return f"no field {error}" if isinstance(error, KeyError) else str(error)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error


def _collection(name: str, documents: Mapping[str, str], asked: list[Asked], path: Path) -> Collection:
    if not asked:
        raise UsageError(f"{path}: no questions in it")
    repeated = len(asked) - len({each.id for each in asked})
    if repeated:
        raise UsageError(f"{path}: {repeated} questions have an id that another one has")
    return Collection(name=name, documents=documents, asked=tuple(asked))


def _file(number: int) -> str:
    return f"d{number:07d}.txt"


def _question(asked: Asked, files: Mapping[str, str], sources: Mapping[str, Article]) -> GoldQuestion:
    named = {files[name]: grade for name, grade in asked.documents.items() if files[name] in sources}
    if len(named) < len(asked.documents):
        raise GoldError((f"{asked.id}: a document of this question is empty",))
    spans = {text: _place(text, start, sources[source]) for source in named for text, start in asked.answers}
    evidence = {text: found for text, found in spans.items() if found}
    return GoldQuestion(
        id=asked.id,
        language="ar" if detect_language(asked.question) == "ar" else "en",
        question=asked.question,
        history=(),
        answerable=bool(named),
        type="definition" if named else "unanswerable",
        articles=tuple(named),
        # Equally right answers are one piece of evidence: any of them will do.
        evidence=tuple(evidence)[:1],
        answers=tuple(spans),
        pair=None,
        evidence_spans=(tuple(span for found in evidence.values() for span in found),) if evidence else (),
        grades=tuple(named.values()),
    )


def _place(text: str, start: int, article: Article) -> Spans:
    """The answer in the article's text, which is NFC: at its stated place, or where it stands nearest to that."""
    wanted = unicodedata.normalize("NFC", text)
    places, at = [], article.text.find(wanted)
    while at >= 0:
        places.append(at)
        at = article.text.find(wanted, at + 1)
    if not places or not wanted:
        return ()
    nearest = min(places, key=lambda place: abs(place - start))
    return (Span(article_id=article.id, start=nearest, end=nearest + len(wanted)),)
