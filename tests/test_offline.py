"""Nothing may reach beyond this machine: the real commands, in a process that reports every attempt."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ARTICLES, SEEDS

ROOT = SEEDS.parent

WATCHED = """
import sys

def watch(event, arguments):
    if event == "socket.connect":
        address = arguments[1]
        outside = isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        outside = arguments[0] not in (None, "127.0.0.1", "::1", "localhost", b"localhost")
    else:
        outside = event == "socket.sendto"
    if outside:
        print("OUTSIDE", event, arguments[1:], file=sys.stderr, flush=True)

sys.addaudithook(watch)
"""
COMMANDS = """
from rag.cli import main

index = ["--index", sys.argv[1]]
print(main(["build", sys.argv[2], *index]), file=sys.stderr)
main(["ask", "من حضر اجتماع روما؟", "--json", *index])
"""
CONNECT = """
import socket

try:
    socket.create_connection(("example.invalid", 80), timeout=1)
except OSError:
    pass
"""


def run(code: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `code` under the watch, in a fresh process with an empty home and no setting of this one's."""
    kept = {name: os.environ[name] for name in ("PATH", "OMP_NUM_THREADS", "SYSTEMROOT") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", WATCHED + code, *arguments],
        env=kept | {"HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        cwd=home,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def test_the_watch_sees_an_attempt(tmp_path: Path) -> None:
    assert "OUTSIDE socket.getaddrinfo" in run(CONNECT, tmp_path).stderr


@pytest.mark.slow
def test_building_and_asking_reach_nowhere(tmp_path: Path) -> None:
    articles = tmp_path / "articles"
    articles.mkdir()
    for name, text in ARTICLES.items():
        (articles / name).write_text(text, encoding="utf-8")

    done = run(COMMANDS, tmp_path, str(tmp_path / "index"), str(articles))

    assert "OUTSIDE" not in done.stderr
    answer = json.loads(done.stdout[done.stdout.index("{") :])
    assert answer["hits"][0]["source"] == "rome.txt", done.stderr
    assert not list(tmp_path.glob(".cache/huggingface/hub/*"))
