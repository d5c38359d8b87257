"""Articles to passages of whole sentences: the only importer of langchain_text_splitters."""

import logging
from collections.abc import Iterator
from itertools import groupby, pairwise

from langchain_text_splitters import TextSplitter

from rag.datatypes import Article, Passage, Sentence
from rag.sentences import Span, sentence_spans
from rag.structure import Block, body_blocks
from rag.text import detect_language

# A sentence longer than a passage is a passage by itself; the library would warn of each.
logging.getLogger("langchain_text_splitters.base").setLevel(logging.ERROR)


class SentenceSplitter(TextSplitter):
    """Merges whole sentences into chunks of at most `chunk_size` characters, by the library's own merging.

    Its pieces partition the text, separators included, so that `add_start_index` finds every chunk exactly
    (splitters that drop separators report -1 or a wrong place).
    """

    def __init__(self, cuts: list[int], chunk_size: int) -> None:
        super().__init__(chunk_size=chunk_size, chunk_overlap=0, add_start_index=True, length_function=len)
        self._cuts = cuts

    def split_text(self, text: str) -> list[str]:
        """Chunks of `text`, in order. `cuts` are the positions where its sentences begin, bar the first."""
        pieces = [text[start:end] for start, end in pairwise([0, *self._cuts, len(text)])]
        return self._merge_splits(pieces, separator="")


def _runs(article: Article, blocks: list[Block]) -> Iterator[tuple[str, list[Span]]]:
    """(heading, sentence spans) of each stretch of body with nothing uncitable in between."""
    groups: list[tuple[str, list[Span], int]] = []
    for block in blocks:
        spans = sentence_spans(article.text, block.start, block.end)
        if not spans:
            continue
        if groups:
            heading, earlier, end = groups[-1]
            if heading == block.heading and not article.text[end : block.start].strip():
                groups[-1] = (heading, earlier + spans, block.end)
                continue
        groups.append((block.heading, spans, block.end))
    for heading, spans, _ in groups:
        yield heading, spans


def _chunk_run(article: Article, spans: list[Span], passage_chars: int) -> Iterator[tuple[Sentence, ...]]:
    """The sentences of each passage of one run."""
    begin, end = spans[0][0], spans[-1][1]
    splitter = SentenceSplitter([start - begin for start, _ in spans[1:]], passage_chars)
    documents = splitter.create_documents([article.text[begin:end]])
    starts = [begin + int(document.metadata["start_index"]) for document in documents]

    def chunk_of(span: Span) -> int:
        return sum(start <= span[0] for start in starts)

    for _, members in groupby(spans, key=chunk_of):
        yield tuple(
            Sentence(article_id=article.id, start=start, end=stop, text=article.text[start:stop])
            for start, stop in members
        )


def chunk_article(article: Article, passage_chars: int = 600) -> list[Passage]:
    """Passages of `article` in reading order, none overlapping: whole sentences, at most `passage_chars` long.

    Only a single sentence may be longer. Title, bylines, headings, boilerplate and repeated paragraphs are in
    no passage. Every span is a slice of `article.text`.
    """
    passages: list[Passage] = []
    for heading, spans in _runs(article, body_blocks(article)):
        for sentences in _chunk_run(article, spans, passage_chars):
            start, end = sentences[0].start, sentences[-1].end
            text = article.text[start:end]
            passages.append(
                Passage(
                    id=f"{article.id}#{len(passages)}",
                    article_id=article.id,
                    start=start,
                    end=end,
                    text=text,
                    language=detect_language(text),
                    heading=heading,
                    sentences=sentences,
                )
            )
    return passages
