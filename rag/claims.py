"""The sentences that a language model writes: split from its stream as they end, each checked against what it cites."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rag.datatypes import Language
from rag.grounding import Cited, lacking
from rag.lexicon import Lexicon
from rag.prompting import Evidence, looks_like_instruction
from rag.sentences import sentence_spans
from rag.text import STOP_WORDS, detect_language, stem, tokens

Reason = Literal[
    "fragment", "no_id", "unknown_id", "markup", "instruction", "language", "number", "date", "name", "support"
]
"""Why a sentence is cut. `fragment`: half a sentence, or too few words to state anything."""

Similarity = Callable[[str, Sequence[str]], float]
"""How near in meaning a text is to some sentences taken together: a cosine, 1 where they say the same."""

SUPPORT_FLOOR = 0.5
"""Of the bundled model's cosines. Of 400 true translations one falls below it, of a thousand pairs of other sentences
none reaches 0.45; claims that turn what they cite into its opposite mostly stay below it, too."""
_MIN_WORDS = 3

_IDS = re.compile(r"\[\s*S?\s*\d{1,4}(?:\s*[,،;؛]\s*S?\s*\d{1,4}){0,7}\s*\]", re.IGNORECASE)
_MAX_IDS_CHARS = 80
"""No longer bracket is one of ids; a shorter one that is not closed yet may become one."""
_STOPPED = re.compile(r"[.!?؟۔…][\"”“»’')\]]*$")
_SPACE_BEFORE_MARK = re.compile(r"\s+(?=[.!?؟۔…،,؛;:])")
_EMPHASIS = re.compile(r"\*\*|__|`+|^\s*#+\s*|^\s*\d{1,2}[.)]\s+")
_MARKUP = re.compile(r"<[a-z/!]|\]\(|!\[|https?:|www\.|\{\{|\[|\]|[*_`|]{2}", re.IGNORECASE)
_NOT_ARABIC = re.compile("[یکےںہھٹڈڑگ]")
"""Letters of Persian and Urdu, which are of the same script. One may be in a name."""
_KNOWN_WORDS = 0.75
"""Share of its words, those with a capital aside, that the lexicon knows: no less in any of 2,600 English sentences,
and 0.2 to 0.7 in sentences of other languages in Latin script."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One sentence of a model without its ids, which are `("S3", "S1")`, in order, none twice.

    `ended`: it has a full stop, or ids at its very end.
    """

    text: str
    ids: tuple[str, ...]
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found of a claim: `reason` is None where it may stand, `detail` what it lacks, in its own words.

    `support` is None where nobody measured it.
    """

    reason: Reason | None
    detail: str = ""
    support: float | None = None


class ClaimSplitter:
    """Splits a text that arrives in pieces; however it is cut into pieces, the claims are the same."""

    def __init__(self) -> None:
        self._text = ""
        self._begun = False
        self._ids_lead = False

    def feed(self, piece: str) -> list[Claim]:
        """The claims that `piece` completes: a claim ends where the next one begins, as its ids may follow its stop."""
        self._text += "".join(map(_visible, piece))
        held = self._text.rfind("[")
        tail = self._text[held:]
        open_bracket = held >= 0 and "]" not in tail and "\n" not in tail and len(tail) <= _MAX_IDS_CHARS
        return self._take(held if open_bracket else len(self._text), last=False)

    def finish(self) -> list[Claim]:
        """The claims left when nothing more comes."""
        return self._take(len(self._text), last=True)

    def _take(self, end: int, *, last: bool) -> list[Claim]:
        text = self._text[:end]
        groups = list(_IDS.finditer(text))
        masked = _IDS.sub(lambda group: " " * len(group.group()), text)
        spans = _spans(masked)
        if spans and not self._begun:
            self._begun = True
            self._ids_lead = any(group.end() <= spans[0][0] for group in groups)
        done = len(spans) if last else len(spans) - 1
        claims, begin = [], 0
        for number in range(max(done, 0)):
            limit = spans[number + 1][0] if number + 1 < len(spans) else len(text)
            upto = spans[number][1] if self._ids_lead else limit
            own = [group for group in groups if begin <= group.start() < upto]
            claims.append(_claim(text, spans[number], own))
            begin = max([spans[number][1], *(group.end() for group in own)])
        self._text = self._text[begin:]
        return claims


def check(
    claim: Claim,
    evidence: Evidence,
    lexicon: Lexicon,
    similarity: Similarity | None,
    *,
    language: Language,
    floor: float = SUPPORT_FLOOR,
) -> Verdict:
    """Whether `claim` may stand: well formed, in `language` (`und`: any), and borne by the sentences it cites.

    Args:
        claim: One sentence of the model.
        evidence: The sentences that it was given.
        lexicon: How names are said in the other language.
        similarity: Measures semantic support; None leaves it out.
        language: What the answer is to be written in.
        floor: The least support, in the measure's own units.
    """
    found = [evidence.find(identity) for identity in claim.ids]
    sentences = [sentence.text for sentence in found if sentence]
    if fault := _fault(claim, language, lexicon, unknown=len(sentences) < len(found)):
        return Verdict(reason=fault, detail=claim.text)
    if lack := lacking(claim.text, Cited(tuple(sentences), lexicon)):
        return Verdict(reason=lack[0], detail=lack[1])
    support = similarity(claim.text, sentences) if similarity else None
    # Written so that a support that is not a number fails, too.
    low = support is not None and not support >= floor
    return Verdict(reason="support" if low else None, detail=claim.text if low else "", support=support)


def _fault(claim: Claim, language: Language, lexicon: Lexicon, *, unknown: bool) -> Reason | None:
    """What is wrong with a claim before its evidence is looked at."""
    if not claim.ids:
        return "no_id"
    if unknown:
        return "unknown_id"
    if not claim.ended or len(tokens(claim.text)) < _MIN_WORDS:
        return "fragment"
    if _MARKUP.search(claim.text):
        return "markup"
    if looks_like_instruction(claim.text):
        return "instruction"
    return None if _is_in(claim.text, language, lexicon) else "language"


def _is_in(text: str, language: Language, lexicon: Lexicon) -> bool:
    """Whether `text` is in `language`: by its script, in Latin script by its words, in Arabic script by its letters."""
    if language == "und":
        return True
    if detect_language(text) != language:
        return False
    if language == "ar":
        return len(_NOT_ARABIC.findall(text)) < 2
    words = [word.text for word in tokens(text) if text[word.start].islower()]
    known = sum(word in STOP_WORDS or bool(lexicon.lookup([stem(word)])) for word in words)
    return known >= _KNOWN_WORDS * len(words)


def _visible(char: str) -> str:
    """`char` as it may be shown: no controls, and nothing that turns the direction of what follows."""
    if char == "\n":
        return char
    category = unicodedata.category(char)
    if category in ("Cc", "Zl", "Zp"):
        return "\n" if char in "\r\u2028\u2029" else " "
    return "" if category in ("Cf", "Cs", "Co", "Cn") else char


def _spans(masked: str) -> list[tuple[int, int]]:
    """Spans of the sentences of every line. Those that were cut for their length are one again."""
    spans: list[tuple[int, int]] = []
    begin = 0
    for line in masked.split("\n"):
        fresh = True
        for start, end in sentence_spans(masked, begin, begin + len(line)):
            if fresh or _STOPPED.search(masked[spans[-1][0] : spans[-1][1]]):
                spans.append((start, end))
            else:
                spans[-1] = (spans[-1][0], end)
            fresh = False
        begin += len(line) + 1
    return spans


def _claim(text: str, span: tuple[int, int], groups: Sequence[re.Match[str]]) -> Claim:
    start, end = span
    bare = _EMPHASIS.sub("", _IDS.sub(" ", text[start:end])).strip()
    said = _SPACE_BEFORE_MARK.sub("", " ".join(bare.split()))
    closed = any(
        not text[group.end() : max(end, group.end())].strip(" \"”»')*_") for group in groups if group.end() > start
    )
    return Claim(text=said, ids=tuple(dict.fromkeys(_ids(groups))), ended=closed or bool(_STOPPED.search(said)))


def _ids(groups: Sequence[re.Match[str]]) -> Iterator[str]:
    for group in groups:
        for number in re.findall(r"\d+", group.group()):
            yield f"S{int(number)}"
