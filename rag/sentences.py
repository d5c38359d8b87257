"""Sentences of Arabic and English prose, as spans, past full stops in numbers, names and slips of spacing."""

import re

Span = tuple[int, int]

MAX_SENTENCE_CHARS = 400
"""Longer sentences are cut at clause boundaries: Arabic news chains a paragraph's worth of clauses with commas."""
_MIN_CLAUSE_CHARS = 100
_MIN_WORDS = 3

_INVISIBLE = r"\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff"
_STOP = re.compile(rf"(?P<marks>[.!?؟۔…]+)(?P<closing>[\"”“»’')\]]*)[{_INVISIBLE}]*")
_ABBREVIATIONS = frozenset(
    """
    mr mrs ms dr prof gen col lt maj capt sgt sen rep gov st vs no etc fig inc ltd co jr sr
    adm brig jan feb aug sep sept oct nov dec
    """.split()
)
_LAST_WORD = re.compile(r"([^\W\d_]+)$")
_LAST_WORD_WINDOW = 8  # longer than any abbreviation, short however far back the sentence began
# A hyphen before a digit is a minus sign, not a bullet.
_LEADING = re.compile(rf"[\s{_INVISIBLE}]*(?:(?![\-–]\d)[ـ\-–—•*·▪●]+\s*)?")
# From strongest to weakest: semicolons, then a comma before a word that opens a clause, then before "and", then any.
_CLAUSES = (
    re.compile(r"[؛;]\s*"),
    re.compile(r"[،,]\s*(?=(?:كما|حيث|بحيث|لكن|ولكن|بل|بينما|فضلا|إضافة|ومن ثم|while|but|whereas|which)\b)"),
    re.compile(r"[،,]\s*(?=[وف]|and\b|as\b|who\b)"),
    re.compile(r"[،,](?!\d)\s*"),
)


def _is_stop(text: str, begin: int, match: re.Match[str]) -> bool:
    """Whether the mark at `match` ends the sentence that began at `begin`."""
    after = text[match.end() :]
    if not after.strip():
        return True
    marks, spaced = match["marks"], after[0].isspace()
    before = text[begin : match.start()]
    following = after.lstrip()[0]
    if marks.strip(".…"):  # has a question or exclamation mark; `"Over?" he asked` and `Yahoo! said` go on
        return (spaced or after[0].isalpha()) and not following.islower()
    if len(marks) > 1 or marks == "…" or len(before.split(None, _MIN_WORDS)) < _MIN_WORDS:
        return False
    word = _LAST_WORD.search(before[-_LAST_WORD_WINDOW:])
    if word and (len(word[1]) == 1 or word[1].lower() in _ABBREVIATIONS):
        return False
    if spaced or match["closing"]:
        return not following.islower() and following not in "،,؛;:"
    # "الهزيمة.يلتزم": a missing space is a slip in Arabic, but part of a name ("example.com") in Latin script.
    return after[0].isalpha() and not after[0].isascii()


def _cut_long(text: str, span: Span) -> list[Span]:
    """`span` itself, or its parts of at least `_MIN_CLAUSE_CHARS` cut near the middle at the strongest boundary."""
    start, end = span
    if end - start <= MAX_SENTENCE_CHARS:
        return [span]
    middle = (start + end) // 2
    for pattern in _CLAUSES:
        cuts = [match.end() for match in pattern.finditer(text, start + _MIN_CLAUSE_CHARS, end - _MIN_CLAUSE_CHARS)]
        if cuts:
            cut = min(cuts, key=lambda position: (abs(position - middle), position))
            return _cut_long(text, (start, cut)) + _cut_long(text, (cut, end))
    return [span]


def _trim(text: str, span: Span) -> Span:
    """`span` without list bullets and white space around it."""
    start, end = span
    leading = _LEADING.match(text, start, end)
    start = leading.end() if leading else start
    while end > start and (text[end - 1].isspace() or text[end - 1] == "\ufeff"):
        end -= 1
    return start, end


def sentence_spans(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Spans `[start, end)` of the sentences of `text[start:end]`, in order, without overlap or white space around.

    White space, line breaks included, never ends a sentence: callers pass one paragraph at a time. Pieces
    without a letter or digit are dropped; everything else of the text lies inside exactly one span, bar
    bullets and spaces.
    """
    end = len(text) if end is None else end
    paragraph = text[:end]
    spans: list[Span] = []
    begin = start
    for match in _STOP.finditer(paragraph, start):
        if match.start() >= begin and _is_stop(paragraph, begin, match):
            spans.append((begin, match.end()))
            begin = match.end()
    spans.append((begin, end))
    pieces = (_trim(text, piece) for span in spans for piece in _cut_long(text, span))
    return [piece for piece in pieces if any(char.isalnum() for char in text[piece[0] : piece[1]])]
