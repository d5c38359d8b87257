"""The house plan, held by reading the imports of every module: one direction, and one owner a heavy package."""

import ast
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = [ROOT / "app.py", *sorted((ROOT / "rag").rglob("*.py")), *sorted((ROOT / "eval").rglob("*.py"))]

# A module may import from its own layer and those above. Names ending in a dot stand for what begins with them.
LAYERS = (
    ("rag", "rag.datatypes", "rag.errors"),
    ("rag.text", "rag.config", "rag.protocols", "rag.manifest", "rag.present", "rag.present.strings"),
    (
        *("rag.structure", "rag.sentences", "rag.articles", "rag.chunking", "rag.embedders", "rag.late", "rag.lexicon"),
        *("rag.lexical", "rag.store", "rag.snapshot", "rag.fingerprint", "rag.spans", "rag.followups"),
        *("rag.calibration", "rag.batch", "rag.support", "rag.bert", "rag.layers"),
        *("rag.numerals", "rag.dates", "rag.prompting", "rag.grounding", "rag.claims", "rag.llm"),
    ),
    (
        *("rag.query", "rag.retrieval", "rag.scoring", "rag.confidence", "rag.conflicts", "rag.readers", "rag.briefs"),
        "rag.writing",
    ),
    ("rag.build", "rag.pipeline"),
    ("rag.present.",),
    ("rag.audit", "rag.doctor", "rag.cli", "rag.__main__", "app", "eval", "eval.", "rag.training", "rag.training."),
)

OWNERS = {
    "faiss": {"rag.store"},
    "sentence_transformers": {"rag.embedders", "rag.training."},
    "torch": {"rag.embedders", "rag.training."},
    "transformers": {"rag.training."},
    "bm25s": {"rag.lexical"},
    "Stemmer": {"rag.text", "rag.training."},
    "langchain_text_splitters": {"rag.chunking"},
    "gradio": {"app"},
    "starlette": {"app"},
    "filelock": {"rag.snapshot", "rag.present.drafts"},
    "yaml": {"rag.articles"},
    "docx": {"rag.present.export.word"},
    "scipy": {"rag.training.", "eval.statistics"},
    "ir_measures": {"eval.ranking"},
    "jinja2": {"eval.html"},
    "tqdm": {"eval.answering"},
    "openai": {"rag.llm"},
    "sklearn": {"rag.training.", "eval.calibrate"},
}

# What would load code from a file, or reach beyond this machine.
FORBIDDEN = {
    *("pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"),
    *("socket", "http", "urllib.request", "urllib3", "requests", "httpx", "aiohttp", "ftplib", "smtplib"),
    *("huggingface_hub", "gradio_client"),
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of what is imported, `from rag import text` and imports inside functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name comes from"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else str(node.module)


def stands_for(name: str, module: str) -> bool:
    return module.startswith(name) if name.endswith(".") else module == name


def layer_of(module: str) -> int:
    exact = [n for n, names in enumerate(LAYERS) if module in names]
    found = exact or [n for n, names in enumerate(LAYERS) if any(stands_for(name, module) for name in names)]
    assert found, f"{module} has no place in the plan: give it one in LAYERS"
    return found[0]


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    layer = layer_of(module)
    below = [name for name in imported(MODULES[module]) if name in MODULES and layer_of(name) > layer]

    # The shell and the page start one another; `python app.py` is `sanad serve`.
    assert [name for name in below if {name, module} != {"app", "rag.cli"}] == []


def test_no_imports_go_round_in_a_circle() -> None:
    graph = {
        module: {name for name in imported(tree) if name in MODULES and {name, module} != {"app", "rag.cli"}}
        for module, tree in MODULES.items()
    }

    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


@pytest.mark.parametrize("package", OWNERS)
def test_a_heavy_package_has_one_owner(package: str) -> None:
    importers = {
        module for module, tree in MODULES.items() if any(name.split(".")[0] == package for name in imported(tree))
    }

    assert {m for m in importers if not any(stands_for(owner, m) for owner in OWNERS[package])} == set()


@pytest.mark.parametrize("module", MODULES)
def test_nothing_loads_code_or_reaches_the_network(module: str) -> None:
    names = set(imported(MODULES[module]))

    assert {name for name in names if {name, name.split(".")[0]} & FORBIDDEN} == set()


@pytest.mark.parametrize("module", MODULES)
def test_no_pickle_and_no_code_from_text(module: str) -> None:
    calls = [node for node in ast.walk(MODULES[module]) if isinstance(node, ast.Call)]
    named = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
    keywords = [keyword for call in calls for keyword in call.keywords if keyword.arg == "allow_pickle"]

    assert not named & {"eval", "exec", "compile", "__import__"}
    assert all(isinstance(keyword.value, ast.Constant) and keyword.value.value is False for keyword in keywords)


def test_nothing_at_run_time_imports_training() -> None:
    importers = {
        module
        for module, tree in MODULES.items()
        if not module.startswith("rag.training") and any(name.startswith("rag.training") for name in imported(tree))
    }

    assert importers == set()


def test_only_the_shell_imports_the_measuring() -> None:
    importers = {
        module
        for module, tree in MODULES.items()
        if not module.startswith("eval") and any(name.split(".")[0] == "eval" for name in imported(tree))
    }

    assert importers == {"rag.cli"}


def test_every_package_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {module_name(path) for path in FILES if path.name == "__init__.py"}

    assert set(project["tool"]["setuptools"]["packages"]) == packages
