import math

import numpy as np
import pytest

from rag.build import Index
from rag.confidence import CONFIDENCE_FEATURES, confidence_features
from rag.datatypes import Hit
from rag.lexicon import Lexicon
from rag.protocols import Query
from rag.retrieval import HybridRetriever
from rag.scoring import FEATURES, Candidates, SentenceScorer
from tests.conftest import TopicEmbedder
from tests.small import Row, index_of_rows, query, term, unit

LEXICON = Lexicon.open()
ROME = (1.0, 0.0)

MEETING = "عقد اجتماع روما في حزيران وحضره 83 وزيرا."
PRICES = "ارتفعت أسعار النفط."


@pytest.fixture
def index() -> Index:
    return index_of_rows(Row(MEETING, unit(0.8, 0.6)), Row(PRICES, (0.0, 1.0)), Row("كلام آخر", unit(-1, 1)))


def scored(index: Index, question: Query, k: int = 3) -> Candidates:
    hits = HybridRetriever(index.store, index.lexical, index.words).search([question], k)[0]
    return SentenceScorer(index.store, index.lexical, index.words, LEXICON).candidates(question, hits)


def of(candidates: Candidates, name: str, text: str) -> float:
    return float(candidates.feature(name)[[sentence.text for sentence in candidates.sentences].index(text)])


def test_every_sentence_of_every_hit_is_a_candidate_in_order(index: Index) -> None:
    question = query("اجتماع روما", ROME)
    hits = HybridRetriever(index.store, index.lexical, index.words).search([question], 3)[0]
    candidates = SentenceScorer(index.store, index.lexical, index.words, LEXICON).candidates(question, hits)

    assert candidates.sentences == tuple(sentence for hit in hits for sentence in hit.passage.sentences)
    assert candidates.features.shape == (3, len(FEATURES))
    assert np.isfinite(candidates.features).all()


def test_without_hits_there_is_no_candidate(index: Index) -> None:
    candidates = SentenceScorer(index.store, index.lexical, index.words, LEXICON).candidates(query("روما", ROME), [])

    assert candidates.sentences == ()
    assert candidates.features.shape == (0, len(FEATURES))


def test_similarities_by_hand(index: Index) -> None:
    candidates = scored(index, query("اجتماع روما", ROME))

    assert of(candidates, "dense_sentence", MEETING) == pytest.approx(0.8)
    assert of(candidates, "dense_passage", PRICES) == pytest.approx(0.0)
    assert of(candidates, "late_sentence", MEETING) == pytest.approx(0.8, abs=0.02)
    assert of(candidates, "late_sentence", PRICES) == pytest.approx(0.0, abs=0.02)


def test_coverage_is_the_share_of_telling_terms_that_the_sentence_has(index: Index) -> None:
    rome, moon = term(("روما", 1.0)), term(("قمر", 1.0))
    candidates = scored(index, query("روما قمر", ROME, rome, moon))
    # N = 3 passages: روما is in one of them, قمر in none.
    weight, missing = math.log(1 + 2.5 / 1.5), math.log(1 + 3.5 / 0.5)

    assert of(candidates, "covered_sentence", MEETING) == pytest.approx(weight / (weight + missing))
    assert of(candidates, "covered_sentence", PRICES) == 0


def test_a_translation_covers_by_its_weight(index: Index) -> None:
    candidates = scored(index, query("Rome", ROME, term(("rome", 1.0), ("روما", 0.5))))

    assert of(candidates, "covered_sentence", MEETING) == pytest.approx(0.5)


def test_a_question_without_terms_is_covered_by_nothing(index: Index) -> None:
    candidates = scored(index, query("من هو", ROME))

    assert of(candidates, "covered_sentence", MEETING) == 0
    assert of(candidates, "covered_passage", MEETING) == 0


def test_names_count_apart(index: Index) -> None:
    named = scored(index, query("روما", ROME, term(("روما", 1.0), is_name=True)))
    nameless = scored(index, query("أسعار", ROME, term(("أسعار", 1.0))))

    assert of(named, "names_sentence", MEETING) > of(named, "names_sentence", PRICES)
    assert of(nameless, "names_sentence", MEETING) == of(nameless, "names_sentence", PRICES)


def test_the_kind_of_thing_asked_for_is_there_or_not(index: Index) -> None:
    numbers = scored(index, query("كم عدد وزراء اجتماع روما؟", ROME, answer_type="number"))
    anything = scored(index, query("ما اجتماع روما؟", ROME))

    assert (of(numbers, "kind", MEETING), of(numbers, "kind", PRICES)) == (1, -1)
    assert (of(anything, "kind", MEETING), of(anything, "kind", PRICES)) == (0, 0)


def test_a_number_near_the_questions_words_fits_better() -> None:
    near = "حضر 83 وزيرا اجتماع روما."
    padding = "بعد محادثات طويلة حول قضايا أخرى لا صلة لها بما يسأل عنه القارئ هنا وهناك"
    far = f"انعقد لقاء روما مع وزيرا {padding} و 12 كتابا."
    index = index_of_rows(Row(near, ROME), Row(far, ROME), Row("كلام", unit(0, 1)))

    candidates = scored(index, query("كم وزيرا حضر روما؟", ROME, answer_type="number"))

    assert of(candidates, "kind_fit", near) > of(candidates, "kind_fit", far)


def test_a_number_that_the_question_names_is_not_its_answer(index: Index) -> None:
    asked = scored(index, query("كم بقي من 83 وزيرا؟", ROME, answer_type="number"))
    other = scored(index, query("كم بقي من وزيرا؟", ROME, answer_type="number"))

    assert of(asked, "kind_fit", MEETING) < of(other, "kind_fit", MEETING)


def test_the_hits_score_is_counted_from_the_best(index: Index) -> None:
    column = scored(index, query("اجتماع روما", ROME)).feature("hit")

    assert column.max() == 0
    assert column.min() < 0


def evidence(index: Index, question: Query) -> dict[str, float]:
    candidates = scored(index, question)
    values = confidence_features(question, candidates, candidates.feature("dense_sentence"), [0.0])
    assert values.shape == (len(CONFIDENCE_FEATURES),)
    assert np.isfinite(values).all()
    return dict(zip(CONFIDENCE_FEATURES, values.tolist(), strict=True))


def test_evidence_is_that_of_the_best_sentence(index: Index) -> None:
    found = evidence(index, query("اجتماع روما", ROME))

    assert found["dense_sentence"] == pytest.approx(0.8)
    assert found["best_dense"] == pytest.approx(0.8)
    assert found["unfound"] == 0
    assert found["numbers"] == 0
    assert found["across"] == 0


def test_what_the_passage_lacks_tells_against_it(index: Index) -> None:
    assert evidence(index, query("اجتماع روما قمر", ROME))["unfound"] == pytest.approx(1)
    assert evidence(index, query("اجتماع 1999", ROME, term(("اجتماع", 1)), term(("1999", 1))))["numbers"] == -1
    assert evidence(index, query("اجتماع 83", ROME, term(("اجتماع", 1)), term(("83", 1))))["numbers"] == 0
    assert evidence(index, query("Rome meeting", ROME))["across"] == 1


@pytest.mark.parametrize("text", ["؟", "من هو", "😀 روما"])
def test_evidence_is_finite_for_poor_questions(index: Index, text: str) -> None:
    assert evidence(index, query(text, ROME))


def test_word_vectors_may_be_missing(index: Index) -> None:
    [tokens] = TopicEmbedder().embed_queries([""]).tokens
    question = query("روما", ROME)
    empty = Query(
        text="روما",
        language="ar",
        vector=question.vector,
        tokens=type(tokens)(vectors=np.zeros((0, 2), dtype=np.float32), spans=()),
        terms=question.terms,
        answer_type="other",
    )

    assert np.isfinite(scored(index, empty).features).all()


def test_scoring_is_the_same_twice(index: Index) -> None:
    question = query("كم عدد وزراء اجتماع روما؟", ROME, answer_type="number")

    assert scored(index, question).features.tolist() == scored(index, question).features.tolist()
    assert isinstance(scored(index, question).hits[0], Hit)
