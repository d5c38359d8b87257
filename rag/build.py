"""The offline path: folder -> articles -> passages -> vectors -> index, and opening what it made."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rag.articles import load_articles
from rag.chunking import chunk_article
from rag.config import Settings, default_paths
from rag.embedders import open_embedder
from rag.errors import ArticleError, IndexMissing, IndexStale, IndexUnwritable
from rag.fingerprint import INDEX_LIBRARIES, differing_sources, find_sources, fingerprint, library_versions
from rag.late import TokenIndex, TokenIndexBuilder
from rag.lexical import LexicalIndex
from rag.manifest import Manifest, Provenance, differing_parts, read_manifest
from rag.protocols import Embedder, Vectors
from rag.snapshot import commit, open_verified, writer_lock
from rag.store import FaissStore
from rag.support import support_projection

Log = Callable[[str], None]

_LOG: Log = logging.getLogger(__name__).info
_LEXICAL, _WORDS = "lexical", "words"
_BATCH = 256
_OTHER_LIBRARIES = ("faiss-cpu", "numpy", "sentence-transformers", "torch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An opened index: row i of `lexical` is passage i of `store`, row i of `words` its sentence i."""

    store: FaissStore
    lexical: LexicalIndex
    words: TokenIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """What a build did: counts of articles, passages and sentences, the files skipped, seconds taken."""

    counts: Mapping[str, int]
    problems: tuple[ArticleError, ...]
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    index: Index
    provenance: Provenance
    problems: tuple[ArticleError, ...]


def build_index(
    settings: Settings, embedder: Embedder | None = None, *, log: Log = _LOG, timeout_s: float = 120
) -> BuildReport:
    """Index the articles at `settings.paths` (empty: the default ones) and make that the index.

    An article that cannot be used is named in the log and skipped. A second build at the same time waits up to
    `timeout_s` seconds.

    Raises:
        ArticleError: Nothing is left to index.
        IndexBusy, IndexUnwritable: As `writer_lock` and `commit`; the earlier index is as it was.
    """
    started = time.perf_counter()
    chosen: Embedder = open_embedder(settings) if embedder is None else embedder
    with writer_lock(settings.index_dir, timeout_s=timeout_s, log=log):
        made = _make(settings, chosen, log)
        _save(made, settings)
    return BuildReport(counts=made.provenance.counts, problems=made.problems, duration_s=time.perf_counter() - started)


def open_index(settings: Settings, embedder: Embedder, *, log: Log = _LOG, timeout_s: float = 120) -> Index:
    """The index of `settings`, verified; built first when missing or stale, with one line saying why.

    Without `settings.paths`, those that the index was built from. An index that cannot be saved is answered from
    all the same, out of memory.

    Raises:
        IndexCorrupt: A file of the index is not what was written.
        ArticleError, IndexBusy: As `build_index`.
    """
    try:
        return read_index(settings, embedder, log=log)
    except IndexMissing:
        log(f"{settings.index_dir}: there is no index yet; building it")
    except IndexStale as reason:
        log(f"{reason}; building it anew")
        settings = replace(settings, paths=_paths(settings, read_manifest(settings.index_dir)))
    try:
        with writer_lock(settings.index_dir, timeout_s=timeout_s, log=log):
            try:
                return read_index(settings, embedder, log=log)  # another process may have built it meanwhile
            except (IndexMissing, IndexStale):
                made = _make(settings, embedder, log)
            _save(made, settings)
            return made.index
    except IndexUnwritable as error:
        log(f"{error}; answering from memory")
        return _make(settings, embedder, log).index


def read_index(settings: Settings, embedder: Embedder, *, log: Log = _LOG) -> Index:
    """The index of `settings`, verified byte by byte; builds nothing.

    Raises:
        IndexMissing, IndexCorrupt: As `open_verified`.
        IndexStale: It was built from other articles, settings or weights; the message says which.
    """

    def check(manifest: Manifest) -> None:
        check_fresh(settings, embedder, manifest, log=log)

    def read(folder: Path) -> Index:
        return Index(
            store=FaissStore.open(folder),
            lexical=LexicalIndex.open(folder / _LEXICAL),
            words=TokenIndex.open(folder / _WORDS),
        )

    return open_verified(settings.index_dir, read, check=check)


def check_fresh(settings: Settings, embedder: Embedder, manifest: Manifest, *, log: Log = _LOG) -> None:
    """Compare the manifest with the present articles, settings, weights and code.

    A file of unchanged size and modification time is taken as unchanged; others are hashed.

    Raises:
        IndexStale: They differ; the message names the parts.
    """
    try:
        sources = find_sources(_paths(settings, manifest) or default_paths(), manifest.sources)
    except ArticleError as error:
        if settings.paths:
            raise
        log(f"{error}; answering from the index as it is")
        sources = dict(manifest.sources)
    found = fingerprint(settings, embedder, sources)
    parts = differing_parts(manifest.fingerprint, found | {"articles": manifest.fingerprint.get("articles")})
    parts += differing_sources(manifest.sources, sources)
    if parts:
        raise IndexStale(f"{settings.index_dir}: the index is out of date ({'; '.join(parts)})")


def _make(settings: Settings, embedder: Embedder, log: Log) -> _Made:
    paths = settings.paths or default_paths()
    sources = find_sources(paths, {})  # before loading: a file changed meanwhile makes the index stale, not wrong
    problems: list[ArticleError] = []
    loaded = list(load_articles(paths, problems))
    for problem in problems:
        log(f"skipped {problem}")
    passages = [passage for article in loaded for passage in chunk_article(article, settings.passage_chars)]
    if not passages:
        places = ", ".join(map(str, paths))
        raise ArticleError(
            f"{places}: no article to index ({len(problems)} skipped); name a folder of .txt or .md files"
        )
    sentences = [sentence.text for passage in passages for sentence in passage.sentences]
    counts = {"articles": len(loaded), "passages": len(passages), "sentences": len(sentences), "skipped": len(problems)}
    log(f"indexing {counts['articles']} articles, {counts['passages']} passages, {counts['sentences']} sentences")
    words = TokenIndexBuilder(support_projection(embedder))
    passage_vectors = _embed([passage.text for passage in passages], embedder, log)
    sentence_vectors = _embed(sentences, embedder, log, words)
    index = Index(
        store=FaissStore(loaded, passages, passage_vectors, sentence_vectors),
        lexical=LexicalIndex.build([f"{passage.heading}\n{passage.text}" for passage in passages]),
        words=words.finish(),
    )
    provenance = Provenance(
        fingerprint=fingerprint(settings, embedder, sources),
        versions=library_versions(INDEX_LIBRARIES + _OTHER_LIBRARIES),
        counts=counts,
        paths=tuple(str(path.resolve()) for path in settings.paths),
        sources=sources,
    )
    return _Made(index=index, provenance=provenance, problems=tuple(problems))


def _embed(texts: Sequence[str], embedder: Embedder, log: Log, words: TokenIndexBuilder | None = None) -> Vectors:
    """Vectors of `texts`; their word vectors go to `words`, if wanted."""
    vectors = []
    for start in range(0, len(texts), _BATCH):
        embeddings = embedder.embed_passages(texts[start : start + _BATCH])
        vectors.append(embeddings.vectors)
        if words is not None:
            words.add(embeddings.tokens)
        if len(texts) > _BATCH:
            log(f"embedded {min(start + _BATCH, len(texts))} of {len(texts)} texts")
    return np.concatenate(vectors)


def _save(made: _Made, settings: Settings) -> None:
    def write(folder: Path) -> None:
        for name in (_LEXICAL, _WORDS):
            (folder / name).mkdir()
        made.index.store.save(folder)
        made.index.lexical.save(folder / _LEXICAL)
        made.index.words.save(folder / _WORDS)

    commit(settings.index_dir, write, made.provenance)


def _paths(settings: Settings, manifest: Manifest) -> tuple[Path, ...]:
    return settings.paths or tuple(map(Path, manifest.paths))
