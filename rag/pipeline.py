"""The online path: question -> query -> hits -> reading -> answer."""

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rag.batch import check_question
from rag.briefs import PASSAGES_READ, BriefWriter
from rag.build import Index, Log, open_index
from rag.calibration import Calibration, load_calibration
from rag.confidence import CONFIDENCE_FEATURES
from rag.config import Settings
from rag.datatypes import Answer, Article, Brief, Citation, Hit, Language, Passage, Point, Question, Timings
from rag.embedders import open_embedder
from rag.followups import standalone_question
from rag.lexicon import Lexicon
from rag.llm import open_language_model
from rag.present.strings import strings
from rag.protocols import Embedder, Query, Reader, Retriever
from rag.query import answer_type, make_queries
from rag.readers import ExtractiveReader
from rag.retrieval import HybridRetriever
from rag.scoring import FEATURES, SentenceScorer
from rag.store import FaissStore
from rag.support import open_support
from rag.text import detect_language
from rag.writing import Written, embedding_similarity, retold, write

HITS_READ = 16
"""The reader looks at this many passages, however few are shown."""
_MAX_FRAME_TITLE = 60


class Pipeline:
    """An opened model and index. Answers are independent of each other, so threads may share one pipeline."""

    def __init__(
        self,
        store: FaissStore,
        queries: Callable[[Sequence[str]], list[Query]],
        retriever: Retriever,
        reader: Reader,
        *,
        writer: BriefWriter,
        settings: Settings,
        calibration: Calibration,
        tell: Callable[[Answer, Language | None], Answer] | None = None,
    ) -> None:
        self._store = store
        self._queries = queries
        self._retriever = retriever
        self._reader = reader
        self._writer = writer
        self._settings = settings
        self._calibration = calibration
        self._tell = tell

    @classmethod
    def open(cls, settings: Settings, *, embedder: Embedder | None = None, log: Log | None = None) -> "Pipeline":
        """Load the model and the index, building the index first when it is missing or stale.

        Raises:
            ModelError, IndexCorrupt, IndexBusy, ArticleError: as the parts do.
        """
        model: Embedder = open_embedder(settings) if embedder is None else embedder
        index = open_index(settings, model) if log is None else open_index(settings, model, log=log)
        return cls.over(index, model, settings)

    @classmethod
    def over(cls, index: Index, embedder: Embedder, settings: Settings) -> "Pipeline":
        """A pipeline over an index that is open already."""
        lexicon = Lexicon.open()
        revision = str(embedder.fingerprint.get("revision", ""))
        calibration = load_calibration(FEATURES, CONFIDENCE_FEATURES, revision)
        retriever = HybridRetriever(
            index.store,
            index.lexical,
            index.words,
            use_dense=settings.dense,
            use_lexical=settings.lexical,
            use_late=settings.late,
            balance=settings.balance,
        )
        scorer = SentenceScorer(index.store, index.lexical, index.words, lexicon, open_support(embedder))
        reader = ExtractiveReader(index.store.articles, scorer, lexicon, calibration)
        across = (lexicon, index.lexical) if settings.lexicon else (None, None)

        def queries(texts: Sequence[str]) -> list[Query]:
            return make_queries(texts, embedder, *across)

        return cls(
            index.store,
            queries,
            retriever,
            reader,
            writer=BriefWriter(index.store, scorer, lexicon),
            settings=settings,
            calibration=calibration,
            tell=_teller(index, embedder, lexicon, settings),
        )

    @property
    def articles(self) -> Mapping[str, Article]:
        """Articles by id, in the order of the corpus."""
        return self._store.articles

    @property
    def passages(self) -> Sequence[Passage]:
        """What the articles were cut into, in the order of the corpus."""
        return self._store.passages

    def search(self, text: str, k: int) -> list[Hit]:
        """At most k passages for `text`, best first. Raises UsageError for a text that cannot be searched."""
        return self._retriever.search(self._queries([self._checked(text)]), k)[0]

    def ask(self, question: Question) -> Answer:
        """Answer one question. Raises UsageError for an empty or overlong one."""
        return self.ask_batch([question])[0]

    def ask_batch(self, questions: Sequence[Question]) -> list[Answer]:
        """Answers in the order of `questions`, embedded in one batch; its share of that time is each one's."""
        if not questions:
            return []
        started = time.perf_counter()
        asked = [self._checked(question.text) for question in questions]
        alone = [self._alone(text, question.history) for text, question in zip(asked, questions, strict=True)]
        queries = [_asking(text, query) for text, query in zip(asked, self._queries(alone), strict=True)]
        embed_ms = 1000 * (time.perf_counter() - started) / len(questions)
        answers = [
            self._answer(replace(question, text=text), query, embed_ms)
            for question, text, query in zip(questions, asked, queries, strict=True)
        ]
        if self._tell is None:
            return answers
        return [self._tell(answer, question.language) for answer, question in zip(answers, questions, strict=True)]

    def brief(self, topic: Question) -> Brief:
        """A topic in five to eight cited points; none where the articles do not cover it.

        Raises UsageError for an empty or overlong topic.
        """
        answer = replace(self.ask(topic), written_by=None, note="")  # points are quoted, whoever writes answers
        if answer.status == "no_evidence":
            return Brief(answer=answer, points=())
        started = time.perf_counter()
        query = self._queries([answer.standalone_question])[0]
        told = self._writer.write(query, self._retriever.search([query], PASSAGES_READ)[0])
        ms = 1000 * (time.perf_counter() - started)
        citations = (*told.points, *told.others)
        answer = replace(
            answer,
            text=_framed(citations, topic.language or answer.question_language),
            citations=citations,
            conflicts=told.conflicts,
            timings=replace(answer.timings, read=answer.timings.read + ms, total=answer.timings.total + ms),
        )
        return Brief(
            answer=answer, points=tuple(Point(text=each.quote, markers=(each.marker,)) for each in told.points)
        )

    def _checked(self, text: str) -> str:
        return check_question(text, max_question_chars=self._settings.max_question_chars)

    def _alone(self, text: str, history: Sequence[str]) -> str:
        """The question made to stand alone, or as it is where that would be too long to ask."""
        alone = standalone_question(text, history)
        return self._checked(alone) if len(alone) <= self._settings.max_question_chars else text

    def _answer(self, question: Question, query: Query, embed_ms: float) -> Answer:
        started = time.perf_counter()
        hits = self._retriever.search([query], max(self._settings.k, HITS_READ))[0]
        search_ms = 1000 * (time.perf_counter() - started)
        started = time.perf_counter()
        reading = self._reader.read(query, hits)
        read_ms = 1000 * (time.perf_counter() - started)
        # The model reads Arabic and English: from other scripts only a shared name or number is evidence.
        readable = query.language != "und" or any(hit.lexical > 0 for hit in hits)
        answered = readable and bool(reading.citations) and reading.confidence >= self._calibration.threshold
        asked_in = detect_language(question.text)
        frame = question.language or (asked_in if asked_in != "und" else query.language)
        answer = Answer(
            id=question.id,
            question=question.text,
            question_language=asked_in,
            standalone_question=query.text,
            status="answered" if answered else "no_evidence",
            confidence=reading.confidence,
            text=_refusal(frame),
            citations=(),
            conflicts=(),
            hits=tuple(hits[: self._settings.k]),
            timings=Timings(embed=embed_ms, search=search_ms, read=read_ms, total=embed_ms + search_ms + read_ms),
        )
        if not answered:
            return answer
        return replace(
            answer,
            text=_framed(reading.citations, frame),
            citations=reading.citations,
            conflicts=reading.conflicts,
            strength="strong" if reading.confidence >= self._calibration.strong else "weak",
        )


def _teller(
    index: Index, embedder: Embedder, lexicon: Lexicon, settings: Settings
) -> Callable[[Answer, Language | None], Answer] | None:
    """What tells an answer anew in the words of the language model that the settings name; None if they name none."""
    model = open_language_model(settings, os.environ)
    if model is None:
        return None
    similarity, name = embedding_similarity(embedder), str(settings.llm_model)

    def tell(answer: Answer, language: Language | None) -> Answer:
        if answer.status == "no_evidence":
            return answer
        question, articles = answer.standalone_question, index.store.articles
        *_, written = write(answer, question, model, lexicon, similarity, articles=articles, language=language)
        return retold(answer, written, name) if isinstance(written, Written) else answer

    return tell


def _asking(text: str, query: Query) -> Query:
    """`query`, or for the follow-up `text` inside it the kind that the follow-up asks for: "Who leads it? And why?"."""
    kind = "other" if query.text == text else answer_type(text)
    return query if kind == "other" else replace(query, answer_type=kind)


def _framed(citations: Sequence[Citation], frame: Language) -> str:
    """The quotes, each followed by its marker, under a line naming their articles in the reader's language."""
    words = strings(frame)
    titles = dict.fromkeys(_shortened(citation.title) for citation in citations)
    head = words["answer.frame"].format(articles=words["terminal.list"].join(f"«{title}»" for title in titles))
    return "\n".join([head, *(f"{_unmarked(citation.quote)} [{citation.marker}]" for citation in citations)])


def _unmarked(quote: str) -> str:
    """`quote` with an invisible joiner inside what looks like a marker: an article may have notes of its own."""
    return re.sub(r"\[(?=\d+\])", "[\u2060", quote)


def _shortened(title: str) -> str:
    if len(title) <= _MAX_FRAME_TITLE:
        return title
    return title[:_MAX_FRAME_TITLE].rsplit(" ", 1)[0] + "…"


def _refusal(frame: Language) -> str:
    words = strings(frame)
    return f"{words['answer.refusal']} {words['answer.refusal.nearest']}"
