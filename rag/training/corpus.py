"""Step 1, data: all rows that train, cleaned, in two files of the work folder.

`pairs.tsv` holds `english<TAB>arabic<TAB>source`; `asked.jsonl` groups of passages with the questions that they
answer. A row that shares its whole text or ten words in a row with a development set is left out.
"""

import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from rag.sentences import sentence_spans
from rag.text import tokens
from rag.training.recipe import Recipe, Workplace
from rag.training.sources import OWN_PAIRS, PAIRS, Source

HERE = Path(__file__).parent
LANGUAGES = ("ar", "en")
_RUN = 10
"""Words in a row that betray a shared text."""
_SECTIONS = 500
_ENGLISH_QUESTIONS = 700
_PASSAGE_CHARS = 900
_ARABIC = re.compile("[\u0600-\u06ff]")
Texts = dict[str, str]


class Pair(NamedTuple):
    """A text in both languages and where it is from."""

    english: str
    arabic: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Passages on one subject, each a text by language, and questions with the number of the passage they ask of."""

    source: str
    passages: list[Texts]
    questions: list[tuple[Texts, int]]


def read_lines(path: Path) -> Iterator[str]:
    """Lines of a plain or gzipped UTF-8 file, without their ends."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n")


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file, gzipped or not."""
    yield from (json.loads(line) for line in read_lines(path) if line)


def texts_of(row: dict[str, Any], name: str) -> Texts:
    """A field in both languages, which the file keeps as two."""
    return {language: row[f"{name}_{language}"] for language in LANGUAGES}


def trains(identity: str) -> bool:
    """Even numbers of the outside passages train, odd ones are kept for measuring."""
    return int(re.sub(r"\D", "", identity)) % 2 == 0


class Overlap:
    """What the development sets contain: whole texts and runs of ten words."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Remember the folded words of `texts`."""
        self._seen: set[tuple[str, ...]] = set()
        for text in texts:
            self._seen.update(self._runs(text))

    def __contains__(self, text: str) -> bool:
        return any(run in self._seen for run in self._runs(text))

    @staticmethod
    def _runs(text: str) -> Iterator[tuple[str, ...]]:
        words = tuple(token.text for token in tokens(text))
        if 3 <= len(words) < _RUN:
            yield words
        yield from (words[at : at + _RUN] for at in range(len(words) - _RUN + 1))


def squad_paragraphs(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each paragraph of a SQuAD-style file with the questions about it."""
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            yield paragraph["context"], [question["question"] for question in paragraph["qas"]]


def development_texts(sets: Path | None) -> Iterator[str]:
    """Every text of the development sets."""
    for path in sorted((sets / "dev").glob("*")) if sets else ():
        if path.suffix == ".json":
            for context, questions in squad_paragraphs(path):
                yield from (context, *questions)
        else:
            yield from read_lines(path)


def _read_pairs(path: Path, source: Source, recipe: Recipe) -> Iterator[Pair]:
    rows = [line.split("\t") for line in read_lines(path)]
    kept = [
        Pair(row[0].strip(), row[1].strip(), source.name)
        for row in rows
        if len(row) == 2 and max(map(len, row)) <= recipe.longest_chars and _ARABIC.search(row[1]) and row[0].strip()
    ]
    if len(kept) > source.most:
        kept = random.Random(recipe.seed).sample(kept, source.most)
    yield from kept * source.repeat


def read_groups(place: Workplace) -> Iterator[Group]:
    """Passages and questions: the project's own, our outside ones of even number, sections, English ones."""
    for path in sorted(HERE.glob("passages*.jsonl*")):
        by_topic: dict[str, list[dict[str, Any]]] = {}
        for row in read_rows(path):
            by_topic.setdefault(_subject(row), []).append(row)
        for rows in by_topic.values():
            yield _group("passages", rows)
    if place.sets is None:
        return
    for path in sorted((place.sets / "ours").glob("qa_*.jsonl")):
        yield from (_group("ours/qa", [row]) for row in read_rows(path) if trains(row["id"]))
    for row in read_rows(place.sets / "ours" / "hard_E.jsonl"):
        if trains(row["id"]):
            asked = [(texts_of(question, "q"), question["passage"]) for question in row["questions"]]
            yield Group(source="ours/hard_E", passages=row["passages"], questions=asked)
    yield from _sections(place.sets / "train" / "ms_dynamics_sections.jsonl.gz")
    yield from _english(place.sets / "train" / "tydiqa_en_qa.jsonl.gz")


def _subject(row: dict[str, Any]) -> str:
    """Passages were written by threes on one subject: 001 to 003, 004 to 006, and so on."""
    prefix, number = re.fullmatch(r"(\D+)(\d+)", row["id"]).groups()  # type: ignore[union-attr]
    return f"{prefix}{(int(number) - 1) // 3}" if len(prefix) > 1 else row["id"]


def _group(source: str, rows: list[dict[str, Any]]) -> Group:
    return Group(
        source=source,
        passages=[texts_of(row, "passage") for row in rows],
        questions=[(texts_of(question, "q"), at) for at, row in enumerate(rows) for question in row["questions"]],
    )


def _sections(path: Path) -> Iterator[Group]:
    """A manual's headings as questions about what stands under them: the same shape, other matter."""
    rows = [row for row in read_rows(path) if 80 <= len(row["text_ar"]) <= _PASSAGE_CHARS]
    for row in random.Random(0).sample(rows, min(_SECTIONS, len(rows))):
        question = {language: f"{row[f'title_{language}']} {row[f'heading_{language}']}" for language in LANGUAGES}
        yield Group(source="train/ms_dynamics_sections", passages=[texts_of(row, "text")], questions=[(question, 0)])


def _english(path: Path) -> Iterator[Group]:
    rows = list(read_rows(path))
    for row in random.Random(0).sample(rows, min(_ENGLISH_QUESTIONS, len(rows))):
        passage, question = {"en": row["context_en"][:_PASSAGE_CHARS]}, {"en": row["question_en"]}
        yield Group(source="train/tydiqa_en_qa", passages=[passage], questions=[(question, 0)])


def pairs_of(group: Group) -> Iterator[Pair]:
    """A bilingual group as pairs: its questions, its sentences where both sides have as many, its passages."""
    texts = [question for question, _ in group.questions] + group.passages
    for passage in group.passages:
        cut = {language: [text[a:b] for a, b in sentence_spans(text)] for language, text in passage.items()}
        if len(cut) == 2 and len(cut["ar"]) == len(cut["en"]):
            texts += [{"ar": one, "en": other} for one, other in zip(cut["ar"], cut["en"], strict=True)]
    yield from (Pair(text["en"], text["ar"], group.source) for text in texts if len(text) == 2)


def write_corpus(place: Workplace, recipe: Recipe) -> Counter[str]:
    """Write both files of the step, and give the rows of each source, left-out ones under `overlap`."""
    overlap = Overlap(development_texts(place.sets))
    rows: Counter[str] = Counter()
    pairs = [pair for source in OWN_PAIRS for pair in _read_pairs(HERE / source.name, source, recipe)]
    if place.sets is not None:
        pairs += [pair for source in PAIRS for pair in _read_pairs(place.sets / source.name, source, recipe)]
    groups = []
    for group in read_groups(place):
        texts = [text for texts in [*group.passages, *(q for q, _ in group.questions)] for text in texts.values()]
        if any(text in overlap for text in texts):
            rows["overlap groups"] += 1
            continue
        groups.append(group)
        rows[f"{group.source} questions"] += len(group.questions)
        if group.source != "train/ms_dynamics_sections":
            pairs += pairs_of(group)
    place.work.mkdir(parents=True, exist_ok=True)
    with (place.work / "asked.jsonl").open("w", encoding="utf-8") as stream:
        for group in groups:
            stream.write(json.dumps(asdict(group), ensure_ascii=False) + "\n")
    with (place.work / "pairs.tsv").open("w", encoding="utf-8") as stream:
        for pair in pairs:
            if pair.english in overlap or pair.arabic in overlap:
                rows["overlap pairs"] += 1
                continue
            rows[pair.source] += 1
            stream.write("\t".join(" ".join(part.split()) for part in pair) + "\n")
    return rows


def load_pairs(work: Path) -> list[Pair]:
    """The pairs of step 1, in order."""
    return [Pair(*line.split("\t")) for line in read_lines(work / "pairs.tsv")]


def load_groups(work: Path) -> list[Group]:
    """The groups of step 1, in order."""
    return [
        Group(
            source=row["source"],
            passages=row["passages"],
            questions=[(texts, passage) for texts, passage in row["questions"]],
        )
        for row in read_rows(work / "asked.jsonl")
    ]
