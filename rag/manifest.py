"""The manifest of an index: what it was made from, what it consists of, and a checksum over itself."""

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.errors import IndexCorrupt, IndexMissing

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """A data file as it was written: contents' sha256 (hex), length in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """An article file as it was read: contents' sha256 (hex), length in bytes, modification time."""

    sha256: str
    bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an index was made from and what it consists of.

    `paths` are the files and folders given to the build (empty: the default ones), `sources` the article files
    found there, `files` the data files by their path inside `folder`, `created` a UTC time (ISO 8601).
    """

    format: int
    folder: str
    created: str
    fingerprint: Mapping[str, Any]
    versions: Mapping[str, str]
    counts: Mapping[str, int]
    paths: tuple[str, ...]
    sources: Mapping[str, SourceRecord]
    files: Mapping[str, FileRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What the builder says about an index; the fields are the manifest's."""

    fingerprint: Mapping[str, Any]
    versions: Mapping[str, str]
    counts: Mapping[str, int]
    paths: tuple[str, ...]
    sources: Mapping[str, SourceRecord]


def read_manifest(index_dir: Path) -> Manifest:
    """The committed manifest, verified against its own checksum.

    Raises:
        IndexMissing: There is none.
        IndexCorrupt: It is not what was written, or a version of Sanad wrote it that is not this one.
    """
    path = index_dir / MANIFEST
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise IndexMissing(f"{index_dir}: there is no index; build one with `{build_command(index_dir)}`") from error
    except OSError as error:
        raise corrupt(path, f"cannot be read ({error.strerror})", index_dir) from error
    try:
        table = json.loads(raw)
        checksum = table.pop("sha256")
        if _seal(table, checksum) != raw or checksum != hashlib.sha256(_dump(table)).hexdigest():
            raise corrupt(path, "its bytes have changed", index_dir)
        if table["format"] != FORMAT:
            raise corrupt(path, f"has format {table['format']}, this version reads {FORMAT}", index_dir)
        sources = {name: SourceRecord(**row) for name, row in table["sources"].items()}
        files = {name: FileRecord(**row) for name, row in table["files"].items()}
        return Manifest(**(table | {"sources": sources, "files": files, "paths": tuple(table["paths"])}))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise corrupt(path, "is not a manifest", index_dir) from error


def differing_parts(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The parts of two fingerprints that differ, for people: `passage_chars: 600 -> 400`."""
    parts = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            parts += [f"{key} {part}" for part in differing_parts(before, after)]
        elif before != after:
            parts.append(f"{key}: {_brief(before)} -> {_brief(after)}")
    return parts


def render_manifest(manifest: Manifest) -> bytes:
    """The bytes of the manifest's file, checksum included."""
    table = json.loads(_dump(asdict(manifest)))  # tuples become lists, as they will be when read again
    return _seal(table, hashlib.sha256(_dump(table)).hexdigest())


def _seal(table: Mapping[str, Any], checksum: str) -> bytes:
    return _dump({**table, "sha256": checksum})


def _dump(table: Mapping[str, Any]) -> bytes:
    return (json.dumps(table, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def build_command(index_dir: Path, paths: tuple[str, ...] = ()) -> str:
    """What to type to build the index at `index_dir` from `paths`."""
    place = [] if index_dir == Path("index") else ["--index", str(index_dir)]
    return shlex.join(["sanad", "build", *place, *paths])


def corrupt(path: Path, reason: str, index_dir: Path, paths: tuple[str, ...] = ()) -> IndexCorrupt:
    """The error to raise of a damaged file: what is wrong with `path`, and what mends it."""
    return IndexCorrupt(f"{path}: {reason}; make the index anew with `{build_command(index_dir, paths)}`")


def _brief(value: object) -> str:
    text = str(value)
    return text if len(text) <= 16 else f"{text[:12]}…"  # a hash is told by its first digits
