import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from rag.config import Settings
from rag.datatypes import Answer, Language, Question
from rag.errors import UsageError
from rag.pipeline import Pipeline
from rag.present.json import answer_to_json
from rag.present.strings import strings
from tests.conftest import TopicEmbedder

FOUNDING_AR, FOUNDING_EN = (
    "متى تشكل التحالف الدولي ضد داعش؟",
    "When was the international coalition against Daesh formed?",
)
NATO_AR, NATO_EN = "من هو الأمين العام لحلف الناتو؟", "Who is the secretary general of NATO?"
CAKE_AR, CAKE_EN = "كيف أطبخ الكبسة؟", "What is the recipe for chocolate cake?"

ANSWERED = (
    (FOUNDING_AR, "001", "أغسطس عام 2014"),
    (FOUNDING_EN, "001", "أغسطس عام 2014"),
    (NATO_AR, "001", "ينس ستولتنبرغ"),
    (NATO_EN, "001", "ينس ستولتنبرغ"),
    ("كم بلغ إجمالي المساهمات الأوروبية في إطار عمل التحالف منذ 2017؟", "003", "400 مليون دولار"),
    ("How much did European contributions total since 2017?", "003", "400 مليون دولار"),
    ("لماذا تأجلت مراجعة استراتيجية الأمم المتحدة لمكافحة الإرهاب عام 2020؟", "002", "جائحة كورونا"),
    ("Why was the review of the UN counter-terrorism strategy postponed in 2020?", "002", "جائحة كورونا"),
    ("ماذا أقر البرلمان العراقي بعد اغتيال قاسم سليماني؟", "001", "طرد القوات العسكرية الأجنبية"),
    ("في أي مدينة عقد أول اجتماع على مستوى كبار مسؤولي الأمن القومي؟", "004", "زافيدوفا"),
)
"""Questions with the article that answers them and words of the sentence that does."""

REFUSED = (
    CAKE_AR,
    CAKE_EN,
    "ما عاصمة أستراليا؟",
    "Who won the 2018 football World Cup?",
    "كم سعر الذهب اليوم في القاهرة؟",
    "How do I repair a bicycle tyre?",
)

ODD = (
    "ا",
    "?!؟ a",
    "😀 روما 😀",
    "\x00\x07روما\x1b[31m",
    "روما\r\n\tالناتو\u2028",
    "\u202eروما\u202c\ufeff",
    "<script>alert('روما')</script>",
    "<b>Who</b> is & <i>where</i>?",
    "Qui est le secrétaire général de l'OTAN ?",
    "北约秘书长是谁？",
    "Кто генеральный секретарь НАТО?",
    "{articles} {0} %s \\n $1 [1] [2]",
    "'; DROP TABLE passages; --",
    "روما " * 399,
    "ﺭﻭﻣﺎ ﻓﻲ ﺣﺰﻳﺮﺍﻥ",
    "١٢٣٤٥٦٧٨٩٠",
    "a\u0301" * 300,
)


@pytest.fixture(scope="module")
def pipeline(seeds_pipeline: Pipeline) -> Pipeline:
    return seeds_pipeline


def ask(pipeline: Pipeline, text: str, *history: str, language: Language | None = None) -> Answer:
    answer = pipeline.ask(Question(text=text, history=history, language=language))
    check(answer, pipeline)
    return answer


def check(answer: Answer, pipeline: Pipeline) -> None:
    """What the contract promises of every answer."""
    assert 0 <= answer.confidence <= 1
    assert [hit.rank for hit in answer.hits] == list(range(1, len(answer.hits) + 1))
    assert len({hit.passage.id for hit in answer.hits}) == len(answer.hits) > 0
    assert min(asdict(answer.timings).values()) >= 0
    if answer.status == "no_evidence":
        assert answer.citations == ()
        assert not re.search(r"\[\d+\]", answer.text)
    else:
        assert 1 <= len(answer.citations) <= 5
        assert [citation.marker for citation in answer.citations] == list(range(1, len(answer.citations) + 1))
        assert re.findall(r"\[(\d+)\]", answer.text) == [str(citation.marker) for citation in answer.citations]
    for citation in answer.citations:
        article = pipeline.articles[citation.article_id]
        assert article.text[citation.start : citation.end] == citation.quote
        assert f"{citation.quote} [{citation.marker}]" in answer.text
        if span := citation.answer_span:
            assert citation.start <= span.start < span.end <= citation.end
            assert article.text[span.start : span.end] == span.text
    folded = [" ".join(citation.quote.split()) for citation in answer.citations]
    assert len(set(folded)) == len(folded)


def shown(answer: Answer, pipeline: Pipeline) -> dict[str, Any]:
    """The answer as JSON, as another program reads it, without what a clock says."""
    written = json.dumps(answer_to_json(answer, pipeline.articles), ensure_ascii=False).encode()
    table: dict[str, Any] = json.loads(written)
    del table["timings_ms"]
    return table


@pytest.mark.parametrize(("question", "article", "words"), ANSWERED)
def test_questions_about_the_articles_are_answered(pipeline: Pipeline, question: str, article: str, words: str) -> None:
    answer = ask(pipeline, question)

    assert answer.status == "answered"
    assert any(citation.article_id.startswith(article) and words in citation.quote for citation in answer.citations[:3])


@pytest.mark.parametrize("question", [FOUNDING_AR, FOUNDING_EN])
def test_the_answers_own_words_are_marked(pipeline: Pipeline, question: str) -> None:
    span = ask(pipeline, question).citations[0].answer_span

    assert span is not None
    assert "2014" in span.text


@pytest.mark.parametrize("question", REFUSED)
def test_questions_about_other_things_are_refused(pipeline: Pipeline, question: str) -> None:
    answer = ask(pipeline, question)

    assert answer.status == "no_evidence"
    assert len(answer.hits) >= 3


def test_the_frame_follows_the_question_and_the_quotes_their_articles(pipeline: Pipeline) -> None:
    for question, language in ((NATO_AR, "ar"), (NATO_EN, "en")):
        answer = ask(pipeline, question)
        frame = strings(language)["answer.frame"].split("{")[0]
        assert answer.question_language == language
        assert answer.text.startswith(frame)
        assert all(citation.language == "ar" for citation in answer.citations)
    for question, language in ((CAKE_AR, "ar"), (CAKE_EN, "en")):
        answer = ask(pipeline, question)
        assert answer.text.startswith(strings(language)["answer.refusal"])


def test_the_frame_may_be_in_another_language_than_the_question(pipeline: Pipeline) -> None:
    answer = ask(pipeline, NATO_AR, language="en")

    assert answer.question_language == "ar"
    assert answer.text.startswith(strings("en")["answer.frame"].split("{")[0])
    assert ask(pipeline, CAKE_EN, language="ar").text.startswith(strings("ar")["answer.refusal"])


def test_question_and_id_are_given_back(pipeline: Pipeline) -> None:
    answer = pipeline.ask(Question(text=NATO_AR, id="س-7"))

    assert (answer.id, answer.question, answer.standalone_question) == ("س-7", NATO_AR, NATO_AR)


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "؟!…", "😀😀", "\x00\x01", "\u200f\u202b"])
@pytest.mark.parametrize("history", [(), (NATO_AR,)])
def test_a_question_without_a_word_is_refused_even_after_another(
    pipeline: Pipeline, text: str, history: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError):
        pipeline.ask(Question(text=text, history=history))


def test_a_question_that_is_too_long_is_refused_with_the_limit(pipeline: Pipeline) -> None:
    with pytest.raises(UsageError, match=r"100,000 characters.*2,000"):
        pipeline.ask(Question(text="روما " * 20_000))


@pytest.mark.parametrize("text", ODD)
def test_odd_questions_get_an_answer_of_the_contract(pipeline: Pipeline, text: str) -> None:
    answer = ask(pipeline, text)

    assert answer.question == text
    assert shown(answer, pipeline)["question"] == text


@pytest.mark.parametrize("text", ["Qui a gagné la Coupe du monde de football ?", "怎么做蛋糕？", "Как испечь торт?"])
def test_what_no_article_says_is_refused_in_every_language(pipeline: Pipeline, text: str) -> None:
    answer = ask(pipeline, text)

    assert answer.status == "no_evidence"
    assert answer.text.startswith(strings("en")["answer.refusal"])


def test_markup_in_a_question_stays_out_of_the_answer(pipeline: Pipeline) -> None:
    assert "<script>" not in ask(pipeline, f"<script>alert(1)</script> {NATO_AR}").text


def test_halves_of_surrogate_pairs_do_not_reach_the_answer(pipeline: Pipeline) -> None:
    answer = ask(pipeline, "\ud83d روما", "\udc00 قبل", "وماذا عن \ud83d روما")

    assert answer.question == "\ufffd روما"
    assert shown(answer, pipeline)


def test_a_follow_up_is_read_with_the_question_before(pipeline: Pipeline) -> None:
    answer = ask(pipeline, "ومتى؟", "كيف أطبخ الكبسة؟", "تشكل التحالف الدولي ضد داعش")

    assert answer.question == "ومتى؟"
    assert answer.standalone_question == "تشكل التحالف الدولي ضد داعش ومتى؟"
    assert answer.status == "answered"
    assert any(citation.answer_span and "2014" in citation.answer_span.text for citation in answer.citations)


def test_a_follow_up_asks_for_its_own_kind_of_answer(pipeline: Pipeline) -> None:
    spans = [
        citation.answer_span.text
        for citation in ask(pipeline, "ومتى تشكل؟", "كم عدد أعضاء التحالف الدولي ضد داعش؟").citations
        if citation.answer_span
    ]

    assert any("2014" in span for span in spans)
    assert "83" not in spans


def test_a_follow_up_to_a_long_question_is_not_too_long(pipeline: Pipeline) -> None:
    answer = ask(pipeline, "ولماذا؟", "روما " * 399)

    assert answer.standalone_question == "ولماذا؟"


def test_a_batch_gives_what_asking_one_by_one_gives(pipeline: Pipeline) -> None:
    questions = [Question(text=text, id=str(n)) for n, text in enumerate((NATO_AR, CAKE_EN, FOUNDING_EN, "روما"))]

    together = pipeline.ask_batch(questions)

    assert [answer.id for answer in together] == ["0", "1", "2", "3"]
    for question, answer in zip(questions, together, strict=True):
        alone = pipeline.ask(question)
        assert (answer.status, answer.text) == (alone.status, alone.text)
        assert [c.start for c in answer.citations] == [c.start for c in alone.citations]
        assert [hit.passage.id for hit in answer.hits] == [hit.passage.id for hit in alone.hits]
        assert answer.confidence == pytest.approx(alone.confidence, abs=1e-3)
    assert pipeline.ask_batch([]) == []


def test_the_same_question_gets_the_same_answer(pipeline: Pipeline) -> None:
    first, second = (shown(ask(pipeline, FOUNDING_EN), pipeline) for _ in range(2))

    assert first == second


def test_threads_that_ask_at_once_get_their_own_answers(pipeline: Pipeline) -> None:
    texts = [NATO_AR, NATO_EN, FOUNDING_AR, CAKE_AR, "روما"] * 4
    expected = {text: shown(pipeline.ask(Question(text=text)), pipeline) for text in texts}

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda text: pipeline.ask(Question(text=text)), texts))

    assert [shown(answer, pipeline) for answer in answers] == [expected[text] for text in texts]


def test_search_gives_passages_without_judging_them(pipeline: Pipeline) -> None:
    hits = pipeline.search(FOUNDING_EN, 3)

    assert len(hits) == 3
    assert any("أغسطس عام 2014" in hit.passage.text for hit in hits)
    assert len(pipeline.search(CAKE_EN, 5)) == 5
    with pytest.raises(UsageError):
        pipeline.search(" ", 3)


def test_settings_say_how_many_hits(pipeline: Pipeline, seeds_settings: Settings) -> None:
    assert len(ask(pipeline, NATO_AR).hits) == seeds_settings.k


def test_neither_titles_nor_boilerplate_are_cited(pipeline: Pipeline) -> None:
    furniture = ("ربما يعجبك أيضا", "رؤية ـ جاسم محمد", "قراءة مستقبلية", "مساعد باحث بمركز البحرين")
    for question in ("من هو جاسم محمد؟", "ما هي رؤية جاسم محمد؟", "ربما يعجبك أيضا", "قراءة مستقبلية للتحالف"):
        answer = ask(pipeline, question)
        assert not [c.quote for c in answer.citations if any(words in c.quote for words in furniture[:3])]
        assert not [hit for hit in answer.hits if hit.passage.text.strip() in furniture]


def test_the_doubled_half_of_an_article_gives_no_sentence_twice(pipeline: Pipeline) -> None:
    hits = pipeline.search("ما الغرض الأساسي لمعظم التحالفات الآن؟", 20)
    sentences = [" ".join(s.text.split()) for hit in hits for s in hit.passage.sentences]

    assert len(sentences) == len(set(sentences))


def test_a_pipeline_opens_over_a_folder_and_builds_what_is_missing(settings: Settings) -> None:
    log: list[str] = []
    embedder = TopicEmbedder()

    built = Pipeline.open(settings, embedder=embedder, log=log.append)
    assert any("building" in line for line in log)
    count = len(embedder.embedded)
    opened = Pipeline.open(settings, embedder=embedder, log=log.append)

    assert len(embedder.embedded) == count
    assert list(opened.articles) == list(built.articles)
    assert opened.search("النفط", 1)[0].passage.article_id == "oil"


def test_a_batch_is_embedded_at_once(settings: Settings) -> None:
    embedder = TopicEmbedder()
    pipeline = Pipeline.open(settings, embedder=embedder, log=lambda _: None)
    embedder.embedded.clear()

    pipeline.ask_batch([Question(text="النفط"), Question(text="روما")])

    assert embedder.embedded == ["النفط", "روما"]


@pytest.mark.parametrize("leg", ["dense", "lexical", "late", "lexicon", "balance"])
def test_each_part_of_the_retrieval_can_be_switched_off(settings: Settings, leg: str) -> None:
    switches: dict[str, Any] = {leg: False}
    pipeline = Pipeline.open(replace(settings, **switches), embedder=TopicEmbedder(), log=lambda _: None)

    assert pipeline.search("النفط", 3)[0].passage.article_id == "oil"


def test_markup_in_an_article_is_quoted_as_it_stands(tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    text = "<b>روما</b> تستضيف <script>alert(1)</script> اجتماع الوزراء."
    (folder / "a.txt").write_text(f"عنوان\n\n{text}\n", encoding="utf-8")
    settings = Settings(index_dir=tmp_path / "index", paths=(folder,))

    pipeline = Pipeline.open(settings, embedder=TopicEmbedder(), log=lambda _: None)

    assert pipeline.search("روما", 1)[0].passage.text == text


def test_who_somebody_is_asks_for_no_other_name(pipeline: Pipeline) -> None:
    answer = pipeline.ask(Question(text="من هو بسام صقر؟"))

    assert answer.status == "answered"
    assert "ممثل مجلس سوريا الديمقراطية" in answer.citations[0].quote
    assert all(citation.answer_span is None for citation in answer.citations)
