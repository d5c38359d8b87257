"""The interface speaks every one of its languages: the same keys, the same blanks, and no key that is not there."""

import re
import string
from pathlib import Path

import pytest

from rag.errors import UsageError
from rag.present.strings import interface_languages, strings
from rag.text import detect_language

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [ROOT / "app.py", *sorted((ROOT / "rag").rglob("*.py"))]
KEY = re.compile(r'["\']((?:page|answer|date|terminal)\.(?!css|js)[a-z_.0-9]+)["\']')


def blanks(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name is not None}


def test_arabic_and_english_are_there() -> None:
    assert interface_languages() == ("ar", "en")


def test_every_language_has_the_same_keys() -> None:
    assert sorted(strings("ar")) == sorted(strings("en"))


def test_every_language_fills_the_same_blanks() -> None:
    for key, words in strings("en").items():
        assert blanks(strings("ar")[key]) == blanks(words), key


def test_every_string_is_in_its_own_language() -> None:
    for language in interface_languages():
        for key, words in strings(language).items():
            assert words, key
            assert detect_language(re.sub(r"\{\w*\}", "", words)) in (language, "und"), key


def test_every_key_in_the_code_has_words() -> None:
    used = {key for path in SOURCES for key in KEY.findall(path.read_text(encoding="utf-8"))}
    assert len(used) > 20
    assert used <= set(strings("en"))


def test_every_word_is_used() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    built = tuple(re.findall(r'f"([a-z.]+\.)\{', code))
    assert [
        key
        for key in strings("en")
        if not re.search(rf"""["']{re.escape(key)}["']""", code) and not key.startswith(built)
    ] == []


def test_a_question_without_language_is_framed_in_the_default_one() -> None:
    assert strings("und") == strings("en")


@pytest.mark.parametrize("language", ["fr", "", "../en"])
def test_an_unknown_language_is_refused_by_name(language: str) -> None:
    with pytest.raises(UsageError, match=r"has no strings; use one of ar, en"):
        strings(language)
