"""One reader's conversation: what the page shows after each thing that can happen, without any toolkit."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from rag.config import Settings
from rag.datatypes import Answer, Article, Brief, Language, Point, Question
from rag.errors import RagError
from rag.present.drafts import Mark, draft_of, keep_draft
from rag.present.evidence import render_evidence
from rag.present.html import Exchange, render_conversation, render_notice
from rag.present.strings import strings
from rag.query import answer_type
from rag.text import detect_language, tokens

_LOG = logging.getLogger(__name__)


class Answerer(Protocol):
    """What a conversation needs of a pipeline."""

    @property
    def articles(self) -> Mapping[str, Article]:
        """The articles by id."""
        ...

    def ask(self, question: Question) -> Answer:
        """The answer to one question; raises RagError."""
        ...

    def brief(self, topic: Question) -> Brief:
        """A topic in cited points; raises RagError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What is kept of a conversation; `opened` is the exchange whose evidence is shown (0: none), at `marker`."""

    exchanges: tuple[Exchange, ...] = ()
    opened: int = 0
    marker: int = 1

    @property
    def waiting(self) -> bool:
        """Whether the last question is still being answered."""
        return any(exchange.answer is None and not exchange.stopped for exchange in self.exchanges[-1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the page is to show next: blocks of HTML, and None for what stays as it is.

    `running`: a question is being answered, so that it can be stopped but no other asked.
    """

    session: Session
    conversation: str
    evidence: str | None = None
    notice: str = ""
    box: str | None = None
    running: bool = False


class Conversation:
    """Questions to views. `language` is the interface's; it keeps no state of its own and serves every reader."""

    def __init__(self, pipeline: Answerer, settings: Settings) -> None:
        self._pipeline = pipeline
        self._max_question_chars = settings.max_question_chars
        self._drafts = settings.drafts

    def ask(self, text: str, session: Session, language: str) -> Iterator[View]:
        """The question at once, then its answer, a citation at a time; one line if it cannot be answered.

        While an earlier one is being answered nothing happens, and what was typed stays in its box.
        """

        def answer(question: Question) -> tuple[Answer, tuple[Point, ...]]:
            return self._pipeline.ask(question), ()

        yield from self._exchange(text, session, language, answer)

    def _exchange(
        self,
        text: str,
        session: Session,
        language: str,
        answered: Callable[[Question], tuple[Answer, tuple[Point, ...]]],
    ) -> Iterator[View]:
        question = well_formed(text).strip()
        if session.waiting:
            yield View(session=session, conversation=self._log(session, language), running=True)
            return
        if problem := self._problem(question, language):
            yield self._withdrawn(session, text, problem, language)
            return
        pending = Exchange(number=len(session.exchanges) + 1, question=question)
        asked = replace(session, exchanges=(*session.exchanges, pending))
        yield View(session=asked, conversation=self._log(asked, language), box="", running=True)
        try:
            answer, points = answered(self._question(question, session, language))
        except RagError as error:
            reason = strings(language)["page.error.failed"].format(reason=error)
            yield self._withdrawn(session, question, reason, language)
            return
        except Exception:  # noqa: BLE001 - the outermost edge: whatever it was, no reader is left waiting for it
            _LOG.exception("a question could not be answered")
            yield self._withdrawn(session, question, strings(language)["page.error.unexpected"], language)
            return
        exchange = replace(pending, answer=answer, points=points)
        done = Session(exchanges=(*session.exchanges, exchange), opened=exchange.number)
        for shown in range(1, len(answer.citations)):
            yield View(session=done, conversation=self._log(done, language, shown), running=True)
        yield self.show(done, language)

    def brief(self, text: str, session: Session, language: str) -> Iterator[View]:
        """The topic at once, then its points; one line if it cannot be told."""

        def tell(question: Question) -> tuple[Answer, tuple[Point, ...]]:
            found = self._pipeline.brief(replace(question, history=()))  # a topic stands alone
            return found.answer, found.points

        yield from self._exchange(text, session, language, tell)

    def show(self, session: Session, language: str) -> View:
        """The whole page as it stands, nothing running."""
        return View(session=session, conversation=self._log(session, language), evidence=self._panel(session, language))

    def stop(self, session: Session, language: str) -> View:
        """The question that was being answered stays, marked as stopped."""
        exchanges = tuple(replace(each, stopped=each.answer is None) for each in session.exchanges)
        return self.show(replace(session, exchanges=exchanges), language)

    def open_evidence(self, session: Session, number: int, marker: int, language: str) -> View:
        """The evidence of exchange `number`, unfolded at the citation `marker`."""
        return self.show(replace(session, opened=number, marker=marker), language)

    def mark(self, session: Session, number: int, mark: Mark, language: str) -> View:
        """The reader's word on the answer of exchange `number`, kept as a draft gold question."""
        exchanges = list(session.exchanges)
        chosen = next((at for at, each in enumerate(exchanges) if each.number == number and each.answer), None)
        if chosen is None or (answer := exchanges[chosen].answer) is None:
            return self.show(session, language)
        history = [each.question for each in exchanges[:chosen] if each.answer]
        try:
            keep_draft(self._drafts, draft_of(answer, history, mark, answer_type(answer.standalone_question)))
        except RagError as error:
            notice = strings(language)["page.error.failed"].format(reason=error)
            return replace(self.show(session, language), notice=str(render_notice(notice)))
        exchanges[chosen] = replace(exchanges[chosen], mark=mark)
        return self.show(replace(session, exchanges=tuple(exchanges)), language)

    def _problem(self, question: str, language: str) -> str:
        """Why this cannot be asked, in the reader's language, or nothing."""
        limit, words = self._max_question_chars, strings(language)
        if len(question) > limit:
            return words["page.error.too_long"].format(count=len(question), limit=limit)
        return "" if tokens(question) else words["page.error.empty"]

    def _question(self, text: str, session: Session, language: str) -> Question:
        history = tuple(exchange.question for exchange in session.exchanges if exchange.answer)
        # Figures alone have no language of their own: the frame is then in the reader's.
        frame: Language | None = ("ar" if language == "ar" else "en") if detect_language(text) == "und" else None
        return Question(text=text, history=history, language=frame)

    def _withdrawn(self, session: Session, question: str, message: str, language: str) -> View:
        """The page as it was before, the question back in its box and one line about it."""
        return replace(self.show(session, language), box=question, notice=str(render_notice(message)))

    def _log(self, session: Session, language: str, shown: int | None = None) -> str:
        return str(render_conversation(session.exchanges, self._pipeline.articles, language, shown))

    def _panel(self, session: Session, language: str) -> str:
        opened = next((exchange for exchange in session.exchanges if exchange.number == session.opened), None)
        return str(render_evidence(opened, self._pipeline.articles, language, session.marker))


def well_formed(text: str) -> str:
    """`text` without lone surrogates, which a client can send but nothing can encode."""
    return text.encode("utf-8", "replace").decode("utf-8")
