"""Does this passage answer this question? A small network over the word vectors of both, evaluated in numpy.

Decomposable attention (Parikh et al. 2016): each word of the question is compared with the words of the passage
that it attends to, and the comparisons are pooled. It sees what similarity alone does not: that one word of an
otherwise matching question has no counterpart. `python -m rag.training.support` makes the file; SUPPORT.md says how.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from rag.errors import ModelError
from rag.layers import Matrix, linear, softmax
from rag.protocols import Embedder

_LOG = logging.getLogger(__name__)

BUNDLED = Path(__file__).with_name("support.safetensors")
TENSORS = (
    *("projection", "temperature", "inner.weight"),
    *("compare.0.weight", "compare.0.bias", "compare.1.weight", "compare.1.bias"),
    *("attend.weight", "attend.bias", "judge.0.weight", "judge.0.bias", "judge.1.weight", "judge.1.bias"),
)


def _relu(values: Matrix) -> Matrix:
    return np.maximum(values, 0)


@dataclass(frozen=True, slots=True, eq=False)
class SupportModel:
    """The network's tensors by name, and the revision of the embedding model whose vectors it was trained on.

    `projection` (d, 128) takes the embedding model's word vectors to those that it compares.
    """

    tensors: dict[str, Matrix]
    embedder: str

    @classmethod
    def open(cls, path: Path = BUNDLED) -> "SupportModel":
        """The model in the safetensors file at `path`. Raises ModelError if it cannot be read."""
        try:
            with safe_open(path, framework="numpy") as file:
                tensors = {name: file.get_tensor(name).astype(np.float32) for name in TENSORS}
                embedder = str((file.metadata() or {})["embedder"])
        except (OSError, KeyError, SafetensorError) as error:
            raise ModelError(f"{path}: the support model cannot be read ({error}); restore the file") from error
        return cls(tensors, embedder)

    def fits(self, embedder: Embedder) -> bool:
        """Whether it was trained on this embedder's vectors."""
        return self.embedder == embedder.fingerprint.get("revision")

    @property
    def projection(self) -> Matrix:
        """Shape (d, 128)."""
        return self.tensors["projection"]

    def logit(self, question: Matrix, passage: Matrix) -> float:
        """Log odds that the passage answers, from unit word vectors (n, 128) and (m, 128); 0 without words."""
        if not len(question) or not len(passage):
            return 0.0
        cosines = question @ passage.T
        attended = softmax(cosines * self.tensors["temperature"], axis=1) @ passage
        nearest = np.sort(cosines, axis=1)[:, ::-1]
        first, second = nearest[:, :1], nearest[:, 1:2] if nearest.shape[1] > 1 else nearest[:, :1]
        own, other = question @ self.tensors["inner.weight"].T, attended @ self.tensors["inner.weight"].T
        compared = np.hstack([own, other, own * other, np.abs(own - other), first, second, first**2])
        compared = _relu(self._linear("compare.1", _relu(self._linear("compare.0", compared))))
        focus = softmax(self._linear("attend", compared), axis=0)
        pooled = np.concatenate(
            [
                compared.mean(axis=0),
                compared.max(axis=0),
                (compared * focus).sum(axis=0),
                [first.mean(), first.min()],
            ]
        ).astype(np.float32)
        judged = self._linear("judge.1", _relu(self._linear("judge.0", pooled[None, :])))
        return float(judged[0, 0])

    def _linear(self, name: str, values: Matrix) -> Matrix:
        return linear(self.tensors, name, values)


def support_projection(embedder: Embedder) -> Matrix | None:
    """The projection for an index of this embedder's word vectors; None if the support model fits another."""
    model = SupportModel.open()
    return model.projection if model.fits(embedder) else None


def open_support(embedder: Embedder, path: Path = BUNDLED) -> SupportModel | None:
    """The support model, or None, which the log says, if it was trained on another embedder's vectors."""
    model = SupportModel.open(path)
    if model.fits(embedder):
        return model
    _LOG.info("the support model was trained on other weights than these; answering without it")
    return None
