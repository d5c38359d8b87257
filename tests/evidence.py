"""Real sentences that a language model may cite, and answers over them."""

from collections.abc import Sequence
from dataclasses import replace

from rag.datatypes import Answer, Article, Citation, Hit, Passage, Sentence
from rag.prompting import Evidence
from rag.sentences import sentence_spans
from rag.text import detect_language
from tests.fake_pipeline import ARTICLES, MEMBERS, ROME, answer_with, cite

FORMED = "تشكل التحالف الدولي ضد داعش في أغسطس عام 2014"
MET = "انعقد يوم 28 يونيو 2021، اجتماع التحالف الدولي، لمحاربة داعش، على مستوى وزراء الخارجية، " + ROME
FREED = "ونجاة نحو 7.7 مليون مواطن من تنظيم «داعش»."
GIVEN = (
    "وحسب كاتبي المقال، بلغ إجمالي المساهمات الأوروبية في إطار عمل التحالف منذ 2017 ما يزيد عن 400 مليون دولار "
    "دعماً لشمال شرق سوريا."
)
HELD = (
    "وقال وزير الخارجية الأمريكي أنتوني بلينكن أن عشرة آلاف مقاتل من تنظيم “داعش” لا يزالون محتجزين لدى قوات سوريا "
    "الديمقراطية."
)
NATO = (
    "وشارك الأمين العام لحلف الناتو ينس ستولتنبرغ في اجتماع افتراضي لوزراء خارجية التحالف الدولي لهزيمة داعش يوم "
    "30 مارس 2021"
)
ENGLISH = (
    "The Global Coalition was formed in September 2014. Its 79 members met in Rome on Monday, June 28, 2021. "
    "Secretary of State Antony Blinken said that ten thousand fighters were still held in Syria. "
    "European countries have given more than $400 million since 2017."
)
SENTENCES = (MEMBERS, MET, FREED, GIVEN, HELD, NATO)
"""S1 to S6 of `EVIDENCE`; the four English ones are S7 to S10."""


def sentences_of(text: str, article_id: str = "t") -> list[Sentence]:
    return [
        Sentence(article_id=article_id, start=start, end=end, text=text[start:end])
        for start, end in sentence_spans(text)
    ]


def one(text: str) -> Sentence:
    """`text` as a single sentence of an article of its own."""
    return Sentence(article_id=text[:9], start=0, end=len(text), text=text)


EVIDENCE = Evidence(sentences=(*map(one, SENTENCES), *sentences_of(ENGLISH, "en")))


def article(text: str, identity: str = "en") -> Article:
    return Article(id=identity, source=f"{identity}.txt", title=identity, language=detect_language(text), text=text)


def hit_of(made: Article, rank: int = 1) -> Hit:
    """The whole article as one passage."""
    passage = Passage(
        id=f"{made.id}#0",
        article_id=made.id,
        start=0,
        end=len(made.text),
        text=made.text,
        language=made.language,
        heading="",
        sentences=tuple(sentences_of(made.text, made.id)),
    )
    return Hit(rank=rank, passage=passage, score=1 / rank, dense=0.5, lexical=1.0)


def answer_over(question: str, made: Sequence[Article], citations: Sequence[Citation] = ()) -> Answer:
    """An answer whose hits are these articles, whole."""
    cited = citations or [cite(made[0], sentences_of(made[0].text)[0].text, 1)]
    answer = answer_with(question, cited)
    hits = tuple(hit_of(each, rank) for rank, each in enumerate(made, 1))
    return replace(answer, hits=hits)


REAL = {article.id: article for article in ARTICLES.values()}
