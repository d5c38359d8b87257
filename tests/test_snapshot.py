import errno
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rag.errors import IndexBusy, IndexCorrupt, IndexMissing, IndexUnwritable
from rag.manifest import MANIFEST, Provenance, differing_parts, read_manifest
from rag.snapshot import commit, open_verified, writer_lock

PROVENANCE = Provenance(fingerprint={"passage_chars": 600}, versions={}, counts={}, paths=("/مقالات",), sources={})

COMMIT = """
import os, sys
from pathlib import Path
from rag import snapshot
from rag.manifest import Provenance
index, crash_at = Path(sys.argv[1]), sys.argv[2]
replace, calls = Path.replace, []
def crashing(self, target):
    calls.append(target)
    if crash_at == f"replace {len(calls)}":
        os._exit(9)
    return replace(self, target)
Path.replace = crashing
def write(folder):
    (folder / "words").mkdir()
    (folder / "words" / "data.bin").write_bytes(b"new")
    if crash_at == "write":
        os._exit(9)
if crash_at == "cleaning":
    snapshot._remove_old = lambda *args, **kwargs: os._exit(9)
with snapshot.writer_lock(index, timeout_s=5, log=print):
    snapshot.commit(index, write, Provenance(fingerprint={}, versions={}, counts={}, paths=(), sources={}))
"""

HOLD = """
import sys, time
from pathlib import Path
from rag.snapshot import writer_lock
with writer_lock(Path(sys.argv[1]), timeout_s=5, log=print):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def write_word(word: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "words").mkdir()
        (folder / "words" / "data.bin").write_bytes(word)

    return write


def read_word(folder: Path) -> bytes:
    return (folder / "words" / "data.bin").read_bytes()


def words_in(index: Path) -> bytes:
    return open_verified(index, read_word)


def entries(index: Path) -> set[str]:
    return {path.name for path in index.iterdir()}


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index that holds the word `old`, in a folder whose name is not ASCII."""
    folder = tmp_path / "فهرس"
    folder.mkdir()
    commit(folder, write_word(b"old"), PROVENANCE)
    return folder


@contextmanager
def running(script: str, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process


def test_what_was_committed_is_opened(index: Path) -> None:
    assert words_in(index) == b"old"
    manifest = read_manifest(index)
    assert (manifest.fingerprint, manifest.paths) == (PROVENANCE.fingerprint, PROVENANCE.paths)
    assert manifest.files["words/data.bin"].bytes == len(b"old")


def test_a_new_index_takes_the_place_of_the_old(index: Path) -> None:
    commit(index, write_word(b"new"), PROVENANCE)

    assert words_in(index) == b"new"
    assert entries(index) == {MANIFEST, read_manifest(index).folder}


def test_the_data_folder_is_named_by_its_contents(index: Path) -> None:
    first = read_manifest(index).folder

    assert commit(index, write_word(b"old"), PROVENANCE).folder == first
    assert commit(index, write_word(b"new"), PROVENANCE).folder != first


def test_building_the_same_again_mends_a_damaged_folder(index: Path) -> None:
    (index / read_manifest(index).folder / "words" / "data.bin").write_bytes(b"bad")

    commit(index, write_word(b"old"), PROVENANCE)

    assert words_in(index) == b"old"
    assert entries(index) == {MANIFEST, read_manifest(index).folder}


@pytest.mark.parametrize("crash_at", ["write", "replace 1", "replace 2", "cleaning"])
def test_a_crash_leaves_the_old_index_or_the_new_one(index: Path, crash_at: str) -> None:
    with running(COMMIT, index, crash_at) as process:
        assert process.wait() == 9

    assert words_in(index) == (b"new" if crash_at == "cleaning" else b"old")
    commit(index, write_word(b"last"), PROVENANCE)
    assert words_in(index) == b"last"
    assert entries(index) - {".lock"} == {MANIFEST, read_manifest(index).folder}


def test_a_crash_of_the_first_build_leaves_no_index(tmp_path: Path) -> None:
    with running(COMMIT, tmp_path / "index", "replace 2") as process:
        assert process.wait() == 9

    with pytest.raises(IndexMissing):
        words_in(tmp_path / "index")


def test_every_changed_byte_is_refused(index: Path) -> None:
    for path in [file for file in index.rglob("*") if file.is_file()]:
        contents = path.read_bytes()
        for position in range(len(contents)):
            changed = bytearray(contents)
            changed[position] ^= 1
            path.write_bytes(changed)
            with pytest.raises(IndexCorrupt, match=f"{path.name}: .*sanad build"):
                words_in(index)
        path.write_bytes(contents)
    assert words_in(index) == b"old"


@pytest.mark.parametrize("contents", [b"", b"ol", b"old\n"])
def test_a_file_of_another_length_is_refused(index: Path, contents: bytes) -> None:
    (index / read_manifest(index).folder / "words" / "data.bin").write_bytes(contents)

    with pytest.raises(IndexCorrupt, match=f"data.bin: has {len(contents)} bytes instead of 3"):
        words_in(index)


@pytest.mark.parametrize("contents", [b"", b"{}", b"[]", b"null", b"\xff", b'{"sha256": 1}', b"[" * 100_000])
def test_a_file_that_is_no_manifest_is_refused(index: Path, contents: bytes) -> None:
    (index / MANIFEST).write_bytes(contents)

    with pytest.raises(IndexCorrupt, match=r"manifest\.json: (is not a manifest|its bytes have changed)"):
        read_manifest(index)


def test_a_missing_file_is_refused_with_the_command_that_mends_it(index: Path) -> None:
    (index / read_manifest(index).folder / "words" / "data.bin").unlink()

    with pytest.raises(IndexCorrupt) as refusal:
        words_in(index)

    assert "data.bin: cannot be read" in str(refusal.value)
    assert str(refusal.value).endswith(f"`sanad build --index '{index}' '/مقالات'`")


def test_no_index_is_missing_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="sanad build"):
        words_in(tmp_path / "none")


def test_a_reader_overtaken_by_a_writer_opens_the_new_index(index: Path) -> None:
    reads = []

    def overtaken(folder: Path) -> bytes:
        reads.append(folder)
        if len(reads) == 1:
            commit(index, write_word(b"new"), PROVENANCE)
        return read_word(folder)

    assert open_verified(index, overtaken) == b"new"


def test_a_folder_that_stays_gone_is_an_error_not_a_loop(index: Path) -> None:
    def read(folder: Path) -> bytes:
        raise FileNotFoundError(errno.ENOENT, "gone", str(folder))

    with pytest.raises(FileNotFoundError):
        open_verified(index, read)


def test_a_full_disk_leaves_the_old_index(index: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = entries(index)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(IndexUnwritable, match="cannot be saved: File too large; what was there is untouched"):
            commit(index, write_word(b"new" * 1000), PROVENANCE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert words_in(index) == b"old"
    assert entries(index) == before


@pytest.mark.parametrize("call", range(1, 8))
def test_a_disk_that_fills_up_at_any_sync_leaves_the_old_index(
    index: Path, call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # data.bin, words/, the new folder, index/ after naming it, the manifest; index/ again is after the commit
    calls = []

    def fsync(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    if call <= 6:
        with pytest.raises(IndexUnwritable, match="No space left on device"):
            commit(index, write_word(b"new"), PROVENANCE)
    else:
        commit(index, write_word(b"new"), PROVENANCE)

    assert words_in(index) == (b"new" if call >= 6 else b"old")
    assert not [name for name in entries(index) if name.startswith(".new")]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(IndexUnwritable, match=r"file.*cannot be saved"),
        writer_lock(tmp_path / "file" / "index", timeout_s=1, log=print),
    ):
        pass


def test_files_of_others_in_the_folder_are_left_alone(index: Path) -> None:
    (index / "README.md").write_text("mine")
    (index / "photos").mkdir()

    commit(index, write_word(b"new"), PROVENANCE)

    assert {"README.md", "photos"} < entries(index)


def test_a_second_writer_waits_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    with running(HOLD, tmp_path, 0.5) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        started = time.monotonic()
        with writer_lock(tmp_path, timeout_s=10, log=said.append):
            assert time.monotonic() - started > 0.2
    assert said == [f"{tmp_path}: another build is running; waiting up to 10 s for it"]


def test_a_second_writer_gives_up_in_the_end(tmp_path: Path) -> None:
    with running(HOLD, tmp_path, 3) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with (
            pytest.raises(IndexBusy, match=r"still running after 0\.1 s"),
            writer_lock(tmp_path, timeout_s=0.1, log=lambda line: None),
        ):
            pass
        first.kill()


def test_the_lock_of_a_killed_writer_is_free(tmp_path: Path) -> None:
    with running(HOLD, tmp_path, 60) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        first.kill()
        first.wait()
        with writer_lock(tmp_path, timeout_s=5, log=print):
            pass


def test_differing_parts_are_named_to_the_leaf() -> None:
    old = {"embedder": {"name": "bundled", "dimension": 384}, "passage_chars": 600, "text": 1}
    new = {"embedder": {"name": "e5", "dimension": 384}, "passage_chars": 400, "code": "0123456789abcdef0"}

    assert differing_parts(old, new) == [
        "code: None -> 0123456789ab…",
        "embedder name: bundled -> e5",
        "passage_chars: 600 -> 400",
        "text: 1 -> None",
    ]
    assert differing_parts(old, old) == []
