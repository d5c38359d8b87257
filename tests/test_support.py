"""The support model in numpy: against the network it was trained as, and by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch

from rag.errors import ModelError
from rag.support import TENSORS, SupportModel, open_support
from rag.training.support import Network, save
from tests.conftest import TopicEmbedder


def unit(rows: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, 128)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@pytest.mark.parametrize(("words", "told"), [(1, 1), (1, 7), (6, 1), (9, 40)])
def test_numpy_and_torch_agree(tmp_path: Path, words: int, told: int) -> None:
    torch.manual_seed(3)
    network = Network().eval()
    network.load_state_dict({name: tensor.half().float() for name, tensor in network.state_dict().items()})
    save(network, np.eye(384, 128, dtype=np.float32), "abc", tmp_path / "support.safetensors")
    model = SupportModel.open(tmp_path / "support.safetensors")
    question, passage = unit(words, 1), unit(told, 2)

    with torch.no_grad():
        masks = torch.ones(1, words, dtype=torch.bool), torch.ones(1, told, dtype=torch.bool)
        expected = network(torch.from_numpy(question)[None], masks[0], torch.from_numpy(passage)[None], masks[1])

    assert model.logit(question, passage) == pytest.approx(float(expected[0]), abs=1e-4)


def test_padding_changes_nothing() -> None:
    torch.manual_seed(4)
    network = Network().eval()
    question, passage = torch.from_numpy(unit(3, 1)), torch.from_numpy(unit(5, 2))

    def logit(pad_question: int, pad_passage: int) -> float:
        asked = torch.cat([torch.ones(3), torch.zeros(pad_question)]).bool()[None]
        told = torch.cat([torch.ones(5), torch.zeros(pad_passage)]).bool()[None]
        padded = torch.cat([question, torch.zeros(pad_question, 128)])[None]
        text = torch.cat([passage, torch.zeros(pad_passage, 128)])[None]
        with torch.no_grad():
            return float(network(padded, asked, text, told)[0])

    assert logit(0, 0) == pytest.approx(logit(4, 9), abs=1e-5)


def test_without_words_there_is_no_opinion() -> None:
    model = SupportModel.open()

    assert model.logit(np.zeros((0, 128), dtype=np.float32), unit(4, 1)) == 0
    assert model.logit(unit(4, 1), np.zeros((0, 128), dtype=np.float32)) == 0


def test_it_is_left_out_with_another_embedder(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        assert open_support(TopicEmbedder()) is None
    assert "other weights" in caplog.text


def test_the_bundled_one_has_all_tensors() -> None:
    model = SupportModel.open()

    assert set(model.tensors) == set(TENSORS)
    assert model.projection.shape == (384, 128)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "support.safetensors"
    path.write_bytes(b"not tensors")

    with pytest.raises(ModelError, match=r"support\.safetensors"):
        SupportModel.open(path)
