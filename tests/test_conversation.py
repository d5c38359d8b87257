"""A conversation step by step: what is shown, what is kept, and that nothing asked is lost."""

import json
import threading
from pathlib import Path

import pytest

from eval.gold import load_gold
from rag.config import Settings
from rag.datatypes import Answer, Question
from rag.errors import IndexStale
from rag.present import drafts as drafts_module
from rag.present.conversation import Conversation, Session, View, well_formed
from rag.present.drafts import DraftsError, keep_draft
from tests.fake_pipeline import ARABIC, BROKEN, ENGLISH, OLYMPICS, QUOTES, FakePipeline

LIMIT = 200


@pytest.fixture
def pipeline() -> FakePipeline:
    return FakePipeline()


@pytest.fixture
def drafts(tmp_path: Path) -> Path:
    return tmp_path / "gold" / "drafts.jsonl"


@pytest.fixture
def conversation(pipeline: FakePipeline, drafts: Path) -> Conversation:
    return Conversation(pipeline, Settings(max_question_chars=LIMIT, drafts=drafts))


def last(conversation: Conversation, *questions: str, language: str = "en") -> View:
    session, view = Session(), None
    for question in questions:
        *_, view = conversation.ask(question, session, language)
        session = view.session
    assert view is not None
    return view


def test_the_question_is_shown_at_once_and_its_box_emptied(conversation: Conversation) -> None:
    first = next(conversation.ask(ENGLISH, Session(), "en"))
    assert (first.running, first.box, first.evidence) == (True, "", None)
    assert ENGLISH in first.conversation
    assert "pending" in first.conversation


def test_citations_come_one_after_the_other_then_the_evidence(conversation: Conversation) -> None:
    views = list(conversation.ask(ENGLISH, Session(), "en"))
    assert [view.conversation.count("<blockquote") for view in views] == [0, 1, 2, 3]
    assert [view.running for view in views] == [True, True, True, False]
    assert views[-1].evidence is not None
    assert views[-1].evidence.count("<mark>") == len(QUOTES)


def test_earlier_questions_go_along_oldest_first(conversation: Conversation, pipeline: FakePipeline) -> None:
    last(conversation, ENGLISH, OLYMPICS, ARABIC)
    assert [question.history for question in pipeline.asked] == [(), (ENGLISH,), (ENGLISH, OLYMPICS)]


def test_figures_alone_are_framed_in_the_readers_language(conversation: Conversation, pipeline: FakePipeline) -> None:
    last(conversation, "2254?", ENGLISH, language="ar")
    assert [question.language for question in pipeline.asked] == ["ar", None]


def test_earlier_answers_stay_as_they_were(conversation: Conversation) -> None:
    view = last(conversation, ENGLISH, ARABIC)
    assert [exchange.question for exchange in view.session.exchanges] == [ENGLISH, ARABIC]
    assert 'id="exchange-1"' in view.conversation
    assert view.evidence is not None
    assert 'id="evidence-2-1"' in view.evidence


@pytest.mark.parametrize(
    ("text", "language", "line"),
    [
        ("", "en", "Write a question with at least one word in it."),
        (" \n\t ", "ar", "اكتب سؤالًا فيه كلمة واحدة على الأقل."),
        ("؟!… 🙂", "ar", "اكتب سؤالًا فيه كلمة واحدة على الأقل."),
        ("x" * 201, "en", "The question has 201 characters, the limit is 200: shorten it and ask again."),
        ("س" * 100_000, "ar", "في السؤال 100000 حرفًا والحدّ 200: اختصره ثم اسأل ثانيةً."),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_stays_in_the_box(
    conversation: Conversation, pipeline: FakePipeline, text: str, language: str, line: str
) -> None:
    session = last(conversation, ENGLISH).session
    (view,) = conversation.ask(text, session, language)
    assert line in view.notice
    assert (view.box, view.session) == (text, session)
    assert len(pipeline.asked) == 1


class Stale(FakePipeline):
    def ask(self, question: Question) -> Answer:
        raise IndexStale("index: the articles have changed; make it anew with `sanad build`")


def test_a_failing_pipeline_is_one_line_and_nothing_is_lost() -> None:
    *_, view = Conversation(Stale(), Settings(max_question_chars=LIMIT)).ask(ARABIC, Session(), "ar")
    assert "تعذّر الجواب: index: the articles have changed; make it anew with `sanad build`" in view.notice
    assert (view.box, view.running, view.session) == (ARABIC, False, Session())


def test_an_unforeseen_error_gives_the_question_back_and_is_logged(
    conversation: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    session = last(conversation, ARABIC).session
    *_, view = conversation.ask(BROKEN, session, "en")
    assert (view.box, view.running, view.session) == (BROKEN, False, session)
    assert "Something unforeseen went wrong" in view.notice
    assert "ZeroDivisionError" in caplog.text


def test_a_second_question_waits_in_its_box_for_the_first(conversation: Conversation, pipeline: FakePipeline) -> None:
    session = next(conversation.ask(ENGLISH, Session(), "en")).session
    (view,) = conversation.ask(ARABIC, session, "en")
    assert (view.box, view.running, view.session) == (None, True, session)
    assert not pipeline.asked
    *_, view = conversation.ask(ARABIC, conversation.stop(session, "en").session, "en")
    assert [exchange.question for exchange in view.session.exchanges] == [ENGLISH, ARABIC]


def test_a_stopped_question_stays_and_says_so(conversation: Conversation) -> None:
    waiting = next(conversation.ask(ENGLISH, Session(), "en")).session
    view = conversation.stop(waiting, "en")
    assert "Stopped before the answer was complete." in view.conversation
    assert ENGLISH in view.conversation
    assert not view.running
    assert "Stopped" not in conversation.stop(last(conversation, ENGLISH).session, "en").conversation


def test_evidence_of_an_earlier_answer_opens_at_its_citation(conversation: Conversation) -> None:
    session = last(conversation, ENGLISH, ARABIC).session
    view = conversation.open_evidence(session, 1, 3, "ar")
    assert view.evidence is not None
    assert 'id="evidence-1-3" open' in view.evidence
    nothing = conversation.open_evidence(session, 99, 1, "ar").evidence
    assert nothing is not None
    assert "<details" not in nothing


def test_lone_surrogates_become_question_marks() -> None:
    assert well_formed("سؤال \ud800؟") == "سؤال ?؟"
    assert well_formed("😀") == "😀"


# --- marks that become draft gold


def test_a_good_answer_becomes_a_gold_question(
    conversation: Conversation, pipeline: FakePipeline, drafts: Path
) -> None:
    view = last(conversation, ARABIC, ENGLISH)
    marked = conversation.mark(view.session, 2, "good", "en")

    [gold] = load_gold(drafts, pipeline.articles)
    assert (gold.question, gold.language, gold.history) == (ENGLISH, "en", (ARABIC,))
    answer = view.session.exchanges[1].answer
    assert answer is not None
    assert gold.evidence == tuple(dict.fromkeys(citation.quote for citation in answer.citations))
    assert marked.session.exchanges[1].mark == "good"
    assert marked.session.exchanges[0].mark is None
    assert 'data-mark="good" aria-pressed="true"' in marked.conversation
    assert "Kept as a draft gold question" in marked.conversation


def test_a_mark_given_twice_is_kept_once_and_a_changed_one_too(conversation: Conversation, drafts: Path) -> None:
    session = last(conversation, ARABIC).session
    for mark in ("good", "good", "wrong", "good"):
        session = conversation.mark(session, 1, mark, "ar").session
    rows = [json.loads(line) for line in drafts.read_text(encoding="utf-8").splitlines()]
    assert [row["mark"] for row in rows] == ["good", "wrong"]
    assert len({row["id"] for row in rows}) == 2


def test_a_refusal_that_is_right_is_an_unanswerable_question(
    conversation: Conversation, pipeline: FakePipeline, drafts: Path
) -> None:
    conversation.mark(last(conversation, OLYMPICS).session, 1, "good", "en")
    [gold] = load_gold(drafts, pipeline.articles)
    assert (gold.answerable, gold.type, gold.evidence) == (False, "unanswerable", ())


def test_what_is_not_there_cannot_be_marked(conversation: Conversation, drafts: Path) -> None:
    session = last(conversation, ARABIC).session
    assert conversation.mark(session, 7, "good", "ar").session == session
    assert not drafts.exists()


def test_drafts_that_cannot_be_written_are_one_line(conversation: Conversation, drafts: Path) -> None:
    drafts.parent.write_text("a file, not a folder", encoding="utf-8")
    view = conversation.mark(last(conversation, ARABIC).session, 1, "good", "ar")
    assert "drafts.jsonl: cannot be written" in view.notice
    assert view.session.exchanges[0].mark is None


def test_drafts_do_not_fill_the_disk(drafts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts_module, "_MOST_BYTES", 30)
    keep_draft(drafts, {"id": "draft-1"})
    with pytest.raises(DraftsError, match="is full"):
        keep_draft(drafts, {"id": "draft-2"})
    assert drafts.read_text(encoding="utf-8") == '{"id": "draft-1"}\n'


def test_readers_who_mark_at_once_lose_nothing(drafts: Path) -> None:
    threads = [threading.Thread(target=keep_draft, args=(drafts, {"id": f"draft-{n}"})) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = [json.loads(line)["id"] for line in drafts.read_text(encoding="utf-8").splitlines()]
    assert sorted(rows) == sorted(f"draft-{n}" for n in range(20))


def test_a_brief_shows_its_points_and_no_short_answer(conversation: Conversation, pipeline: FakePipeline) -> None:
    history = last(conversation, ARABIC).session
    *_, view = conversation.brief(ENGLISH, history, "en")
    exchange = view.session.exchanges[-1]
    assert [point.markers for point in exchange.points] == [(1,), (2,), (3,)][: len(exchange.points)]
    assert len(exchange.points) >= 2
    assert pipeline.asked[-1].history == ()
    shown = view.conversation.split('id="exchange-2"')[1]
    assert 'class="short"' not in shown
    assert all(point.text[:30] in shown for point in exchange.points)


def test_a_brief_on_nothing_is_refused_and_one_of_nothing_is_not_asked(conversation: Conversation) -> None:
    *_, view = conversation.brief(OLYMPICS, Session(), "en")
    assert view.session.exchanges[-1].points == ()
    assert 'class="refusal"' in view.conversation
    *_, empty = conversation.brief(" ", Session(), "en")
    assert empty.session.exchanges == ()
    assert "at least one word" in empty.notice
