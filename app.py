"""The page: a chat over the articles, an evidence panel beside it, and the endpoints `/ask`, `/brief` and `/search`."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import gradio as gr
from gradio.events import api
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from rag.config import EVAL_OUT, Settings
from rag.datatypes import Question
from rag.errors import RagError, SettingsError
from rag.manifest import read_manifest
from rag.present.conversation import Answerer, Conversation, Session, View, well_formed
from rag.present.drafts import mark_of
from rag.present.endpoints import Endpoints, Searcher
from rag.present.evidence import render_evidence
from rag.present.html import IndexSummary, render_conversation, render_header, render_status
from rag.present.strings import DEFAULT_LANGUAGE, strings

REPORT = EVAL_OUT / "report.html"
PRESENT = Path(__file__).resolve().parent / "rag" / "present"
ASKERS_AT_ONCE = 8
QUEUED = 100
_SPEAK = "window.sanadSpeak"
_P = ParamSpec("_P")
_LOG = logging.getLogger("rag.page")

_PETROL = gr.themes.Color(
    c50="#eef6f5", c100="#d8eae8", c200="#b2d5d1", c300="#83b9b4", c400="#559a95", c500="#37807b",
    c600="#226864", c700="#1a5451", c800="#174442", c900="#143937", c950="#0a2120", name="petrol",
)  # fmt: skip
_PAPER = gr.themes.Color(
    c50="#faf8f4", c100="#f3f0e9", c200="#e5e0d5", c300="#cfc8b9", c400="#a49c8c", c500="#787163",
    c600="#5b554a", c700="#444038", c800="#2a2824", c900="#1c1b19", c950="#131211", name="paper",
)  # fmt: skip
THEME = gr.themes.Base(
    primary_hue=_PETROL,
    neutral_hue=_PAPER,
    radius_size="md",
    text_size="md",
    font=["Plex Sanad", "system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
).set(
    body_background_fill="*neutral_50",
    body_background_fill_dark="*neutral_950",
    body_text_color="*neutral_900",
    body_text_color_dark="*neutral_100",
    body_text_color_subdued="*neutral_500",
    body_text_color_subdued_dark="*neutral_400",
    block_background_fill="transparent",
    block_background_fill_dark="transparent",
    block_border_width="0px",
    block_border_width_dark="0px",
    block_shadow="none",
    block_shadow_dark="none",
    input_background_fill="white",
    input_background_fill_dark="*neutral_900",
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_hover="*primary_700",
    button_primary_background_fill_dark="*primary_600",
    button_primary_background_fill_hover_dark="*primary_500",
    button_primary_text_color="white",
)


Updates = dict[gr.components.Component, Any]


class Page:
    """The components of the page and what happens on each event."""

    def __init__(self, pipeline: Searcher, settings: Settings) -> None:
        self.summary = _summary(pipeline, settings)
        self.talk = Conversation(pipeline, settings)
        words = strings(DEFAULT_LANGUAGE)
        self.session = gr.State(Session())
        with gr.Row(elem_id="top"):
            self.header = _html(render_header(DEFAULT_LANGUAGE), "header")
            self.language = gr.Radio(
                [("العربية", "ar"), ("English", "en")],
                value=DEFAULT_LANGUAGE,
                label=words["page.language"],
                container=False,
                elem_id="language",
            )
        with gr.Row(elem_id="columns"):
            with gr.Column(elem_id="main"):
                self.conversation = gr.HTML(
                    render_conversation((), pipeline.articles, DEFAULT_LANGUAGE),
                    js_on_load=(PRESENT / "page.js").read_text(encoding="utf-8"),
                    apply_default_css=False,
                    elem_id="conversation",
                )
                self.notice = _html("", "notice")
                with gr.Row(elem_id="composer"):
                    self.box = gr.Textbox(
                        label=words["page.question"],
                        placeholder=words["page.placeholder"],
                        show_label=False,
                        container=False,
                        lines=1,
                        max_lines=6,
                        elem_id="question",
                    )
                    self.send = gr.Button(words["page.ask"], variant="primary", elem_id="ask")
                    self.tell = gr.Button(words["page.brief"], variant="secondary", elem_id="brief")
                    self.halt = gr.Button(words["page.stop"], variant="stop", elem_id="stop", visible=False)
                with gr.Row(elem_id="foot"):
                    self.status = _html(render_status(self.summary, DEFAULT_LANGUAGE), "status")
                    self.clear = gr.Button(words["page.clear"], elem_id="clear", size="sm")
            with gr.Column(elem_id="panel"):
                self.evidence = _html(render_evidence(None, pipeline.articles, DEFAULT_LANGUAGE), "evidence")

    def connect(self, blocks: gr.Blocks) -> None:
        """Bind the events; none of them is an endpoint."""
        own: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        at_once: dict[str, Any] = own | {"queue": False}
        known = [self.session, self.language]
        shown = [self.session, self.conversation, self.evidence, self.notice, self.box, self.send, self.tell, self.halt]
        # "multiple", because Gradio holds a stopped question for unfinished until its last step has returned.
        ask = gr.on(
            [self.box.submit, self.send.click], self.ask, [self.box, *known], shown, trigger_mode="multiple", **own
        )
        take = self.conversation.example(self.take_example, None, self.box, **at_once)
        ask_example = take.then(self.ask, [self.box, *known], shown, **own)
        tell = self.tell.click(self.brief, [self.box, *known], shown, trigger_mode="multiple", **own)
        asking = [ask, ask_example, tell]
        self.halt.click(self.stop, known, shown, cancels=asking, **at_once)
        self.clear.click(self.restart, self.language, shown, cancels=asking, **at_once)
        self.conversation.cite(self.open_evidence, known, shown, **at_once)
        self.conversation.mark(self.mark, known, shown, **at_once)
        worded = [*shown, self.header, self.language, self.clear, self.status]
        self.language.input(self.translate, known, worded, js=f"(session, language) => {_SPEAK}(language)", **at_once)
        blocks.load(self.translate, known, worded, js=f"() => {_SPEAK}(document.documentElement.lang)", **at_once)

    def ask(self, text: str, session: Session, language: str) -> Iterator[Updates]:
        """Answer the question in the box, one view after the other."""
        yield from map(self._updates, self.talk.ask(text, session, language))

    def brief(self, text: str, session: Session, language: str) -> Iterator[Updates]:
        """Tell the topic in the box."""
        yield from map(self._updates, self.talk.brief(text, session, language))

    def take_example(self, event: gr.EventData) -> str:
        """The example question that was pressed."""
        return well_formed(str(event._data["question"]))

    def stop(self, session: Session, language: str) -> Updates:
        """Stop answering."""
        return self._updates(self.talk.stop(session, language))

    def restart(self, language: str) -> Updates:
        """A new conversation."""
        return self._updates(self.talk.show(Session(), language))

    def open_evidence(self, session: Session, language: str, event: gr.EventData) -> Updates:
        """Show the evidence of an earlier answer, at the citation whose number was pressed."""
        number, marker = int(event._data["exchange"]), int(event._data["marker"])
        return self._updates(self.talk.open_evidence(session, number, marker, language))

    def mark(self, session: Session, language: str, event: gr.EventData) -> Updates:
        """Keep what the reader says of an answer."""
        mark = mark_of(str(event._data["mark"]))
        if mark is None:
            return self._updates(self.talk.show(session, language))
        return self._updates(self.talk.mark(session, int(event._data["exchange"]), mark, language))

    def translate(self, session: Session, language: str) -> Updates:
        """The page in another language; answers stay in their question's."""
        words = strings(language)
        return self._updates(self.talk.show(session, language)) | {
            self.header: str(render_header(language)),
            self.language: gr.Radio(value=language, label=words["page.language"]),
            self.box: gr.Textbox(
                label=words["page.question"], placeholder=words["page.placeholder"], rtl=language == "ar"
            ),
            self.send: gr.Button(words["page.ask"]),
            self.tell: gr.Button(words["page.brief"]),
            self.halt: gr.Button(words["page.stop"]),
            self.clear: gr.Button(words["page.clear"]),
            self.status: str(render_status(self.summary, language)),
        }

    def _updates(self, view: View) -> Updates:
        updates: Updates = {
            self.session: view.session,
            self.conversation: view.conversation,
            self.notice: view.notice,
            self.send: gr.Button(visible=not view.running),
            self.tell: gr.Button(visible=not view.running),
            self.halt: gr.Button(visible=view.running),
        }
        if view.evidence is not None:
            updates[self.evidence] = view.evidence
        if view.box is not None:
            updates[self.box] = view.box
        return updates


def build_page(pipeline: Searcher, settings: Settings) -> gr.Blocks:
    """The page and its endpoints over an opened pipeline; `launch` serves it."""
    # Gradio's queue otherwise works out statistics over all that was ever asked, anew after each question.
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")
    blocks = gr.Blocks(title="سند · Sanad", analytics_enabled=False, fill_width=True)
    with blocks:
        endpoints = Endpoints(pipeline, settings.k)
        # Before the events, for a name that one of them has taken is given a number.
        api(_told_in_one_line(endpoints.ask), api_name="ask")
        api(_told_in_one_line(endpoints.search), api_name="search")
        api(_told_in_one_line(endpoints.brief), api_name="brief")
        Page(pipeline, settings).connect(blocks)
        blocks.queue(default_concurrency_limit=ASKERS_AT_ONCE, max_size=QUEUED)
    return blocks


def _told_in_one_line(endpoint: Callable[_P, dict[str, Any]]) -> Callable[_P, dict[str, Any]]:
    @wraps(endpoint)
    def told(*arguments: _P.args, **named: _P.kwargs) -> dict[str, Any]:
        try:
            return endpoint(*arguments, **named)
        except RagError as error:
            raise gr.Error(str(error)) from error

    return told


def _summary(pipeline: Answerer, settings: Settings) -> IndexSummary:
    try:
        manifest = read_manifest(settings.index_dir)
    except RagError:  # It could not be saved and is answered from memory.
        return IndexSummary(articles=len(pipeline.articles), embedder=settings.embedder)
    return IndexSummary(
        articles=len(pipeline.articles),
        passages=manifest.counts["passages"],
        built=manifest.created,
        embedder=settings.embedder,
        evaluated=REPORT.is_file(),
    )


def _html(block: str, name: str) -> gr.HTML:
    return gr.HTML(str(block), js_on_load=None, apply_default_css=False, elem_id=name)


def launch(blocks: gr.Blocks, settings: Settings, *, wait: bool = True) -> str:
    """Serve the page and `/health`; returns its address at once unless `wait`.

    Raises:
        SettingsError: The host or port cannot be listened on.
    """
    css, start = ((PRESENT / name).read_text(encoding="utf-8") for name in ("page.css", "start.js"))
    try:
        _, address, _ = blocks.launch(
            server_name=settings.host,
            server_port=settings.port,
            theme=THEME,
            # Not through `css`: Gradio rewrites those rules, and media queries and selector lists with them.
            head=f"<style>{css}</style><script>{start}</script>",
            app_kwargs={
                "routes": [
                    Route("/health", _health),
                    Route("/report", _report),
                    Mount("/fonts", StaticFiles(directory=PRESENT / "fonts")),
                ]
            },
            footer_links=[],
            run_history=False,
            max_file_size="1kb",
            ssr_mode=False,
            enable_monitoring=False,
            share=False,
            favicon_path=PRESENT / "favicon.svg",
            prevent_thread_lock=True,
            quiet=True,
        )
    except OSError as error:
        raise SettingsError(f"{settings.host}:{settings.port}: cannot be listened on; choose another --port") from error
    _LOG.info("the page is at %s", address)
    if wait:
        blocks.block_thread()
    return str(address)


async def _health(request: Request) -> JSONResponse:
    """There is no server before the model and the index are loaded, so that an answer is always a yes."""
    return JSONResponse({"status": "ok"})


async def _report(request: Request) -> Response:
    """The last evaluation of this folder, which needs nothing but itself."""
    if not REPORT.is_file():
        return PlainTextResponse("There is no evaluation yet: run `sanad eval`.\n", status_code=404)
    return FileResponse(REPORT, headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"})


def main(settings: Settings) -> None:
    """Open the index, warm the model and serve the page until it is stopped."""
    from rag.pipeline import Pipeline  # noqa: PLC0415 - torch is not needed to build the page

    pipeline = Pipeline.open(settings)
    pipeline.ask(Question(text="تمهيد"))
    launch(build_page(pipeline, settings), settings)


if __name__ == "__main__":
    from rag.cli import main as run

    sys.exit(run(["serve", *sys.argv[1:]]))
