"""One suite for each seam of `rag.protocols`, over everything that implements it."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from rag.build import Index
from rag.calibration import load_calibration
from rag.confidence import CONFIDENCE_FEATURES
from rag.embedders import SentenceTransformerEmbedder
from rag.lexicon import Lexicon
from rag.protocols import Embedder, Embeddings, Query, Reader, Retriever, Store
from rag.query import make_queries
from rag.readers import ExtractiveReader
from rag.retrieval import HybridRetriever
from rag.scoring import FEATURES, SentenceScorer
from rag.store import FaissStore
from tests.conftest import ARTICLES, TopicEmbedder
from tests.small import index_of_files
from tests.tiny_model import variant

LEXICON = Lexicon.open()
TEXTS = ("عقد التحالف اجتماعه في روما.", "The army bought twelve drones.", "روما Rome ٢٠٢١", "نفط", "؟", "😀", "في")
QUESTIONS = ("كم وزيرا حضر اجتماع روما؟", "When did the army buy drones?", "أسعار النفط", "who?", "北京")


@pytest.fixture(scope="module", params=["bundled", "hub", "hub with prompts", "topics"])
def embedder(request: pytest.FixtureRequest, tiny_model: Path) -> Embedder:
    if request.param == "bundled":
        bundled: SentenceTransformerEmbedder = request.getfixturevalue("bundled")
        return bundled
    if request.param == "topics":
        return TopicEmbedder()
    prompts = {"query": "query: ", "document": "passage: "} if request.param == "hub with prompts" else {}
    return SentenceTransformerEmbedder(str(variant(tiny_model, f"contract {request.param}", prompts=prompts)))


Method = Callable[[Embedder, Sequence[str]], Embeddings]


def of_queries(embedder: Embedder, texts: Sequence[str]) -> Embeddings:
    return embedder.embed_queries(texts)


def of_passages(embedder: Embedder, texts: Sequence[str]) -> Embeddings:
    return embedder.embed_passages(texts)


@pytest.mark.parametrize("method", [of_queries, of_passages])
class TestEmbedder:
    def test_gives_a_unit_vector_a_text(self, embedder: Embedder, method: Method) -> None:
        vectors = method(embedder, TEXTS).vectors

        assert vectors.shape == (len(TEXTS), embedder.dimension)
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-4)

    def test_gives_unit_vectors_of_words_with_spans_in_order(self, embedder: Embedder, method: Method) -> None:
        embeddings = method(embedder, TEXTS)

        assert len(embeddings.tokens) == len(TEXTS)
        for text, words in zip(TEXTS, embeddings.tokens, strict=True):
            assert words.vectors.shape == (len(words.spans), embedder.dimension)
            assert words.vectors.dtype == np.float32
            assert np.linalg.norm(words.vectors, axis=1) == pytest.approx(np.ones(len(words.spans)), abs=1e-4)
            assert all(0 <= start < end <= len(text) for start, end in words.spans)
            assert all(before[0] <= after[0] for before, after in pairwise(words.spans))
        assert len(embeddings.tokens[0].spans) >= 3

    def test_nothing_gives_nothing_of_the_right_shape(self, embedder: Embedder, method: Method) -> None:
        embeddings = method(embedder, [])

        assert embeddings.vectors.shape == (0, embedder.dimension)
        assert embeddings.vectors.dtype == np.float32
        assert embeddings.tokens == ()

    def test_a_text_has_the_same_vectors_alone_and_in_a_batch(self, embedder: Embedder, method: Method) -> None:
        together = method(embedder, TEXTS)

        for n, text in enumerate(TEXTS):
            alone = method(embedder, [text])
            assert alone.vectors[0] == pytest.approx(together.vectors[n], abs=1e-4)
            assert alone.tokens[0].spans == together.tokens[n].spans
            assert alone.tokens[0].vectors == pytest.approx(together.tokens[n].vectors, abs=1e-4)

    def test_is_the_same_twice(self, embedder: Embedder, method: Method) -> None:
        assert method(embedder, TEXTS).vectors.tolist() == method(embedder, TEXTS).vectors.tolist()

    def test_fingerprint_names_the_model_and_its_dimension(self, embedder: Embedder, method: Method) -> None:
        before = dict(embedder.fingerprint)
        method(embedder, TEXTS)

        assert embedder.fingerprint == before
        assert before["name"]
        assert before["dimension"] == embedder.dimension
        assert all(isinstance(value, str | int) for value in before.values())


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    files = ARTICLES | {
        "copy.txt": ARTICLES["oil.txt"].replace("أسعار النفط\n", "نقلا عن غيرها\n"),
        "long.txt": "سلسلة\n\n" + " ".join(f"قال المتحدث رقم {n} كلاما عن روما والنفط." for n in range(60)) + "\n",
    }
    return index_of_files(tmp_path_factory.mktemp("contracts"), files, TopicEmbedder())[0]


@pytest.fixture(scope="module")
def queries() -> list[Query]:
    return make_queries(QUESTIONS, TopicEmbedder(), LEXICON)


@pytest.fixture(scope="module", params=["built", "opened"])
def store(request: pytest.FixtureRequest, index: Index, tmp_path_factory: pytest.TempPathFactory) -> Store:
    if request.param == "built":
        return index.store
    folder = tmp_path_factory.mktemp("مخزن")
    index.store.save(folder)
    return FaissStore.open(folder)


class TestStore:
    def test_search_gives_at_most_k_rows_best_first_without_repeats(self, store: Store) -> None:
        vectors = TopicEmbedder().embed_queries(["روما", "drones"]).vectors

        for k in (1, 3, 1000):
            for found in store.search(vectors, k):
                assert len(found) == min(k, len(store.passages))
                assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
                assert len({row for row, _ in found}) == len(found)

    def test_scores_are_inner_products(self, store: Store) -> None:
        vectors = TopicEmbedder().embed_queries(["نفط"]).vectors

        for row, score in store.search(vectors, 1000)[0]:
            assert score == pytest.approx(float(store.passage_vectors([row])[0] @ vectors[0]), abs=1e-5)

    def test_one_language_is_searched_if_given(self, store: Store) -> None:
        vectors = TopicEmbedder().embed_queries(["نفط"]).vectors

        [english] = store.search(vectors, 1000, "en")
        [arabic] = store.search(vectors, 1000, "ar")

        assert {store.passages[row].language for row, _ in english} == {"en"}
        assert len(english) + len(arabic) == len(store.passages)
        assert store.search(vectors, 5, "und") == [[]]

    def test_every_sentence_has_a_vector(self, store: Store) -> None:
        for row, passage in enumerate(store.passages):
            assert len(store.sentence_vectors(row)) == len(passage.sentences)
            expected = TopicEmbedder().embed_passages([sentence.text for sentence in passage.sentences]).vectors
            assert store.sentence_vectors(row) == pytest.approx(expected, abs=1e-5)


LEGS = {
    "all": {},
    "dense": {"use_lexical": False, "use_late": False},
    "lexical": {"use_dense": False, "use_late": False},
    "late": {"use_dense": False, "use_lexical": False},
    "unbalanced": {"balance": False},
    "none": {"use_dense": False, "use_lexical": False, "use_late": False},
}


@pytest.fixture(params=LEGS)
def retriever(request: pytest.FixtureRequest, index: Index) -> Retriever:
    return HybridRetriever(index.store, index.lexical, index.words, **LEGS[request.param])


class TestRetriever:
    @pytest.mark.parametrize("k", [1, 3, 100])
    def test_gives_ranked_hits_and_no_passage_twice(self, retriever: Retriever, queries: list[Query], k: int) -> None:
        found = retriever.search(queries, k)

        assert len(found) == len(queries)
        for hits in found:
            assert 1 <= len(hits) <= k
            assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
            assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
            assert len({hit.passage.id for hit in hits}) == len(hits)
            assert all(np.isfinite(hit.score) for hit in hits)

    def test_ranges_of_the_scores_shown(self, retriever: Retriever, queries: list[Query]) -> None:
        for hits in retriever.search(queries, 100):
            assert all(-1.001 <= hit.dense <= 1.001 and hit.lexical >= 0 for hit in hits)

    def test_no_two_hits_have_the_same_text(self, retriever: Retriever, queries: list[Query]) -> None:
        for hits in retriever.search(queries, 100):
            texts = [" ".join(hit.passage.text.split()) for hit in hits]
            assert len(set(texts)) == len(texts)

    def test_more_hits_begin_with_the_fewer(self, retriever: Retriever, queries: list[Query]) -> None:
        for few, many in zip(retriever.search(queries, 2), retriever.search(queries, 9), strict=True):
            assert many[:2] == few

    def test_each_query_is_searched_for_itself(self, retriever: Retriever, queries: list[Query]) -> None:
        together = retriever.search(queries, 5)

        assert together == [retriever.search([query], 5)[0] for query in queries]
        assert retriever.search([], 5) == []


@pytest.fixture
def reader(index: Index) -> Reader:
    calibration = load_calibration(FEATURES, CONFIDENCE_FEATURES, "topics")
    scorer = SentenceScorer(index.store, index.lexical, index.words, LEXICON)
    return ExtractiveReader(index.store.articles, scorer, LEXICON, calibration)


class TestReader:
    def test_cites_one_to_five_slices_of_the_hits_articles(
        self, reader: Reader, index: Index, queries: list[Query]
    ) -> None:
        retriever = HybridRetriever(index.store, index.lexical, index.words)
        for query, hits in zip(queries, retriever.search(queries, 10), strict=True):
            reading = reader.read(query, hits)
            assert 0 <= reading.confidence <= 1
            assert [citation.marker for citation in reading.citations] == list(range(1, len(reading.citations) + 1))
            assert 1 <= len(reading.citations) <= 5
            for citation in reading.citations:
                text = index.store.articles[citation.article_id].text
                assert text[citation.start : citation.end] == citation.quote
                assert any(
                    hit.passage.article_id == citation.article_id
                    and hit.passage.start <= citation.start < citation.end <= hit.passage.end
                    for hit in hits
                )
                if span := citation.answer_span:
                    assert citation.start <= span.start < span.end <= citation.end
                    assert text[span.start : span.end] == span.text

    def test_quotes_do_not_overlap(self, reader: Reader, index: Index, queries: list[Query]) -> None:
        retriever = HybridRetriever(index.store, index.lexical, index.words)
        for query, hits in zip(queries, retriever.search(queries, 10), strict=True):
            places = sorted((c.article_id, c.start, c.end) for c in reader.read(query, hits).citations)
            assert all(one[0] != other[0] or one[2] <= other[1] for one, other in pairwise(places))

    def test_one_hit_is_enough_and_none_gives_nothing(self, reader: Reader, index: Index, queries: list[Query]) -> None:
        for query in queries:
            [[hit]] = HybridRetriever(index.store, index.lexical, index.words).search([query], 1)
            assert reader.read(query, [hit]).citations
            assert reader.read(query, []).citations == ()
            assert reader.read(query, []).confidence == 0
