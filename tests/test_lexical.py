import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import IndexCorrupt
from rag.lexical import LexicalIndex
from rag.text import terms
from tests.small import term

TEXTS = ("نفط نفط روما وزير", "روما جسر", "")
"""Four terms, two, none: two on average. نفط is in one text, روما in two."""

AVERAGE = (4 + 2 + 1) / 3
"""A text without terms counts as one of a term that no question has."""
RARE = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))  # 0.98083
COMMON = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))  # 0.47000


def bm25(idf: float, count: int, length: int) -> float:
    return idf * count / (count + 1.2 * (1 - 0.75 + 0.75 * length / AVERAGE))


@pytest.fixture
def index() -> LexicalIndex:
    return LexicalIndex.build(TEXTS)


def test_idf_by_hand(index: LexicalIndex) -> None:
    assert index.idf("نفط") == pytest.approx(RARE)
    assert index.idf(*terms("روما")) == pytest.approx(COMMON)
    assert index.idf("غير") == pytest.approx(math.log(1 + 3.5 / 0.5))


def test_one_term_by_hand(index: LexicalIndex) -> None:
    assert index.scores([term(("نفط", 1))]).tolist() == pytest.approx([bm25(RARE, 2, 4), 0, 0])
    assert index.scores([term(("روما", 1))]).tolist() == pytest.approx([bm25(COMMON, 1, 4), bm25(COMMON, 1, 2), 0])


def test_terms_of_a_question_add_up(index: LexicalIndex) -> None:
    both = index.scores([term(("نفط", 1)), term(("روما", 1))])

    assert both.tolist() == pytest.approx([bm25(RARE, 2, 4) + bm25(COMMON, 1, 4), bm25(COMMON, 1, 2), 0])


def test_alternatives_give_the_best_and_not_their_sum(index: LexicalIndex) -> None:
    found = index.scores([term(("نفط", 1), ("روما", 0.5))])

    assert bm25(RARE, 2, 4) > 0.5 * bm25(COMMON, 1, 4)
    assert found.tolist() == pytest.approx([bm25(RARE, 2, 4), 0.5 * bm25(COMMON, 1, 2), 0])


def test_more_alternatives_never_outweigh_one_exact_word(index: LexicalIndex) -> None:
    many = [("روما", 1.0), *[("روما", 0.9)] * 20]

    assert index.scores([term(*many)]).tolist() == index.scores([term(("روما", 1))]).tolist()


def test_words_of_one_alternative_add_up(index: LexicalIndex) -> None:
    found = index.scores([term(("oil", 1), ("نفط روما", 0.5))])

    assert found.tolist() == pytest.approx([0.5 * (bm25(RARE, 2, 4) + bm25(COMMON, 1, 4)), 0.5 * bm25(COMMON, 1, 2), 0])


def test_unseen_words_score_nothing(index: LexicalIndex) -> None:
    assert index.scores([term(("قمر", 1))]).tolist() == [0, 0, 0]
    assert index.scores([]).tolist() == [0, 0, 0]
    assert not index.has("قمر")
    assert index.has("نفط")


def test_forms_of_one_word_meet() -> None:
    index = LexicalIndex.build(["ارتفعت أسعار النّفط", "المُقاتِلون الأجانب", "The ministers met"])

    assert index.scores([term(("نفـط", 1))]).argmax() == 0
    assert index.scores([term(("مقاتل", 1))]).argmax() == 1
    assert index.scores([term(("MINISTER", 1))]).argmax() == 2


@pytest.mark.parametrize("texts", [[""], ["؟ !"], ["من في على"]])
def test_texts_without_terms_can_be_indexed(texts: list[str]) -> None:
    assert LexicalIndex.build(texts).scores([term(("روما", 1))]).tolist() == [0.0]


def test_saved_and_opened_again(index: LexicalIndex, tmp_path: Path) -> None:
    folder = tmp_path / "فهرس"
    folder.mkdir()
    index.save(folder)
    opened = LexicalIndex.open(folder)
    question = [term(("نفط", 1), ("روما", 0.5)), term(("جسر", 1))]

    assert opened.scores(question).tolist() == index.scores(question).tolist()
    assert opened.idf("نفط") == index.idf("نفط")
    assert {path.suffix for path in folder.iterdir()} <= {".npy", ".json"}


@pytest.mark.parametrize("damage", ["missing", "empty", "cut"])
def test_a_damaged_file_is_refused_with_the_command_that_mends_it(
    index: LexicalIndex, tmp_path: Path, damage: str
) -> None:
    saved = tmp_path / "saved"
    saved.mkdir()
    index.save(saved)
    for name in sorted(path.name for path in saved.iterdir()):
        content = (saved / name).read_bytes()
        if damage == "missing":
            (saved / name).unlink()
        else:
            (saved / name).write_bytes(b"" if damage == "empty" else content[: len(content) // 2])

        with pytest.raises(IndexCorrupt, match="sanad build"):
            LexicalIndex.open(saved)

        (saved / name).write_bytes(content)
    LexicalIndex.open(saved)


def test_names_are_found_by_their_sound_across_scripts() -> None:
    index = LexicalIndex.build(["أنهى ماكرون مهام قوة برخان", "Stoltenberg spoke"])

    assert terms("برخان")[0] in index.sounding_like("Barkhane", named=False)
    assert "stoltenberg" in index.sounding_like("ستولتنبرغ", named=True)
    assert list(index.sounding_like("Zimbabwe", named=True)) == []
    assert list(index.sounding_like("؟", named=True)) == []


@given(texts=st.lists(st.text(max_size=30), min_size=1, max_size=5), word=st.text(min_size=1, max_size=8))
def test_scores_are_never_negative_and_zero_without_the_word(texts: list[str], word: str) -> None:
    found = LexicalIndex.build(texts).scores([term((word, 1.0))])

    assert found.shape == (len(texts),)
    for text, score in zip(texts, found, strict=True):
        shared = set(terms(text)) & set(terms(word))
        assert (score > 0) == bool(shared)
