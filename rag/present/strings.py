"""The words of the interface, by language, from `rag/locales/`."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from rag.errors import UsageError

LOCALES = Path(__file__).resolve().parent.parent / "locales"
DEFAULT_LANGUAGE = "en"


@cache
def interface_languages() -> tuple[str, ...]:
    """The languages that have a file of strings, sorted: `("ar", "en")`."""
    return tuple(sorted(path.stem for path in LOCALES.glob("*.json")))


@cache
def strings(language: str) -> Mapping[str, str]:
    """Key to words in `language`; some hold `str.format` fields. `und` reads the default language's.

    Raises:
        UsageError: There is no file for `language`.
    """
    name = DEFAULT_LANGUAGE if language == "und" else language
    if name not in interface_languages():
        raise UsageError(f"language {language!r} has no strings; use one of {', '.join(interface_languages())}")
    table: dict[str, str] = json.loads((LOCALES / f"{name}.json").read_text(encoding="utf-8"))
    return MappingProxyType(table)
