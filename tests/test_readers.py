from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from rag.build import Index
from rag.calibration import Calibration, LinearModel
from rag.confidence import CONFIDENCE_FEATURES
from rag.datatypes import AnswerType, Citation, Hit
from rag.lexicon import Lexicon
from rag.protocols import Query, Reading
from rag.readers import ExtractiveReader
from rag.retrieval import HybridRetriever
from rag.scoring import FEATURES, SentenceScorer
from tests.conftest import TopicEmbedder
from tests.small import index_of_files, query

LEXICON = Lexicon.open()
ROME = (1.0, 0.0, 0.0, 0.0)
"""What the fake embedder makes of any text about Rome and nothing else it knows."""


def weighing(features: tuple[str, ...], **weights: float) -> LinearModel:
    return LinearModel(features=features, weights=np.array([weights.get(name, 0.0) for name in features]))


class Reader:
    """A reader over a few files that ranks sentences by nothing but their vector."""

    def __init__(self, folder: Path, files: Mapping[str, str], weight: float = 100, confidence: float = 0) -> None:
        self.index, _ = index_of_files(folder, files, TopicEmbedder())
        calibration = Calibration(
            ranking=weighing(FEATURES, dense_sentence=weight),
            confidence=weighing(CONFIDENCE_FEATURES, best_dense=confidence),
            threshold=0.5,
            strong=0.9,
            embedder="topics",
        )
        scorer = SentenceScorer(self.index.store, self.index.lexical, self.index.words, LEXICON)
        self._reader = ExtractiveReader(self.index.store.articles, scorer, LEXICON, calibration)

    def hits(self, question: Query) -> list[Hit]:
        return HybridRetriever(self.index.store, self.index.lexical, self.index.words).search([question], 10)[0]

    def read(self, text: str, answer_type: AnswerType = "other") -> Reading:
        question = query(text, ROME, answer_type=answer_type)
        reading = self._reader.read(question, self.hits(question))
        check(reading.citations, self.index)
        return reading

    def read_none(self, text: str) -> Reading:
        return self._reader.read(query(text, ROME), [])


def check(citations: tuple[Citation, ...], index: Index) -> None:
    """What holds of every reading that had hits."""
    assert 1 <= len(citations) <= 5
    assert [citation.marker for citation in citations] == list(range(1, len(citations) + 1))
    assert [citation.score for citation in citations] == sorted((c.score for c in citations), reverse=True)
    for citation in citations:
        article = index.store.articles[citation.article_id]
        assert article.text[citation.start : citation.end] == citation.quote
        assert (citation.source, citation.title, citation.date) == (article.source, article.title, article.date)
        if span := citation.answer_span:
            assert citation.start <= span.start < span.end <= citation.end
            assert article.text[span.start : span.end] == span.text
    for one in citations:
        others = [other for other in citations if other is not one and other.article_id == one.article_id]
        assert all(one.end <= other.start or other.end <= one.start for other in others)


TWO = {
    "rome.txt": "اجتماع\n\nعقد الوزراء اجتماعهم في روما. ارتفع سعر النفط كثيرا.\n",
    "other.txt": "كلام\n\nلعب الفريق مباراة جيدة. فاز الفريق بالكأس.\n",
}


def test_the_sentence_that_answers_is_quoted_and_what_does_not_is_left_out(tmp_path: Path) -> None:
    reading = Reader(tmp_path, TWO).read("روما")

    assert [citation.quote for citation in reading.citations] == ["عقد الوزراء اجتماعهم في روما."]
    assert reading.citations[0].source == "rome.txt"
    assert reading.citations[0].title == "اجتماع"
    assert reading.citations[0].language == "ar"


def test_no_hits_give_no_citations_and_no_confidence(tmp_path: Path) -> None:
    assert Reader(tmp_path, TWO).read_none("روما") == Reading(citations=(), confidence=0.0)


def test_confidence_is_that_of_the_fitted_model(tmp_path: Path) -> None:
    # The best sentence's cosine is 1, so the log odds are 2.
    assert Reader(tmp_path, TWO, confidence=2).read("روما").confidence == pytest.approx(1 / (1 + np.exp(-2)))


def test_five_quotes_at_most_and_none_twice(tmp_path: Path) -> None:
    sentences = " ".join(f"قال المندوب رقم {n} إن روما بعيدة." for n in range(10, 22))

    reading = Reader(tmp_path, {"many.txt": f"عنوان\n\n{sentences}\n"}).read("روما")

    assert len(reading.citations) == 5
    assert len({citation.quote for citation in reading.citations}) == 5


def test_a_sentence_that_two_articles_share_is_cited_once(tmp_path: Path) -> None:
    files = {
        "a.txt": "أول\n\nعُقد الاجتماع في روما اليوم. هذا كلام أول.\n",
        "b.txt": "ثان\n\nعقد الإجتماع في رومـا اليوم. وهذا كلام ثان.\n",
    }

    [citation] = Reader(tmp_path, files).read("روما").citations

    assert citation.source == "a.txt"


LIST = """عنوان

وفضل المبعوث هذا الدور على غيره للأسباب التالية:
ـ أثبت اجتماع روما نجاحه خلال الشهر.
ـ التحالف أكثر مرونة من غيره اليوم.
ـ القوات مستعدة للعمل في الميدان.

وانتهى كلام المبعوث عند هذا الحد.
"""


def test_an_item_of_a_list_brings_the_sentence_that_announces_it(tmp_path: Path) -> None:
    [citation] = Reader(tmp_path, {"list.txt": LIST}).read("روما").citations

    assert citation.quote.startswith("وفضل المبعوث")
    assert citation.quote.endswith("أثبت اجتماع روما نجاحه خلال الشهر.")


def test_a_sentence_that_announces_a_list_brings_the_items(tmp_path: Path) -> None:
    text = LIST.replace("اجتماع روما", "الاجتماع").replace("هذا الدور", "دور روما")

    [citation] = Reader(tmp_path, {"list.txt": text}).read("روما").citations

    assert citation.quote.startswith("وفضل المبعوث دور روما")
    assert "في الميدان." in citation.quote


def test_a_plain_sentence_is_quoted_without_its_neighbours(tmp_path: Path) -> None:
    text = LIST.replace("اجتماع روما", "الاجتماع").replace("عند هذا الحد", "في روما")

    [citation] = Reader(tmp_path, {"list.txt": text}).read("روما").citations

    assert citation.quote == "وانتهى كلام المبعوث في روما."


@pytest.mark.parametrize(
    ("question", "kind", "answer"),
    [
        ("كم وزيرا حضر اجتماع روما؟", "number", "83"),
        ("متى انعقد اجتماع روما؟", "date", "28 يونيو 2021"),
        ("من قال ذلك في روما؟", "person", "أنتوني بلينكن"),
        ("من أي بلد جاء وفد روما؟", "place", "العراق"),
        ("ماذا حدث في روما؟", "other", None),
        ("لماذا انعقد اجتماع روما؟", "reason", None),
    ],
)
def test_the_few_words_that_answer_are_marked(
    tmp_path: Path, question: str, kind: AnswerType, answer: str | None
) -> None:
    text = "حضر 83 وزيرا من العراق اجتماع روما يوم 28 يونيو 2021 وقال أنتوني بلينكن إنه ناجح."

    [citation] = Reader(tmp_path, {"rome.txt": f"عنوان\n\n{text}\n"}).read(question, kind).citations

    assert (citation.answer_span.text if citation.answer_span else None) == answer


def test_what_the_question_names_is_not_its_answer(tmp_path: Path) -> None:
    text = "حضر 83 وزيرا اجتماع روما وغادر 12 منهم."

    [citation] = Reader(tmp_path, {"rome.txt": f"عنوان\n\n{text}\n"}).read("كم غادر من 83 وزيرا؟", "number").citations

    assert citation.answer_span is not None
    assert citation.answer_span.text == "12"


def test_the_span_nearest_to_the_questions_words_is_marked(tmp_path: Path) -> None:
    text = "اشترت روما في العام نفسه 40 سفينة حربية كبيرة بعد نقاش طويل و 90 طائرة."
    reader = Reader(tmp_path, {"rome.txt": f"عنوان\n\n{text}\n"})

    found = [reader.read(question, "number").citations[0].answer_span for question in ("كم سفينة؟", "كم طائرة؟")]

    assert [span.text for span in found if span] == ["40", "90"]
