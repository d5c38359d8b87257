"""What the sources of the lexicon say: dictionaries, our news glosses, names, and our curated aliases.

The sources are named and licensed in rag/LEXICON.md; a folder of them is the build's `--data`.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.lexicon import MAX_WORDS
from rag.text import detect_language, terms
from rag.training.corpus import read_lines, read_rows, trains

Key = tuple[str, ...]
"""One to four stems."""

ALIASES = Path(__file__).with_name("aliases.tsv")
GLOSSARY = Path(__file__).with_name("glossary.tsv")
SENTENCES = Path(__file__).with_name("sentences.tsv")

PARALLEL = (
    "bible",
    "ethereum_org",
    "milvus_docs_blog",
    "misc_guides",
    "mkqa",
    "mmlu",
    "mnli",
    "ms_beginners_docs",
    "ms_dynamics_docs",
    "ms_office_docs",
    "opensource_guide",
    "tatoeba",
    "un_sdg",
)
"""Parallel files that are aligned, all of each."""


@dataclass(slots=True)
class Glosses:
    """Pairs of (English, Arabic) keys with the sources that have them, and what the curated list adds."""

    pairs: dict[tuple[Key, Key], set[str]] = field(default_factory=lambda: defaultdict(set))
    synonyms: dict[Key, dict[Key, float]] = field(default_factory=lambda: defaultdict(dict))
    kinds: dict[Key, str] = field(default_factory=dict)
    capitals: set[Key] = field(default_factory=set)
    """English keys that a dictionary writes with a capital."""
    rows: Counter[str] = field(default_factory=Counter)

    def add(self, english: str, arabic: str, source: str) -> None:
        """One gloss; texts that are no entry (too long, of one language only) are left out."""
        pair = key_of(english), key_of(arabic)
        if all(0 < len(side) <= MAX_WORDS for side in pair) and is_latin(pair[0]) and not is_latin(pair[1]):
            self.pairs[pair].add(source)
            self.rows[source] += 1
            if all(word[:1].isupper() for word in english.split()) and not english.isupper():
                self.capitals.add(pair[0])


def key_of(text: str) -> Key:
    """The stems by which `text` is found."""
    return tuple(terms(text))


def is_latin(key: Key) -> bool:
    """Whether a key is in English; digits are."""
    return detect_language(" ".join(key)) != "ar"


def read_pairs(path: Path) -> Iterator[tuple[str, str]]:
    """(English, Arabic), the first two columns of a file."""
    for line in read_lines(path):
        english, arabic, *_ = line.split("\t")
        yield english, arabic


def read_glosses(folder: Path) -> Glosses:
    """All entries of all sources: "curated", "variant", "gloss", "name" and "loose" (WordNet), by trust."""
    glosses = Glosses()
    for kind, columns in read_aliases(ALIASES):
        add_aliases(glosses, kind, columns)
    for english, arabic in [*read_pairs(folder / "ours/lexicon_news.tsv"), *read_pairs(GLOSSARY)]:
        glosses.add(english, arabic, "gloss")
    for english, arabic in read_pairs(folder / "train/wordnet_lexicon.tsv.gz"):
        glosses.add(english, arabic, "loose")
    for path in [*sorted((folder / "ours").glob("pairs_*.tsv")), folder / "train/tatoeba.tsv.gz"]:
        for english, arabic in read_pairs(path):
            if not english.endswith((".", "?", "!", '"')) and len(english.split()) <= MAX_WORDS + 1:
                glosses.add(english, arabic, "name")
    for row in read_rows(folder / "train/mkqa_answers.jsonl.gz"):
        if len(row["answers_en"]) == len(row["answers_ar"]) == 1:
            glosses.add(row["answers_en"][0], row["answers_ar"][0], "name")
    return glosses


def read_aliases(path: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """Kind and, for each column, its variants, best first."""
    for line in read_lines(path):
        if line and not line.startswith("#"):
            kind, *columns = line.split("\t")
            yield kind, [[variant.strip() for variant in column.split("|")] for column in columns]


def add_aliases(glosses: Glosses, kind: str, columns: list[list[str]]) -> None:
    """A curated row: each variant says the others, in both languages; noun and adjective are half as good."""
    english, arabic, *adjectives = columns
    noun = keys_of(form for text in english for form in without_article(text)), keys_of(arabic)
    add_group(glosses, *noun)
    adjective: tuple[list[Key], list[Key]] = ([], [])
    if adjectives:
        adjective = keys_of(adjectives[0]), keys_of(form for text in adjectives[1] for form in inflected(text))
        add_group(glosses, *adjective)
    if kind != "-":
        for key in noun[0] + noun[1]:
            glosses.kinds.setdefault(key, kind)
        for key in adjective[0] + adjective[1]:
            glosses.kinds.setdefault(key, "name")
    for one in noun[0] + noun[1]:
        for other in adjective[0] + adjective[1]:
            glosses.synonyms[one].setdefault(other, 0.5)
            glosses.synonyms[other].setdefault(one, 0.5)


def add_group(glosses: Glosses, english: list[Key], arabic: list[Key]) -> None:
    """Every English key is said by every Arabic one, and each by its variants; the first of each side best."""
    for i, one in enumerate(english):
        for j, other in enumerate(arabic):
            if one != other:
                glosses.pairs[one, other].add("curated" if i == 0 or j == 0 else "variant")
                glosses.rows["curated"] += 1
    for group in (english, arabic):
        for one in group:
            for rank, other in enumerate(group):
                if one != other:
                    glosses.synonyms[one][other] = 0.9 if rank == 0 else 0.8


def keys_of(variants: Iterable[str]) -> list[Key]:
    """Keys of the variants, without repeats, in order."""
    found = (key_of(variant) for variant in variants)
    return list(dict.fromkeys(key for key in found if 0 < len(key) <= MAX_WORDS))


def inflected(adjective: str) -> list[str]:
    """The forms of an Arabic nisba, which the light stemmer may keep apart."""
    return [adjective, adjective + "ة", adjective + "ين"] if adjective.endswith("ي") else [adjective]


def without_article(variant: str) -> list[str]:
    """`al-Hol` is also asked for as `Hol`."""
    head, dash, tail = variant.partition("-")
    return [variant, tail] if dash and head.lower() in ("al", "el") else [variant]


def read_parallel(folder: Path) -> Iterator[tuple[str, str]]:
    """(English, Arabic) text to align; of our question sets only the even, training half."""
    for name in PARALLEL:
        yield from read_pairs(folder / f"train/{name}.tsv.gz")
    for path in sorted((folder / "ours").glob("pairs_*.tsv")):
        for pair in read_pairs(path):
            yield from (pair, pair)
    for path in sorted((folder / "ours").glob("*.jsonl")):
        for row in read_rows(path):
            if trains(row["id"]):
                yield from _bilingual_sentences(row)
    for path in sorted(ALIASES.parent.glob("passages*.jsonl")):
        for row in read_rows(path):
            yield from _bilingual_sentences(row)
    yield from read_pairs(SENTENCES)
    yield from read_pairs(folder / "ours/lexicon_news.tsv")
    yield from read_pairs(GLOSSARY)


def _bilingual_sentences(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Sentences of passages that have as many in both languages, else the passages; and their questions."""
    passages = row.get("passages") or [
        {"en": row["passage_en"], "ar": row["passage_ar"], "questions": row["questions"]}
    ]
    for passage in passages:
        texts = passage["en"], passage["ar"]
        english, arabic = (re.split(r"(?<=[.!?؟])\s+", text) for text in texts)
        yield from zip(english, arabic, strict=True) if len(english) == len(arabic) else [texts]
        for question in passage.get("questions", []):
            yield question["q_en"], question["q_ar"]
