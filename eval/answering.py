"""Asking gold questions one after the other, keeping every answer at once: a run that was killed goes on.

Answers go to `run.part.jsonl`, under a first line that says what is asked of what, and the file becomes `run.jsonl`
when all are there. A part of the same run is taken up again, without losing or doubling a question.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from eval.gold import GoldQuestion
from eval.score import Record
from rag.datatypes import Answer, Article, Brief, Passage, Question
from rag.errors import RagError
from rag.present.json import answer_to_json, brief_to_json

RUN_NAME = "run.jsonl"
_PART_NAME = "run.part.jsonl"


class Asked(Protocol):
    """What is measured: anything that answers questions over articles."""

    @property
    def articles(self) -> Mapping[str, Article]:
        """The articles by id."""
        ...

    @property
    def passages(self) -> Sequence[Passage]:
        """What the articles were cut into."""
        ...

    def ask(self, question: Question) -> Answer:
        """The answer to one question."""
        ...

    def brief(self, topic: Question) -> Brief:
        """A topic in points: what a gold question of type `brief` asks for."""
        ...


def identity_of(asked: Asked, gold: Sequence[GoldQuestion], settings: Mapping[str, object]) -> str:
    """A digest of all that an answer depends on: questions, texts, passages and settings."""
    texts = [(article.id, article.text) for article in asked.articles.values()]
    parts = repr((list(gold), texts, [(p.id, p.start, p.end) for p in asked.passages], sorted(settings.items())))
    return sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()


def answer_all(asked: Asked, gold: Sequence[GoldQuestion], label: str) -> dict[str, Record]:
    """The answer to each question by id, in order, with a progress bar where somebody looks."""
    return {question.id: _ask(asked, question) for question in tqdm(gold, desc=label, unit="q", disable=None)}


def answer_into(asked: Asked, gold: Sequence[GoldQuestion], folder: Path, identity: str) -> dict[str, Record]:
    """As `answer_all`, kept in `folder` on the way; questions that a killed run answered are not asked again.

    Raises:
        OSError: as the disk does.
    """
    part, head = folder / _PART_NAME, {"run": identity}
    answered = _read_part(part, head)
    _write_lines(part, [head, *answered.values()])  # without what a killed run left of its last line
    # One at a time, not as a batch: the times reported are those of a reader who asks one question.
    with part.open("a", encoding="utf-8", newline="\n") as stream:
        for question in tqdm(gold, desc="asking", unit="q", disable=None):
            if question.id not in answered:
                answered[question.id] = _ask(asked, question)
                stream.write(_line(answered[question.id]))
                stream.flush()
    ordered = {question.id: answered[question.id] for question in gold}
    _write_lines(part, ordered.values())
    part.replace(folder / RUN_NAME)
    return ordered


def read_run(path: Path) -> dict[str, Record]:
    """The answers of a finished run by question id. Raises OSError or ValueError."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    return {record["id"]: record for record in records}


def _ask(asked: Asked, question: GoldQuestion) -> Record:
    """A failure is a record too, so that one question cannot end a run."""
    wanted = Question(text=question.question, id=question.id, history=question.history)
    try:
        if question.type == "brief":
            return brief_to_json(asked.brief(wanted), asked.articles)
        return answer_to_json(asked.ask(wanted), asked.articles)
    except RagError as error:
        return {"id": question.id, "question": question.question, "error": str(error)}


def _read_part(path: Path, head: Mapping[str, str]) -> dict[str, Record]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]  # after the last line feed: a torso
    except FileNotFoundError:
        return {}
    records = [_parsed(line) for line in lines]
    if not records or records[0] != head:
        return {}
    return {record["id"]: record for record in records[1:] if "id" in record}


def _parsed(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:  # a line torn by a crash: its question is asked again
        return {}
    return record if isinstance(record, dict) else {}


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    beside = path.with_suffix(".tmp")
    beside.write_text("".join(map(_line, records)), encoding="utf-8", newline="\n")
    beside.replace(path)
