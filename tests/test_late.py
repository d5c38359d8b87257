from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import IndexCorrupt
from rag.late import TokenIndex, TokenIndexBuilder
from rag.protocols import TokenVectors

UP, RIGHT, SLANTED = (0.0, 1.0), (1.0, 0.0), (0.6, 0.8)
ROUNDING = 0.01
"""Words are kept in steps of 1/127."""


def words(*vectors: tuple[float, ...], dimension: int = 2) -> TokenVectors:
    rows = np.array(vectors, dtype=np.float32).reshape(-1, dimension)
    return TokenVectors(vectors=rows, spans=tuple((at, at + 1) for at in range(len(rows))))


def index_of(*sentences: TokenVectors) -> TokenIndex:
    builder = TokenIndexBuilder()
    builder.add(sentences)
    return builder.finish()


@pytest.fixture
def index() -> TokenIndex:
    """A sentence of one word, one of two, one of none, one of one."""
    return index_of(words(RIGHT), words(SLANTED, UP), words(), words((-1.0, 0.0)))


def test_each_word_of_the_question_meets_the_nearest_word_of_each_sentence(index: TokenIndex) -> None:
    found = index.similarities(words(RIGHT, UP, SLANTED), [0, 1, 2, 3])

    # RIGHT.SLANTED = 0.6 and UP.SLANTED = 0.8, but UP itself is in sentence 1; SLANTED.RIGHT = 0.6.
    assert found.tolist() == [
        pytest.approx([1.0, 0.0, 0.6], abs=ROUNDING),
        pytest.approx([0.6, 1.0, 1.0], abs=ROUNDING),
        [0.0, 0.0, 0.0],
        pytest.approx([-1.0, 0.0, -0.6], abs=ROUNDING),
    ]


def test_rows_come_in_the_order_asked_for_and_may_repeat(index: TokenIndex) -> None:
    found = index.similarities(words(RIGHT), [3, 0, 3])

    assert found[:, 0].tolist() == pytest.approx([-1.0, 1.0, -1.0], abs=ROUNDING)


def test_length_of_a_questions_vector_does_not_count(index: TokenIndex) -> None:
    assert index.similarities(words((5.0, 0.0)), [1])[0, 0] == pytest.approx(0.6, abs=ROUNDING)


def test_shapes_without_words_or_rows(index: TokenIndex) -> None:
    assert len(index) == 4
    assert index.similarities(words(), [0, 1]).shape == (2, 0)
    assert index.similarities(words(RIGHT, UP), []).shape == (0, 2)
    assert index.similarities(words(RIGHT), [2]).tolist() == [[0.0]]


def test_sentences_may_come_in_any_number_of_calls(index: TokenIndex) -> None:
    builder = TokenIndexBuilder()
    for sentence in (words(RIGHT), words(SLANTED, UP), words(), words((-1.0, 0.0))):
        builder.add([sentence])
    asked = words(RIGHT, SLANTED)

    assert builder.finish().similarities(asked, range(4)).tolist() == index.similarities(asked, range(4)).tolist()


def test_an_index_of_nothing_is_an_index() -> None:
    assert len(index_of()) == 0
    assert index_of(words()).similarities(words(RIGHT), [0]).tolist() == [[0.0]]


def test_directions_that_no_word_has_are_dropped_and_cosines_stay() -> None:
    """300 dimensions with words in three of them: projecting on the 128 widest loses nothing."""
    basis = np.zeros((3, 300), dtype=np.float32)
    basis[[0, 1, 2], [7, 150, 299]] = 1
    sentences = [TokenVectors(vectors=row[None, :], spans=((0, 1),)) for row in basis]
    asked = TokenVectors(vectors=(0.6 * basis[0] + 0.8 * basis[2])[None, :], spans=((0, 1),))

    assert index_of(*sentences).similarities(asked, [0, 1, 2])[:, 0].tolist() == pytest.approx(
        [0.6, 0.0, 0.8], abs=ROUNDING
    )


@pytest.mark.parametrize("sample", [1, 2, 1000])
def test_what_comes_after_the_sample_is_indexed_too(sample: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.late._SAMPLE", sample)
    builder = TokenIndexBuilder()
    for _ in range(5):
        builder.add([words(RIGHT, UP)])

    found = builder.finish().similarities(words(SLANTED), range(5))

    assert found[:, 0].tolist() == pytest.approx([0.8] * 5, abs=ROUNDING)


def test_saved_and_opened_again(index: TokenIndex, tmp_path: Path) -> None:
    index.save(tmp_path)
    opened = TokenIndex.open(tmp_path)
    asked = words(RIGHT, SLANTED)

    assert len(opened) == len(index)
    assert opened.similarities(asked, range(4)).tolist() == index.similarities(asked, range(4)).tolist()
    assert {path.suffix for path in tmp_path.iterdir()} == {".npy"}


@pytest.mark.parametrize("name", ["projection.npy", "words.npy", "starts.npy"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "text", "pickle"])
def test_a_damaged_file_is_refused_with_the_command_that_mends_it(
    index: TokenIndex, tmp_path: Path, name: str, damage: str
) -> None:
    index.save(tmp_path)
    path = tmp_path / name
    if damage == "missing":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-3])
    elif damage == "text":
        path.write_text("ليس مصفوفة", encoding="utf-8")
    else:
        np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)

    with pytest.raises(IndexCorrupt, match="sanad build"):
        TokenIndex.open(tmp_path)


@given(
    sentences=st.lists(st.lists(st.sampled_from([UP, RIGHT, SLANTED, (-0.8, 0.6)]), max_size=4), max_size=6),
    asked=st.lists(st.sampled_from([UP, RIGHT, SLANTED]), max_size=3),
)
def test_is_the_greatest_cosine(sentences: list[list[tuple[float, float]]], asked: list[tuple[float, float]]) -> None:
    found = index_of(*(words(*sentence) for sentence in sentences)).similarities(words(*asked), range(len(sentences)))

    expected = [
        [max((float(np.dot(word, other)) for other in sentence), default=0.0) for word in asked]
        for sentence in sentences
    ]
    assert found == pytest.approx(np.array(expected).reshape(len(sentences), len(asked)), abs=2 * ROUNDING)
