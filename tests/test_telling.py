"""Answers in a language model's words: in the pipeline, on the page, in the terminal; and the quotes when it fails."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from rag.build import Index
from rag.config import Settings
from rag.datatypes import Answer, Question
from rag.embedders import SentenceTransformerEmbedder
from rag.pipeline import Pipeline
from rag.present.html import Exchange as Shown
from rag.present.html import render_conversation
from rag.present.json import answer_to_json
from rag.present.terminal import render_answer
from tests.chat_server import ChatServer, Exchange, answers, chat_server, says

MEMBERS = "How many members does the coalition have?"


def sentence_with(prompt: str, words: str) -> str:
    """The id of the sentence in a prompt that has these words."""
    [identity] = re.findall(rf"^(S\d+): .*{words}", prompt, re.MULTILINE)[:1]
    return str(identity)


def obedient(exchange: Exchange) -> None:
    """One sentence that its source bears, one with a number that no source has."""
    identity = sentence_with(exchange.prompt, "الـ 83")
    text = f"The coalition has 83 members. [{identity}] It spent 999 billion dollars. [{identity}]"
    says(text)(exchange)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server(obedient) as running:
        yield running


@pytest.fixture
def pipeline(
    server: ChatServer, seeds_index: Index, seeds_settings: Settings, bundled: SentenceTransformerEmbedder
) -> Pipeline:
    settings = replace(seeds_settings, llm_model="tiny", llm_base_url=server.address, llm_timeout_s=5)
    return Pipeline.over(seeds_index, bundled, settings)


def ask(pipeline: Pipeline, question: str, **changes: Any) -> Answer:  # noqa: ANN401
    return pipeline.ask(Question(text=question, **changes))


def test_the_answer_is_the_models_sentences_that_may_stand(pipeline: Pipeline) -> None:
    answer = ask(pipeline, MEMBERS)

    assert answer.written_by == "tiny"
    assert answer.text == "The coalition has 83 members. [1]"
    assert "الـ 83" in answer.citations[0].quote
    # The values that differ keep the quotes that they stand in, under new markers.
    [conflict] = answer.conflicts
    quotes = {citation.marker: citation.quote for citation in answer.citations}
    assert sorted(quotes) == list(range(1, len(quotes) + 1))
    assert {value.value for value in conflict.values} == {"79", "81", "83"}
    assert all(value.value in quotes[value.citation] for value in conflict.values)
    for citation in answer.citations:
        assert pipeline.articles[citation.article_id].text[citation.start : citation.end] == citation.quote
    given = answer_to_json(answer, pipeline.articles)
    assert (given["written_by"], given["note"]) == ("tiny", "")


def test_the_quotes_stand_in_with_one_line_saying_why(
    pipeline: Pipeline, server: ChatServer, seeds_pipeline: Pipeline
) -> None:
    server.reply = answers(500, b"{}")
    answer, plain = ask(pipeline, MEMBERS), ask(seeds_pipeline, MEMBERS)

    assert answer.written_by is None
    assert (answer.text, answer.citations, answer.conflicts) == (plain.text, plain.citations, plain.conflicts)
    assert "answered with an error" in answer.note
    assert "\n" not in answer.note


def test_a_refusal_asks_no_model(pipeline: Pipeline, server: ChatServer) -> None:
    answer = ask(pipeline, "What is the recipe for chocolate cake?")
    assert (answer.status, answer.written_by, server.exchanges) == ("no_evidence", None, [])


def test_a_brief_stays_quoted(pipeline: Pipeline) -> None:
    brief = pipeline.brief(Question(text="أهداف التحالف الدولي ضد داعش"))
    assert brief.answer.written_by is None
    assert [point.text for point in brief.points] == [c.quote for c in brief.answer.citations][: len(brief.points)]


def test_without_the_setting_no_server_is_asked(seeds_pipeline: Pipeline) -> None:
    answer = ask(seeds_pipeline, MEMBERS)
    assert (answer.written_by, answer.note) == (None, "")


def test_the_page_shows_prose_with_numbers_that_open_and_who_wrote_it(pipeline: Pipeline) -> None:
    answer = ask(pipeline, MEMBERS)
    page = str(render_conversation([Shown(number=1, question=MEMBERS, answer=answer)], pipeline.articles, "en"))
    assert re.search(r'<p class="prose"[^>]*>The coalition has 83 members\. <bdi class="marker"><a class="chip"', page)
    assert "Written by <bdi>tiny</bdi> from the sentences quoted below" in page
    failed = replace(answer, written_by=None, note="the language model <b> is down")
    page = str(render_conversation([Shown(number=1, question=MEMBERS, answer=failed)], pipeline.articles, "ar"))
    assert "the language model &lt;b&gt; is down" in page
    assert 'class="prose"' not in page


def test_the_terminal_shows_prose_then_the_quotes(pipeline: Pipeline) -> None:
    answer = ask(pipeline, MEMBERS)
    printed = render_answer(answer, pipeline.articles, language="en", bold=False)
    prose, quote = printed.index("The coalition has 83 members. [1]"), printed.index("الـ 83")
    assert prose < quote
    assert "Written by tiny" in printed
    failed = replace(answer, written_by=None, note="it is down")
    assert "Only the quotes are shown: it is down" in render_answer(
        failed, pipeline.articles, language="en", bold=False
    )


def test_the_key_is_in_no_answer(
    seeds_index: Index,
    seeds_settings: Settings,
    bundled: SentenceTransformerEmbedder,
    server: ChatServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-123")
    server.reply = answers(401, json.dumps({"error": {"message": "bad key sk-secret-123"}}).encode())
    settings = replace(seeds_settings, llm_model="tiny", llm_base_url=server.address)
    answer = ask(Pipeline.over(seeds_index, bundled, settings), MEMBERS)
    assert "401" in answer.note
    assert "sk-secret" not in json.dumps(answer_to_json(answer, seeds_index.store.articles))
