"""Questions from outside: one, or a JSONL file of them, checked before anything is answered."""

import json
import sys
from pathlib import Path
from typing import Any

from rag.datatypes import Language, Question
from rag.errors import UsageError
from rag.text import tokens

_STDIN = Path("-")


def read_batch(path: Path, *, language: Language | None, max_question_chars: int) -> list[Question]:
    """The questions of a JSONL file (`-`: standard input), in order; blank lines are passed over.

    A line is an object with `question` (text) and, if it likes, `id` (text) and `history` (a list of texts);
    other fields are ignored.

    Raises:
        UsageError: The file cannot be read, or a line cannot be used; the message names the line.
    """
    try:
        raw = sys.stdin.buffer.read() if path == _STDIN else path.read_bytes()
    except OSError as error:
        raise UsageError(f"--batch {path}: cannot be read: {error.strerror}") from error
    questions = []
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            try:
                questions.append(_question(json.loads(line), language, max_question_chars))
            except (ValueError, RecursionError, UsageError) as error:
                raise UsageError(f"--batch {path}: line {number}: {_reason(error)}") from error
    return questions


def check_question(text: str, *, max_question_chars: int) -> str:
    """`text` as a question that can be asked, without halves of surrogate pairs, which nothing can encode.

    Raises:
        UsageError: It has no word, or more than `max_question_chars` characters.
    """
    if not text.strip():
        raise UsageError("the question is empty; ask something")
    if len(text) > max_question_chars:
        raise UsageError(f"the question has {len(text):,} characters; ask in at most {max_question_chars:,}")
    if not tokens(text):
        raise UsageError(f"the question {text.strip()[:20]!r} has no word in it; ask in Arabic or English")
    return _well_formed(text)


def _question(row: Any, language: Language | None, max_question_chars: int) -> Question:  # noqa: ANN401 - any JSON
    if not isinstance(row, dict):
        raise UsageError('not an object; write {"id": "...", "question": "..."}')
    identity, text, history = row.get("id", ""), row.get("question"), row.get("history", [])
    if not isinstance(text, str):
        raise UsageError("`question` is missing or not a text")
    if not isinstance(identity, str):
        raise UsageError(f"`id` is {identity!r}, not a text")
    if not isinstance(history, list) or not all(isinstance(earlier, str) for earlier in history):
        raise UsageError("`history` is not a list of texts")
    return Question(
        text=check_question(text, max_question_chars=max_question_chars),
        id=identity,
        history=tuple(map(_well_formed, history)),
        language=language,
    )


def _well_formed(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _reason(error: Exception) -> str:
    if isinstance(error, UsageError):
        return str(error)
    return f"not JSON in UTF-8 ({error})"
