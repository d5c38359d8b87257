"""What decides the contents of an index, as one comparable record; what has changed since."""

import hashlib
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from rag.articles import METADATA_FILE, article_files
from rag.config import Settings
from rag.errors import ArticleError
from rag.manifest import SourceRecord
from rag.protocols import Embedder
from rag.support import support_projection
from rag.text import TEXT_VERSION

INDEX_LIBRARIES = ("bm25s", "PyStemmer", "langchain-text-splitters")
"""Distributions whose version may change what an index holds."""

_CODE = (
    "articles.py",
    "build.py",
    "chunking.py",
    "embedders.py",
    "late.py",
    "lexical.py",
    "sentences.py",
    "store.py",
    "structure.py",
    "text.py",
)
_UNREADABLE = "unreadable"


def fingerprint(settings: Settings, embedder: Embedder, sources: Mapping[str, SourceRecord]) -> dict[str, Any]:
    """All that decides what an index holds. The same fingerprint means the same index."""
    return {
        "embedder": dict(embedder.fingerprint),
        "passage_chars": settings.passage_chars,
        "projection": _projection_hash(embedder),
        "text": TEXT_VERSION,
        "code": _code_hash(),
        "libraries": library_versions(INDEX_LIBRARIES),
        "articles": corpus_hash(sources),
    }


def _projection_hash(embedder: Embedder) -> str:
    """What the word vectors of an index are projected with: the support model's directions, or their own."""
    projection = support_projection(embedder)
    return "fitted" if projection is None else hashlib.sha256(projection.tobytes()).hexdigest()


def corpus_hash(sources: Mapping[str, SourceRecord]) -> str:
    """One sha256 (hex) over the names and contents of all article files."""
    lines = "".join(f"{name}\0{sources[name].sha256}\n" for name in sorted(sources))
    return hashlib.sha256(lines.encode()).hexdigest()


def find_sources(paths: Sequence[Path], known: Mapping[str, SourceRecord]) -> dict[str, SourceRecord]:
    """The article files at `paths` and their metadata files, by name; `known` spares hashing what has not changed.

    A file of unchanged size and modification time is taken as unchanged; a path that does not exist is passed
    over, for loading names it. Raises ArticleError if none exists.
    """
    records: dict[str, SourceRecord] = {}
    missing: list[ArticleError] = []
    for path in map(Path.resolve, paths):
        files = article_files([path], missing)
        sidecars = {file.parent / METADATA_FILE for file in files}
        for file in [*files, *sorted(sidecar for sidecar in sidecars if sidecar.is_file())]:
            name = file.relative_to(path.parent).as_posix()
            name = str(file) if name in records else name
            name = name.encode("utf-8", "backslashreplace").decode()  # a file's name may be any bytes
            records[name] = _record_source(file, known.get(name))
    if missing and len(missing) == len(paths):
        raise missing[0]
    return records


def _record_source(file: Path, known: SourceRecord | None) -> SourceRecord:
    size, mtime_ns = 0, 0
    try:
        size, mtime_ns = file.stat().st_size, file.stat().st_mtime_ns
        if known is not None and (known.bytes, known.mtime_ns) == (size, mtime_ns) and known.sha256 != _UNREADABLE:
            return known
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        digest = _UNREADABLE  # loading names it; recorded so that the index is stale once it can be read
    return SourceRecord(sha256=digest, bytes=size, mtime_ns=mtime_ns)


def differing_sources(old: Mapping[str, SourceRecord], new: Mapping[str, SourceRecord]) -> list[str]:
    """What happened to the sources, for people: `changed seeds/a.txt and 2 more`."""
    changed = [name for name in new if name in old and old[name].sha256 != new[name].sha256]
    kinds = {"new": [name for name in new if name not in old], "gone": [name for name in old if name not in new]}
    kinds["changed"] = changed
    return [
        f"{kind} {names[0]}" + (f" and {len(names) - 1} more" if names[1:] else "")
        for kind, names in kinds.items()
        if names
    ]


def _code_hash() -> str:
    """Changes whenever a module that decides what an index holds does, so that nobody has to remember to say so."""
    digest = hashlib.sha256()
    for name in _CODE:
        digest.update((Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()


def library_versions(names: Sequence[str]) -> dict[str, str]:
    """The installed version of each distribution."""
    return {name: metadata.version(name) for name in names}
