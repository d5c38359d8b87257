"""Verifies all that an answer depends on, and names the command that mends what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rag.build import check_fresh, read_index
from rag.calibration import load_calibration
from rag.confidence import CONFIDENCE_FEATURES
from rag.config import Settings, default_paths
from rag.embedders import open_embedder
from rag.errors import IndexStale, ModelError, RagError
from rag.lexicon import Lexicon
from rag.manifest import build_command, read_manifest
from rag.protocols import Embedder
from rag.scoring import FEATURES
from rag.support import open_support
from rag.text import TEXT_VERSION

_UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing examined; `str` is its line."""

    topic: str
    ok: bool
    message: str

    def __str__(self) -> str:
        """`ok     index: ...` or `WRONG  index: ...`."""
        return f"{'ok' if self.ok else 'WRONG':<6} {self.topic}: {self.message}"


def examine(settings: Settings) -> list[Finding]:
    """Settings, lexicon, model, calibration and index, in this order; the last two are not judged without a model."""
    findings = [
        Finding(topic="settings", ok=True, message=_settings_line(settings)),
        _find("lexicon", _examine_lexicon),
    ]
    embedders: list[Embedder] = []

    def model() -> str:
        embedders.append(open_embedder(settings))
        return _examine_model(embedders[0])

    findings.append(_find("model", model))
    if findings[-1].ok:
        findings.append(_find("calibration", lambda: _examine_calibration(embedders[0])))
        findings.append(_find("index", lambda: _examine_index(settings, embedders[0])))
    return findings


def _find(topic: str, examine_one: Callable[[], str]) -> Finding:
    try:
        return Finding(topic=topic, ok=True, message=examine_one())
    except RagError as error:
        return Finding(topic=topic, ok=False, message=str(error))


def _settings_line(settings: Settings) -> str:
    paths = ", ".join(map(str, settings.paths)) or f"those indexed, else {default_paths()[0]}"
    return f"index {settings.index_dir}, articles {paths}, embedder {settings.embedder}"


def _examine_model(embedder: Embedder) -> str:
    vectors = embedder.embed_queries(["من أين؟", "where from?"]).vectors
    if vectors.shape != (2, embedder.dimension) or not np.allclose(
        np.linalg.norm(vectors, axis=1), 1, atol=_UNIT_TOLERANCE
    ):
        raise ModelError("the model gives vectors of a wrong shape or length; install it again, or use another")
    return ", ".join(f"{name} {value}" for name, value in embedder.fingerprint.items())


def _examine_lexicon() -> str:
    lexicon = Lexicon.open()
    if lexicon.text_version != TEXT_VERSION:
        raise ModelError(
            f"made for text version {lexicon.text_version}, this is {TEXT_VERSION}; make it anew as its card says"
        )
    return f"{len(lexicon)} entries"


def _examine_calibration(embedder: Embedder) -> str:
    revision = str(embedder.fingerprint.get("revision", ""))
    calibration = load_calibration(FEATURES, CONFIDENCE_FEATURES, revision)
    if calibration.embedder != revision:
        raise ModelError("refusals are calibrated for other weights than these; run `python -m eval.calibrate`")
    if open_support(embedder) is None:
        raise ModelError("the support model fits other weights than these; run `python -m rag.training.support`")
    return f"fitted to these weights, refuses below {calibration.threshold:.2f}"


def _examine_index(settings: Settings, embedder: Embedder) -> str:
    manifest = read_manifest(settings.index_dir)
    try:
        check_fresh(settings, embedder, manifest)
    except IndexStale as error:
        command = build_command(settings.index_dir, manifest.paths)
        raise IndexStale(f"{error}; `{command}` builds it anew, and so does the next question") from error
    index = read_index(settings, embedder)
    return f"{len(index.store.articles)} articles, {len(index.store.passages)} passages, built {manifest.created}"
