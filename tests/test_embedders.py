import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer

from rag.config import Settings
from rag.embedders import BUNDLED, SentenceTransformerEmbedder, open_embedder
from rag.errors import ModelError
from rag.protocols import TokenVectors
from tests.tiny_model import DIMENSION, variant

ARABIC = "عقد التحالف اجتماعه في روما"
E5_PROMPTS = {"prompt_query": "query: ", "prompt_document": "passage: "}


@pytest.fixture(scope="module")
def plain(tiny_model: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(str(tiny_model))


@pytest.fixture(scope="module")
def prompted(tiny_model: Path) -> SentenceTransformerEmbedder:
    prompts = {"query": "query: ", "document": "passage: "}
    return SentenceTransformerEmbedder(str(variant(tiny_model, "prompted", prompts=prompts)))


def pieces(text: str, words: TokenVectors) -> list[str]:
    return [text[start:end] for start, end in words.spans]


def test_a_folder_is_a_model(plain: SentenceTransformerEmbedder, tiny_model: Path) -> None:
    found = plain.embed_passages([ARABIC, "the army bought twelve drones"])

    assert plain.dimension == DIMENSION
    assert found.vectors.shape == (2, DIMENSION)
    assert found.vectors.dtype == np.float32
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert plain.fingerprint["name"] == str(tiny_model)


def test_vectors_are_those_of_the_library(plain: SentenceTransformerEmbedder, tiny_model: Path) -> None:
    library = SentenceTransformer(str(tiny_model), device="cpu").encode([ARABIC], normalize_embeddings=True)

    assert plain.embed_passages([ARABIC]).vectors == pytest.approx(library, abs=1e-5)


def test_the_settings_name_the_model(tiny_model: Path) -> None:
    assert open_embedder(Settings(embedder=str(tiny_model))).fingerprint["name"] == str(tiny_model)
    assert Settings().embedder == BUNDLED


def test_prompts_come_before_the_text(
    plain: SentenceTransformerEmbedder, prompted: SentenceTransformerEmbedder
) -> None:
    asked = prompted.embed_queries(["روما"]).vectors
    stored = prompted.embed_passages(["روما"]).vectors

    assert asked == pytest.approx(plain.embed_queries(["query: روما"]).vectors, abs=1e-5)
    assert stored == pytest.approx(plain.embed_queries(["passage: روما"]).vectors, abs=1e-5)
    assert np.abs(asked - stored).max() > 0.01


def test_prompts_are_in_the_fingerprint(
    plain: SentenceTransformerEmbedder, prompted: SentenceTransformerEmbedder
) -> None:
    assert prompted.fingerprint.items() >= E5_PROMPTS.items()
    assert not [key for key in plain.fingerprint if key.startswith("prompt")]
    assert prompted.fingerprint["revision"] == plain.fingerprint["revision"]


@pytest.mark.parametrize("name", ["passage", "corpus"])
def test_a_document_prompt_under_another_name_is_honoured(
    prompted: SentenceTransformerEmbedder, tiny_model: Path, name: str
) -> None:
    named = SentenceTransformerEmbedder(str(variant(tiny_model, name, prompts={name: "passage: "})))

    assert named.embed_passages([ARABIC]).vectors == pytest.approx(prompted.embed_passages([ARABIC]).vectors, abs=1e-5)
    assert named.fingerprint["prompt_document"] == "passage: "


def test_an_e5_model_without_prompts_gets_those_it_was_trained_with(
    prompted: SentenceTransformerEmbedder, tiny_model: Path
) -> None:
    e5 = SentenceTransformerEmbedder(str(variant(tiny_model, "multilingual-e5-tiny")))

    assert e5.fingerprint.items() >= E5_PROMPTS.items()
    assert e5.embed_queries(["روما"]).vectors == pytest.approx(prompted.embed_queries(["روما"]).vectors, abs=1e-5)


def test_an_e5_model_with_prompts_keeps_its_own(tiny_model: Path) -> None:
    e5 = SentenceTransformerEmbedder(str(variant(tiny_model, "my-e5-tiny", prompts={"query": "Instruct: "})))

    assert e5.fingerprint["prompt_query"] == "Instruct: "
    assert "prompt_document" not in e5.fingerprint


def test_a_name_that_merely_contains_e5_is_no_e5_model(tiny_model: Path) -> None:
    other = SentenceTransformerEmbedder(str(variant(tiny_model, "base5-tiny")))

    assert not [key for key in other.fingerprint if key.startswith("prompt")]


def test_the_revision_follows_the_weights(plain: SentenceTransformerEmbedder, tiny_model: Path) -> None:
    folder = variant(tiny_model, "shifted")
    weights = load_file(folder / "model.safetensors")
    save_file({name: tensor + 0.01 for name, tensor in weights.items()}, folder / "model.safetensors")

    shifted = SentenceTransformerEmbedder(str(folder))

    assert shifted.fingerprint["revision"] != plain.fingerprint["revision"]


def test_words_have_spans_in_the_text_and_stop_words_none(
    plain: SentenceTransformerEmbedder, prompted: SentenceTransformerEmbedder
) -> None:
    text = "The army bought drones, in Rome."
    for model in (plain, prompted):
        [words] = model.embed_queries([text]).tokens
        assert "".join(pieces(text, words)) == "armyboughtdronesRome"
        assert list(words.spans) == sorted(words.spans)


def test_diacritics_do_not_shift_spans(plain: SentenceTransformerEmbedder) -> None:
    text = "عُقِدَ في رُوما"
    [words] = plain.embed_passages([text]).tokens

    assert words.spans[-1][1] == len(text)
    assert all(0 <= start < end <= len(text) for start, end in words.spans)


def test_a_text_of_stop_words_keeps_them(plain: SentenceTransformerEmbedder) -> None:
    [words] = plain.embed_queries(["what is it"]).tokens

    assert "".join(pieces("what is it", words)) == "whatisit"


@pytest.mark.parametrize("text", ["", "   ", "؟!", "😀"])
def test_a_text_without_words_has_a_vector_and_no_word_vectors(plain: SentenceTransformerEmbedder, text: str) -> None:
    found = plain.embed_queries([text])

    assert np.linalg.norm(found.vectors[0]) == pytest.approx(1, abs=1e-5)
    assert found.tokens[0].vectors.shape == (0, DIMENSION)


def test_a_text_longer_than_the_model_reads_is_cut(plain: SentenceTransformerEmbedder) -> None:
    text = "army " * 500
    [words] = plain.embed_passages([text]).tokens

    assert 0 < len(words.spans) < 40
    assert len(words.spans) == len(words.vectors)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_spans_hold_in_any_text(prompted: SentenceTransformerEmbedder, text: str) -> None:
    [words] = prompted.embed_queries([text]).tokens

    assert len(words.vectors) == len(words.spans)
    assert all(0 <= start < end <= len(text) for start, end in words.spans)
    assert np.isfinite(words.vectors).all()


def test_padding_on_the_left_does_not_shift_word_vectors(tiny_model: Path) -> None:
    """Decoders pad on the left; the rows of a short text among longer ones then begin with the padding."""
    folder = variant(tiny_model, "left", padding_side="left")
    short, long = "army drones", "coalition met Rome New York army bought twelve drones"
    library = SentenceTransformer(str(folder), device="cpu")
    with torch.no_grad():
        read = library[0](library.preprocess([short, long]))
    own = read["token_embeddings"][0][read["attention_mask"][0].bool()][1:-1].numpy()  # without [CLS] and [SEP]

    words = SentenceTransformerEmbedder(str(folder)).embed_passages([short, long]).tokens[0]

    assert words.vectors == pytest.approx(own / np.linalg.norm(own, axis=1, keepdims=True), abs=1e-5)


@pytest.mark.parametrize("spoil", ["empty", "no weights", "cut weights", "no configuration"])
def test_a_model_that_cannot_be_loaded_is_named_in_one_line(tiny_model: Path, tmp_path: Path, spoil: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    if spoil == "empty":
        shutil.rmtree(folder)
        folder.mkdir()
    elif spoil == "no weights":
        (folder / "model.safetensors").unlink()
    elif spoil == "cut weights":
        (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:1000])
    else:
        (folder / "config.json").unlink()

    with pytest.raises(ModelError) as caught:
        SentenceTransformerEmbedder(str(folder))

    assert str(folder) in str(caught.value)
    assert "--embedder bundled" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_named_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    missing = str(tmp_path / "غير موجود")

    with pytest.raises(ModelError) as caught:
        SentenceTransformerEmbedder(missing)

    assert missing in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_damaged_weights_are_noticed_at_the_first_vector(tiny_model: Path, tmp_path: Path, value: float) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(tiny_model, folder)
    weights = load_file(folder / "model.safetensors")
    weights["embeddings.word_embeddings.weight"] = torch.full_like(weights["embeddings.word_embeddings.weight"], value)
    save_file(weights, folder / "model.safetensors")
    embedder = SentenceTransformerEmbedder(str(folder))

    with pytest.raises(ModelError, match="not finite"):
        embedder.embed_queries(["روما"])


def test_code_in_a_model_folder_is_never_run(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    shutil.copytree(tiny_model, folder)
    ran = tmp_path / "ran"
    (folder / "evil.py").write_text(f"open({str(ran)!r}, 'w')\nclass Evil: pass\n", encoding="utf-8")
    modules = folder / "modules.json"
    modules.write_text(
        modules.read_text(encoding="utf-8").replace(
            "sentence_transformers.sentence_transformer.modules.pooling.Pooling", "evil.Evil"
        ),
        encoding="utf-8",
    )
    assert "evil.Evil" in modules.read_text(encoding="utf-8")

    with pytest.raises(ModelError):
        SentenceTransformerEmbedder(str(folder))

    assert not ran.exists()
