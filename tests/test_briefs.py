"""Choosing the points of a brief: near the topic, none twice, few from one passage, told in order."""

import numpy as np
import pytest

from rag.briefs import MOST_POINTS, choose_points
from rag.conflicts import find_differing_counts
from rag.datatypes import Article, Hit, Passage, Sentence
from rag.lexicon import Lexicon
from rag.readers import mint
from rag.scoring import FEATURES, Candidates

CLAIMS = tuple(f"جملة رقمها {n} تقول شيئا عن التحالف الدولي وأعماله كلها" for n in range(12))


def candidates(texts: tuple[str, ...], passages: tuple[int, ...]) -> Candidates:
    """Sentences of one article, each in the passage of the number given."""
    sentences, start = [], 0
    for text in texts:
        sentences.append(Sentence(article_id="a", start=start, end=start + len(text), text=text))
        start += len(text) + 1
    hits = {
        number: Hit(
            rank=number + 1,
            passage=Passage(
                id=f"a#{number}",
                article_id="a",
                start=0,
                end=start,
                text="",
                language="ar",
                heading="",
                sentences=tuple(sentences),
            ),
            score=1.0,
            dense=0.5,
            lexical=0.0,
        )
        for number in set(passages)
    }
    empty = np.zeros((len(texts), 0))
    return Candidates(
        sentences=tuple(sentences),
        hits=tuple(hits[number] for number in passages),
        features=np.zeros((len(texts), len(FEATURES))),
        coverage=empty,
        support=empty,
        weights=np.zeros(0),
    )


def chosen(
    nearness: list[float], alike: np.ndarray | None = None, passages: tuple[int, ...] | None = None
) -> list[int]:
    n = len(nearness)
    found = candidates(CLAIMS[:n], passages or tuple(range(n)))
    return choose_points(found, np.array(nearness), np.eye(n, dtype=np.float32) if alike is None else alike)


def test_the_nearest_come_first_and_there_are_eight_at_most() -> None:
    assert chosen([0.5, 2.0, 1.0]) == [1, 2, 0]
    assert len(chosen([1.0] * 12)) == MOST_POINTS


def test_what_is_far_from_the_topic_is_no_point() -> None:
    assert chosen([2.0, 0.3, -1.0]) == [0]
    # After the fifth, a point may not fall far behind the nearest.
    assert chosen([3.0, 2.9, 2.8, 2.7, 2.6, 1.2]) == [0, 1, 2, 3, 4]


def test_nothing_is_told_twice() -> None:
    alike = np.eye(3, dtype=np.float32)
    alike[0, 1] = alike[1, 0] = 0.95
    assert chosen([2.0, 1.9, 1.0], alike) == [0, 2]
    # Alike, but not the same: the newer of two equally near ones goes first.
    alike[0, 1] = alike[1, 0] = 0.8
    assert chosen([2.0, 1.0, 1.0], alike) == [0, 2, 1]


def test_two_points_of_a_passage_at_most() -> None:
    assert chosen([2.0, 1.9, 1.8, 1.0], passages=(0, 0, 0, 1)) == [0, 1, 3]


@pytest.mark.parametrize(
    "text", ["خمسة أهداف رئيسية:", "ما الذي تحقق من أهداف التحالف الدولي ضد داعش؟", "خاتمة المقال"]
)
def test_headings_questions_and_lead_ins_are_no_claims(text: str) -> None:
    found = candidates((text, CLAIMS[0]), (0, 1))
    assert choose_points(found, np.array([2.0, 1.0]), np.eye(2, dtype=np.float32)) == [1]


def test_counts_that_differ_are_found_whatever_is_asked() -> None:
    texts = (
        "يلتزم أعضاء التحالف الدولي الـ 83 بمواجهة تنظيم داعش.",
        "اجتمع 83 وزيرا في روما مع نظرائهم.",
        "والتزم أعضاء التحالف الدولي الـ 79 بالمواجهة.",
    )
    articles = [Article(id=f"a{n}", source="", title="", language="ar", text=text) for n, text in enumerate(texts)]
    citations = [mint(each, 0, len(each.text), marker=n, score=1.0) for n, each in enumerate(articles, 1)]
    [conflict] = find_differing_counts(citations, Lexicon.open())
    assert [(value.value, value.citation) for value in conflict.values] == [("83", 1), ("79", 3)]
    assert conflict.subject == "أعضاء التحالف الدولي"
    assert find_differing_counts(citations[:2], Lexicon.open()) == ()
