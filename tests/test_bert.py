"""The numpy encoder of questions against sentence-transformers, and where it declines."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rag.bert import BertEncoder
from rag.embedders import WEIGHTS, BundledEmbedder, SentenceTransformerEmbedder

QUESTIONS = [
    "كم عدد أعضاء التحالف الدولي؟",
    "How many members does the coalition have?",
    "متى عُقد اجتماع روما in June 2021؟",
    "؟",
    "نعم " * 400,  # longer than the model reads
]


@pytest.fixture(scope="module")
def fast() -> BundledEmbedder:
    return BundledEmbedder()


def test_questions_are_embedded_as_by_sentence_transformers(
    fast: BundledEmbedder, bundled: SentenceTransformerEmbedder
) -> None:
    ours, theirs = fast.embed_queries(QUESTIONS), bundled.embed_queries(QUESTIONS)

    np.testing.assert_allclose(ours.vectors, theirs.vectors, atol=2e-5)
    for one, other in zip(ours.tokens, theirs.tokens, strict=True):
        assert one.spans == other.spans
        np.testing.assert_allclose(one.vectors, other.vectors, atol=2e-5)


def test_the_fingerprint_is_that_of_sentence_transformers(
    fast: BundledEmbedder, bundled: SentenceTransformerEmbedder
) -> None:
    assert fast.fingerprint == bundled.fingerprint
    assert fast.dimension == bundled.dimension


def test_no_questions_give_no_vectors(fast: BundledEmbedder) -> None:
    embeddings = fast.embed_queries([])

    assert embeddings.vectors.shape == (0, fast.dimension)
    assert embeddings.tokens == ()


@pytest.mark.parametrize(
    ("file", "field", "value"),
    [
        ("config.json", "architectures", ["XLMRobertaModel"]),
        ("config.json", "hidden_act", "relu"),
        ("1_Pooling/config.json", "pooling_mode", "cls"),
    ],
)
def test_other_models_are_left_to_the_library(tmp_path: Path, file: str, field: str, value: object) -> None:
    folder = tmp_path / "model"
    shutil.copytree(WEIGHTS, folder, ignore=shutil.ignore_patterns("*.safetensors", "tokenizer.json"))
    assert BertEncoder.can_read(folder)

    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))

    assert not BertEncoder.can_read(folder)
