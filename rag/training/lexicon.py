"""Make the bilingual lexicon: `python -m rag.training.lexicon --data DIR --out FILE`.

1. Read glosses (dictionaries, our news glosses, names) and our curated aliases as pairs of keys.
2. Align stems in parallel text with IBM Model 1 in both directions.
3. Weigh each gloss by its alignment and its source; add well aligned pairs that no dictionary has.
4. Add synonyms inside a language: curated ones, and those that meet over the other language.
5. Mark names, and write the sorted table that `rag.lexicon` reads.
"""

import argparse
import gzip
import logging
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from rag.lexicon import FORMAT
from rag.text import STOP_WORDS, TEXT_VERSION, stem, terms, tokens
from rag.training.alignment import Alignment
from rag.training.glosses import Glosses, Key, is_latin, read_glosses, read_parallel

logger = logging.getLogger(__name__)

FLOORS = {"curated": 0.5, "variant": 0.4, "gloss": 0.25, "name": 0.3, "loose": 0.02}
"""Least strength of a pair by its source: WordNet's senses are loose, our own glosses are not."""
PHRASE_WORTH = 0.6
"""A phrase has no alignment of its own, and a word glossed by a phrase is mostly said otherwise."""
ALIGNED_LEAST = 0.015
SYNONYM_LEAST = 0.1
SYNONYM_WORTH = 0.7
MOST = 16
"""Alternatives of an entry."""
SHARE = 0.97
"""Alternatives are taken, best first, until they hold this share of the entry's whole strength."""
WEAKEST = 0.05
"""Least weight of an alternative."""
SEEN_LEAST = 3
"""Times a word is seen before its capitals count."""
MOSTLY = 0.5
"""Share of capitals, or weight of a translation that is a name, from which a word is one."""
MOSTLY_KNOWN = 0.3
"""The same for curated places and organisations, which may be common words too (`الموصل`)."""


def pair_strengths(glosses: Glosses, alignment: Alignment) -> dict[Key, dict[Key, float]]:
    """For each key of either language, its translations and how well each says it, in (0, 1]."""
    strengths: dict[Key, dict[Key, float]] = defaultdict(dict)
    pairs: dict[tuple[Key, Key], float] = {}
    for (english, arabic), sources in glosses.pairs.items():
        value = max(FLOORS[source] for source in sources)
        if len(english) == len(arabic) == 1:
            value = max(value, alignment.strength(english[0], arabic[0]))
        elif sources.isdisjoint(("curated", "variant")):
            value *= PHRASE_WORTH
        pairs[english, arabic] = value
    for one, other, value in alignment.strongest(ALIGNED_LEAST):
        pairs.setdefault(((one,), (other,)), value)
    for (english, arabic), value in pairs.items():
        strengths[english][arabic] = value
        strengths[arabic][english] = value
    return strengths


def strongest(strengths: Mapping[Key, float]) -> dict[Key, float]:
    """The best translations with their weights: relative to the first, all lower where even that is doubtful."""
    ordered = sorted(strengths.items(), key=lambda item: (-item[1], item[0]))[:MOST]
    total, covered = math.fsum(strengths.values()), 0.0
    chosen: dict[Key, float] = {}
    for key, value in ordered:
        if covered > SHARE * total:
            break
        top = ordered[0][1]
        chosen[key] = value / top * min(1.0, 0.4 + 1.5 * top)
        covered += value
    return chosen


def entries(glosses: Glosses, alignment: Alignment) -> dict[Key, dict[Key, float]]:
    """Every key's alternatives and weights: translations, then synonyms."""
    found = {key: strongest(strengths) for key, strengths in pair_strengths(glosses, alignment).items()}
    met = alignment.synonyms(SYNONYM_LEAST)
    for key in {*found, *glosses.synonyms}:
        weights = found.setdefault(key, {})
        for word, value in met.get(key[0], {}).items() if len(key) == 1 else ():
            weights[word,] = max(weights.get((word,), 0.0), SYNONYM_WORTH * value)
        for other, value in glosses.synonyms.get(key, {}).items():
            weights[other] = max(weights.get(other, 0.0), value)
    return found


def capital_shares(texts: Iterable[str]) -> dict[str, float]:
    """For each English stem seen often enough inside sentences, the share of times with a capital letter.

    Texts without any capital (questions typed in haste) say nothing.
    """
    seen: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    for text in texts:
        for token in () if text.islower() else tokens(text)[1:]:
            seen[stem(token.text)] += 1
            capital[stem(token.text)] += text[token.start].isupper()
    return {word: capital[word] / count for word, count in seen.items() if count >= SEEN_LEAST}


def kinds(glosses: Glosses, found: Mapping[Key, Mapping[Key, float]], shares: Mapping[str, float]) -> dict[Key, str]:
    """Kinds of names, without the words that are mostly no names (`rice`, `عادل`)."""
    marked = dict.fromkeys(glosses.capitals, "name") | glosses.kinds
    for key in found:
        if not is_latin(key) and key not in marked:
            english = max((k for k in found[key] if is_latin(k)), key=lambda k: found[key][k], default=())
            if english in marked and found[key][english] >= MOSTLY:
                marked[key] = marked[english] if marked[english] not in ("number", "date") else "name"
    known = {key for key, kind in glosses.kinds.items() if kind in ("place", "org")}
    return {
        key: kind
        for key, kind in marked.items()
        if kind in ("number", "date") or capital_share(key, found, shares) >= (MOSTLY_KNOWN if key in known else MOSTLY)
    }


def capital_share(key: Key, found: Mapping[Key, Mapping[Key, float]], shares: Mapping[str, float]) -> float:
    """How often a word is written with a capital, in English or in its English alternatives; 1 for a phrase."""
    if len(key) > 1:
        return 1.0
    if is_latin(key):
        return shares.get(key[0], 1.0)
    english = {k: weight for k, weight in found.get(key, {}).items() if len(k) == 1 and is_latin(k)}
    capital = math.fsum(weight * shares.get(word, 1.0) for (word,), weight in english.items())
    return capital / math.fsum(english.values()) if english else 1.0


def render(found: Mapping[Key, Mapping[Key, float]], marked: Mapping[Key, str]) -> bytes:
    """The table as `rag.lexicon` reads it."""
    lines = []
    for key in sorted({*found, *marked}, key=lambda key: " ".join(key).encode()):
        weights = {
            other: round(100 * min(1.0, weight))
            for other, weight in found.get(key, {}).items()
            if weight >= WEAKEST and other != key and not (len(other) == 1 and other[0] in STOP_WORDS)
        }
        ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:MOST]
        if ordered or key in marked:
            alternatives = ";".join(f"{' '.join(other)}={percent}" for other, percent in ordered)
            lines.append(f"{' '.join(key)}\t{marked.get(key, '')}\t{alternatives}\n")
    header = f"{FORMAT}\t{TEXT_VERSION}\t{len(lines)}\n"
    return (header + "".join(lines)).encode()


def main(arguments: list[str] | None = None) -> None:
    """Build the table and log what went in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the sources")
    parser.add_argument("--out", type=Path, required=True, help="the .tsv.gz to write")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    glosses = read_glosses(options.data)
    logger.info("glosses: %s", dict(glosses.rows))
    parallel = list(read_parallel(options.data))
    alignment = Alignment((terms(english), terms(arabic)) for english, arabic in parallel)
    logger.info(
        "aligned %d pairs: %d English, %d Arabic stems", len(parallel), len(alignment.english), len(alignment.arabic)
    )
    found = entries(glosses, alignment)
    shares = capital_shares(english for english, _ in parallel)
    table = render(found, kinds(glosses, found, shares))
    # No time stamp and no file name inside: the same sources give the same bytes.
    options.out.write_bytes(gzip.compress(table, 9, mtime=0))
    logger.info("%s: %d entries, %d bytes", options.out, table.count(b"\n") - 1, options.out.stat().st_size)


if __name__ == "__main__":
    main()
