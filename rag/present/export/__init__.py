"""A brief, or a plain answer, as a file to keep: Markdown, one HTML page that needs nothing else, or DOCX.

What it shows are the quotes of citations, never other words of a point, so that its last line is true: every point is
quoted word for word.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from rag.datatypes import Answer, Brief
from rag.errors import RagError, UsageError
from rag.present.export.html import brief_html
from rag.present.export.markdown import brief_markdown
from rag.present.export.sheet import Articles
from rag.present.export.word import brief_docx

__all__ = ["ExportError", "brief_docx", "brief_html", "brief_markdown", "write_brief"]


class ExportError(RagError):
    """The file cannot be written."""


def write_brief(path: Path, brief: Brief | Answer, articles: Articles, language: str) -> None:
    """Write `brief` in the format that the suffix of `path` names: .md, .html or .docx.

    Raises:
        UsageError: the suffix is another one, or there are no strings for `language`.
        ExportError: the file cannot be written.
    """
    written_as = _FORMATS.get(path.suffix.lower())
    if written_as is None:
        raise UsageError(f"{path}: cannot tell the format; end the name in {', '.join(_FORMATS)}")
    content = written_as(brief, articles, language)
    try:
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    except OSError as error:
        raise ExportError(f"{path}: cannot be written ({error.strerror or error}); check the folder") from error


_FORMATS: Mapping[str, Callable[[Brief | Answer, Articles, str], str | bytes]] = {
    ".md": brief_markdown,
    ".html": brief_html,
    ".docx": brief_docx,
}
