"""A brief as a file: the same told in Markdown, HTML and DOCX, with links that arrive and text that stays text."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.datatypes import Article, Brief, Conflict, ConflictValue, Point, Question
from rag.errors import UsageError
from rag.present.export import ExportError, brief_docx, brief_html, brief_markdown, write_brief
from rag.readers import mint
from tests.fake_pipeline import ARABIC, ARTICLES, ENGLISH, OLYMPICS, FakePipeline, answer_with

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
BY_ID = {article.id: article for article in ARTICLES.values()}
HOSTILE = (
    "<script>alert('كم')</script>",
    "[x](javascript:alert(1)) ![y](http://z) `code` # no *heading* | cell | <b>",
    "\x00\x07\x1b[31m \u202e ]]> &amp; {0}",
    "كلمة " * 4000,
)


def brief_of(*quotes: str, topic: str = "موضوع", url: str | None = None) -> tuple[Brief, dict[str, Article]]:
    """A point a quote, each in an article of its own; the first two differ on a value."""
    articles = {
        f"a{n}": Article(id=f"a{n}", source=f"a{n}.txt", title=f"عنوان {n}", language="ar", text=quote, url=url)
        for n, quote in enumerate(quotes, 1)
    }
    citations = [mint(each, 0, len(each.text), marker=n, score=1.0) for n, each in enumerate(articles.values(), 1)]
    values = tuple(ConflictValue(value=str(each.marker), citation=each.marker) for each in citations[:2])
    answer = replace(
        answer_with(topic, citations), conflicts=(Conflict(subject="العدد", values=values),) if len(values) > 1 else ()
    )
    return Brief(answer=answer, points=tuple(Point(text=c.quote, markers=(c.marker,)) for c in citations)), articles


class Page(HTMLParser):
    """The text of a page, the ids in it, and where its links lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.add(tag)
        self.ids += [str(values["id"])] if values.get("id") else []
        self.links += [str(values["href"])] if values.get("href") else []

    def handle_data(self, data: str) -> None:
        self.text += data


def document(content: bytes) -> ElementTree.Element:
    with ZipFile(BytesIO(content)) as parts:
        return ElementTree.fromstring(parts.read("word/document.xml"))


def docx_text(content: bytes) -> str:
    return "".join(each.text or "" for each in document(content).iter(f"{W}t"))


@pytest.mark.parametrize(("topic", "language"), [(ARABIC, "ar"), (ENGLISH, "en"), (ENGLISH, "ar")])
def test_all_three_tell_every_quote_its_article_and_its_file(topic: str, language: str) -> None:
    brief = FakePipeline().brief(Question(text=topic))
    told = (
        Page(brief_html(brief, BY_ID, language)).text,
        docx_text(brief_docx(brief, BY_ID, language)),
        brief_markdown(brief, BY_ID, language).replace("\\", ""),
    )
    for text in told:
        flat = " ".join(text.split())
        for citation in brief.answer.citations:
            assert " ".join(citation.quote.split()) in flat
            assert citation.title in flat
            assert citation.source.replace("_", "") in flat.replace("_", "")


def test_every_link_of_the_page_arrives() -> None:
    brief, articles = brief_of("يضم 79 عضوا.", "يضم 83 عضوا.", url="https://example.org/a?b=1")
    page = Page(brief_html(brief, articles, "ar"))
    inner = [link[1:] for link in page.links if link.startswith("#")]
    assert len(inner) >= 6  # from points and table to sources, and back
    assert set(inner) <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)
    assert {link for link in page.links if not link.startswith("#")} == {"https://example.org/a?b=1"}
    assert not page.tags & {"script", "img", "link", "iframe"}


def test_only_addresses_of_the_web_become_links() -> None:
    brief, articles = brief_of("نص", url="javascript:alert(1)")
    assert all(link.startswith("#") for link in Page(brief_html(brief, articles, "ar")).links)
    assert "javascript:" not in brief_markdown(brief, articles, "ar")


def test_every_link_of_the_document_arrives_and_arabic_runs_right_to_left() -> None:
    brief, articles = brief_of("يضم 79 عضوا.", "It has 83 members.")
    root = document(brief_docx(brief, articles, "ar"))
    marks = {each.get(f"{W}name") for each in root.iter(f"{W}bookmarkStart")}
    links = [each.get(f"{W}anchor") for each in root.iter(f"{W}hyperlink")]
    assert len(links) >= 4
    assert set(links) <= marks
    paragraphs = {
        "".join(text.text or "" for text in each.iter(f"{W}t")): each.find(f"{W}pPr/{W}bidi") is not None
        for each in root.iter(f"{W}p")
    }
    assert next(way for text, way in paragraphs.items() if "79 عضوا" in text)
    assert not next(way for text, way in paragraphs.items() if "83 members" in text)
    assert root.find(f".//{W}tblPr/{W}bidiVisual") is not None


def test_every_footnote_of_the_markdown_arrives() -> None:
    brief, articles = brief_of("يضم 79 عضوا.", "يضم 83 عضوا.")
    text = brief_markdown(brief, articles, "en")
    assert set(re.findall(r"\[\^(\d+)\](?!:)", text)) == set(re.findall(r"^\[\^(\d+)\]:", text, re.MULTILINE))
    assert '<div dir="rtl">' in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    brief, articles = brief_of(text, topic=text[:200])
    page = Page(brief_html(brief, articles, "en"))
    assert "script" not in page.tags
    assert "b" not in page.tags
    document(brief_docx(brief, articles, "en"))  # still XML
    markdown = brief_markdown(brief, articles, "en")
    assert not re.search(r"(?<!\\)\]\((?:javascript|http)", markdown)
    assert not re.search(r"(?<!\\)<(?:script|b)>", markdown)


def test_the_same_brief_gives_the_same_bytes() -> None:
    brief, articles = brief_of("يضم 79 عضوا.", "يضم 83 عضوا.")
    assert brief_docx(brief, articles, "ar") == brief_docx(brief, articles, "ar")
    assert brief_html(brief, articles, "ar") == brief_html(brief, articles, "ar")


@settings(deadline=None, max_examples=50)
@given(text=st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co", "Cf", "Zs", "Zl", "Zp"]), min_size=1))
def test_any_quote_survives(text: str) -> None:
    brief, articles = brief_of(text)
    assert text in Page(brief_html(brief, articles, "en")).text
    assert text in docx_text(brief_docx(brief, articles, "en"))


def test_a_refusal_has_no_sources() -> None:
    brief = FakePipeline().brief(Question(text=OLYMPICS))
    page = Page(brief_html(brief, BY_ID, "en"))
    assert "The articles do not answer this question." in page.text
    assert page.links == []
    assert "[^1]" not in brief_markdown(brief, BY_ID, "en")


def test_the_suffix_chooses_and_another_is_wrong_usage(tmp_path: Path) -> None:
    brief, articles = brief_of("نص")
    for suffix, opening in ((".md", b"<div"), (".HTML", b"<!doctype html>"), (".docx", b"PK")):
        path = tmp_path / f"brief{suffix}"
        write_brief(path, brief, articles, "ar")
        assert path.read_bytes()[: len(opening)].lower() == opening.lower()
    with pytest.raises(UsageError, match=r"brief\.pdf: .*\.md, \.html, \.docx"):
        write_brief(tmp_path / "brief.pdf", brief, articles, "ar")
    with pytest.raises(ExportError, match=r"none.brief\.md: cannot be written"):
        write_brief(tmp_path / "none" / "brief.md", brief, articles, "ar")
