"""Questions to queries: what kind of answer is asked for, and the content words in both languages."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from rag.datatypes import AnswerType
from rag.lexicon import Lexicon, LexiconMatch
from rag.protocols import Alternative, Embedder, Query, QueryTerm
from rag.text import STOP_WORDS, Token, detect_language, fold, stem, tokens

# Patterns over the folded question; the one that matches first in it decides, ties by this order.
_ROLES_EN = (
    "official|minister|leader|president|ambassador|general|commander|envoy|author|writer|expert|researcher|person"
)
_ROLES_AR = "مسوول|وزير|رييس|قايد|سفير|مبعوث|باحث|كاتب|خبير|شخص|امين"
_ANSWER_TYPES: tuple[tuple[AnswerType, str], ...] = (
    ("number", r"\b(?:how (?:many|much|large|long|big|old)|what (?:number|percentage|share|total)|number of)\b"),
    ("number", r"\btotal (?:number|amount|value)\b|\bwhat (?:is|was) the (?:value|amount|size|sum|number|total)\b"),
    ("number", r"\b[وف]?ب?كم\b|\b(?:ما|كم) (?:هو |هي )?(?:عدد|مجموع|اجمالي|قيمه|نسبه|حجم|مقدار|مبلغ|رقم)\b"),
    ("number", r"^[وف]?(?:عدد|اجمالي|رقم)\b"),
    ("date", r"\b(?:when|(?:what|which) (?:date|day|month|year)|since when|date of|(?:start|end|founding) date)\b"),
    ("date", r"\b[وف]?متي\b|\b(?:ب?اي|ما) (?:هو |هي )?(?:تاريخ|عام|سنه|شهر|يوم)\b|^[وف]?(?:تاريخ|سنه|عام|موعد)\b"),
    ("place", r"\b(?:where|(?:what|which) (?:city|country|place|town|capital|location|region))\b"),
    ("place", r"\b[وف]?اين\b|\b(?:ب?اي|ما) (?:هو |هي )?(?:مدينه|بلد|دوله|مكان|عاصمه|منطقه)\b"),
    ("person", rf"\b(?:who|whom|whose|names? of|(?:which|what) (?:\w+ ){{0,3}}(?:{_ROLES_EN}))\b"),
    (
        "person",
        r"^[وف]?(?:[لب]|مع |الي |ضد |عن )?من (?!اين\b|خلال|اجل|بين|قبل|حيث|اي\b|وجهه|ناحيه)|\bمن (?:هو|هم|الذي|هي)\b",
    ),
    ("person", rf"\b(?:ما اسم|اسم|اسماء|اي (?:{_ROLES_AR})\w*)\b"),
    ("reason", r"\b(?:why|how come|reasons? (?:for|why|behind)|what (?:\w+ ){0,2}(?:reasons?|causes?|purpose|aim))\b"),
    ("reason", r"\bwhat (?:made|makes|caused|drove|led)\b|\bما الذي (?:ي?جعل|دفع)"),
    (
        "reason",
        r"\b[وف]?(?:لماذا|لم|لاي سبب|علام)\b|\bما (?:هو |هي )?ا?ل?(?:سبب|اسباب|غرض|هدف|دوافع)\b|^سبب",
    ),
)
_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _ANSWER_TYPES)


def answer_type(question: str) -> AnswerType:
    """The kind of answer that `question` asks for, by its interrogatives; `other` without one that tells."""
    folded = " ".join(re.sub(r"[^\w\s]", " ", fold(question)).split())
    places = [(match.start(), kind) for kind, pattern in _COMPILED if (match := pattern.search(folded))]
    return min(places, key=lambda place: place[0])[1] if places else "other"


class Vocabulary(Protocol):
    """What a query asks of the corpus's words; `rag.lexical.LexicalIndex` knows."""

    def has(self, term: str) -> bool:
        """Whether any passage has `term`."""
        ...

    def sounding_like(self, word: str, *, named: bool) -> Sequence[str]:
        """Stems that may be `word` transliterated."""
        ...


_SOUND_WEIGHT = 0.8
_COUNTING = frozenset(map(stem, fold("عدد أعداد إجمالي مجموع number total").split()))
"""Words that ask for a number, and make no phrase with what is counted."""


def _is_capitalised(question: str, token: Token) -> bool:
    """Whether English spelling marks the word as a name; the first word of a sentence tells nothing."""
    before = question[: token.start].rstrip()
    return question[token.start].isupper() and bool(before) and before[-1] not in '.?!:"“«'


def _spelt_out(question: str, token: Token) -> Token:
    """`US` in capitals is the country, not the pronoun that it folds to."""
    return replace(token, text="usa") if question[token.start : token.end] == "US" else token


def query_terms(question: str, lexicon: Lexicon | None, vocabulary: Vocabulary | None) -> tuple[QueryTerm, ...]:
    """Content words of `question` in order, phrases of the lexicon as one term, each with its alternatives.

    A name that the corpus does not write as the lexicon does, or a word that the lexicon does not know, is also
    looked for under what sounds like it in the corpus.
    """
    content = [token for token in map(partial(_spelt_out, question), tokens(question)) if token.text not in STOP_WORDS]
    stems = [stem(token.text) for token in content]
    matches = _matches(stems, lexicon) if lexicon else {}
    found: list[QueryTerm] = []
    position = 0
    while position < len(content):
        match = matches.get(position)
        length = match.length if match else 1
        words = content[position : position + length]
        named = any(word.text[0].isdecimal() or _is_capitalised(question, word) for word in words)
        own = Alternative(terms=tuple(stems[position : position + length]), weight=1.0)
        others = match.alternatives if match else ()
        is_name = named or bool(match and match.kind)
        if vocabulary and length == 1 and (is_name or not match):
            others += _sounding(words[0], (own, *others), vocabulary, named=is_name)
        found.append(
            QueryTerm(
                surface=question[words[0].start : words[-1].end],
                span=(words[0].start, words[-1].end),
                alternatives=(own, *others),
                is_name=is_name,
            )
        )
        position += length
    return tuple(found)


def _matches(stems: Sequence[str], lexicon: Lexicon) -> dict[int, LexiconMatch]:
    """Entries of the lexicon by where they start. A counting word is looked up by itself.

    "عدد أعضاء" as one entry would be found only where both words stand; who counts members does not say "number".
    """
    apart = [at for at, word in enumerate(stems) if word in _COUNTING]
    found = lexicon.lookup(["" if at in apart else word for at, word in enumerate(stems)])
    alone = [replace(match, start=at) for at in apart for match in lexicon.lookup([stems[at]])]
    return {match.start: match for match in [*found, *alone]}


def _sounding(
    word: Token, ways: Sequence[Alternative], vocabulary: Vocabulary, *, named: bool
) -> tuple[Alternative, ...]:
    """Further ways to say `word`, unless the corpus has one of `ways`."""
    if any(all(map(vocabulary.has, way.terms)) for way in ways):
        return ()
    return tuple(
        Alternative(terms=(other,), weight=_SOUND_WEIGHT) for other in vocabulary.sounding_like(word.text, named=named)
    )


def make_queries(
    questions: Sequence[str],
    embedder: Embedder,
    lexicon: Lexicon | None,
    vocabulary: Vocabulary | None = None,
) -> list[Query]:
    """Queries for `questions`, in order, embedded in one batch."""
    embeddings = embedder.embed_queries(questions)
    terms = [query_terms(question, lexicon, vocabulary) for question in questions]
    return [
        Query(
            text=question,
            language=detect_language(question),
            vector=vector,
            tokens=words,
            terms=found,
            answer_type=_answer_type_of(question, found),
        )
        for question, vector, words, found in zip(questions, embeddings.vectors, embeddings.tokens, terms, strict=True)
    ]


def _answer_type_of(question: str, found: Sequence[QueryTerm]) -> AnswerType:
    kind = answer_type(question)
    describes = kind == "person" and bool(found) and all(term.is_name for term in found)  # "من هو بسام صقر؟"
    return "other" if describes else kind
