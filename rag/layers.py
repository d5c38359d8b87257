"""The two layers that the numpy networks (`rag.bert`, `rag.support`) share."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


def softmax(values: Matrix, axis: int = -1) -> Matrix:
    """Shares that sum to 1 along `axis`, float32."""
    powers = np.exp(values - values.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True), dtype=np.float32)


def linear(tensors: Mapping[str, Matrix], name: str, values: Matrix) -> Matrix:
    """`values` (n, d) by the weight (p, d) and bias (p,) that `tensors` has under `name`; shape (n, p), float32."""
    return np.asarray(values @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"], dtype=np.float32)
