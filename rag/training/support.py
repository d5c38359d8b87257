"""Train the support model, `rag/support.safetensors`: `python -m rag.training.support --ours DIR`.

Bilingual passages with questions that they answer, and near misses that they do not (as in SQuAD 2.0, Rajpurkar
et al. 2018), in all four directions of language; other passages that look alike are negatives too. Word vectors
come from the bundled embedding model and stay as they are, so that training takes a minute on two cores.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn

from rag.embedders import SentenceTransformerEmbedder
from rag.late import DIMENSION, fit_projection, project
from rag.sentences import sentence_spans
from rag.support import BUNDLED
from rag.training.corpus import HERE, LANGUAGES, read_rows, texts_of, trains

Matrix = NDArray[np.float32]

_HIDDEN = 96
_BATCH = 64
_RATE = 7e-4
_EPOCHS = 2
_NEAREST = 6
_OTHER_WEIGHT = 0.5
_LOG = logging.getLogger("rag.training.support")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in both languages about passage `passage`, and whether the passage answers it."""

    passage: str
    text: dict[str, str]
    answerable: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """One example: rows of a question and of a passage in their languages, the label, the weight of its loss."""

    asked_in: str
    question: int
    told_in: str
    passage: int
    label: float
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One language's vectors: of whole texts, and of the words of each passage and question."""

    passage_vectors: Matrix
    question_vectors: Matrix
    passage_words: list[Matrix]
    question_words: list[Matrix]


def read_corpus(ours: Path) -> tuple[dict[str, dict[str, str]], list[Asked]]:
    """Passages by id in both languages, and all that is asked of them, in a fixed order."""
    passages: dict[str, dict[str, str]] = {}
    asked: list[Asked] = []
    for path in sorted(ours.glob("qa_*.jsonl")):
        for row in read_rows(path):
            if trains(row["id"]):
                passages[row["id"]] = texts_of(row, "passage")
                asked += [Asked(row["id"], texts_of(question, "q"), True) for question in row["questions"]]
    for row in read_rows(ours / "hard_E.jsonl"):
        if trains(row["id"]):
            passages |= {f"{row['id']}-{at}": passage for at, passage in enumerate(row["passages"])}
            asked += [Asked(f"{row['id']}-{item['passage']}", texts_of(item, "q"), True) for item in row["questions"]]
    for row in read_rows(HERE / "passages.jsonl"):
        passages[row["id"]] = texts_of(row, "passage")
        asked += [Asked(row["id"], texts_of(question, "q"), True) for question in row["questions"]]
        asked += [Asked(row["id"], texts_of(question, "q"), False) for question in row["near_misses"]]
    asked += [Asked(row["id"], texts_of(row, "q"), False) for row in read_rows(HERE / "near_misses.jsonl")]
    return passages, asked


def _embed_side(
    embedder: SentenceTransformerEmbedder,
    passages: dict[str, dict[str, str]],
    asked: Sequence[Asked],
    language: str,
) -> Side:
    """Vectors of one language, words unprojected; those of a passage are its sentences', as in an index."""
    texts = [passage[language] for passage in passages.values()]
    cut = [[text[start:end] for start, end in sentence_spans(text)] for text in texts]
    words = iter(embedder.embed_passages([sentence for sentences in cut for sentence in sentences]).tokens)
    questions = embedder.embed_queries([question.text[language] for question in asked])
    return Side(
        passage_vectors=embedder.embed_passages(texts).vectors,
        question_vectors=questions.vectors,
        passage_words=[np.concatenate([next(words).vectors for _ in sentences]) for sentences in cut],
        question_words=[tokens.vectors for tokens in questions.tokens],
    )


def _project_side(side: Side, projection: Matrix) -> Side:
    return Side(
        passage_vectors=side.passage_vectors,
        question_vectors=side.question_vectors,
        passage_words=[project(words, projection) for words in side.passage_words],
        question_words=[project(words, projection) for words in side.question_words],
    )


def make_pairs(
    sides: dict[str, Side], names: Sequence[str], asked: Sequence[Asked], rng: np.random.Generator
) -> list[Pair]:
    """Each question with its own passage, with the most similar other one, and with one of the next five."""
    row_of = {name: row for row, name in enumerate(names)}
    pairs: list[Pair] = []
    for number, question in enumerate(asked):
        own = row_of[question.passage]
        for asked_in in LANGUAGES:
            for told_in in LANGUAGES:
                pairs.append(Pair(asked_in, number, told_in, own, float(question.answerable), 1.0))
                likeness = sides[told_in].passage_vectors @ sides[asked_in].question_vectors[number]
                likeness[own] = -2
                nearest = np.argsort(-likeness, kind="stable")[:_NEAREST]
                others = (nearest[0], nearest[int(rng.integers(1, _NEAREST))])
                pairs += [Pair(asked_in, number, told_in, int(other), 0.0, _OTHER_WEIGHT) for other in others]
    return pairs


class Network(nn.Module):
    """The trained side of `rag.support.SupportModel`, with the same names and the same arithmetic."""

    def __init__(self) -> None:
        super().__init__()
        self.temperature = nn.Parameter(torch.tensor([12.0]))
        self.inner = nn.Linear(DIMENSION, _HIDDEN, bias=False)
        self.compare = nn.ModuleList([nn.Linear(4 * _HIDDEN + 3, _HIDDEN), nn.Linear(_HIDDEN, _HIDDEN)])
        self.attend = nn.Linear(_HIDDEN, 1)
        self.judge = nn.ModuleList([nn.Linear(3 * _HIDDEN + 2, _HIDDEN), nn.Linear(_HIDDEN, 1)])
        self.drop_input, self.drop = nn.Dropout(0.1), nn.Dropout(0.2)

    def forward(
        self, question: torch.Tensor, asked: torch.Tensor, passage: torch.Tensor, told: torch.Tensor
    ) -> torch.Tensor:
        """Logits (batch,) of word vectors (batch, words, d) and masks (batch, words) of what is no padding."""
        cosines = (question @ passage.transpose(1, 2)).masked_fill(~told[:, None], -1)
        attended = torch.softmax(cosines * self.temperature, -1) @ passage
        nearest = cosines.topk(2, -1)[0] if cosines.shape[-1] > 1 else cosines.expand(-1, -1, 2)
        own, other = self.inner(self.drop_input(question)), self.inner(self.drop_input(attended))
        first = nearest[..., :1]
        compared = torch.cat([own, other, own * other, (own - other).abs(), nearest, first**2], -1)
        compared = torch.relu(self.compare[1](self.drop(torch.relu(self.compare[0](compared)))))
        words = asked.unsqueeze(-1)
        focus = torch.softmax(self.attend(compared).masked_fill(~words, -1e4), 1)
        count = words.sum(1)
        pooled = torch.cat(
            [
                (compared * words).sum(1) / count,
                compared.masked_fill(~words, -1e4).max(1)[0],
                (compared * focus).sum(1),
                (first * words).sum(1) / count,
                first.masked_fill(~words, 2).min(1)[0],
            ],
            -1,
        )
        logits: torch.Tensor = self.judge[1](self.drop(torch.relu(self.judge[0](pooled)))).squeeze(-1)
        return logits


def _padded(rows: Sequence[Matrix]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, rows))
    vectors = torch.zeros(len(rows), longest, DIMENSION)
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for at, row in enumerate(rows):
        vectors[at, : len(row)] = torch.from_numpy(row)
        mask[at, : len(row)] = True
    return vectors, mask


def train(sides: dict[str, Side], pairs: Sequence[Pair], *, epochs: int = _EPOCHS, seed: int = 0) -> Network:
    """Train on `pairs` with AdamW, the rate falling linearly to nothing."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Network().train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=0.02)
    lengths = np.array([len(sides[pair.told_in].passage_words[pair.passage]) for pair in pairs])
    steps, step = epochs * (len(pairs) // _BATCH), 0
    for epoch in range(epochs):
        order = np.argsort(lengths * rng.uniform(0.8, 1.25, len(pairs)))
        batches = [order[start : start + _BATCH] for start in range(0, len(order) - _BATCH + 1, _BATCH)]
        losses = []
        for at in rng.permutation(len(batches)):
            batch = [pairs[row] for row in batches[at]]
            for group in optimiser.param_groups:
                group["lr"] = _RATE * (1 - step / steps)
            step += 1
            question = _padded([sides[pair.asked_in].question_words[pair.question] for pair in batch])
            passage = _padded([sides[pair.told_in].passage_words[pair.passage] for pair in batch])
            labels = torch.tensor([0.02 + 0.95 * pair.label for pair in batch])
            weights = torch.tensor([pair.weight for pair in batch])
            logits = network(*question, *passage)
            loss = nn.functional.binary_cross_entropy_with_logits(logits, labels, weight=weights)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(loss.item())
        _LOG.info("epoch %d: loss %.4f", epoch + 1, float(np.mean(losses)))
    return network.eval()


def save(network: Network, projection: Matrix, embedder: str, out: Path) -> None:
    """Write the network, fp16, and the projection to `out` with the embedding model's revision."""
    tensors = {name: tensor.detach().half().contiguous() for name, tensor in network.state_dict().items()}
    tensors["projection"] = torch.from_numpy(projection).half().contiguous()
    save_file(tensors, out, metadata={"embedder": embedder})


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m rag.training.support", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--ours", type=Path, required=True, help="folder of qa_*.jsonl and hard_E.jsonl")
    parser.add_argument("--out", type=Path, default=BUNDLED)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    passages, asked = read_corpus(chosen.ours)
    embedder = SentenceTransformerEmbedder()
    raw = {language: _embed_side(embedder, passages, asked, language) for language in LANGUAGES}
    projection = fit_projection(np.concatenate([words for side in raw.values() for words in side.passage_words]))
    projection = projection.astype(np.float16).astype(np.float32)  # as it will be stored
    sides = {language: _project_side(side, projection) for language, side in raw.items()}
    pairs = make_pairs(sides, list(passages), asked, np.random.default_rng(chosen.seed))
    answered = sum(question.answerable for question in asked)
    _LOG.info("%d passages, %d questions (%d answerable), %d pairs", len(passages), len(asked), answered, len(pairs))
    save(train(sides, pairs, seed=chosen.seed), projection, str(embedder.fingerprint["revision"]), chosen.out)


if __name__ == "__main__":
    main()
