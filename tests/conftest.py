"""What several test files share: fakes whose output is obvious by eye, a tiny corpus, no network, a browser."""

import os
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.build import Index, build_index, read_index
from rag.config import Settings
from rag.embedders import SentenceTransformerEmbedder
from rag.pipeline import Pipeline
from rag.protocols import Embeddings, TokenVectors
from rag.text import terms

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
SEEDS = Path(__file__).resolve().parent.parent / "seeds"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

ARTICLES = {
    "rome.txt": "اجتماع روما\n\nعقد التحالف اجتماعه في روما في حزيران. حضر الاجتماع 83 وزيرا.\n",
    "oil.txt": "أسعار النفط\n\nارتفع سعر النفط إلى 90 دولارا يوم الثلاثاء. تراجع الإنتاج في آذار.\n",
    "drones.txt": "Drones\n\nThe army bought twelve drones in May. They cost nine million dollars.\n",
}
"""File name to contents: two Arabic articles and an English one, each a title and two sentences."""

TOPICS = (("روما", "rome"), ("نفط", "oil"), ("drones", "مسيرات"))


class TopicEmbedder:
    """One dimension a topic and one for everything else; a text points at the topics whose words it has.

    "النفط" is (0, 1, 0, 0), "drones" (0, 0, 1, 0), "hello" (0, 0, 0, 1), "oil in Rome" (0.7, 0.7, 0, 0).
    """

    name = "topics"
    dimension = len(TOPICS) + 1

    def __init__(self, name: str = "topics") -> None:
        self.name = name
        self.embedded: list[str] = []

    @property
    def fingerprint(self) -> dict[str, str | int]:
        return {"name": self.name, "dimension": self.dimension}

    def embed_queries(self, texts: Sequence[str]) -> Embeddings:
        self.embedded += texts
        vectors = np.array([_unit(_topics(text)) for text in texts], dtype=np.float32).reshape(-1, self.dimension)
        return Embeddings(vectors=vectors, tokens=tuple(map(self._tokens, texts)))

    def embed_passages(self, texts: Sequence[str]) -> Embeddings:
        return self.embed_queries(texts)

    def _tokens(self, text: str) -> TokenVectors:
        vectors = np.array([_unit(_topics(word)) for word in text.split()], dtype=np.float32)
        starts = [sum(len(word) + 1 for word in text.split()[:n]) for n in range(len(vectors))]
        spans = tuple((start, start + 1) for start in starts)
        return TokenVectors(vectors=vectors.reshape(-1, self.dimension), spans=spans)


def _topics(text: str) -> Sequence[float]:
    found = set(terms(text))
    told = [float(any(found & set(terms(word)) for word in words)) for words in TOPICS]
    return [*told, float(not any(told))]


def _unit(vector: Sequence[float]) -> NDArray[np.float64]:
    return np.asarray(vector, dtype=np.float64) / np.linalg.norm(vector)


@pytest.fixture
def embedder() -> TopicEmbedder:
    return TopicEmbedder()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder of the three articles, its name not ASCII."""
    folder = tmp_path / "مقالات"
    folder.mkdir()
    for name, text in ARTICLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def settings(tmp_path: Path, corpus: Path) -> Settings:
    """Settings over the tiny corpus, with an index folder whose name is not ASCII."""
    return Settings(index_dir=tmp_path / "فهرس", paths=(corpus,))


@pytest.fixture(scope="session")
def bundled() -> SentenceTransformerEmbedder:
    """The bundled model, loaded once."""
    return SentenceTransformerEmbedder()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model like those on the hub; `tests.tiny_model.variant` makes others of it."""
    from tests.tiny_model import make_tiny_model  # noqa: PLC0415 - torch takes seconds to import

    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def seeds_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(index_dir=tmp_path_factory.mktemp("seeds") / "index", paths=(SEEDS,))


@pytest.fixture(scope="session")
def seeds_index(seeds_settings: Settings, bundled: SentenceTransformerEmbedder) -> Index:
    """The index of the five articles by the bundled model, built once and opened from the disk."""
    build_index(seeds_settings, bundled)
    return read_index(seeds_settings, bundled)


@pytest.fixture(scope="session")
def seeds_pipeline(seeds_settings: Settings, seeds_index: Index, bundled: SentenceTransformerEmbedder) -> Pipeline:
    return Pipeline.over(seeds_index, bundled, seeds_settings)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail on any connection that leaves this machine."""
    connect = socket.socket.connect

    def connect_within(self: socket.socket, address: tuple[str, int]) -> None:
        if self.family != socket.AF_UNIX and address[0] not in LOOPBACK:
            pytest.fail(f"a connection to {address} was tried")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_within)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        ours = name.startswith(("SANAD_", "GRADIO_SERVER_", "OPENAI_")) and name != "SANAD_REQUIRE_BROWSER"
        if ours or name.upper() in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's program; without one the test is skipped, or fails where SANAD_REQUIRE_BROWSER is set."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        if os.environ.get("SANAD_REQUIRE_BROWSER"):
            pytest.fail("there is no Chromium, and SANAD_REQUIRE_BROWSER asks for one")
        pytest.skip("there is no Chromium")
    return Path(found)
