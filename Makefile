# `make run` and `make test` need Python 3.11 or newer with its venv module, and nothing done before.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check lint eval baseline not-worse bench

run: $(VENV)/installed
	$(BIN)/sanad build
	$(BIN)/sanad serve

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest

check: lint test

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

eval: $(VENV)/installed
	$(BIN)/sanad eval

# What a change is held to: figures that the README quotes.
baseline: $(VENV)/installed
	$(BIN)/sanad eval --out eval/out
	cp eval/out/report.json eval/baseline.json

# Fails if the test split has become significantly worse than the baseline.
not-worse: $(VENV)/installed
	$(BIN)/sanad eval --out eval/out --baseline eval/baseline.json

bench: $(VENV)/installed
	$(BIN)/python -m eval.bench

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Sanad needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# Each stamp is older than pyproject.toml when the dependencies have changed since.
$(VENV)/installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/installed
