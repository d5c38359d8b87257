"""A page that really listens, in this process, over any pipeline."""

import gc
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app import build_page, launch
from rag.config import Settings
from rag.present.endpoints import Searcher

MAX_QUESTION_CHARS = 2000
DRAFTS = "drafts.jsonl"

GRADIO_WARNINGS = [
    # Gradio's server and its client leave their event loops, with the sockets in them, to the collector.
    pytest.mark.filterwarnings("ignore:unclosed (socket|event loop|transport):ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
"""For every test of a module that serves a page; nothing else in the suite is forgiven."""


@contextmanager
def serving(pipeline: Searcher, index_dir: Path) -> Iterator[str]:
    """The page's address, without a slash at its end, for as long as it is served."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    settings = Settings(
        index_dir=index_dir, port=port, max_question_chars=MAX_QUESTION_CHARS, drafts=index_dir / DRAFTS
    )
    blocks = build_page(pipeline, settings)
    address = launch(blocks, settings, wait=False)
    try:
        yield address.rstrip("/")
    finally:
        blocks.close(verbose=False)
        gc.collect()
