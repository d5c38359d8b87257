"""A server on this machine that speaks the chat protocol, streaming included, and can misbehave in every way."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PIECE_CHARS = 7


@dataclass
class Exchange:
    """One request and the means to answer it. `over` is set when the server stops: nothing may wait longer."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    over: threading.Event
    _handler: BaseHTTPRequestHandler

    @property
    def prompt(self) -> str:
        return "\n".join(message["content"] for message in self.body["messages"])

    def begin(self, status: int = 200, content_type: str = "text/event-stream", length: int | None = None) -> None:
        self._handler.send_response(status)
        self._handler.send_header("Content-Type", content_type)
        if length is None:
            self._handler.send_header("Transfer-Encoding", "chunked")
        else:
            self._handler.send_header("Content-Length", str(length))
        self._handler.end_headers()

    def send(self, raw: bytes) -> None:
        """One chunk of the body."""
        self._handler.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))
        self._handler.wfile.flush()

    def event(self, data: object) -> None:
        self.send(b"data: " + json.dumps(data).encode() + b"\n\n")

    def piece(self, text: str) -> None:
        self.event(chunk({"content": text}))

    def end(self) -> None:
        self._handler.wfile.write(b"0\r\n\r\n")

    def whole(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        self.begin(status, content_type, len(body))
        self._handler.wfile.write(body)


Reply = Callable[[Exchange], None]


@dataclass
class ChatServer:
    """Answers each request by `reply`, which may be exchanged; keeps the requests."""

    reply: Reply
    address: str = ""
    exchanges: list[Exchange] = field(default_factory=list)


def chunk(delta: object, finish: str | None = None) -> dict[str, object]:
    """A chunk as servers send it."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def says(text: str, *, finish: str = "stop") -> Reply:
    """Streams `text` in small pieces, as a well-behaved server does."""

    def reply(exchange: Exchange) -> None:
        exchange.begin()
        exchange.event(chunk({"role": "assistant", "content": ""}))
        for start in range(0, len(text), PIECE_CHARS):
            exchange.piece(text[start : start + PIECE_CHARS])
        exchange.event(chunk({}, finish))
        exchange.send(b"data: [DONE]\n\n")
        exchange.end()

    return reply


def stops_after(text: str, *, orderly: bool) -> Reply:
    """Streams `text` and then no more: the body ends in order without the last chunk, or the connection breaks."""

    def reply(exchange: Exchange) -> None:
        exchange.begin()
        exchange.piece(text)
        if orderly:
            exchange.end()

    return reply


def sends(*events: object) -> Reply:
    """Streams these JSON values."""

    def reply(exchange: Exchange) -> None:
        exchange.begin()
        for event in events:
            exchange.event(event)
        exchange.end()

    return reply


def sends_raw(raw: bytes) -> Reply:
    def reply(exchange: Exchange) -> None:
        exchange.begin()
        exchange.send(raw)
        exchange.end()

    return reply


def answers(status: int, body: bytes, content_type: str = "application/json") -> Reply:
    return lambda exchange: exchange.whole(status, body, content_type)


def waits(exchange: Exchange) -> None:
    """Accepts the request and says nothing, not even a header."""
    exchange.over.wait(20)


def falls_silent(exchange: Exchange) -> None:
    """Begins to answer and then says nothing more, the connection open."""
    exchange.begin()
    exchange.piece("The coalition has")
    exchange.over.wait(20)


def keeps_alive(exchange: Exchange) -> None:
    """Sends nothing but comments, so that no two bytes are ever far apart."""
    exchange.begin()
    while not exchange.over.wait(0.05):
        exchange.send(b": still thinking\n\n")


def _handler_for(server: ChatServer, over: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.close_connection = True
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            exchange = Exchange(
                self.path, {name.lower(): value for name, value in self.headers.items()}, body, over, self
            )
            server.exchanges.append(exchange)
            server.reply(exchange)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the tests read what they need from the exchanges."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing it waits for its threads, so that none outlives its test

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: clients that go away in the middle are what some tests are about."""


@contextmanager
def chat_server(reply: Reply) -> Iterator[ChatServer]:
    """A listening server; `address` is its base URL."""
    server, over = ChatServer(reply), threading.Event()
    http = _Server(("127.0.0.1", 0), _handler_for(server, over))
    server.address = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        over.set()
        http.shutdown()
        thread.join()
        http.server_close()
