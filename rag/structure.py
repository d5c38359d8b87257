"""What the lines of an article are: title, byline, heading, boilerplate, repeat, or the body that may be cited."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from rag.datatypes import Article
from rag.text import fold, tokens

# Folded openings of lines that sites put around articles.
_BOILERPLATE = tuple(
    fold(line)
    for line in (
        "ربما يعجبك أيضا",
        "قد يعجبك أيضا",
        "اقرأ أيضا",
        "اقرأ المزيد",
        "شاهد أيضا",
        "مواضيع ذات صلة",
        "مقالات ذات صلة",
        "أخبار ذات صلة",
        "تابعونا على",
        "شارك المقال",
        "شارك هذا",
        "جميع الحقوق محفوظة",
        "اشترك في",
        "you may also like",
        "you might also like",
        "read more",
        "read also",
        "related articles",
        "related posts",
        "share this",
        "follow us",
        "all rights reserved",
        "subscribe to",
        "sign up for",
    )
)
_MAX_FURNITURE_CHARS = 60
_MAX_HEADING_WORDS = 9
_NUMBERED = re.compile(r"\s*\d{1,2}\s*[-–.)](?!\d)\s*\S")  # not "10.000" or "7.7"
_SENTENCE_END = tuple('.!?؟…"”»،؛:')
_MARKDOWN_HEADING = re.compile(r"\s*#{1,6}\s+")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph of the body, `[start, end)`, and the heading it stands under ("" at the top)."""

    start: int
    end: int
    heading: str


def _is_hard_wrapped(lines: list[str]) -> bool:
    """Whether line ends are typesetting, not paragraphs: many middling lines, most cut in mid-sentence."""
    full = [line for line in lines if line.strip()]
    if len(full) < 8 or not 40 <= median(map(len, full)) <= 100 or max(map(len, full)) > 130:
        return False
    return sum(not line.rstrip().endswith(_SENTENCE_END) for line in full) > 0.6 * len(full)


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    pattern = r"(?:(?!\n\s*\n)[\s\S])+" if _is_hard_wrapped(text.split("\n")) else r"[^\n]+"
    for match in re.finditer(pattern, text):
        if match.group().strip():
            yield match.span()


def _is_heading(line: str) -> bool:
    if _MARKDOWN_HEADING.match(line):
        return True
    words = len(tokens(line))
    short = 0 < words <= _MAX_HEADING_WORDS and len(line) <= _MAX_FURNITURE_CHARS
    if line.endswith(":"):
        return short and words <= 4
    return short and not line.endswith(_SENTENCE_END) and line[0] not in 'ـ-–*•"“«' and not line[0].isdigit()


def _is_furniture(line: str, article: Article) -> bool:
    """Title, byline or boilerplate: neither evidence nor heading."""
    folded = " ".join(fold(line).split())
    if folded == " ".join(fold(article.title).split()):
        return True
    if len(line) > _MAX_FURNITURE_CHARS:
        return False
    return folded == "advertisement" or folded.startswith(_BOILERPLATE) or _is_byline(line, article.author)


def _is_byline(line: str, author: str | None) -> bool:
    """Whether a short line names the author, whole words, and is no sentence."""
    name = _words(author or "")
    return bool(name) and f" {name} " in f" {_words(line)} " and not line.endswith(_SENTENCE_END)


def _words(text: str) -> str:
    return " ".join(token.text for token in tokens(text))


def after_outlet(text: str, outlet: str | None) -> int:
    """Where `text` goes on after the outlet's name that opens it as a dateline ("الوقت- ..."); 0 if none does."""
    match = re.match(rf"\s*{re.escape(outlet)}\s*[-–—ـ:]\s*", text) if outlet else None
    return match.end() if match else 0


def body_blocks(article: Article) -> list[Block]:
    """Blocks of `article` that may be cited, in order. A paragraph that stands twice counts once."""
    blocks: list[Block] = []
    seen: set[str] = set()
    heading = ""
    paragraphs = list(_paragraphs(article.text))
    for number, (start, end) in enumerate(paragraphs):
        line = article.text[start:end].strip()
        key = _words(line)
        repeated = key in seen
        seen.add(key)
        if not key or _is_furniture(line, article):
            continue
        # A last line has nothing to stand above; without Markdown's mark it is a sentence that lost its full stop.
        if _is_heading(line) and (number + 1 < len(paragraphs) or _MARKDOWN_HEADING.match(line)):
            heading = _MARKDOWN_HEADING.sub("", line).rstrip(" :")
            continue
        if _NUMBERED.match(line) and len(line) <= _MAX_FURNITURE_CHARS and not line.endswith("."):
            heading = line  # a numbered heading is also an item of its list, so it stays citable
        if repeated:
            continue
        skipped = 0 if blocks else after_outlet(article.text[start:end], article.outlet)
        blocks.append(Block(start + skipped, end, heading))
    return blocks
