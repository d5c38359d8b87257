"""An answer in a language model's own sentences, each of which cites what it rests on and is checked against it.

The extractive answer is there before and stands in whenever the model's cannot be shown.
"""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from rag.claims import SUPPORT_FLOOR, Claim, ClaimSplitter, Reason, Similarity, check
from rag.datatypes import Answer, AnswerSpan, Article, Citation, Language, Sentence
from rag.lexicon import Lexicon
from rag.llm import FaultKind, LanguageModelError
from rag.prompting import MAX_CLAIMS, NOTHING, Evidence, Message, choose_evidence, messages
from rag.protocols import Embedder
from rag.readers import mint
from rag.text import fold

CutReason = Reason | Literal["repeated"]
FallbackKind = FaultKind | Literal["no_evidence", "nothing", "nothing_kept"]
"""Besides what goes wrong with a server: nothing to write from; the model found no answer; all it wrote was cut."""

_MAX_CHARS = 6000
"""Five long sentences are half of this; a model that goes on is not listened to any further."""
_THINKING, _THOUGHT = "<think>", "</think>"
_SAID = {
    "fragment": "no whole sentence",
    "no_id": "cites nothing",
    "unknown_id": "cites what it was not given",
    "markup": "has markup",
    "instruction": "is an instruction",
    "language": "in another language",
    "number": "has a number that it does not cite",
    "date": "has a date that it does not cite",
    "name": "has a name that it does not cite",
    "support": "is not borne by what it cites",
    "repeated": "said twice",
}


class Writer(Protocol):
    """What writes; `rag.llm.LanguageModel` does."""

    def stream(self, messages: Sequence[Message]) -> Generator[str, None, None]:
        """The text in pieces. Raises LanguageModelError at any of them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenClaim:
    """A sentence that may stand, and the citations that it rests on, in its own order."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """Why the extractive answer stands in: `line` in English, `kind` for other languages."""

    kind: FallbackKind
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """All that came of it. With a `fallback` there are no claims, and those that came before it are taken back.

    `citations` are those of the claims, each once, with markers from 1 by first use; `cut` says how many sentences
    were cut for which reason, in the order of the reasons' first cut.
    """

    claims: tuple[WrittenClaim, ...]
    citations: tuple[Citation, ...]
    cut: tuple[tuple[CutReason, int], ...]
    fallback: Fallback | None = None

    @property
    def text(self) -> str:
        """The claims in a row, each with its markers: `... [1][2] ... [3]`."""
        return " ".join(
            f"{claim.text} {''.join(f'[{citation.marker}]' for citation in claim.citations)}" for claim in self.claims
        )


def write(
    answer: Answer,
    question: str,
    model: Writer,
    lexicon: Lexicon,
    similarity: Similarity | None,
    *,
    articles: Mapping[str, Article],
    language: Language | None = None,
    floor: float = SUPPORT_FLOOR,
) -> Iterator[WrittenClaim | Written]:
    """The claims that may stand as they come, then one `Written`, always.

    Args:
        answer: The extractive answer, whose citations and hits are what the model may cite.
        question: What to answer, standing alone.
        model: Who writes.
        lexicon: How names are said in the other language.
        similarity: Semantic support of a claim by sentences; None does without.
        articles: By id; those that the index was built from.
        language: What to write in; None follows the question's own, which for other scripts is English.
        floor: The least support.
    """
    spoken = language or answer.question_language
    spoken = "en" if spoken == "und" else spoken
    draft = _Draft(answer, lexicon, similarity, articles, spoken, floor)
    if not draft.evidence.sentences:
        yield draft.result(Fallback(kind="no_evidence", line="the articles hold nothing for a language model to cite"))
        return
    try:
        with closing(model.stream(messages(question, spoken, draft.evidence))) as pieces:
            for claim in _claims(pieces):
                kept = draft.take(claim)
                if kept:
                    yield kept
                if draft.ended:
                    break
    except LanguageModelError as error:
        yield draft.result(Fallback(kind=error.kind, line=str(error)))
    else:
        yield draft.result()


def retold(answer: Answer, written: Written, model: str) -> Answer:
    """`answer` in the words of `model`, or as it was with a note why not. Values that differ keep their quotes."""
    if written.fallback:
        return replace(answer, note=written.fallback.line)
    citations = list(written.citations)
    markers: dict[int, int] = {}
    needed = {value.citation for conflict in answer.conflicts for value in conflict.values}
    for citation in answer.citations:
        if citation.marker in needed:
            same = next((each for each in citations if _within(each, citation)), None)
            if same is None:
                same = replace(citation, marker=len(citations) + 1)
                citations.append(same)
            markers[citation.marker] = same.marker
    conflicts = tuple(
        replace(each, values=tuple(replace(value, citation=markers[value.citation]) for value in each.values))
        for each in answer.conflicts
    )
    return replace(answer, text=written.text, citations=tuple(citations), conflicts=conflicts, written_by=model)


def _within(one: Citation, other: Citation) -> bool:
    return one.article_id == other.article_id and other.start <= one.start and one.end <= other.end


def embedding_similarity(embedder: Embedder) -> Similarity:
    """Support as the cosine of a claim to the nearest of its sentences, or to all of them together."""

    def measure(text: str, sentences: Sequence[str]) -> float:
        vectors = embedder.embed_passages([text, " ".join(sentences), *sentences]).vectors
        return float((vectors[1:] @ vectors[0]).max())

    return measure


class _Draft:
    """What is kept and cut so far, and the citations made for it."""

    def __init__(
        self,
        answer: Answer,
        lexicon: Lexicon,
        similarity: Similarity | None,
        articles: Mapping[str, Article],
        language: Language,
        floor: float,
    ) -> None:
        # Whether to answer at all is decided before, on the strength of the evidence.
        self.evidence = choose_evidence(answer) if answer.status == "answered" else Evidence(sentences=())
        self.ended = False
        self._answer = answer
        self._lexicon = lexicon
        self._similarity = similarity
        self._articles = articles
        self._language = language
        self._floor = floor
        self._kept: list[WrittenClaim] = []
        self._citations: dict[Sentence, Citation] = {}
        self._cut: Counter[CutReason] = Counter()
        self._nothing = False

    def take(self, claim: Claim) -> WrittenClaim | None:
        """`claim` with its citations if it may stand, else None, and why is counted."""
        if not self._kept and not self._cut and claim.text.strip(" .!\"'*") == NOTHING:
            self._nothing = self.ended = True
            return None
        verdict = check(
            claim, self.evidence, self._lexicon, self._similarity, language=self._language, floor=self._floor
        )
        repeated = any(fold(claim.text) == fold(other.text) for other in self._kept)
        reason: CutReason | None = verdict.reason or ("repeated" if repeated else None)
        if reason:
            self._cut[reason] += 1
            return None
        sentences = [sentence for identity in claim.ids if (sentence := self.evidence.find(identity))]
        cited = tuple(self._cite(sentence, verdict.support or 0.0) for sentence in sentences)
        kept = WrittenClaim(text=claim.text, citations=cited)
        self._kept.append(kept)
        self.ended = len(self._kept) == MAX_CLAIMS
        return kept

    def result(self, fallback: Fallback | None = None) -> Written:
        """The end of it; `fallback` if something went wrong."""
        fallback = fallback or self._fallback()
        return Written(
            claims=() if fallback else tuple(self._kept),
            citations=() if fallback else tuple(self._citations.values()),
            cut=tuple(self._cut.items()),
            fallback=fallback,
        )

    def _fallback(self) -> Fallback | None:
        if self._nothing:
            return Fallback(kind="nothing", line="the language model found no answer in the sentences it was given")
        if self._kept:
            return None
        why = "; ".join(f"{count} {_SAID[reason]}" for reason, count in self._cut.items()) or "it wrote nothing"
        return Fallback(kind="nothing_kept", line=f"nothing that the language model wrote can be shown ({why})")

    def _cite(self, sentence: Sentence, score: float) -> Citation:
        if sentence not in self._citations:
            self._citations[sentence] = mint(
                self._articles[sentence.article_id],
                sentence.start,
                sentence.end,
                marker=len(self._citations) + 1,
                score=score,
                answer_span=_answer_span(self._answer, sentence),
            )
        return self._citations[sentence]


def _answer_span(answer: Answer, sentence: Sentence) -> AnswerSpan | None:
    """The short answer that the extractive answer marked in this sentence, if it did."""
    spans = (
        citation.answer_span
        for citation in answer.citations
        if citation.answer_span and citation.article_id == sentence.article_id
    )
    return next((span for span in spans if sentence.start <= span.start and span.end <= sentence.end), None)


def _claims(pieces: Iterable[str]) -> Iterator[Claim]:
    splitter = ClaimSplitter()
    chars = 0
    for piece in _without_thinking(pieces):
        yield from splitter.feed(piece)
        chars += len(piece)
        if chars > _MAX_CHARS:
            return
    yield from splitter.finish()


def _without_thinking(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces after what a reasoning model thinks aloud first, between `<think>` and `</think>`."""
    state: Literal["unknown", "thinking", "writing"] = "unknown"
    held = ""
    for piece in pieces:
        if state == "writing":
            yield piece
            continue
        held += piece
        if state == "unknown":
            held = held.lstrip()
            if held.startswith(_THINKING):
                state = "thinking"
            elif not _THINKING.startswith(held):
                state = "writing"
                yield held
        if state == "thinking":
            _, thought, after = held.partition(_THOUGHT)
            if thought:
                state = "writing"
                yield after
            else:
                held = held[-len(_THOUGHT) :]
    if state == "unknown":
        yield held
