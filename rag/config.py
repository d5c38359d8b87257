"""Settings, resolved flag > environment > file > default. There is no global instance."""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rag.errors import SettingsError

EVAL_OUT = Path("eval") / "out"
"""Where an evaluation writes its report, and the page looks for it."""

DEFAULT_CONFIG = Path("sanad.toml")
"""Read from the current folder when it is there and no other file is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that can be chosen. Counts are whole numbers, lengths are in characters (code points).

    `paths`: files and folders of articles; empty means those the index was built from, else `seeds/`.
    `embedder`: `bundled`, or the name or folder of any sentence-transformers model. `dense`, `lexical`, `late`
    (late interaction), `lexicon` and `balance` switch one part of the retrieval off, to measure what it is worth.
    `drafts`: where the page keeps answers that readers marked, as draft gold questions. `llm_model`: the language
    model that writes answers, None for none; `llm_base_url`: the server that has it, None for OpenAI's own;
    `llm_timeout_s`: seconds for a whole answer. The key is no setting: `rag.llm` takes it from the environment.
    """

    index_dir: Path = Path("index")
    paths: tuple[Path, ...] = ()
    embedder: str = "bundled"
    revision: str | None = None
    passage_chars: int = 600
    k: int = 10
    dense: bool = True
    lexical: bool = True
    late: bool = True
    lexicon: bool = True
    balance: bool = True
    host: str = "127.0.0.1"
    port: int = 7860
    max_question_chars: int = 2000
    drafts: Path = Path("eval") / "gold" / "drafts.jsonl"
    llm_model: str | None = None
    llm_base_url: str | None = None
    llm_timeout_s: int = 30


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a value is read from text, when it is accepted, and what to call it in a message."""

    noun: str
    from_text: Callable[[str], object]
    accepts: Callable[[object], bool]


def _number_from_text(text: str) -> object:
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else text


def _number(low: int, high: int) -> _Kind:
    def accepts(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return _Kind(f"a whole number from {low} to {high}", _number_from_text, accepts)


_SWITCHES = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_SWITCH = _Kind("true or false", lambda text: _SWITCHES.get(text.lower(), text), lambda value: isinstance(value, bool))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.strip() != "" and "\0" not in value


_TEXT = _Kind("a text that is not empty", lambda text: text, _is_text)


def _is_address(value: object) -> bool:
    if not _is_text(value) or not re.fullmatch(r"https?://\S+", str(value)):
        return False
    try:
        parts = urlsplit(str(value))
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


_ADDRESS = _Kind("an address that begins with http:// or https://", lambda text: text, _is_address)
_PATH = _Kind("a path", lambda text: text, _is_text)
_PATHS = _Kind(
    "a list of paths",
    lambda text: text.split(os.pathsep),
    lambda value: isinstance(value, list | tuple) and len(value) > 0 and all(_is_text(str(path)) for path in value),
)

_KINDS: dict[str, _Kind] = {
    "index": _PATH,
    "paths": _PATHS,
    "embedder": _TEXT,
    "revision": _TEXT,
    "passage_chars": _number(100, 4000),
    "k": _number(1, 100),
    "dense": _SWITCH,
    "lexical": _SWITCH,
    "late": _SWITCH,
    "lexicon": _SWITCH,
    "balance": _SWITCH,
    "host": _TEXT,
    "port": _number(1, 65535),
    "max_question_chars": _number(1, 100_000),
    "llm_model": _TEXT,
    "llm_base_url": _ADDRESS,
    "llm_timeout_s": _number(1, 600),
}
"""What may be set, under the names that the file uses; `SANAD_<NAME>` in the environment."""

_ALSO_IN_ENVIRONMENT = {
    "host": "GRADIO_SERVER_NAME",
    "port": "GRADIO_SERVER_PORT",
    "llm_base_url": "OPENAI_BASE_URL",
}


def load_settings(
    flags: Mapping[str, object] | None = None,
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Resolve every setting: flag, else environment, else file, else default.

    Args:
        flags: Setting name to the value given on the command line; None means not given.
        config: A TOML file; None reads `sanad.toml` of the current folder if there is one.
        environ: The environment; None is the process's own.

    Raises:
        SettingsError: An unknown key, a wrong type or a value out of range; the message names its source.
    """
    environ = os.environ if environ is None else environ
    chosen: dict[str, Any] = {"index": _home() / "index"}
    chosen |= _from_file(config)
    chosen |= _from_environment(environ)
    chosen |= _from_flags(flags or {})
    chosen["index_dir"] = chosen.pop("index")
    settings = Settings(**chosen)
    if not (settings.dense or settings.lexical or settings.late):
        raise SettingsError("dense, lexical and late are all off: nothing would be searched; switch one of them on")
    return settings


def default_paths() -> tuple[Path, ...]:
    """Where the articles are when nobody says: `seeds/` here, else in the checkout the package lies in."""
    return (_home() / "seeds",)


def _home() -> Path:
    """The current folder if it has articles or an index, else the checkout if there is one, else the current."""
    here, checkout = Path(), Path(__file__).resolve().parent.parent
    if (here / "seeds").is_dir() or (here / "index" / "manifest.json").is_file():
        return here
    return checkout if (checkout / "seeds").is_dir() else here


def _from_flags(flags: Mapping[str, object]) -> dict[str, object]:
    given = {name: value for name, value in flags.items() if value is not None}
    return {name: _read(name, value, f"--{name.replace('_', '-')}", Path()) for name, value in given.items()}


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    chosen = {}
    for name in _KINDS:
        for variable in (f"SANAD_{name.upper()}", _ALSO_IN_ENVIRONMENT.get(name, "")):
            if environ.get(variable):
                chosen[name] = _read(name, environ[variable], variable, Path())
                break
    return chosen


def _from_file(config: Path | None) -> dict[str, object]:
    path = config or DEFAULT_CONFIG
    if config is None and not path.is_file():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"{path}: not a TOML file: {' '.join(str(error).split())}") from error
    unknown = [key for key in table if key not in _KINDS]
    if unknown:
        raise SettingsError(f"{path}: unknown setting {unknown[0]!r}; known are {', '.join(_KINDS)}")
    return {name: _read(name, value, f"{path}: {name}", path.parent, typed=True) for name, value in table.items()}


def _read(name: str, value: object, source: str, folder: Path, *, typed: bool = False) -> object:
    """The setting's value; a relative path is taken from `folder`."""
    kind = _KINDS[name]
    read = kind.from_text(value) if isinstance(value, str) and not typed else value
    if not kind.accepts(str(read) if isinstance(read, Path) else read):
        raise SettingsError(f"{source}: {value!r} is not {kind.noun}")
    if kind is _PATH:
        return _path(read, folder, source)
    if kind is _PATHS and isinstance(read, list | tuple):
        return tuple(_path(path, folder, source) for path in read)
    return read


def _path(value: object, folder: Path, source: str) -> Path:
    try:
        return folder / Path(str(value)).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"{source}: {str(value)!r}: there is no such user's home") from error
