from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rag import doctor
from rag.build import build_index
from rag.cli import main
from rag.config import Settings
from rag.doctor import Finding, examine
from rag.errors import ModelError, RagError
from rag.manifest import read_manifest
from rag.protocols import Embeddings
from tests.conftest import TopicEmbedder


@pytest.fixture(autouse=True)
def _topics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "open_embedder", lambda settings: TopicEmbedder(settings.embedder))
    fitted = SimpleNamespace(embedder="", threshold=0.5)
    monkeypatch.setattr(doctor, "load_calibration", lambda *arguments: fitted)
    monkeypatch.setattr(doctor, "open_support", lambda embedder: object())


@pytest.fixture
def built(settings: Settings) -> Settings:
    build_index(settings, TopicEmbedder(settings.embedder))
    return settings


def wrong(settings: Settings) -> list[Finding]:
    return [finding for finding in examine(settings) if not finding.ok]


def test_a_sound_installation_has_nothing_wrong(built: Settings) -> None:
    findings = examine(built)

    assert [finding.topic for finding in findings] == ["settings", "lexicon", "model", "calibration", "index"]
    assert all(finding.ok for finding in findings)
    assert str(findings[4]).startswith("ok     index: 3 articles, 3 passages, built 20")


def test_a_support_model_of_other_weights_is_found(built: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "open_support", lambda embedder: None)

    [finding] = wrong(built)

    assert str(finding).startswith("WRONG  calibration: ")
    assert "`python -m rag.training.support`" in finding.message


def test_a_missing_index_is_found_with_its_command(settings: Settings) -> None:
    [finding] = wrong(settings)

    assert str(finding).startswith("WRONG  index: ")
    assert f"`sanad build --index '{settings.index_dir}'`" in str(finding)


def test_a_stale_index_is_found_with_its_command(built: Settings, corpus: Path) -> None:
    (corpus / "oil.txt").unlink()

    [finding] = wrong(built)

    assert "gone مقالات/oil.txt" in finding.message
    assert f"`sanad build --index '{built.index_dir}' '{corpus}'`" in finding.message


def test_a_damaged_index_is_found_with_its_command(built: Settings) -> None:
    manifest = read_manifest(built.index_dir)
    path = built.index_dir / manifest.folder / "words" / "words.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"?")

    [finding] = wrong(built)

    assert "words.npy: its bytes have changed" in finding.message
    assert "`sanad build " in finding.message


def test_a_model_that_does_not_load_is_found_and_the_index_not_judged(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(settings: Settings) -> TopicEmbedder:
        raise ModelError("no such model; use --embedder bundled")

    monkeypatch.setattr(doctor, "open_embedder", missing)

    assert [finding.topic for finding in wrong(built)] == ["model"]
    assert "index" not in [finding.topic for finding in examine(built)]


def test_a_model_whose_vectors_have_no_unit_length_is_found(built: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    class Long(TopicEmbedder):
        def embed_queries(self, texts: object) -> Embeddings:
            return Embeddings(vectors=np.full((2, 4), 2, dtype=np.float32), tokens=())

    monkeypatch.setattr(doctor, "open_embedder", lambda settings: Long())

    assert wrong(built)[0].topic == "model"


def test_a_calibration_of_other_weights_is_found(built: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    other = SimpleNamespace(embedder="others", threshold=0.5)
    monkeypatch.setattr(doctor, "load_calibration", lambda *arguments: other)

    assert [finding.topic for finding in wrong(built)] == ["calibration"]


def test_a_damaged_lexicon_is_found(built: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> None:
        raise RagError("lexicon cannot be read; restore the file from the project")

    monkeypatch.setattr(doctor, "Lexicon", SimpleNamespace(open=damaged))

    assert [finding.topic for finding in wrong(built)] == ["lexicon"]


def test_a_lexicon_for_other_stems_is_found(built: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "Lexicon", SimpleNamespace(open=lambda: SimpleNamespace(text_version=-1)))

    [finding] = wrong(built)

    assert "made for text version -1" in finding.message


def test_the_shell_fails_if_anything_is_wrong(built: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    index = str(built.index_dir)
    assert main(["doctor", "--index", index]) == 0
    assert main(["doctor", "--index", f"{index}/none"]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["ok"] * 9 + ["WRONG"]
