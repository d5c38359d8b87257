"""Files to articles: loaders by suffix, metadata from a sidecar or front matter."""

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from rag.datatypes import Article, Language
from rag.errors import ArticleError
from rag.structure import after_outlet
from rag.text import detect_language, tokens

METADATA_FILE = "metadata.toml"
_FIELDS = ("title", "author", "outlet", "language", "date", "date_quote", "url")
_TITLE_WORDS = 10
_MAX_TITLE_CHARS = 150
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)

Metadata = Mapping[str, Any]


def _decode(raw: bytes) -> str:
    """Text of a file: UTF-8, UTF-16 with its mark, else Windows-1256, the old encoding of Arabic pages."""
    try:
        text = raw.decode("utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError as error:
        text = raw.decode("cp1256", errors="replace")
        if b"\0" not in raw and (detect_language(text) != "ar" or _is_damaged_utf8(raw)):
            raise ValueError(f"is not UTF-8 text (byte {error.start})") from error
    if "\0" in text:
        raise ValueError("is binary, not text")
    return text


def _is_damaged_utf8(raw: bytes) -> bool:
    """Whether `raw` reads better as UTF-8 with faults; as Windows-1256 its Arabic would be other Arabic letters."""
    text = raw.decode("utf-8", errors="replace")
    return sum(map(str.isalpha, text)) > text.count("\ufffd")


def _load_text(text: str) -> tuple[str, Metadata]:
    return text, {}


def _load_markdown(text: str) -> tuple[str, Metadata]:
    """Body and YAML front matter of a Markdown file."""
    front = _FRONT_MATTER.match(text)
    if not front:
        return text, {}
    try:
        fields = yaml.safe_load(front[1]) or {}
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2021-06-31
        raise ValueError(f"has front matter that is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(fields, dict):
        raise ValueError("has front matter that is not a list of fields")
    return text[front.end() :], {name: fields[name] for name in _FIELDS if fields.get(name) is not None}


LOADERS: dict[str, Callable[[str], tuple[str, Metadata]]] = {".txt": _load_text, ".md": _load_markdown}
"""By suffix: the decoded text of a file to the article's body and what the file states of itself."""


def _stated_title(text: str) -> str | None:
    """A first line that stands apart as a title does: short, no full stop, a blank line or `#` to set it off."""
    first, _, rest = text.lstrip("\n\ufeff ").partition("\n")
    if first.startswith("# "):
        return first[2:].strip()
    alone = len(first) <= _MAX_TITLE_CHARS and rest.startswith(("\n", " \n")) and not first.rstrip().endswith(".")
    return first.strip() if alone and first.strip() else None


def _first_words(text: str) -> str:
    """The opening of an article that has no title."""
    words = tokens(text.strip()[:1000])[:_TITLE_WORDS]
    return text.strip()[words[0].start : words[-1].end] + "…" if words else ""


def _valid_date(value: object) -> str | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise ValueError(f"has date {value!r}: write YYYY-MM-DD") from error


def _make_article(path: Path, text: str, stated: Metadata) -> Article:
    for name, value in stated.items():
        if name not in _FIELDS:
            raise ValueError(f"has unknown metadata {name!r}: use {', '.join(_FIELDS)}")
        if name != "date" and not isinstance(value, str):
            raise ValueError(f"has metadata {name} = {value!r}: write text in quotes")
    language = stated.get("language") or detect_language(text)
    if language not in ("ar", "en", "und"):
        raise ValueError(f"has language {language!r}: write ar or en")
    quote = stated.get("date_quote")
    if quote is not None and quote not in text:
        raise ValueError(f"has a date_quote that does not stand in it: {quote!r}")
    known: Language = language
    opening = text[after_outlet(text, stated.get("outlet")) :]
    title = stated.get("title", "").strip() or _stated_title(text) or _first_words(opening) or path.stem
    return Article(
        id=path.stem,
        source=path.name,
        title=" ".join(title.split()),
        language=known,
        text=text,
        author=stated.get("author"),
        outlet=stated.get("outlet"),
        date=_valid_date(stated.get("date")),
        date_quote=quote,
        url=stated.get("url"),
    )


def load_article(path: Path, metadata: Metadata | None = None) -> Article:
    """One article from a file; `metadata` overrides what the file states. Its text is NFC with line feeds only.

    Raises ArticleError, naming the file, if it cannot be read, decoded or used.
    """
    if not path.name.isprintable():  # among others, bytes that are no UTF-8, which nothing can write again
        raise ArticleError(f"{str(path)!a}: the file's name is not readable text; rename it")
    loader = LOADERS.get(path.suffix.lower())
    if loader is None:
        raise ArticleError(f"{path}: unknown kind of file; use {', '.join(LOADERS)}")
    try:
        text = unicodedata.normalize("NFC", _decode(path.read_bytes()))
        body, stated = loader(text.replace("\r\n", "\n").replace("\r", "\n"))
        if not tokens(body):
            raise ValueError("is empty")
        return _make_article(path, body, {**stated, **(metadata or {})})
    except OSError as error:
        raise ArticleError(f"{path}: cannot be read ({error.strerror}); check the file's permissions") from error
    except ValueError as error:
        raise ArticleError(f"{path}: {error}") from error


def _load_sidecar(folder: Path) -> dict[str, Metadata]:
    path = folder / METADATA_FILE
    try:
        with path.open("rb") as stream:
            tables = tomllib.load(stream)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ArticleError(f"{path}: cannot be read as TOML ({error})") from error
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ArticleError(f'{path}: {name!r} is not a table; write ["{name}"] above its fields')
    return tables


def article_files(paths: Sequence[Path], problems: list[ArticleError] | None = None) -> list[Path]:
    """The article files at `paths`, folders searched in depth, sorted by path within each, none twice.

    A path that does not exist is added to `problems`, or raises ArticleError without them. Files of other kinds
    inside folders are passed over.
    """
    files: list[Path] = []
    for path in paths:
        try:
            files.extend(_files_at(path))
        except ArticleError as error:
            if problems is None:
                raise
            problems.append(error)
    return list(dict.fromkeys(files))


def _files_at(path: Path) -> list[Path]:
    try:
        if path.is_dir():
            found = (file for file in path.rglob("*") if file.suffix.lower() in LOADERS and file.is_file())
            return sorted(file for file in found if not file.name.startswith("."))
        if path.exists():
            return [path]
    except OSError as error:
        raise ArticleError(f"{path}: cannot be read ({error.strerror}); check its name and permissions") from error
    raise ArticleError(f"{path}: no such file or folder; name one that holds articles")


def load_articles(paths: Sequence[Path], problems: list[ArticleError] | None = None) -> Iterator[Article]:
    """The articles at `paths` in a fixed order. A path or file that cannot be used is added to `problems`.

    Without `problems`, the first such one raises. Two files of one id: the second is a problem. A metadata file
    that cannot be read raises in either case: without it, every article beside it would lose its title.
    """
    sidecars: dict[Path, dict[str, Metadata]] = {}
    seen: dict[str, Path] = {}
    for path in article_files(paths, problems):
        if path.parent not in sidecars:
            sidecars[path.parent] = _load_sidecar(path.parent)
        try:
            if path.stem in seen:
                raise ArticleError(f"{path}: has the same name as {seen[path.stem]}; rename one of them")
            article = load_article(path, sidecars[path.parent].get(path.name))
        except ArticleError as error:
            if problems is None:
                raise
            problems.append(error)
            continue
        seen[article.id] = path
        yield article
