from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.datatypes import Article, Language, Passage, Sentence
from rag.protocols import Vectors
from rag.store import FaissStore

UP, RIGHT, SLANTED = (0.0, 1.0), (1.0, 0.0), (0.6, 0.8)


def make_article(text: str, name: str = "a") -> Article:
    return Article(id=name, source=f"{name}.txt", title="عنوان", language="ar", text=text)


def make_passage(article: Article, start: int, end: int, n: int = 0, language: Language = "ar") -> Passage:
    text = article.text[start:end]
    sentence = Sentence(article_id=article.id, start=start, end=end, text=text)
    return Passage(
        id=f"{article.id}#{n}",
        article_id=article.id,
        start=start,
        end=end,
        text=text,
        language=language,
        heading="",
        sentences=(sentence,),
    )


def rows(*vectors: Sequence[float]) -> Vectors:
    return np.array(vectors, dtype=np.float32)


@pytest.fixture
def store() -> FaissStore:
    """Three passages, the last one English, whose sentences point where they do."""
    article = make_article("روما نفط oil")
    passages = [
        make_passage(article, 0, 4, 0),
        make_passage(article, 5, 8, 1),
        make_passage(article, 9, 12, 2, language="en"),
    ]
    vectors = rows(UP, RIGHT, SLANTED)
    return FaissStore([article], passages, vectors, vectors)


def test_search_gives_rows_and_inner_products_best_first(store: FaissStore) -> None:
    [found] = store.search(rows(UP), k=3)

    assert [row for row, _ in found] == [0, 2, 1]
    assert [score for _, score in found] == pytest.approx([1.0, 0.8, 0.0])


def test_search_in_one_language_ranks_only_its_passages(store: FaissStore) -> None:
    [english] = store.search(rows(UP), 3, "en")

    assert [row for row, _ in english] == [2]
    assert [row for row, _ in store.search(rows(UP), 3, "ar")[0]] == [0, 1]
    assert store.search(rows(UP, RIGHT), 3, "und") == [[], []]


def test_k_beyond_the_passages_never_gives_a_row_of_minus_one(store: FaissStore) -> None:
    found = store.search(rows(UP, RIGHT), k=50)

    assert [sorted(row for row, _ in hits) for hits in found] == [[0, 1, 2], [0, 1, 2]]


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_finds_nothing(store: FaissStore, k: int) -> None:
    assert store.search(rows(UP), k) == [[]]


def test_no_questions_give_no_answers(store: FaissStore) -> None:
    assert store.search(np.empty((0, 2), dtype=np.float32), k=3) == []


def test_ties_are_broken_by_row() -> None:
    article = make_article("أ ب ت")
    passages = [make_passage(article, start, start + 1, n) for n, start in enumerate((0, 2, 4))]
    store = FaissStore([article], passages, rows(UP, UP, UP), rows(UP, UP, UP))

    assert store.search(rows(UP), k=3) == [[(0, 1.0), (1, 1.0), (2, 1.0)]]


def test_vectors_are_looked_up_by_row(store: FaissStore) -> None:
    assert store.passage_vectors([2, 0]).tolist() == rows(SLANTED, UP).tolist()
    assert store.sentence_vectors(1).tolist() == rows(RIGHT).tolist()


def test_sentence_vectors_follow_the_passages_when_counts_differ() -> None:
    article = make_article("أ ب ت")
    whole = make_passage(article, 0, 3)
    two = tuple(Sentence(article_id="a", start=s, end=s + 1, text=article.text[s]) for s in (0, 2))
    passages = [
        Passage(id="a#0", article_id="a", start=0, end=3, text=whole.text, language="ar", heading="", sentences=two),
        make_passage(article, 4, 5, 1),
    ]
    store = FaissStore([article], passages, rows(UP, UP), rows(UP, RIGHT, SLANTED))

    assert store.sentence_vectors(0).tolist() == rows(UP, RIGHT).tolist()
    assert store.sentence_vectors(1).tolist() == rows(SLANTED).tolist()
    assert list(store.sentence_rows(1)) == [2]


def test_two_copies_of_a_passage_have_one_key() -> None:
    article = make_article("أعضاء التّحالف\nاعضاء  التحالف\nروما")
    passages = [make_passage(article, 0, 14, 0), make_passage(article, 15, 29, 1), make_passage(article, 30, 34, 2)]
    store = FaissStore([article], passages, rows(UP, UP, UP), rows(UP, UP, UP))

    assert store.text_key(0) == store.text_key(1) != store.text_key(2)


def test_what_was_saved_is_opened_again(store: FaissStore, tmp_path: Path) -> None:
    store.save(tmp_path)

    opened = FaissStore.open(tmp_path)

    assert opened.passages == store.passages
    assert list(opened.articles.values()) == list(store.articles.values())
    assert opened.search(rows(UP, SLANTED), k=3) == store.search(rows(UP, SLANTED), k=3)
    assert opened.sentence_vectors(2).tolist() == store.sentence_vectors(2).tolist()


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_survives_saving(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("store")
    article = make_article(text)
    FaissStore([article], [make_passage(article, 0, len(text))], rows(UP), rows(UP)).save(folder)

    assert FaissStore.open(folder).articles == {"a": article}


def test_line_separators_inside_an_article_do_not_cut_its_line(tmp_path: Path) -> None:
    article = make_article("سطر\u2028سطر\u2029سطر\x85سطر\r\nسطر")
    FaissStore([article], [make_passage(article, 0, 3)], rows(UP), rows(UP)).save(tmp_path)

    assert FaissStore.open(tmp_path).articles["a"].text == article.text
    assert "سطر" in (tmp_path / "articles.jsonl").read_text(encoding="utf-8")


def test_nothing_on_the_disk_needs_pickle(store: FaissStore, tmp_path: Path) -> None:
    store.save(tmp_path)

    np.load(tmp_path / "sentences.npy", allow_pickle=False)
    assert {path.suffix for path in tmp_path.iterdir()} == {".jsonl", ".faiss", ".npy"}


def test_a_span_that_does_not_hold_is_refused() -> None:
    article = make_article("روما نفط")
    elsewhere = make_passage(make_article("نفط روما"), 0, 4)

    with pytest.raises(ValueError, match=r"a#0: \[0, 4\)"):
        FaissStore([article], [elsewhere], rows(UP), rows(UP))


def test_vectors_that_do_not_fit_are_refused() -> None:
    article = make_article("روما")

    with pytest.raises(ValueError, match="1 passages and 1 sentences"):
        FaissStore([article], [make_passage(article, 0, 4)], rows(UP), rows(UP, RIGHT))
