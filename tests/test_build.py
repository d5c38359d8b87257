import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.build import build_index, check_fresh, open_index, read_index
from rag.config import Settings
from rag.errors import ArticleError, IndexCorrupt, IndexMissing, IndexStale, IndexUnwritable
from rag.manifest import read_manifest
from rag.snapshot import commit
from tests.conftest import TopicEmbedder


@pytest.fixture
def said() -> list[str]:
    """The lines of the log."""
    return []


def data_folder(settings: Settings) -> Path:
    return settings.index_dir / read_manifest(settings.index_dir).folder


def test_a_build_reports_and_records_what_it_indexed(settings: Settings, embedder: TopicEmbedder) -> None:
    report = build_index(settings, embedder)

    assert report.counts == {"articles": 3, "passages": 3, "sentences": 6, "skipped": 0}
    manifest = read_manifest(settings.index_dir)
    assert manifest.counts == report.counts
    assert sorted(manifest.sources) == ["مقالات/drones.txt", "مقالات/oil.txt", "مقالات/rome.txt"]
    assert manifest.fingerprint["embedder"] == {"name": "topics", "dimension": 4}


def test_what_was_built_is_searched(settings: Settings, embedder: TopicEmbedder) -> None:
    build_index(settings, embedder)
    index = read_index(settings, embedder)

    [[(row, score)]] = index.store.search(embedder.embed_queries(["oil"]).vectors, k=1)

    assert index.store.passages[row].article_id == "oil"
    assert score == pytest.approx(1)
    assert len(index.words) == 6


def test_opening_embeds_nothing(settings: Settings, embedder: TopicEmbedder) -> None:
    build_index(settings, embedder)
    embedder.embedded.clear()

    open_index(settings, embedder)

    assert embedder.embedded == []


def test_the_same_articles_give_the_same_data(settings: Settings, embedder: TopicEmbedder) -> None:
    build_index(settings, embedder)
    first = data_folder(settings)

    build_index(settings, embedder)

    assert data_folder(settings) == first


def test_a_missing_index_is_built_with_one_line_saying_so(
    settings: Settings, embedder: TopicEmbedder, said: list[str]
) -> None:
    with pytest.raises(IndexMissing):
        read_index(settings, embedder)

    index = open_index(settings, embedder, log=said.append)

    assert len(index.store.passages) == 3
    assert len([line for line in said if "there is no index" in line]) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("edit", "changed مقالات/rome.txt"),
        ("add", "new مقالات/war.md"),
        ("remove", "gone مقالات/oil.txt"),
        ("metadata", "new مقالات/metadata.toml"),
    ],
)
def test_changed_articles_make_the_index_stale(
    settings: Settings, embedder: TopicEmbedder, corpus: Path, said: list[str], change: str, reason: str
) -> None:
    build_index(settings, embedder)
    match change:
        case "edit":
            (corpus / "rome.txt").write_text("روما مدينة كبيرة جدا.\n", encoding="utf-8")
        case "add":
            (corpus / "war.md").write_text("# الحرب\n\nبدأت الحرب في أيلول.\n", encoding="utf-8")
        case "remove":
            (corpus / "oil.txt").unlink()
        case "metadata":
            (corpus / "metadata.toml").write_text('["oil.txt"]\ntitle = "النفط"\n', encoding="utf-8")

    with pytest.raises(IndexStale) as stale:
        read_index(settings, embedder)
    open_index(settings, embedder, log=said.append)

    assert str(stale.value) == f"{settings.index_dir}: the index is out of date ({reason})"
    assert said[0] == f"{stale.value}; building it anew"
    read_index(settings, embedder)


def test_changed_settings_make_the_index_stale(settings: Settings, embedder: TopicEmbedder) -> None:
    build_index(settings, embedder)

    with pytest.raises(IndexStale, match="passage_chars: 600 -> 300"):
        read_index(replace(settings, passage_chars=300), embedder)
    with pytest.raises(IndexStale, match="embedder name: topics -> others"):
        read_index(settings, TopicEmbedder("others"))


def test_switching_a_leg_off_keeps_the_index(settings: Settings, embedder: TopicEmbedder) -> None:
    build_index(settings, embedder)

    read_index(replace(settings, dense=False, k=3, port=1), embedder)


def test_a_touched_article_is_not_a_changed_one(settings: Settings, embedder: TopicEmbedder, corpus: Path) -> None:
    build_index(settings, embedder)
    os.utime(corpus / "oil.txt", (1, 1))

    read_index(settings, embedder)


def test_an_unchanged_article_is_not_read_again(
    settings: Settings, embedder: TopicEmbedder, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_index(settings, embedder)
    read: list[Path] = []
    read_bytes = Path.read_bytes

    def counting(self: Path) -> bytes:
        read.append(self)
        return read_bytes(self)

    monkeypatch.setattr(Path, "read_bytes", counting)
    check_fresh(settings, embedder, read_manifest(settings.index_dir))

    assert not [path for path in read if path.parent == corpus]


def test_without_paths_the_index_remembers_its_own(settings: Settings, embedder: TopicEmbedder, corpus: Path) -> None:
    build_index(settings, embedder)
    (corpus / "oil.txt").unlink()

    index = open_index(replace(settings, paths=()), embedder)

    assert list(index.store.articles) == ["drones", "rome"]


def test_an_index_answers_when_its_articles_are_gone(
    settings: Settings, embedder: TopicEmbedder, corpus: Path, said: list[str]
) -> None:
    build_index(settings, embedder)
    corpus.rename(corpus.with_name("elsewhere"))

    index = open_index(replace(settings, paths=()), embedder, log=said.append)

    assert len(index.store.articles) == 3
    assert "answering from the index as it is" in said[0]


def test_a_bad_article_is_named_and_skipped(
    settings: Settings, embedder: TopicEmbedder, corpus: Path, said: list[str]
) -> None:
    (corpus / "binary.txt").write_bytes(b"\x00\x01\x02")
    (corpus / "empty.txt").write_text("")

    report = build_index(settings, embedder, log=said.append)

    assert report.counts["articles"] == 3
    assert report.counts["skipped"] == len(report.problems) == 2
    assert [line.split(":")[0] for line in said if line.startswith("skipped")] == [
        f"skipped {corpus / 'binary.txt'}",
        f"skipped {corpus / 'empty.txt'}",
    ]
    read_index(settings, embedder)


def test_nothing_left_to_index_is_an_error_and_keeps_the_old_index(
    settings: Settings, embedder: TopicEmbedder, tmp_path: Path
) -> None:
    build_index(settings, embedder)
    (tmp_path / "empty").mkdir()

    with pytest.raises(ArticleError, match=r"empty: no article to index \(0 skipped\)"):
        build_index(replace(settings, paths=(tmp_path / "empty",)), embedder)

    read_index(settings, embedder)


def test_a_folder_that_is_not_there_is_an_error(settings: Settings, embedder: TopicEmbedder, tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match="none"):
        build_index(replace(settings, paths=(tmp_path / "none",)), embedder)


def test_a_path_that_is_not_there_is_named_and_skipped(
    settings: Settings, embedder: TopicEmbedder, tmp_path: Path
) -> None:
    log: list[str] = []
    paths = (*settings.paths, tmp_path / "none.txt")

    report = build_index(replace(settings, paths=paths), embedder, log=log.append)

    assert report.counts["skipped"] == 1
    assert report.counts["articles"] > 0
    assert any("none.txt" in line and "skipped" in line for line in log)


def test_one_flipped_byte_in_any_file_is_refused(settings: Settings, embedder: TopicEmbedder) -> None:
    build_index(settings, embedder)
    files = [path for path in settings.index_dir.rglob("*") if path.is_file() and path.name != ".lock"]
    assert len(files) > 8

    for path in files:
        contents = path.read_bytes()
        for position in {0, len(contents) // 2, len(contents) - 1}:
            path.write_bytes(contents[:position] + bytes([contents[position] ^ 4]) + contents[position + 1 :])
            with pytest.raises(IndexCorrupt, match=f"{path.name}: .*sanad build"):
                open_index(settings, embedder)
        path.write_bytes(contents)
    read_index(settings, embedder)


def test_building_mends_a_corrupt_index(settings: Settings, embedder: TopicEmbedder) -> None:
    build_index(settings, embedder)
    (data_folder(settings) / "passages.faiss").write_bytes(b"")

    build_index(settings, embedder)

    read_index(settings, embedder)


def test_an_index_that_cannot_be_saved_still_answers(
    settings: Settings, embedder: TopicEmbedder, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise IndexUnwritable("the disk is full")

    monkeypatch.setattr("rag.build.commit", full)

    index = open_index(settings, embedder, log=said.append)

    assert len(index.store.passages) == 3
    assert said[-2:] == ["the disk is full; answering from memory", "indexing 3 articles, 3 passages, 6 sentences"]
    with pytest.raises(IndexUnwritable):
        build_index(settings, embedder)


def test_two_builds_at_once_follow_one_another(
    settings: Settings, embedder: TopicEmbedder, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2, timeout=10)
    inside: list[int] = []

    def slow_commit(*arguments: object) -> object:
        inside.append(1)
        assert len(inside) == 1
        threading.Event().wait(0.3)
        inside.pop()
        return commit(*arguments)  # type: ignore[arg-type]

    def build() -> None:
        both.wait()
        build_index(settings, embedder, log=said.append)

    monkeypatch.setattr("rag.build.commit", slow_commit)
    threads = [threading.Thread(target=build) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert len([line for line in said if "another build is running" in line]) == 1
    read_index(settings, embedder)


def test_two_who_find_no_index_build_it_once(settings: Settings, embedder: TopicEmbedder, said: list[str]) -> None:
    both = threading.Barrier(2, timeout=10)

    def open_it() -> None:
        both.wait()
        open_index(settings, embedder, log=said.append)

    threads = [threading.Thread(target=open_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert len([line for line in said if line.startswith("indexing")]) == 1


def test_sentence_vectors_are_those_of_the_sentences(settings: Settings, embedder: TopicEmbedder) -> None:
    build_index(settings, embedder)
    store = read_index(settings, embedder).store

    for row, passage in enumerate(store.passages):
        expected = embedder.embed_passages([sentence.text for sentence in passage.sentences]).vectors
        np.testing.assert_array_equal(store.sentence_vectors(row), expected)
