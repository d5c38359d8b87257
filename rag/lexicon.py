"""The bilingual lexicon: how the words of a question are said in Arabic and in English.

The table beside this file is gzipped text, one entry a line, sorted by key; LEXICON.md says how it was made.
It is searched as bytes, by bisection, so that opening it costs no more than unpacking it.
"""

import gzip
import re
import zlib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, cast, get_args

import numpy as np
from numpy.typing import NDArray

from rag.errors import RagError
from rag.protocols import Alternative
from rag.text import fold

LexiconKind = Literal["person", "place", "org", "name", "number", "date"]
"""`name` is a proper name of no known kind, or of a people or a faith."""

BUNDLED = Path(__file__).with_name("lexicon.tsv.gz")
FORMAT = "sanad-lexicon 1"
MAX_WORDS = 4
"""Longest entry, in stems."""

_KINDS = frozenset(get_args(LexiconKind))


@dataclass(frozen=True, slots=True, kw_only=True)
class LexiconMatch:
    """An entry found at `stems[start : start + length]`.

    `alternatives` holds the translations and the synonyms, never the words themselves, best first; it is empty
    where a name is known but not how else to say it.
    """

    start: int
    length: int
    alternatives: tuple[Alternative, ...]
    kind: LexiconKind | None


class Lexicon:
    """A read-only table from one to four stems, in either language, to their alternatives and kind of name."""

    def __init__(self, table: bytes) -> None:
        """`table`: a header line and then `key<TAB>kind<TAB>alternatives` lines, sorted by the key's UTF-8."""
        self._table = table
        self._line_ends: NDArray[np.intp] = np.flatnonzero(np.frombuffer(table, np.uint8) == ord("\n"))

    @classmethod
    def open(cls, path: Path | None = None) -> Self:
        """The lexicon in the file `path`, by default the bundled one.

        Raises:
            RagError: the file is missing, damaged or of another format.
        """
        path = path or BUNDLED
        try:
            table = gzip.decompress(path.read_bytes())
        except (OSError, EOFError, zlib.error) as error:
            reason = str(error) or "unexpected end of file"
            raise RagError(f"lexicon {path} cannot be read ({reason}); restore the file from the project") from error
        header = table.split(b"\t", 1)[0].decode("utf-8", "replace")
        if header != FORMAT or not table.endswith(b"\n"):
            raise RagError(f"lexicon {path} is not a {FORMAT!r} table; restore the file from the project")
        return cls(table)

    def __len__(self) -> int:
        """Number of entries."""
        return len(self._line_ends) - 1

    @property
    def text_version(self) -> int:
        """`rag.text.TEXT_VERSION` when the table was made: stems of another version may not meet its keys."""
        return int(self._table[: self._line_ends[0]].split(b"\t")[1])

    def lookup(self, stems: Sequence[str]) -> list[LexiconMatch]:
        """Entries found in `stems` (folded, stemmed, without stop words): longest first, from left to right.

        The matches are ordered, inside `stems` and do not overlap; a stem in no entry is in no match.
        """
        matches = []
        start = 0
        while start < len(stems):
            match = self._longest(stems, start)
            if match:
                matches.append(match)
            start += match.length if match else 1
        return matches

    def kind(self, stems: Sequence[str]) -> LexiconKind | None:
        """What kind of name these stems are together, or None: no name, or no such entry."""
        entry = self._entry(" ".join(stems))
        return _parse_kind(entry[0]) if entry else None

    def _longest(self, stems: Sequence[str], start: int) -> LexiconMatch | None:
        for length in range(min(MAX_WORDS, len(stems) - start), 0, -1):
            entry = self._entry(" ".join(stems[start : start + length]))
            if entry:
                kind, alternatives = entry
                return LexiconMatch(
                    start=start, length=length, alternatives=_parse_alternatives(alternatives), kind=_parse_kind(kind)
                )
        return None

    def _entry(self, key: str) -> tuple[str, str] | None:
        wanted = key.encode("utf-8", "surrogatepass")
        row = bisect_left(range(len(self)), wanted, key=self._key)
        if row == len(self) or self._key(row) != wanted:
            return None
        _, kind, alternatives = self._line(row).decode().split("\t")
        return kind, alternatives

    def _line(self, row: int) -> bytes:
        return self._table[self._line_ends[row] + 1 : self._line_ends[row + 1]]

    def _key(self, row: int) -> bytes:
        return self._line(row).split(b"\t", 1)[0]


def _parse_kind(field: str) -> LexiconKind | None:
    return cast(LexiconKind, field) if field in _KINDS else None


def _parse_alternatives(field: str) -> tuple[Alternative, ...]:
    """`مؤتمر صحف=90;صحف=40` and the like: terms, then the weight in hundredths."""
    parts = (part.rpartition("=") for part in field.split(";") if part)
    return tuple(Alternative(terms=tuple(terms.split(" ")), weight=int(percent) / 100) for terms, _, percent in parts)


# One sign for all that either language may write for a sound: b also p, f also v, k also q and kh, s also sh, z and ch.
_ARABIC_SOUNDS = {
    **dict.fromkeys("بپ", "b"),
    **dict.fromkeys("تطث", "t"),
    **dict.fromkeys("جچغگ", "g"),
    **dict.fromkeys("خقك", "k"),
    **dict.fromkeys("دذض", "d"),
    **dict.fromkeys("سصشزظژ", "s"),
    **dict.fromkeys("فڤ", "f"),
    **dict(zip("رلمن", "rlmn", strict=True)),
    **dict.fromkeys("حه", "h"),
}
_LATIN_CLUSTERS = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("tsch|sch|tch|sh|ch|ts|tz", "s"),
        ("ph", "f"),
        ("kh|ck|qu|q", "k"),
        ("gh|dj|j", "g"),
        ("th", "t"),
        ("dh", "d"),
        ("x", "ks"),
        ("c(?=[eiy])", "s"),
        ("c", "k"),
        ("z", "s"),
        ("p", "b"),
        ("v", "f"),
    )
]
_ARTICLE = re.compile(r"\A(?:ال|al|el)(?=\w{3})")


def transliteration_key(word: str) -> str:
    """A coarse consonant skeleton, the same for an Arabic name and its romanisation (`stltnbrg` of Stoltenberg).

    Vowels, w, y, the article, doubling and any h but the first are left out. Two words with one key are only
    candidates for one name: LEXICON.md tells how often they are. "" where nothing is left.
    """
    letters = _ARTICLE.sub("", "".join(filter(str.isalpha, fold(word))), count=1)
    for pattern, sound in _LATIN_CLUSTERS:
        letters = pattern.sub(sound, letters)
    letters = letters.replace("تش", "ش").replace("تس", "س")
    sounds = "".join(_ARABIC_SOUNDS.get(letter, letter) for letter in letters)
    skeleton = sounds[:1] + sounds[1:].replace("h", "")
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[^bdfghklmnrst]", "", skeleton))
