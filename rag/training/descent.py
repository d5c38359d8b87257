"""Gradient descent with checkpoints: AdamW (Loshchilov & Hutter 2019), one rate for pieces, one for the layers."""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import BertModel

from rag.training.recipe import Stage
from rag.training.student import WORDS, restore

_LOG = logging.getLogger("rag.training")
_DECAY = 0.01
_SMOOTH = 0.98
_REPORT = 50

Loss = Callable[[int], torch.Tensor]
"""The loss of a step, by its number from 0; the same number always means the same rows."""


def _optimiser(model: BertModel) -> torch.optim.AdamW:
    body = [parameter for name, parameter in model.named_parameters() if name != WORDS]
    groups = [
        {"params": [model.embeddings.word_embeddings.weight], "weight_decay": 0.0},
        {"params": body, "weight_decay": _DECAY},
    ]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98))


def rate_share(step: int, stage: Stage) -> float:
    """Share of the peak rates at a step, in (0, 1]."""
    return min(1.0, (step + 1) / stage.warmup) * max(stage.floor, 1 - step / stage.steps)


def _save(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Whole or not at all."""
    beside = path.with_suffix(".part")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, beside)
    beside.replace(path)


class Checkpoints:
    """Weights, moments and step of a stage, in a folder: a killed run goes on where it last saved."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, made if missing."""
        folder.mkdir(parents=True, exist_ok=True)
        self.weights, self._moments, self._step = (
            folder / name for name in ("model.safetensors", "moments.safetensors", "step.json")
        )

    @property
    def step(self) -> int:
        """Steps done."""
        return int(json.loads(self._step.read_text())["step"]) if self._step.exists() else 0

    def save(self, step: int, model: BertModel, optimiser: torch.optim.AdamW) -> None:
        """Write all three, the step last."""
        _save(self.weights, model.state_dict())
        state = optimiser.state_dict()["state"]
        _save(
            self._moments,
            {f"{at}.{name}": torch.as_tensor(value) for at, row in state.items() for name, value in row.items()},
        )
        beside = self._step.with_suffix(".part")
        beside.write_text(json.dumps({"step": step}))
        beside.replace(self._step)

    def resume(self, model: BertModel, optimiser: torch.optim.AdamW) -> int:
        """Load what is there, if anything; give the steps done."""
        if self.step:
            restore(model, self.weights)
            state: dict[int, dict[str, torch.Tensor]] = {}
            for name, tensor in load_file(self._moments).items():
                at, part = name.split(".", 1)
                state.setdefault(int(at), {})[part] = tensor
            stated = optimiser.state_dict()
            stated["state"] = state
            optimiser.load_state_dict(stated)
        return self.step


def descend(model: BertModel, stage: Stage, loss: Loss, folder: Path, english: int) -> BertModel:
    """Train `model` in place by `loss` for the stage's steps, resuming from `folder`.

    The first `english` piece rows are those of the base and learn at a small share of the rate.
    """
    optimiser = _optimiser(model)
    checkpoints = Checkpoints(folder)
    model.train()
    words = model.embeddings.word_embeddings.weight
    _, body = (group["params"] for group in optimiser.param_groups)
    smoothed, started = None, time.monotonic()
    first = checkpoints.resume(model, optimiser)
    if first == 0:
        checkpoints.save(0, model, optimiser)  # the result of a stage without steps
    for step in range(first, stage.steps):
        share = rate_share(step, stage)
        for group, rate in zip(optimiser.param_groups, (stage.embedding_rate, stage.body_rate), strict=True):
            group["lr"] = rate * share
        value = loss(step)
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(body, 1.0)
        if words.grad is not None:
            words.grad[:english] *= stage.english_share
        optimiser.step()
        smoothed = value.item() if smoothed is None else _SMOOTH * smoothed + (1 - _SMOOTH) * value.item()
        if (step + 1) % _REPORT == 0:
            pace = (time.monotonic() - started) / (step + 1 - first)
            _LOG.info("step %d of %d: loss %.4f, %.2f s a step", step + 1, stage.steps, smoothed, pace)
        if (step + 1) % stage.checkpoint == 0 or step + 1 == stage.steps:
            checkpoints.save(step + 1, model, optimiser)
    model.train(False)
    return model
