"""Step 2, tokenizer: the start's WordPieces, and the frequent Arabic words that they cut up as pieces of their own.

A whole word as one piece takes its meaning straight from its translations and shortens the text. A start without
Arabic pieces is given sub-words first (WordPiece, Schuster & Nakajima 2012, by the `tokenizers` library).
The normaliser folds what Arabic writers vary: tatweel and bidi marks away, final ya, Eastern digits.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from rag.training.corpus import Pair
from rag.training.recipe import Recipe
from rag.training.sources import PAIRS

_ARABIC = re.compile("[\u0621-\u064a]{2,}")
_FEW = 1_000
"""Arabic pieces under which a start counts as having none."""
_SUB_WORDS = 20_000
_LEAST = 2
_SPARE = "[unused"
"""Rows that BERT left for such as us."""
_SPECIAL = {source.name for source in PAIRS if not source.general}
_DROPPED = "[\u0640\u200c-\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
_FOLDED = {"ى": "ي", "ی": "ي", "ک": "ك"} | {digit: str(at) for at, digit in enumerate("٠١٢٣٤٥٦٧٨٩")}
"""After the base's own normaliser, which already takes hamza and vowel marks off their letters."""


def _normalizer() -> dict[str, Any]:
    """As it stands in `tokenizer.json`."""
    steps = [
        {"type": "Replace", "pattern": {"Regex": _DROPPED}, "content": ""},
        {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": True,
            "lowercase": True,
        },
    ]
    steps += [
        {"type": "Replace", "pattern": {"String": letter}, "content": folded} for letter, folded in _FOLDED.items()
    ]
    return {"type": "Sequence", "normalizers": steps}


def _fold_pieces(vocabulary: dict[str, int]) -> dict[str, int]:
    """The same rows under names that the normaliser can produce; the second row of a name is spare."""
    table = str.maketrans(_FOLDED)
    folded: dict[str, int] = {}
    for piece, row in sorted(vocabulary.items(), key=lambda item: item[1]):
        name = piece.translate(table)
        if name in folded:  # the piece before it is the more frequent one
            name = f"{_SPARE}-{row}]"
        folded[name] = row
    return folded


def _train_pieces(texts: Iterable[str], most: int) -> list[str]:
    learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    learner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=most, special_tokens=["[UNK]"], min_frequency=3, limit_alphabet=200)
    learner.train_from_iterator(texts, trainer)
    return [piece for piece, _ in sorted(learner.get_vocab().items(), key=lambda item: item[1])]


def count_words(tokenizer: Tokenizer, pairs: Iterable[Pair]) -> Counter[str]:
    """How often each Arabic word of two letters or more occurs in general writing, as the normaliser leaves it."""
    texts = (pair.arabic for pair in pairs if pair.source not in _SPECIAL)
    return Counter(word for text in texts for word in _ARABIC.findall(tokenizer.normalizer.normalize_str(text)))


def extend_vocabulary(start: Path, pairs: list[Pair], recipe: Recipe) -> Tokenizer:
    """The start's tokenizer with up to `recipe.pieces` more rows for new pieces; spare rows are used first."""
    stated = json.loads((start / "tokenizer.json").read_text(encoding="utf-8"))
    stated["normalizer"] = _normalizer()
    stated["truncation"] = stated["padding"] = None
    vocabulary = stated["model"]["vocab"] = _fold_pieces(stated["model"]["vocab"])
    tokenizer = Tokenizer.from_str(json.dumps(stated))
    counts = count_words(tokenizer, pairs)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    wanted = [word for word, count in ranked if count >= _LEAST and word not in vocabulary]
    if sum(bool(_ARABIC.search(piece)) for piece in vocabulary) < _FEW:
        words = (word for word, count in ranked for _ in range(count))
        learnt = _train_pieces(words, min(_SUB_WORDS, recipe.pieces))
        wanted = [piece for piece in dict.fromkeys([*learnt, *wanted]) if piece not in vocabulary]
    spare = [piece for piece in vocabulary if piece.startswith(_SPARE)] if recipe.pieces else []
    rows = [vocabulary.pop(piece) for piece in spare[: len(wanted)]]
    rows += range(len(stated["model"]["vocab"]) + len(rows), len(vocabulary) + len(rows) + recipe.pieces)
    vocabulary |= dict(zip(wanted, rows, strict=False))
    return Tokenizer.from_str(json.dumps(stated))


def new_pieces(start: Path, tokenizer: Tokenizer) -> dict[str, int]:
    """Pieces that the start has not, with their rows."""
    own = _fold_pieces(json.loads((start / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"])
    return {piece: row for piece, row in tokenizer.get_vocab().items() if piece not in own}
