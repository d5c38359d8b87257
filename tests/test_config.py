from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.config import Settings, default_paths, load_settings
from rag.errors import SettingsError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_need_nothing_set() -> None:
    settings = load_settings(environ={})

    assert settings == Settings(index_dir=settings.index_dir)
    assert (settings.embedder, settings.host, settings.port) == ("bundled", "127.0.0.1", 7860)


def test_flag_wins_over_environment_over_file_over_default(here: Path) -> None:
    config = write(here / "mine.toml", "k = 2\npassage_chars = 222\nport = 2222\n")
    environ = {"SANAD_K": "3", "SANAD_PASSAGE_CHARS": "333"}

    settings = load_settings({"k": "4"}, config=config, environ=environ)

    assert (settings.k, settings.passage_chars, settings.port, settings.max_question_chars) == (4, 333, 2222, 2000)


def test_a_flag_not_given_does_not_hide_the_environment() -> None:
    assert load_settings({"k": None}, environ={"SANAD_K": "3"}).k == 3


def test_sanad_toml_of_the_current_folder_is_read_unless_another_is_named(here: Path) -> None:
    write(here / "sanad.toml", "k = 5\n")
    other = write(here / "other.toml", "port = 8000\n")

    assert load_settings(environ={}).k == 5
    assert load_settings(environ={}, config=other).k == Settings().k


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings(environ={"SANAD_K": ""}).k == Settings().k


def test_gradio_names_the_address_unless_sanad_does() -> None:
    gradio = {"GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SERVER_PORT": "9000"}

    settings = load_settings(environ=gradio | {"SANAD_PORT": "9001"})

    assert (settings.host, settings.port) == ("0.0.0.0", 9001)


def test_relative_paths_start_at_the_file_that_names_them(here: Path, tmp_path: Path) -> None:
    config = write(tmp_path / "sanad.toml", 'index = "فهرس"\npaths = ["مقالات", "/more"]\n')

    settings = load_settings(config=config, environ={"HOME": "/home/x"})

    assert settings.index_dir == tmp_path / "فهرس"
    assert settings.paths == (tmp_path / "مقالات", Path("/more"))


def test_paths_in_the_environment_are_separated_as_in_path() -> None:
    assert load_settings(environ={"SANAD_PATHS": "a:b"}).paths == (Path("a"), Path("b"))


def test_index_and_articles_are_here_if_there_are_articles_here(here: Path) -> None:
    (here / "seeds").mkdir()

    assert load_settings(environ={}).index_dir == Path("index")
    assert default_paths() == (Path("seeds"),)


def test_elsewhere_index_and_articles_are_the_checkouts() -> None:
    checkout = Path(__file__).resolve().parent.parent

    assert load_settings(environ={}).index_dir == checkout / "index"
    assert default_paths() == (checkout / "seeds",)


@pytest.mark.parametrize("value", ["1", "true", "Yes", "ON"])
def test_a_leg_can_be_switched_on_by_any_usual_word(value: str) -> None:
    assert load_settings(environ={"SANAD_LEXICON": value}).lexicon is True


@pytest.mark.parametrize("value", ["0", "false", "No", "OFF"])
def test_a_leg_can_be_switched_off_by_any_usual_word(value: str) -> None:
    assert load_settings(environ={"SANAD_LEXICON": value}).lexicon is False


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"SANAD_K": "many"}, "SANAD_K: 'many' is not a whole number from 1 to 100"),
        ({"SANAD_K": "0"}, "SANAD_K: '0' is not a whole number from 1 to 100"),
        ({"SANAD_K": "1.5"}, "SANAD_K: '1.5' is not a whole number"),
        ({"SANAD_K": "9" * 6000}, "SANAD_K: '9999"),
        ({"GRADIO_SERVER_PORT": "70000"}, "GRADIO_SERVER_PORT: '70000' is not a whole number from 1 to 65535"),
        ({"SANAD_DENSE": "maybe"}, "SANAD_DENSE: 'maybe' is not true or false"),
        ({"SANAD_EMBEDDER": " "}, "SANAD_EMBEDDER: ' ' is not a text that is not empty"),
        ({"SANAD_DENSE": "0", "SANAD_LEXICAL": "0", "SANAD_LATE": "0"}, "all off: nothing would be searched"),
    ],
)
def test_a_wrong_variable_is_named(environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings(environ=environ)

    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("passage_char = 400", "unknown setting 'passage_char'; known are index, paths, embedder"),
        ('k = "3"', "k: '3' is not a whole number from 1 to 100"),
        ("k = true", "k: True is not a whole number from 1 to 100"),
        ("dense = 1", "dense: 1 is not true or false"),
        ("embedder = 3", "embedder: 3 is not a text"),
        ("paths = []", "paths: [] is not a list of paths"),
        ("[retrieval]\nk = 3", "unknown setting 'retrieval'"),
        ("k = ", "not a TOML file: "),
    ],
)
def test_a_wrong_line_of_the_file_is_named(here: Path, text: str, message: str) -> None:
    config = write(here / "my.toml", text)

    with pytest.raises(SettingsError) as refusal:
        load_settings(config=config, environ={})

    assert str(refusal.value).startswith("my.toml: ") or str(refusal.value).startswith(f"{config}: ")
    assert message in str(refusal.value)


def test_a_wrong_flag_is_named() -> None:
    with pytest.raises(SettingsError, match="--passage-chars: '7' is not a whole number from 100 to 4000"):
        load_settings({"passage_chars": "7"}, environ={})


def test_a_file_that_is_not_there_is_named(here: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read: No such file"):
        load_settings(config=here / "none.toml", environ={})


def test_a_file_that_is_not_utf8_is_named(here: Path) -> None:
    (here / "old.toml").write_bytes('embedder = "نموذج"'.encode("cp1256"))

    with pytest.raises(SettingsError, match=r"old\.toml: not a TOML file"):
        load_settings(config=here / "old.toml", environ={})


@given(k=st.integers(), text=st.text(max_size=8))
def test_a_number_is_taken_within_its_range_and_refused_outside(k: int, text: str) -> None:
    for value in (str(k), text):
        usable = value in map(str, range(1, 101))
        try:
            assert load_settings({"k": value}, environ={}).k == int(value)
        except SettingsError:
            assert not usable


def test_no_language_model_unless_one_is_named() -> None:
    settings = load_settings(environ={"OPENAI_BASE_URL": "http://127.0.0.1:11434/v1", "OPENAI_API_KEY": "sk-1"})

    assert settings.llm_model is None
    assert settings.llm_base_url == "http://127.0.0.1:11434/v1"
    assert settings.llm_timeout_s == 30


def test_the_language_model_is_named_like_any_setting(here: Path) -> None:
    config = write(here / "mine.toml", 'llm_model = "qwen"\nllm_timeout_s = 60\nllm_base_url = "https://host/v1"\n')

    settings = load_settings({"llm_timeout_s": "90"}, config=config, environ={"SANAD_LLM_MODEL": "gemma"})

    assert (settings.llm_model, settings.llm_base_url, settings.llm_timeout_s) == ("gemma", "https://host/v1", 90)


def test_sanads_address_wins_over_openais() -> None:
    environ = {"OPENAI_BASE_URL": "http://one/v1", "SANAD_LLM_BASE_URL": "http://two/v1"}

    assert load_settings(environ=environ).llm_base_url == "http://two/v1"


@pytest.mark.parametrize(
    "value", ["localhost:11434", "ftp://host", "http://", "http://a b", "http://[::1", "https://h:x"]
)
def test_an_address_is_one(value: str) -> None:
    with pytest.raises(SettingsError, match=r"OPENAI_BASE_URL: .* is not an address that begins with http"):
        load_settings(environ={"OPENAI_BASE_URL": value})


def test_the_key_is_no_setting(here: Path) -> None:
    config = write(here / "my.toml", 'llm_api_key = "sk-secret"\n')

    with pytest.raises(SettingsError, match="unknown setting 'llm_api_key'") as refusal:
        load_settings(config=config, environ={})

    assert "sk-secret" not in str(refusal.value)
    assert "sk-secret" not in repr(load_settings(environ={"SANAD_LLM_MODEL": "m", "OPENAI_API_KEY": "sk-secret"}))
