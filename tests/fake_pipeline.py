"""Fixed answers over the real articles, obvious by eye, for the tests of the page."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

from rag.articles import load_articles
from rag.datatypes import Answer, AnswerSpan, Article, Brief, Citation, Hit, Passage, Point, Question, Timings
from rag.errors import UsageError
from rag.present.strings import strings
from rag.text import detect_language

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
ARTICLES = {article.id[:3]: article for article in load_articles([SEEDS])}
"""The five articles by the number that their id starts with."""

ARABIC = "كم عدد أعضاء التحالف الدولي؟"
ENGLISH = "How many members does the coalition have?"
OLYMPICS = "Who won the 2016 Olympic marathon?"
BROKEN = "boom"
SLOW = "Answer slowly"
SLOW_S = 2.0

MEMBERS = (
    "يلتزم أعضاء التحالف الدولي الـ 83 بمواجهة تنظيم داعش على مختلف الجبهات وتفكيك شبكاته ومجابهة طموحاته العالمية."
)
DEFEAT = "تشكل التحالف لضمان هزيمة مستدامة لداعش، ورفع مستوى التعاون في مجالات غير عسكرية لتحقيق هذا الهدف."
ROME = "شارك في الاجتماع 83 وزيرا ووفدًا من الدول الأعضاء في التحالف إضافة إلى وزراء خارجية دول عربية ."
QUOTES = (("001", MEMBERS, "83"), ("003", DEFEAT, None), ("002", ROME, None))
"""Article, quote, answer span."""


def cite(article: Article, quote: str, marker: int, answer: str | None = None) -> Citation:
    start = article.text.index(quote)
    span = None
    if answer is not None:
        first = article.text.index(answer, start)
        span = AnswerSpan(text=answer, start=first, end=first + len(answer))
    return Citation(
        marker=marker,
        article_id=article.id,
        source=article.source,
        title=article.title,
        date=article.date,
        language=article.language,
        quote=quote,
        start=start,
        end=start + len(quote),
        score=1 / marker,
        answer_span=span,
    )


def hit(article: Article, rank: int, chars: int = 400) -> Hit:
    text = article.text[:chars].strip()
    passage = Passage(
        id=f"{article.id}#0",
        article_id=article.id,
        start=0,
        end=len(text),
        text=text,
        language=article.language,
        heading="",
        sentences=(),
    )
    return Hit(rank=rank, passage=passage, score=1 / rank, dense=0.5, lexical=1.0)


def answer_with(question: str, citations: Sequence[Citation]) -> Answer:
    return Answer(
        id="1",
        question=question,
        question_language=detect_language(question),
        standalone_question=question,
        status="answered",
        confidence=0.9,
        text=" ".join(f"{citation.quote} [{citation.marker}]" for citation in citations),
        citations=tuple(citations),
        conflicts=(),
        hits=tuple(hit(article, rank) for rank, article in enumerate(ARTICLES.values(), 1)),
        timings=Timings(embed=1.0, search=1.0, read=1.0, total=3.0),
    )


class FakePipeline:
    """Cites `QUOTES` for every question but the unanswerable ones; repeats the question, so that none is crossed."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    @property
    def articles(self) -> Mapping[str, Article]:
        return {article.id: article for article in ARTICLES.values()}

    def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        if not question.text.strip():
            raise UsageError("the question is empty; write one")
        if question.text == BROKEN:
            raise ZeroDivisionError("unforeseen")
        if question.text == SLOW:
            time.sleep(SLOW_S)
        citations = [cite(ARTICLES[number], quote, n, span) for n, (number, quote, span) in enumerate(QUOTES, 1)]
        answer = answer_with(question.text, citations)
        if "Olympic" not in question.text:
            return answer
        words = strings(question.language or answer.question_language)
        refusal = f"{words['answer.refusal']} {words['answer.refusal.nearest']}"
        return replace(answer, status="no_evidence", text=refusal, citations=(), confidence=0.1)

    def brief(self, topic: Question) -> Brief:
        answer = self.ask(topic)
        return Brief(
            answer=answer, points=tuple(Point(text=each.quote, markers=(each.marker,)) for each in answer.citations)
        )

    def search(self, text: str, k: int) -> list[Hit]:
        return [hit(article, rank) for rank, article in enumerate(islice(cycle(ARTICLES.values()), k), 1)]
