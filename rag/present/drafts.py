"""What readers say of answers, kept as draft gold questions: a line each, in the gold format, to be looked over.

A draft holds the answer's quotes as its evidence. Marked `good`, they may become gold as they are; marked `wrong`,
they are what the evidence is not, and a person has to find what it is.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock

from rag.datatypes import Answer
from rag.errors import RagError

Mark = Literal["good", "wrong"]
MARKS: tuple[Mark, ...] = ("good", "wrong")
_TYPES = {"number": "number", "date": "date", "person": "person", "reason": "reason"}
_MOST_BYTES = 5_000_000
"""A page that strangers can reach must not fill the disk."""


class DraftsError(RagError):
    """The drafts cannot be written."""


def draft_of(answer: Answer, history: Sequence[str], mark: Mark, kind: str) -> dict[str, Any]:
    """A draft line. A refusal has no evidence: `good` makes it unanswerable, `wrong` a question without evidence yet.

    Args:
        answer: what the reader was shown.
        history: the questions before it, oldest first.
        mark: what the reader said of it.
        kind: the kind of answer that the question asks for, one of `AnswerType`.
    """
    answerable = answer.status == "answered" or mark == "wrong"
    spans = [citation.answer_span for citation in answer.citations[:1] if citation.answer_span]
    draft = {
        "language": "ar" if answer.question_language == "ar" else "en",
        "question": answer.question,
        "history": list(history),
        "answerable": answerable,
        "type": _TYPES.get(kind, "definition") if answerable else "unanswerable",
        "articles": list(dict.fromkeys(citation.source for citation in answer.citations)),
        "evidence": list(dict.fromkeys(citation.quote for citation in answer.citations)),
        "answers": [span.text for span in spans],
        "pair": None,
        "mark": mark,
    }
    digest = sha256(json.dumps(draft, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    return {"id": f"draft-{digest[:12]}", **draft}


def keep_draft(path: Path, draft: Mapping[str, Any]) -> None:
    """Add a line to the drafts at `path`; one that is there already is left as it is.

    Raises:
        DraftsError: the file cannot be written, or is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=10):
            kept = path.read_text(encoding="utf-8") if path.exists() else ""
            if f'"id": "{draft["id"]}"' in kept:
                return
            line = json.dumps(draft, ensure_ascii=False) + "\n"
            if len((kept + line).encode()) > _MOST_BYTES:
                raise DraftsError(f"{path}: is full; look the drafts over and move them into a gold file")
            with path.open("a", encoding="utf-8", newline="\n") as stream:
                stream.write(line)
    except OSError as error:  # a lock that is never let go of is one too
        raise DraftsError(f"{path}: cannot be written ({error.strerror or error}); check the folder") from error


def mark_of(name: str) -> Mark | None:
    """The mark that a client named, None if there is no such one."""
    return next((mark for mark in MARKS if mark == name), None)
