from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.build import Index
from rag.datatypes import Hit
from rag.embedders import SentenceTransformerEmbedder
from rag.lexicon import Lexicon
from rag.protocols import Query
from rag.query import make_queries
from rag.retrieval import HybridRetriever, standardise
from tests.small import Row, index_of_files, index_of_rows, query, term, unit

AR, EN = "ar", "en"
ROME = (1.0, 0.0)


def retriever(index: Index, *legs: str, balance: bool = True) -> HybridRetriever:
    return HybridRetriever(
        index.store,
        index.lexical,
        index.words,
        use_dense="dense" in legs,
        use_lexical="lexical" in legs,
        use_late="late" in legs,
        balance=balance,
    )


def search(index: Index, question: Query, *legs: str, k: int = 10, balance: bool = True) -> list[Hit]:
    return retriever(index, *(legs or ("dense", "lexical", "late")), balance=balance).search([question], k)[0]


def texts(hits: list[Hit]) -> list[str]:
    return [hit.passage.text for hit in hits]


def languages(*names: str) -> np.ndarray:
    return np.array(names, dtype=np.str_)


def test_standardised_scores_by_hand() -> None:
    # Mean 3, deviations -2, 0, 2: standard deviation sqrt(8/3).
    deviation = np.sqrt(8 / 3)

    found = standardise(np.array([1.0, 3.0, 5.0]), languages(AR, AR, AR))

    assert found == pytest.approx([-2 / deviation, 0, 2 / deviation])


def test_standardised_scores_are_centred_within_each_language() -> None:
    # Arabic 1 and 3 about 2, English 10 and 14 about 12: -1, 1, -2, 2, whose deviation is sqrt(10/4).
    found = standardise(np.array([1.0, 3.0, 10.0, 14.0]), languages(AR, AR, EN, EN))

    assert found == pytest.approx(np.array([-1, 1, -2, 2]) / np.sqrt(2.5))


@pytest.mark.parametrize("scores", [[5.0], [2.0, 2.0]])
def test_scores_that_do_not_differ_are_all_nought(scores: list[float]) -> None:
    assert standardise(np.array(scores), languages(*[AR] * len(scores))).tolist() == [0.0] * len(scores)


@given(
    scores=st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20),
    shift=st.floats(-100, 100),
    scale=st.floats(0.1, 10),
)
def test_standardised_scores_do_not_depend_on_scale_or_origin(scores: list[float], shift: float, scale: float) -> None:
    names = languages(*[(AR, EN)[n % 2] for n in range(len(scores))])
    values = np.round(np.array(scores), 3)

    assert standardise(values * scale + shift, names) == pytest.approx(standardise(values, names), abs=1e-4)


@pytest.fixture
def index() -> Index:
    """Where each leg finds another passage first: dense 1, lexical 0, and words 1 and 0 alike."""
    return index_of_rows(
        Row("اجتماع روما", unit(0.6, 0.8)),
        Row("لقاء إيطاليا", ROME),
        Row("أسعار النفط", (0.0, 1.0)),
        Row("رياضة وفن", unit(-1, 1)),
    )


def test_hits_are_ranked_from_one_with_the_best_first(index: Index) -> None:
    hits = search(index, query("اجتماع روما", ROME))

    assert [hit.rank for hit in hits] == [1, 2, 3, 4]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert set(texts(hits)[:2]) == {"اجتماع روما", "لقاء إيطاليا"}


def test_hits_carry_the_cosine_and_the_bm25_score(index: Index) -> None:
    question = query("اجتماع روما", ROME)
    by_text = {hit.passage.text: hit for hit in search(index, question)}

    assert by_text["اجتماع روما"].dense == pytest.approx(0.6)
    assert by_text["لقاء إيطاليا"].dense == pytest.approx(1.0)
    assert by_text["لقاء إيطاليا"].lexical == 0
    assert by_text["اجتماع روما"].lexical == pytest.approx(float(index.lexical.scores(question.terms)[0]))


def test_each_leg_ranks_by_itself(index: Index) -> None:
    question = query("اجتماع روما", ROME)

    assert texts(search(index, question, "dense")) == ["لقاء إيطاليا", "اجتماع روما", "أسعار النفط", "رياضة وفن"]
    assert texts(search(index, question, "lexical"))[0] == "اجتماع روما"
    assert texts(search(index, question, "late"))[0] == "لقاء إيطاليا"


def test_a_leg_by_itself_gives_its_standardised_scores(index: Index) -> None:
    # Only row 0 has the words: with s its score, mean s/4, deviations 3s/4 and -s/4, deviation s * sqrt(3)/4.
    hits = search(index, query("اجتماع روما", (0.0, 1.0)), "lexical")

    assert [hit.score for hit in hits] == pytest.approx([3 / np.sqrt(3), *[-1 / np.sqrt(3)] * 3], abs=1e-5)


def test_legs_add_up(index: Index) -> None:
    question = query("اجتماع روما", ROME)
    alone = [
        {hit.passage.id: hit.score for hit in search(index, question, leg)} for leg in ("dense", "lexical", "late")
    ]

    for hit in search(index, question):
        assert hit.score == pytest.approx(sum(scores[hit.passage.id] for scores in alone), abs=1e-5)


def test_equal_scores_keep_the_order_of_the_corpus() -> None:
    index = index_of_rows(*(Row(f"نص {name}", ROME) for name in ("أول", "ثان", "ثالث")))

    hits = search(index, query("قمر", ROME))

    assert [hit.passage.id for hit in hits] == ["00#0", "01#0", "02#0"]


def test_copies_of_a_passage_give_one_hit() -> None:
    index = index_of_rows(
        Row("عُقِد الاجتماع في روما", ROME),
        Row("عقد الإجتماع  في رومـا", ROME),
        Row("ارتفع النفط", (0.0, 1.0)),
    )

    hits = search(index, query("روما", ROME))

    assert texts(hits) == ["عُقِد الاجتماع في روما", "ارتفع النفط"]
    assert [hit.rank for hit in hits] == [1, 2]


@pytest.mark.parametrize("k", [0, 1, 2, 4, 50])
def test_at_most_k_hits(index: Index, k: int) -> None:
    assert len(search(index, query("روما", ROME), k=k)) == min(k, 4)


def test_a_question_without_terms_is_searched_by_meaning(index: Index) -> None:
    found = search(index, query("؟", ROME))

    assert texts(found)[0] == "لقاء إيطاليا"
    assert all(hit.lexical == 0 for hit in found)


def test_questions_are_answered_in_order_and_apart(index: Index) -> None:
    questions = [query("اجتماع روما", ROME), query("أسعار النفط", (0.0, 1.0))]
    together = retriever(index, "dense", "lexical", "late").search(questions, 2)

    assert together == [search(index, question, k=2) for question in questions]
    assert texts(together[1])[0] == "أسعار النفط"
    assert retriever(index, "dense").search([], 3) == []


def test_a_language_that_scores_lower_throughout_is_not_starved() -> None:
    """Cosines across languages run lower: the best Arabic passage must come before the middling English ones."""
    english = [Row(f"coalition report {n}", unit(0.8 + n / 1000, 0.6), "en") for n in range(80)]
    arabic = [Row(f"خبر {n}", unit(0.2, 1)) for n in range(5)]
    index = index_of_rows(*english, *arabic, Row("تشكل التحالف", unit(0.6, 0.8)))
    question = query("coalition founding", ROME, term(("coalition", 1.0)), term(("founding", 1.0), ("تشكل", 0.9)))

    assert texts(search(index, question, k=1)) == ["تشكل التحالف"]
    assert "تشكل التحالف" not in texts(search(index, question, "dense", k=10, balance=False))


MIXED = {
    "founding.txt": "تشكل التحالف الدولي ضد داعش في أغسطس عام 2014. يلتزم أعضاؤه بتدمير بنى التنظيم المالية.\n",
    "prices.txt": "ارتفعت أسعار النفط في الأسواق العالمية. تراجع الإنتاج في الخليج هذا الشهر.\n",
    "school.txt": "افتتحت الوزارة مدرسة جديدة في المدينة. حضر الحفل أولياء أمور الطلاب.\n",
    "party.txt": "The governing parties formed a coalition after the vote. The coalition has a small majority.\n",
    "choir.txt": "The international choir was formed last year. It sings against war in many cities.\n",
    "club.txt": "When the football club was formed, nobody came. The team has won four matches since.\n",
    "museum.txt": "The museum shows international art. Visitors come from many countries in summer.\n",
}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, bundled: SentenceTransformerEmbedder) -> Index:
    index, _ = index_of_files(tmp_path_factory.mktemp("mixed"), MIXED, bundled)
    return index


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("When was the international coalition against Daesh formed?", "founding"),
        ("How did oil prices change on world markets?", "prices"),
        ("من حضر افتتاح المدرسة؟", "school"),
        ("متى تأسس نادي كرة القدم؟", "club"),
        ("ماذا يعرض المتحف؟", "museum"),
    ],
)
def test_questions_find_their_passage_across_languages_among_noise_in_their_own(
    mixed: Index, bundled: SentenceTransformerEmbedder, question: str, source: str
) -> None:
    queries = make_queries([question], bundled, Lexicon.open())

    [hits] = retriever(mixed, "dense", "lexical", "late").search(queries, 3)

    assert source in [hit.passage.article_id for hit in hits[:2]]


def test_the_lexicon_finds_words_of_the_other_language(mixed: Index, bundled: SentenceTransformerEmbedder) -> None:
    [plain] = make_queries(["oil prices"], bundled, None)
    [translated] = make_queries(["oil prices"], bundled, Lexicon.open())

    [before], [after] = (retriever(mixed, "lexical").search([asked], 1) for asked in (plain, translated))

    assert all(hit.lexical == 0 for hit in before)
    assert after[0].passage.article_id == "prices"


def test_an_index_of_one_passage_answers(tmp_path: Path, bundled: SentenceTransformerEmbedder) -> None:
    index, _ = index_of_files(tmp_path, {"one.txt": "عقد الاجتماع في روما يوم الثلاثاء.\n"}, bundled)

    [hits] = retriever(index, "dense", "lexical", "late").search(make_queries(["Rome"], bundled, Lexicon.open()), 5)

    assert texts(hits) == ["عقد الاجتماع في روما يوم الثلاثاء."]
    assert hits[0].score == 0
