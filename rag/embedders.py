"""Texts to vectors: the only importer of sentence_transformers at query time."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from rag.bert import BertEncoder
from rag.config import Settings
from rag.errors import ModelError
from rag.protocols import Embedder, Embeddings, TokenVectors, Vectors
from rag.text import STOP_WORDS, tokens

BUNDLED = "bundled"
WEIGHTS = Path(__file__).parent / "weights"

# E5 models need these prompts and their files do not always say so (Wang et al. 2024, arXiv 2402.05672).
_E5_PROMPTS = {"query": "query: ", "document": "passage: "}
_BATCH = 32
_ALL_CORES = os.cpu_count() or 1


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class SentenceTransformerEmbedder:
    """Any sentence-transformers model: the bundled one, a folder, or a name on the model hub.

    The bundled model and folders are read without touching the network. A hub name is downloaded once unless
    `HF_HUB_OFFLINE=1` is set. Code inside model repositories is never run.
    """

    def __init__(self, name: str = BUNDLED, revision: str | None = None) -> None:
        """Load the model. Raises ModelError if there is none, or if it gives no fixed dimension."""
        path = WEIGHTS if name == BUNDLED else Path(name)
        local = path.is_dir()
        if name == BUNDLED:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        if local:
            os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # nothing is fetched
        # Imported here: torch takes seconds, and `sanad --help` should not.
        import torch
        from sentence_transformers import SentenceTransformer

        # A few short texts gain nothing from a second core, and lose much by waiting for one that is busy.
        self._set_threads = torch.set_num_threads

        try:
            self._model = SentenceTransformer(
                str(path) if local else name,
                revision=revision,
                device="cpu",
                local_files_only=local,
                trust_remote_code=False,
                # Weights are stored in half precision, which is slow on a CPU.
                model_kwargs={"dtype": torch.float32, "use_safetensors": True},
            )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelError(
                f"embedding model {name!r} cannot be loaded ({reason}); "
                "use --embedder bundled, a folder, or a model's name with the network on"
            ) from error
        dimension = self._model.get_embedding_dimension()
        if dimension is None:
            raise ModelError(f"embedding model {name!r} does not say its dimension; use another")
        self._dimension = int(dimension)
        self._settle_prompts(name)
        self._name = name
        self._revision = self._find_revision(path if local else None, revision)

    def _settle_prompts(self, name: str) -> None:
        prompts = self._model.prompts
        if not any(prompts.values()) and "e5" in Path(name).name.lower().split("-"):
            self._model.prompts = dict(_E5_PROMPTS)
        elif not prompts.get("document"):
            # The library fills in an empty "document", which then hides a model's "passage" or "corpus".
            prompts["document"] = prompts.get("passage") or prompts.get("corpus") or ""

    def _find_revision(self, folder: Path | None, revision: str | None) -> str:
        """What pins the weights: their sha256 for a folder, the commit for a hub model."""
        if folder is not None:
            return folder_revision(folder)
        configuration = getattr(self._model[0], "model", None)
        commit = getattr(getattr(configuration, "config", None), "_commit_hash", None)
        return str(commit or revision or "main")

    @property
    def fingerprint(self) -> dict[str, str | int]:
        """Name, revision, dimension and prompts."""
        return _fingerprint(self._name, self._revision, self._dimension, self._model.prompts)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    def embed_queries(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings of questions, one a text, in order."""
        return self._embed(texts, "query")

    def embed_passages(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings of passages or sentences, one a text, in order."""
        return self._embed(texts, "document")

    def _embed(self, texts: Sequence[str], role: Literal["query", "document"]) -> Embeddings:
        encode = self._model.encode_query if role == "query" else self._model.encode_document
        # With output_value=None: a dict a text, its sentence_embedding and token_embeddings as tensors.
        self._set_threads(_ALL_CORES if len(texts) >= _BATCH else 1)
        outputs: list[Any] = (
            list(encode(list(texts), batch_size=_BATCH, output_value=None, show_progress_bar=False)) if texts else []
        )
        vectors = np.stack([output["sentence_embedding"].numpy() for output in outputs]) if texts else np.zeros((0, 0))
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        prompt = self._prompt(role)
        tokens = tuple(
            # Without the padding, which decoders have on the left.
            self._token_vectors(prompt, text, output["token_embeddings"][output["attention_mask"].bool()].numpy())
            for text, output in zip(texts, outputs, strict=True)
        )
        return Embeddings(vectors=self._checked(vectors / np.maximum(norms, 1e-12), len(texts)), tokens=tokens)

    def _prompt(self, role: Literal["query", "document"]) -> str:
        return self._model.prompts.get(role) or ""

    def _token_vectors(self, prompt: str, text: str, vectors: NDArray[np.float32]) -> TokenVectors:
        encoding = self._model.tokenizer(
            prompt + text, truncation=True, max_length=self._model.max_seq_length, return_offsets_mapping=True
        )
        return content_vectors(text, encoding["offset_mapping"], vectors, prompt)

    def _checked(self, vectors: object, count: int) -> Vectors:
        return _finite(self._name, np.asarray(vectors, dtype=np.float32).reshape(count, self._dimension))


class BundledEmbedder:
    """The bundled model: questions by `rag.bert`, ready in a tenth of a second; passages by sentence-transformers.

    sentence-transformers is imported when the first passages come, so that asking an index that is there does
    not wait for it.
    """

    def __init__(self) -> None:
        """Read the model's questions' side. Raises ModelError if it cannot be read."""
        try:
            self._encoder = BertEncoder(WEIGHTS)
            model = json.loads((WEIGHTS / "config_sentence_transformers.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ModelError(f"{WEIGHTS}: the bundled model cannot be read ({error}); restore the folder") from error
        self._prompts: dict[str, str] = model["prompts"]
        self._whole: SentenceTransformerEmbedder | None = None
        self._revision = folder_revision(WEIGHTS)

    @property
    def fingerprint(self) -> dict[str, str | int]:
        """Name, revision, dimension and prompts."""
        return _fingerprint(BUNDLED, self._revision, self.dimension, self._prompts)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._encoder.dimension

    def embed_queries(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings of questions, one a text, in order."""
        prompt = self._prompts.get("query") or ""
        vectors, words = [np.zeros((0, self.dimension), dtype=np.float32)], []
        for text in texts:
            outputs, spans = self._encoder.encode(prompt + text)
            mean = outputs.mean(axis=0, keepdims=True)
            vectors.append(mean / np.linalg.norm(mean))
            words.append(content_vectors(text, spans, outputs, prompt))
        return Embeddings(vectors=_finite(BUNDLED, np.concatenate(vectors)), tokens=tuple(words))

    def embed_passages(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings of passages or sentences, one a text, in order."""
        if self._whole is None:
            self._whole = SentenceTransformerEmbedder(BUNDLED)
        return self._whole.embed_passages(texts)


def _finite(name: str, vectors: Vectors) -> Vectors:
    if not np.isfinite(vectors).all():
        raise ModelError(f"embedding model {name!r} gave vectors that are not finite; its weights are damaged")
    return vectors


def content_vectors(
    text: str, spans: Sequence[tuple[int, int]], outputs: NDArray[np.float32], prompt: str
) -> TokenVectors:
    """Unit vectors of the pieces of content words; of all pieces if the text has no content word.

    `spans` are those of the pieces in `prompt + text`, (0, 0) for special ones; `outputs` (pieces, d) their vectors.
    """
    shift = len(prompt)
    # A tokenizer may give a piece the space before it.
    pieces = [
        (row, (start - shift, end - shift))
        for row, (start, end) in enumerate(spans)
        if start >= shift and any(char.isalnum() for char in text[start - shift : end - shift])
    ]
    stop = [(token.start, token.end) for token in tokens(text) if token.text in STOP_WORDS]
    content = [(row, span) for row, span in pieces if not any(a <= span[0] and span[1] <= b for a, b in stop)]
    kept = content or pieces
    chosen = outputs[[row for row, _ in kept]]
    norms = np.maximum(np.linalg.norm(chosen, axis=1, keepdims=True), 1e-12)
    return TokenVectors(vectors=chosen / norms, spans=tuple(span for _, span in kept))


def folder_revision(folder: Path) -> str:
    """What pins the weights and the tokenizer of a model's folder: a hash over theirs."""
    digests = [_sha256(file) for file in sorted(folder.rglob("*.safetensors"))]
    tokenizer = folder / "tokenizer.json"
    digests += [_sha256(tokenizer)] if tokenizer.exists() else []
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:32]


def _fingerprint(name: str, revision: str, dimension: int, prompts: Mapping[str, str | None]) -> dict[str, str | int]:
    stated = {f"prompt_{role}": prompt for role, prompt in sorted(prompts.items()) if prompt}
    return {"name": name, "revision": revision, "dimension": dimension, **stated}


def open_embedder(settings: Settings) -> Embedder:
    """The embedder that the settings name."""
    if settings.embedder == BUNDLED and BertEncoder.can_read(WEIGHTS):
        return BundledEmbedder()
    return SentenceTransformerEmbedder(settings.embedder, settings.revision)
