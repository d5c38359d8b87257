"""A follow-up question made to stand alone, by rule: the first form of what conversations need."""

import re
from collections.abc import Sequence

from rag.text import fold, terms

# Openings that lean on the question before: "and in Syria?", "what about...", "وماذا عن", "ومتى".
_CUES = re.compile(
    r"(?:and|but|so|what about|how about)\b(?=.{0,40}$)|و?ماذا عن|و(?:متي|اين|كم|كيف|من|لماذا|في|هل|ما)\b"
)
# These lean only where nothing is named: "who leads it?", but not "Who leads NATO?".
_INTERROGATIVES = re.compile(r"(?:why|when|where|who|how many)\b(?=.{0,40}$)")
_NAME = re.compile(r"\w\s+[A-Z]")
_POINTING = re.compile(
    r"\b(?:it|its|they|them|their|he|she|his|her|him|that|those|these)\b|\b(?:ذلك|تلك|هذا|هذه|هولاء)\b"
)
_SELF_CONTAINED_TERMS = 4


def standalone_question(question: str, history: Sequence[str]) -> str:
    """`question` itself, or with the previous question before it when it leans on that: short, and pointing back."""
    if not history:
        return question
    folded = " ".join(fold(question).split())
    content = len(set(terms(question)))
    unnamed = bool(_INTERROGATIVES.match(folded)) and not _NAME.search(question)
    leans = bool(unnamed or _CUES.match(folded) or _POINTING.search(folded)) and content < _SELF_CONTAINED_TERMS
    return f"{history[-1].strip()} {question.strip()}" if leans or content <= 1 else question
