"""The page's endpoints, through the client that scripts use, against a page that really listens."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from app import build_page, launch
from rag.config import Settings
from rag.errors import SettingsError
from rag.present.json import answer_to_json
from tests.fake_pipeline import ARABIC, ARTICLES, BROKEN, ENGLISH, OLYMPICS, FakePipeline
from tests.page_server import GRADIO_WARNINGS, serving

pytestmark = GRADIO_WARNINGS


@pytest.fixture(scope="module")
def pipeline() -> FakePipeline:
    return FakePipeline()


@pytest.fixture(scope="module")
def address(pipeline: FakePipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(pipeline, tmp_path_factory.mktemp("index")) as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


def test_health_answers_once_the_page_is_served(address: str) -> None:
    with urlopen(f"{address}/health", timeout=10) as response:
        assert response.status == 200
        assert json.load(response) == {"status": "ok"}


def test_ask_brief_and_search_are_the_only_endpoints(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)
    assert sorted(endpoints["named_endpoints"]) == ["/ask", "/brief", "/search"]
    assert endpoints["unnamed_endpoints"] == {}
    parameters = endpoints["named_endpoints"]["/ask"]["parameters"]
    assert [(each["parameter_name"], each.get("parameter_default")) for each in parameters] == [
        ("question", None),
        ("k", 10),
        ("language", "auto"),
    ]


@pytest.mark.parametrize("question", [ARABIC, ENGLISH, OLYMPICS])
def test_ask_gives_the_contracts_json(client: Client, pipeline: FakePipeline, question: str) -> None:
    given = client.predict(question, api_name="/ask")
    answer = pipeline.ask(pipeline.asked[-1])
    assert given == json.loads(json.dumps(answer_to_json(answer, pipeline.articles)))
    assert given["question"] == question


def test_ask_honours_k_and_language(client: Client, pipeline: FakePipeline) -> None:
    given = client.predict(ENGLISH, k=2, language="ar", api_name="/ask")
    assert [hit["rank"] for hit in given["hits"]] == [1, 2]
    assert pipeline.asked[-1].language == "ar"


def test_ask_for_more_passages_than_an_answer_looks_at(client: Client) -> None:
    assert len(client.predict(ENGLISH, k=50, api_name="/ask")["hits"]) == 50


def test_search_gives_query_and_hits(client: Client) -> None:
    given = client.predict("داعش", k=3, api_name="/search")
    assert given["query"] == "داعش"
    assert [hit["source"] for hit in given["hits"]] == [article.source for article in ARTICLES.values()][:3]
    assert len(client.predict("داعش", api_name="/search")["hits"]) == 10


@pytest.mark.parametrize("topic", [ARABIC, OLYMPICS])
def test_brief_gives_the_answer_with_its_points(client: Client, topic: str) -> None:
    given = client.predict(topic, language="en", api_name="/brief")
    assert given["question"] == topic
    assert [point["markers"] for point in given["points"]] == [[each["marker"]] for each in given["citations"]]
    assert bool(given["points"]) == (given["status"] == "answered") == (topic != OLYMPICS)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"question": ""}, "the question is empty; write one"),
        ({"question": ENGLISH, "k": 0}, "k 0 is not a whole number from 1 to 100"),
        ({"question": ENGLISH, "k": "many"}, "k 'many' is not a whole number from 1 to 100"),
        ({"question": ENGLISH, "language": "fr"}, "language 'fr' is unknown; use auto, ar or en"),
        ({"question": 5}, "question 5 is not a text"),
    ],
)
def test_a_wrong_argument_is_one_line(client: Client, arguments: dict[str, object], line: str) -> None:
    with pytest.raises(AppError, match=line):
        client.predict(**arguments, api_name="/ask")


def test_an_unforeseen_error_tells_a_client_nothing_of_the_inside(client: Client) -> None:
    with pytest.raises(AppError) as raised:
        client.predict(BROKEN, api_name="/ask")
    assert "unforeseen" not in str(raised.value)


def test_several_askers_get_their_own_answers(address: str) -> None:
    clients = [Client(address, verbose=False) for _ in range(4)]
    questions = [f"{ENGLISH} {n}" for n in range(24)]

    def ask(n: int) -> str:
        return str(clients[n % len(clients)].predict(questions[n], api_name="/ask")["question"])

    with ThreadPoolExecutor(max_workers=8) as askers:
        assert list(askers.map(ask, range(len(questions)))) == questions


def test_half_a_character_does_not_break_the_answer(address: str) -> None:
    body = json.dumps({"data": ["سؤال \ud83d", 10, "auto"]}).encode()  # \\ud83d, as a browser may send it
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"{address}/gradio_api/call/ask", data=body, headers=headers), timeout=10) as response:
        event = json.load(response)["event_id"]
    with urlopen(f"{address}/gradio_api/call/ask/{event}", timeout=10) as response:
        kind, payload = response.read().decode().strip().split("\n")
    assert kind == "event: complete"
    assert json.loads(payload.removeprefix("data: "))[0]["question"] == "سؤال ?"


def test_a_port_in_use_is_one_line(address: str, tmp_path: Path) -> None:
    settings = Settings(index_dir=tmp_path, port=int(address.rsplit(":", 1)[1]))
    with pytest.raises(SettingsError, match="cannot be listened on; choose another --port"):
        launch(build_page(FakePipeline(), settings), settings, wait=False)


def test_no_file_of_the_machine_is_served(address: str, client: Client) -> None:
    for path in (
        "/gradio_api/file=/etc/hostname",
        "/fonts/../page.css",
        f"/gradio_api/file={Path(__file__).resolve()}",
    ):
        with pytest.raises(OSError, match=r"HTTP Error 40[34]"):
            urlopen(f"{address}{path}", timeout=10)
