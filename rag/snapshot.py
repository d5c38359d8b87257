"""The index folder: immutable data files, a manifest committed last, one writer, every byte verified on opening.

index/manifest.json        the commit: what the index was made from, and sha256 + bytes of every file
index/<16 hex digits>/     the data files, named by the hash of their contents; never changed once written
index/.lock                held by the one writer
"""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from rag.errors import IndexBusy, IndexCorrupt, IndexUnwritable
from rag.manifest import FORMAT, MANIFEST, FileRecord, Manifest, Provenance, corrupt, read_manifest, render_manifest

_OURS = re.compile(r"[0-9a-f]{16}|\.(new|old)-[0-9a-f]{16}")

Loaded = TypeVar("Loaded")


@contextmanager
def writer_lock(index_dir: Path, *, timeout_s: float, log: Callable[[str], None]) -> Iterator[None]:
    """Be the only writer; waits for another one, saying so once.

    Raises:
        IndexBusy: The other writer is not done after `timeout_s`.
        IndexUnwritable: The folder or its lock file cannot be made.
    """
    try:
        index_dir.mkdir(parents=True, exist_ok=True)
        lock = FileLock(index_dir / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log(f"{index_dir}: another build is running; waiting up to {timeout_s:g} s for it")
            lock.acquire(timeout=timeout_s)
    except Timeout as error:
        raise IndexBusy(
            f"{index_dir}: another build is still running after {timeout_s:g} s; try again later"
        ) from error
    except OSError as error:
        raise _unwritable(index_dir, error) from error
    try:
        yield
    finally:
        lock.release()


def commit(index_dir: Path, write: Callable[[Path], None], provenance: Provenance) -> Manifest:
    """Let `write` fill an empty folder, then make that folder the index. Call it inside `writer_lock`.

    A crash at any point leaves the earlier index or the new one, never a mixture: the data folder gets its
    final name only when complete, and the manifest that points at it is replaced in one step after that.

    Raises:
        IndexUnwritable: The disk is full or permission is missing; the earlier index is as it was.
    """
    new = index_dir / f".new-{secrets.token_hex(8)}"
    try:
        new.mkdir()
        write(new)
        files = {name: _record(new / name) for name in _names(new)}
        _sync_all(new)
        folder = _content_hash(files)
        manifest = Manifest(
            format=FORMAT,
            folder=folder,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            fingerprint=provenance.fingerprint,
            versions=provenance.versions,
            counts=provenance.counts,
            paths=provenance.paths,
            sources=provenance.sources,
            files=files,
        )
        _place(new, index_dir / folder, files)
        _replace_file(index_dir / MANIFEST, render_manifest(manifest))
    except OSError as error:
        raise _unwritable(index_dir, error) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    _remove_old(index_dir, keep=folder)
    return manifest


def open_verified(
    index_dir: Path, read: Callable[[Path], Loaded], *, check: Callable[[Manifest], None] = lambda manifest: None
) -> Loaded:
    """What `read` makes of the data folder, after `check` has passed its manifest and every byte was verified.

    A writer may replace the index between reading the manifest and the files; then the new one is opened.

    Raises:
        IndexMissing: There is none.
        IndexCorrupt: A file is missing or is not what was written; the message names it.
    """
    manifest = read_manifest(index_dir)
    try:
        return _open(index_dir, manifest, read, check)
    except (IndexCorrupt, FileNotFoundError):
        newer = read_manifest(index_dir)
        if newer == manifest:
            raise
        return _open(index_dir, newer, read, check)


def verify(index_dir: Path, manifest: Manifest) -> None:
    """Compare every data file with the manifest.

    Raises:
        IndexCorrupt: The first file, by name, that differs.
    """
    folder = index_dir / manifest.folder
    for name, expected in sorted(manifest.files.items()):
        path = folder / name
        try:
            found = _record(path)
        except OSError as error:
            raise corrupt(path, f"cannot be read ({error.strerror})", index_dir, manifest.paths) from error
        if found.bytes != expected.bytes:
            reason = f"has {found.bytes} bytes instead of {expected.bytes}"
            raise corrupt(path, reason, index_dir, manifest.paths)
        if found != expected:
            raise corrupt(path, "its bytes have changed", index_dir, manifest.paths)


def _open(
    index_dir: Path, manifest: Manifest, read: Callable[[Path], Loaded], check: Callable[[Manifest], None]
) -> Loaded:
    check(manifest)
    verify(index_dir, manifest)
    return read(index_dir / manifest.folder)


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _record(path: Path) -> FileRecord:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileRecord(sha256=digest, bytes=file.tell())


def _content_hash(files: Mapping[str, FileRecord]) -> str:
    lines = "".join(f"{name}\0{files[name].sha256}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def _place(new: Path, final: Path, files: Mapping[str, FileRecord]) -> None:
    if final.exists():
        if _names(final) == sorted(files) and all(_record(final / name) == files[name] for name in files):
            return  # the same contents are there already, and whole
        final.replace(final.with_name(f".old-{final.name}"))
    new.replace(final)
    _sync(final.parent)


def _replace_file(path: Path, contents: bytes) -> None:
    temporary = path.with_name(f".new-{secrets.token_hex(8)}")
    try:
        with temporary.open("wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync(path.parent)


def _sync_all(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_old(index_dir: Path, *, keep: str) -> None:
    for path in index_dir.iterdir():
        if path.name != keep and _OURS.fullmatch(path.name):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _unwritable(index_dir: Path, error: OSError) -> IndexUnwritable:
    place = error.filename or index_dir
    return IndexUnwritable(
        f"{place}: the index cannot be saved: {error.strerror or error}; what was there is untouched"
    )
