"""The client against a real server on this machine: what it asks, what it gives on, and every way to fail."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rag.config import Settings
from rag.errors import RagError, SettingsError
from rag.llm import FaultKind, LanguageModel, LanguageModelError, open_language_model
from rag.prompting import Message
from tests.chat_server import (
    ChatServer,
    Exchange,
    Reply,
    answers,
    chat_server,
    chunk,
    falls_silent,
    keeps_alive,
    says,
    sends,
    sends_raw,
    stops_after,
    waits,
)

KEY = "sk-secret-0123456789"
MESSAGES: list[Message] = [
    {"role": "system", "content": "Cite."},
    {"role": "user", "content": "كم عدد أعضاء التحالف؟"},
]
TEXT = "يلتزم أعضاء التحالف الـ 83 بمواجهة التنظيم [S1]. It met in Rome 🏛 [S2]."


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server(says(TEXT)) as running:
        yield running


def model_at(server: ChatServer, timeout_s: float = 5, key: str | None = KEY) -> LanguageModel:
    return LanguageModel(server.address, key, "scripted", timeout_s)


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "language-model"]


def no_reader_is_left(within_s: float = 3) -> bool:
    until = time.monotonic() + within_s
    while readers() and time.monotonic() < until:
        time.sleep(0.02)
    return not readers()


def fault(server: ChatServer, reply: Reply, timeout_s: float = 5) -> LanguageModelError:
    server.reply = reply
    with pytest.raises(LanguageModelError) as failure:
        list(model_at(server, timeout_s).stream(MESSAGES))
    assert isinstance(failure.value, RagError)
    assert "\n" not in str(failure.value)
    assert KEY not in str(failure.value)
    assert no_reader_is_left()
    return failure.value


def test_the_text_comes_in_pieces(server: ChatServer) -> None:
    pieces = list(model_at(server).stream(MESSAGES))

    assert "".join(pieces) == TEXT
    assert len(pieces) > 5
    assert no_reader_is_left()


def test_what_is_asked_is_the_protocols(server: ChatServer) -> None:
    list(model_at(server).stream(MESSAGES))

    exchange = server.exchanges[0]
    assert exchange.path == "/v1/chat/completions"
    assert exchange.headers["authorization"] == f"Bearer {KEY}"
    assert exchange.body == {"model": "scripted", "messages": MESSAGES, "stream": True}


def test_a_server_of_ones_own_needs_no_key(server: ChatServer) -> None:
    assert "".join(model_at(server, key=None).stream(MESSAGES)) == TEXT


def test_a_piece_is_given_on_before_the_next_is_written(server: ChatServer) -> None:
    read = threading.Event()

    def reply(exchange: Exchange) -> None:
        exchange.begin()
        exchange.piece("first")
        assert read.wait(10)
        exchange.piece("second")
        exchange.event(chunk({}, "stop"))
        exchange.end()

    server.reply = reply
    with closing(model_at(server, 10).stream(MESSAGES)) as pieces:
        assert next(pieces) == "first"
        read.set()
        assert list(pieces) == ["second"]


def test_closing_early_ends_the_request(server: ChatServer) -> None:
    gone = threading.Event()

    def reply(exchange: Exchange) -> None:
        exchange.begin()
        try:
            while not exchange.over.wait(0.005):
                exchange.piece("more and more ")
        except OSError:
            gone.set()

    server.reply = reply
    with closing(model_at(server, 10).stream(MESSAGES)) as pieces:
        next(pieces)

    assert gone.wait(5)
    assert no_reader_is_left()


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (answers(401, b'{"error": {"message": "Incorrect API key provided: %s"}}' % KEY.encode()), "server", "401: "),
        (answers(404, b'{"error": {"message": "model not found"}}'), "server", "404: model not found"),
        (answers(429, b'{"error": {"message": "slow\\ndown"}}'), "server", "429: slow down"),
        (answers(500, b"<html>boom</html>", "text/html"), "server", "500: "),
        (answers(503, b""), "server", "503"),
        (answers(400, b'{"error": "no such field"}'), "server", "400: no such field"),
        (answers(200, b"<html>a router's page</html>", "text/html"), "malformed", "no stream"),
        (answers(200, json.dumps(chunk({"content": "x"})).encode()), "malformed", "no stream"),
        (sends({"error": {"message": "out of memory"}}), "server", "out of memory"),
        (sends(chunk({"content": "The"}), {"error": {"message": "died"}}), "server", "died"),
        (sends_raw(b"data: {not json\n\n"), "malformed", ""),
        (sends_raw(b"data: \xff\xfe\n\n"), "malformed", ""),
        (sends_raw(b"data: " + b"[" * 100_000 + b"\n\n"), "malformed", ""),
        (sends({"choices": "none"}), "malformed", "without choices"),
        (sends({"choices": [None]}), "malformed", ""),
        (sends({"choices": [{"delta": {"content": 7}}]}), "malformed", "no text"),
        (sends([1, 2]), "malformed", ""),
        (sends("text"), "malformed", ""),
        (sends(chunk({"refusal": "I cannot help with that."})), "refused", "I cannot help with that."),
        (sends(chunk({"content": "The"}, "content_filter")), "refused", "content filter"),
        (stops_after("The coalition has 83 mem", orderly=True), "cut_off", ""),
        (stops_after("The coalition has 83 mem", orderly=False), "cut_off", ""),
    ],
)
def test_each_fault_is_one_line(server: ChatServer, reply: Reply, kind: FaultKind, words: str) -> None:
    failure = fault(server, reply)

    assert failure.kind == kind
    assert words in str(failure)
    assert str(failure).startswith("the language model scripted ")
    assert server.address.split("/")[2] in str(failure)


@pytest.mark.parametrize("reply", [waits, falls_silent, keeps_alive])
def test_slow_is_given_up_in_time(server: ChatServer, reply: Reply) -> None:
    started = time.monotonic()

    failure = fault(server, reply, timeout_s=0.4)

    assert failure.kind == "slow"
    assert "did not answer within 0.4 s" in str(failure)
    assert time.monotonic() - started < 3


def test_a_server_that_is_down_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"

    with pytest.raises(LanguageModelError, match=r"cannot be reached at 127\.0\.0\.1:\d+ \(.*refused\)") as failure:
        list(LanguageModel(address, None, "scripted", 5).stream(MESSAGES))

    assert failure.value.kind == "unreachable"


def test_nothing_is_asked_twice(server: ChatServer) -> None:
    fault(server, answers(503, b"{}"))

    assert len(server.exchanges) == 1


def test_the_last_chunk_may_count_tokens(server: ChatServer) -> None:
    server.reply = sends(chunk({"content": "83"}), chunk({}, "stop"), {"choices": [], "usage": {"total_tokens": 3}})

    assert list(model_at(server).stream(MESSAGES)) == ["83"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["choices", "delta", "content", "finish_reason", "error", "index"]), inner)
    ),
    max_leaves=8,
)


@given(event=JSON)
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_json_comes_there_is_text_or_the_one_error(server: ChatServer, event: object) -> None:
    server.reply = sends(event, chunk({"content": "end"}, "stop"))
    try:
        pieces = list(model_at(server).stream(MESSAGES))
    except LanguageModelError:
        return
    assert all(isinstance(piece, str) for piece in pieces)


def test_without_a_model_there_is_none() -> None:
    assert open_language_model(Settings(llm_base_url="http://127.0.0.1:1/v1"), {"OPENAI_API_KEY": KEY}) is None


def test_the_settings_and_the_environments_key_open_one(server: ChatServer) -> None:
    chosen = replace(Settings(), llm_model="scripted", llm_base_url=server.address, llm_timeout_s=5)

    model = open_language_model(chosen, {"OPENAI_API_KEY": f" {KEY}\n"})

    assert model is not None
    assert "".join(model.stream(MESSAGES)) == TEXT
    assert server.exchanges[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in repr(chosen) + repr(model)


def test_openais_own_server_is_used_only_with_a_key() -> None:
    chosen = Settings(llm_model="gpt")

    model = open_language_model(chosen, {"OPENAI_API_KEY": KEY})

    assert model is not None
    assert model.host == "api.openai.com"
    with pytest.raises(SettingsError, match=r"set OPENAI_BASE_URL .* or OPENAI_API_KEY"):
        open_language_model(chosen, {})


def test_a_key_that_cannot_be_one_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError, match="OPENAI_API_KEY") as refusal:
        open_language_model(Settings(llm_model="gpt"), {"OPENAI_API_KEY": "مفتاح"})

    assert "مفتاح" not in str(refusal.value)


def test_a_password_in_the_address_is_not_shown() -> None:
    assert LanguageModel("http://me:word@127.0.0.1:11434/v1", None, "m", 1).host == "127.0.0.1:11434"
