"""What is odd in the five articles, one test each, on the articles themselves."""

import re
from collections import Counter

import pytest

from rag.articles import load_articles
from rag.chunking import chunk_article
from rag.datatypes import Question
from rag.lexicon import Lexicon
from rag.pipeline import Pipeline
from rag.text import fold, terms
from tests.conftest import SEEDS

LEXICON = Lexicon.open()
ARTICLES = {article.id[:3]: article for article in load_articles([SEEDS])}
PASSAGES = {key: chunk_article(article) for key, article in ARTICLES.items()}
SENTENCES = {
    key: [sentence.text for passage in passages for sentence in passage.sentences] for key, passages in PASSAGES.items()
}


def sentence_with(key: str, words: str) -> str:
    """The one sentence of an article that has these words."""
    (found,) = (sentence for sentence in SENTENCES[key] if words in sentence)
    return found


def lines(key: str) -> list[str]:
    return ARTICLES[key].text.split("\n")


class TestDoubledHalf:
    """1. Lines 9-15 of 000 repeat lines 2-8."""

    def test_no_sentence_is_in_two_passages(self) -> None:
        assert lines("000")[1:8] == lines("000")[8:15]

        assert max(Counter(SENTENCES["000"]).values()) == 1
        assert max(passage.end for passage in PASSAGES["000"]) <= len("\n".join(lines("000")[:8]))
        assert all(sentence in "\n".join(lines("000")[:8]) for sentence in SENTENCES["000"])

    @pytest.mark.parametrize(
        "question",
        [
            "كم عدد المواطنين الذين نجوا من تنظيم داعش؟",
            "ما هو الغرض الأساسي لمعظم التحالفات؟",
            "Who organised the MEMAC 2017 conference?",
        ],
    )
    def test_no_sentence_is_found_or_cited_twice(self, seeds_pipeline: Pipeline, question: str) -> None:
        answer = seeds_pipeline.ask(Question(text=question))
        hit_sentences = [sentence.text for hit in answer.hits for sentence in hit.passage.sentences]

        assert "000" in {hit.passage.article_id[:3] for hit in answer.hits}
        assert max(Counter(hit_sentences).values()) == 1
        assert len({citation.quote for citation in answer.citations}) == len(answer.citations)

    def test_the_authors_footnote_names_nobody(self) -> None:
        assert lines("000")[7] == lines("000")[14] == f"* {SENTENCES['000'][-1]}"
        assert ARTICLES["000"].author is None


def test_2_titles_are_stated_ones_or_first_words() -> None:
    for key in ("001", "002"):
        assert ARTICLES[key].title == lines(key)[0]
    for key, beginning in (("000", "يمثل نجاح"), ("003", 'حقق "التحالف"'), ("004", "دشّنت كل")):
        assert ARTICLES[key].title.startswith(beginning)
        assert ARTICLES[key].title.endswith("…")
        assert ARTICLES[key].author is None
    assert ARTICLES["004"].text.startswith("الوقت- ")
    assert SENTENCES["004"][0].startswith("دشّنت كل منّ روسيا")


@pytest.mark.parametrize("key", ["001", "002"])
@pytest.mark.parametrize("furniture", ["جاسم محمد", "رؤية ـ", "ربما يعجبك أيضا", "{title}"])
def test_3_boilerplate_bylines_and_titles_are_in_no_passage_and_no_heading(key: str, furniture: str) -> None:
    furniture = furniture.format(title=ARTICLES[key].title)
    assert furniture in ARTICLES[key].text

    for passage in PASSAGES[key]:
        assert furniture not in passage.text
        assert furniture not in passage.heading
    assert fold("ربما يعجبك") not in fold(ARTICLES[key].title)


@pytest.mark.parametrize(
    ("key", "count", "quote", "question"),
    [
        ("001", 28, "لهزيمة داعش\u00a0 يوم\u00a0 30 مارس 2021", "متى اجتمع الوزراء لهزيمة داعش يوم 30 مارس؟"),
        ("002", 13, "قرار مجلس الأمن\u00a0ذي\u00a0الرقم 1373", "ما هو قرار مجلس الأمن ذي الرقم 1373؟"),
    ],
)
def test_4_no_break_spaces_stay_in_quotes_and_do_not_hinder_matching(
    key: str, count: int, quote: str, question: str
) -> None:
    assert ARTICLES[key].text.count("\u00a0") == count

    sentence = sentence_with(key, quote)

    assert set(terms(quote)) <= set(terms(sentence))
    assert set(terms(quote.replace("\u00a0", " "))) == set(terms(quote))
    assert len(set(terms(question)) & set(terms(sentence))) >= 4
    assert not any(sentence[0] == "\u00a0" or sentence[-1] == "\u00a0" for sentence in SENTENCES[key])


@pytest.mark.parametrize(
    ("key", "quote", "plain"),
    [
        ("000", "المتغيـرات", "المتغيرات"),
        ("000", "الدولي الـ 79", "الدولي ال 79"),
        ("001", "لـداعش", "لداعش"),
        ("001", "الدولي الـ 83", "الدولي ال 83"),
        ("003", "الأعضاء الـ 81", "الأعضاء ال 81"),
        ("002", "وقت سابق ـ مايو 2021", "وقت سابق مايو 2021"),
    ],
)
def test_5_tatweel_stays_in_quotes_and_does_not_hinder_matching(key: str, quote: str, plain: str) -> None:
    assert terms(quote) == terms(plain)
    assert set(terms(plain)) <= set(terms(sentence_with(key, quote)))


def test_5_tatweel_as_a_bullet_is_no_part_of_a_quote() -> None:
    assert "ـ أثبت التحالف نجاحه" in ARTICLES["001"].text
    assert sentence_with("001", "أثبت التحالف نجاحه").startswith("أثبت")
    assert not [sentence for found in SENTENCES.values() for sentence in found if sentence.startswith("ـ")]


@pytest.mark.parametrize(
    ("key", "sentence_end", "next_start"),
    [
        ("000", "مواطن من تنظيم «داعش».", "وهناك دعامات أساسية"),
        ("001", "بالهزيمة الدائمة لداعش”.", "“لعدة سنوات حتى الآن"),
        ("001", "تحت السيطرة الآن “.", "الشراكة مع الأكراد"),
        ("001", "مع مهمة الناتو في العراق.”", "يقول المبعوث السابق"),
        ("003", 'اللازم لشركائنا في الميدان".', "ويرى كاتبا المقال"),
        ("004", 'تحركات فلول الإرهابيين".', "وقد خرج المجتمعون"),
    ],
)
def test_6_quotation_marks_stay_with_their_sentence(key: str, sentence_end: str, next_start: str) -> None:
    number = SENTENCES[key].index(sentence_with(key, sentence_end))

    assert SENTENCES[key][number].endswith(sentence_end)
    assert SENTENCES[key][number + 1].startswith(next_start)


def test_6_a_word_is_matched_in_any_quotation_marks() -> None:
    assert terms("«داعش»") == terms("“داعش”") == terms('"داعش"') == terms("داعش")


def test_7_headings_and_list_marks() -> None:
    assert list(dict.fromkeys(passage.heading for passage in PASSAGES["003"])) == [
        "",
        "جهود غير عسكرية",
        "خارطة جديدة",
        "1- التعامل مع خارطة سوريا الجديدة",
        '2-التعامل مع معتقلي "داعش"',
        "3- اختبار للقيادة الأميركية",
    ]
    assert {passage.heading for passage in PASSAGES["004"]} == {"", "نتائج الاجتماع"}
    assert "جهود غير عسكرية" not in SENTENCES["003"]
    assert '2-التعامل مع معتقلي "داعش"' in SENTENCES["003"]
    assert sentence_with("004", "أوّلاً:").startswith("أوّلاً: رغم أهمّية العمليات")
    assert sentence_with("002", "عوامل تطرف جديدة :").startswith("عوامل تطرف جديدة : لقد تغيرت")


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("001", "يلتزم أعضاء التحالف الدولي الـ 83 بمواجهة تنظيم داعش"),
        ("002", "وطالب بلينكن الدول التي انضم مواطنيها إلى داعش بإعادة توطينهم وتأهيلهم.."),
        ("002", "محاربة الدعاية المتطرفة عبر الإنترنيت"),
        ("001", "إذا كان الجيش الأمريكي ؟"),
        ("002", "أكد الوزراء مجددًا على أهمية الحفاظ"),
    ],
)
def test_8_a_sentence_begins_after_a_slip_of_spacing(key: str, sentence: str) -> None:
    assert sentence_with(key, sentence).startswith(sentence)


@pytest.mark.parametrize(
    ("key", "words", "beginning", "end"),
    [
        ("000", "7.7 مليون", "ونجح التحالف في تدمير", "من تنظيم «داعش»."),
        ("000", "الأمن العالمي .", "ويتمثل الغرض", "الأمن العالمي ."),
        ("001", "جيمس. جيفري", "ويعتقد جيمس. جيفري رئيس", "ديسمبر 2020 :"),
        ("001", "هوارد ج. شاتز ، رافايل س. كوهين", "وترى دراسة أخرى", "تضمنت :"),
        ("002", "10.000 من مقاتلي", "وذكرت تقارير أمريكية", "لقضايا أمنية كبيرة."),
        ("004", "الأربع(روسيا", "وأقل من سنة", "والعراق)."),
        ("004", "system ofsystems(sos)", "سادساً: من الناحية", "system ofsystems(sos)."),
    ],
)
def test_8_a_stop_or_slip_within_a_sentence_does_not_end_it(key: str, words: str, beginning: str, end: str) -> None:
    sentence = sentence_with(key, words)

    assert sentence.startswith(beginning)
    assert sentence.endswith(end)


@pytest.mark.parametrize(
    ("key", "end", "following"),
    [
        ("000", "بل أصبحت ضرورية للدول القوية والضعيفة", "ويتمثل الغرض الأساسي"),
        ("003", "ولهذا السبب لا يزال للتحالف دور مهم يلعبه", "ونتيجة لما سبق"),
    ],
)
def test_9_a_sentence_without_its_full_stop_ends_with_its_line(key: str, end: str, following: str) -> None:
    number = SENTENCES[key].index(sentence_with(key, end))

    assert SENTENCES[key][number].endswith(end)
    assert SENTENCES[key][number + 1].startswith(following)


@pytest.mark.parametrize(
    ("quote", "plain"),
    [
        ("دشّنت كل منّ روسيا", "دشنت كل من روسيا"),
        ("تنطلق أهميّة الاجتماع", "تنطلق اهمية الاجتماع"),
        ("اكّد المندوب الإيراني شمخاني", "أكد المندوب الايراني شمخاني"),
        ("بعد شهر تقريباً", "بعد شهر تقريبًا"),
        ("يتضمّن رؤية أمنية", "يتضمن رؤيه امنيه"),
    ],
)
def test_10_diacritics_stay_in_quotes_and_do_not_hinder_matching(quote: str, plain: str) -> None:
    assert set(terms(plain)) <= set(terms(sentence_with("004", quote)))


@pytest.mark.parametrize(
    "variants",
    [
        ("آستانا", "استانا"),
        ("إيران", "ايران"),
        ("الأجتماع", "الاجتماع"),
        ("10.000", "10,000"),
        ("مجددًا", "مجدداً"),
    ],
)
def test_11_spellings_are_one_term(variants: tuple[str, str]) -> None:
    first, second = variants

    assert terms(first) == terms(second)


@pytest.mark.parametrize(
    ("said", "other"),
    [
        ("الأمريكية", "الأميركية"),
        ("الأميركية", "الأمريكية"),
        ("حزيران", "يونيو"),
        ("عشرة آلاف", "10.000"),
        ("Daesh", "داعش"),
        ("ISIS", "داعش"),
        ("ISIL", "داعش"),
        ("Islamic State", "داعش"),
        ("قسد", "قوات سوريا الديمقراطية"),
        ("SDF", "قوات سوريا الديمقراطية"),
    ],
)
def test_11_other_names_of_one_thing_are_in_the_lexicon(said: str, other: str) -> None:
    words = terms(said)
    (match,) = (match for match in LEXICON.lookup(words) if match.length == len(words))

    assert tuple(terms(other)) in {alternative.terms for alternative in match.alternatives}


@pytest.mark.parametrize(
    ("question", "answered_in", "words"),
    [
        ("كم يبلغ عدد المعتقلين لدى قسد؟", "002", "10.000|عشرة آلاف|5000"),
        ("How many ISIL fighters are detained by the Syrian Democratic Forces?", "002", "10.000|عشرة آلاف|5000"),
        ("When did the ministers of the coalition against Daesh meet in June 2021?", "002", "28 يونيو 2021"),
        ("متى انعقد اجتماع وزراء التحالف في حزيران 2021؟", "002", "28 يونيو 2021"),
        ("What did the Americans decide about their troops in Syria?", "003", "سحب قواتها|انسحاب"),
    ],
)
def test_11_names_and_months_are_found_by_their_other_names(
    seeds_pipeline: Pipeline, question: str, answered_in: str, words: str
) -> None:
    hits = seeds_pipeline.ask(Question(text=question)).hits[:5]

    assert [
        hit.rank
        for hit in hits
        if hit.passage.article_id.startswith(answered_in) and re.search(words, hit.passage.text)
    ]


@pytest.mark.parametrize(
    ("key", "misprint"),
    [
        ("003", "زعيمة أبو بكر البغداي"),
        ("001", "الأطراف السياسية في االعراق"),
        ("001", "داعش يؤثر في في مستقبل"),
        ("002", "لأن تسد هذا لفراغ"),
        ("002", "في مجال التكنلوجيا وأمن المعلومات"),
        ("003", "الأكثر إلحاحاً على للتحالف"),
    ],
)
def test_12_misprints_are_kept(key: str, misprint: str) -> None:
    sentence = sentence_with(key, misprint)

    assert sentence in ARTICLES[key].text
    assert sentence in (SEEDS / ARTICLES[key].source).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("question", "key", "error"),
    [
        ("من هو الرئيس الأمريكي الذي شهد عهده تراجعات التحالف؟", "002", "الرئيس الأمريكي السابق ـ بايدن"),
        ("ماذا سيحدث إذا طردت الحكومة العراقية القوات الأمريكية؟", "001", "إذا كان الجيش الأمريكي ؟"),
    ],
)
def test_13_errors_of_the_sources_are_said_as_their_words_only(
    seeds_pipeline: Pipeline, question: str, key: str, error: str
) -> None:
    assert error in sentence_with(key, error)

    answer = seeds_pipeline.ask(Question(text=question))

    # Whatever the answer says of it, it says inside a quote that names its article.
    assert answer.citations
    told = answer.text
    for citation in answer.citations:
        assert ARTICLES[citation.article_id[:3]].text[citation.start : citation.end] == citation.quote
        told = told.replace(citation.quote, "")
    assert error not in told


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("000", "أعضاء التحالف الدولي الـ 79"),
        ("003", "الدول الأعضاء الـ 81"),
        ("001", "أعضاء التحالف الدولي الـ 83"),
        ("002", "شارك في الاجتماع 83 وزيرا ووفدًا"),
        ("001", "تشكل التحالف الدولي ضد داعش في أغسطس عام 2014"),
        ("000", "هذا التنظيم في سبتمبر 2014"),
        ("002", "ما مجموعه 10.000 من مقاتلي داعش"),
        ("002", "حوالي 5000 من عناصر الأجانب"),
        ("004", "تصحّ تسميته بالوهمي"),
    ],
)
def test_14_each_source_keeps_its_own_value(key: str, value: str) -> None:
    assert value in sentence_with(key, value)
    assert not [other for other in SENTENCES if other != key and any(value in text for text in SENTENCES[other])]


@pytest.mark.parametrize(
    ("key", "words"), [("004", "حيث عقد الثلاثاء"), ("003", "في حزيران الماضي"), ("003", "لقاء الأسبوع الحالي")]
)
def test_15_no_year_is_invented(seeds_pipeline: Pipeline, key: str, words: str) -> None:
    sentence = sentence_with(key, words)
    assert not re.search(r"20\d\d", sentence)
    assert {article.date for article in ARTICLES.values()} == {None}

    answer = seeds_pipeline.ask(Question(text=f"متى كان ذلك: {sentence[:120]}"))

    assert {citation.date for citation in answer.citations} == {None}
    quoted = "\n".join(citation.quote for citation in answer.citations)
    assert set(re.findall(r"20\d\d", answer.text)) <= set(re.findall(r"20\d\d", quoted))
