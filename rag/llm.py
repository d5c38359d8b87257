"""A language model behind any server that speaks OpenAI's protocol: messages in, text out as it is written.

The only importer of `openai`, and only once there is something to ask.
"""

import queue
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import urlsplit

from rag.config import Settings
from rag.errors import RagError, SettingsError
from rag.prompting import Message

if TYPE_CHECKING:
    from openai import OpenAI, Stream
    from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

FaultKind = Literal["unreachable", "slow", "server", "refused", "malformed", "cut_off"]

_PUBLIC = "api.openai.com"
_NO_KEY = "none"
"""Servers of one's own mostly ask for no key; the client insists on one."""
_MAX_REASON_CHARS = 200
_WAITING_PIECES = 256
_RECHECK_S = 0.1


class LanguageModelError(RagError):
    """No whole answer came from the language model; `kind` says what went wrong, for a line in another language."""

    def __init__(self, kind: FaultKind, line: str) -> None:
        super().__init__(line)
        self.kind = kind


class LanguageModel:
    """One model of one server. Streams are independent of each other, so threads may share it."""

    def __init__(self, base_url: str | None, api_key: str | None, model: str, timeout_s: float) -> None:
        """The model named `model` at `base_url` (None: OpenAI's own), given `timeout_s` seconds for a whole answer."""
        self._base_url = base_url
        self._api_key = api_key
        self._model = model
        self._timeout_s = timeout_s

    @property
    def host(self) -> str:
        """Where it is asked, `host:port`, without what else an address may hold."""
        return urlsplit(self._base_url).netloc.rpartition("@")[2] if self._base_url else _PUBLIC

    def stream(self, messages: Sequence[Message]) -> Generator[str, None, None]:
        """The answer in pieces as they are written; closing the iterator ends the request.

        Raises:
            LanguageModelError: The server is down, slow, refuses, answers an error or nonsense, or stops midway.
        """
        request = _Request(self._base_url, self._api_key or _NO_KEY, self._model, self._timeout_s, messages)
        try:
            yield from request.pieces()
        except _Fault as fault:
            raise self._error(fault) from fault.__cause__
        finally:
            request.stop()

    def _error(self, fault: "_Fault") -> LanguageModelError:
        what = {
            "unreachable": f"cannot be reached at {self.host}",
            "slow": f"at {self.host} did not answer within {self._timeout_s:g} s",
            "server": f"at {self.host} answered with an error",
            "refused": f"at {self.host} refused to answer",
            "malformed": f"at {self.host} sent what is no answer",
            "cut_off": f"at {self.host} stopped in the middle of its answer",
        }[fault.kind]
        reason = " ".join(fault.reason.split())
        if self._api_key:
            reason = reason.replace(self._api_key, "***")
        reason = f" ({reason[:_MAX_REASON_CHARS]})" if reason else ""
        return LanguageModelError(fault.kind, f"the language model {self._model} {what}{reason}")


def open_language_model(settings: Settings, environ: Mapping[str, str]) -> LanguageModel | None:
    """The model that the settings name, or None where they name none. The key is `OPENAI_API_KEY` of `environ`.

    Raises:
        SettingsError: There is neither an address nor a key, or the key cannot be one.
    """
    if settings.llm_model is None:
        return None
    key = environ.get("OPENAI_API_KEY", "").strip() or None
    if key and not (key.isascii() and key.isprintable()):
        raise SettingsError("OPENAI_API_KEY: it has characters that no key has; copy it again")
    if settings.llm_base_url is None and key is None:
        raise SettingsError(
            f"llm_model {settings.llm_model!r}: where is it? "
            "set OPENAI_BASE_URL to the address of a server, or OPENAI_API_KEY for OpenAI's own"
        )
    return LanguageModel(settings.llm_base_url, key, settings.llm_model, settings.llm_timeout_s)


class _Fault(Exception):
    """What went wrong with a request, before it is worded."""

    def __init__(self, kind: FaultKind, reason: str = "") -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


class _Request:
    """One request, read in a thread of its own.

    The client's own time limit is one between two bytes, and a server that sends a comment every second never
    meets it; waiting for the pieces instead keeps the limit for the whole.
    """

    def __init__(
        self, base_url: str | None, key: str, model: str, timeout_s: float, messages: Sequence[Message]
    ) -> None:
        self._base_url = base_url
        self._key = key
        self._model = model
        self._messages = messages
        self._timeout_s = timeout_s
        self._until = time.monotonic() + timeout_s
        self._queue: queue.Queue[str | _Fault | None] = queue.Queue(_WAITING_PIECES)
        self._stopped = threading.Event()
        self._stream: Stream[ChatCompletionChunk] | None = None
        self._thread = threading.Thread(target=self._run, name="language-model", daemon=True)

    def pieces(self) -> Iterator[str]:
        """The pieces until the end. Raises _Fault."""
        self._thread.start()
        while True:
            try:
                item = self._queue.get(timeout=max(self._until - time.monotonic(), 0))
            except queue.Empty as error:
                raise _Fault("slow") from error
            if item is None:
                return
            if isinstance(item, _Fault):
                raise item
            yield item

    def stop(self) -> None:
        """End the request if it still runs: its thread ends at the next byte, or when none comes in time."""
        self._stopped.set()
        if self._stream is not None:
            self._stream.close()

    def _run(self) -> None:
        outcome: _Fault | None = _Fault("server", "the client failed")
        try:
            self._read()
            outcome = None
        except _Fault as fault:
            outcome = fault
        finally:
            self._put(outcome)

    def _read(self) -> None:
        try:
            import openai
        except ImportError as error:
            raise _Fault("unreachable", "there is no openai package: pip install 'sanad[llm]'") from error
        began = False
        try:
            with openai.OpenAI(
                base_url=self._base_url or f"https://{_PUBLIC}/v1",
                api_key=self._key,
                timeout=self._timeout_s,
                max_retries=0,
            ) as client:
                stream = self._open(client)
                began = True
                with stream:
                    if not self._stopped.is_set():  # else `stop` came before there was a stream to close
                        self._pass_on(stream)
        except openai.APITimeoutError as error:
            raise _Fault("slow") from error
        except openai.APIStatusError as error:
            raise _Fault("server", f"{error.status_code}: {_message(error.body) or error.message}") from error
        except openai.APIConnectionError as error:
            raise _Fault("cut_off" if began else "unreachable", str(error.__cause__ or "")) from error
        except openai.APIError as error:
            raise _Fault("server", error.message) from error
        except openai.OpenAIError as error:
            raise _Fault("server", str(error)) from error
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            # The client reads whatever JSON comes as if it were of the right shape.
            raise _Fault("malformed", str(error)) from error

    def _open(self, client: "OpenAI") -> "Stream[ChatCompletionChunk]":
        # Neither a temperature nor a limit of tokens: some models refuse the one, some servers the name of the other.
        stream = client.chat.completions.create(
            model=self._model, messages=cast("list[ChatCompletionMessageParam]", list(self._messages)), stream=True
        )
        self._stream = stream
        return stream

    def _pass_on(self, stream: "Stream[ChatCompletionChunk]") -> None:
        finished = anything = False
        for chunk in stream:
            if self._stopped.is_set():
                return
            anything = True
            text, reason = _read_chunk(chunk)
            if text:
                self._put(text)
            finished = finished or reason is not None
            if reason == "content_filter":
                raise _Fault("refused", "content filter")
        if not finished:
            raise _Fault("cut_off" if anything else "malformed", "" if anything else "no stream of chunks")

    def _put(self, item: "str | _Fault | None") -> None:
        """Hand `item` over, unless nobody waits for it any more."""
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=_RECHECK_S)
            except queue.Full:
                continue
            return


def _read_chunk(chunk: object) -> tuple[str, str | None]:
    """The text of a chunk and why it is the last one, if it is.

    Raises:
        _Fault: It refuses.
        ValueError: It is no chunk.
    """
    choices = getattr(chunk, "choices", None)
    if not isinstance(choices, list):
        raise ValueError("a chunk without choices")
    if not choices:  # the last one may only count tokens
        return "", None
    delta = getattr(choices[0], "delta", None)
    text, refusal = getattr(delta, "content", None), getattr(delta, "refusal", None)
    reason = getattr(choices[0], "finish_reason", None)
    if delta is None and reason is None:
        raise ValueError("a choice without a delta")
    if not isinstance(text, str | None) or not isinstance(reason, str | None):
        raise ValueError("a delta whose content is no text")
    if refusal:
        raise _Fault("refused", str(refusal))
    return text or "", reason


def _message(body: object) -> str:
    """What the body of an error says, in the protocol's form."""
    error = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message") if isinstance(error, dict) else error
    return message if isinstance(message, str) else ""
