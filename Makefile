# Everything runs from a bare checkout with make, git and Python 3.11 or newer; what is missing goes into .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
RUN := $(BIN)/python
DATA ?=

.PHONY: demo test test-models test-all lint bench shell clean

demo: .venv/.ready-bench
	$(RUN) -m benchmarks.demo $(DATA)

test: .venv/.ready-test
	$(RUN) -m pytest -q -m "not slow" -n 2 --dist loadfile

test-models: .venv/.ready-test
	$(BIN)/python -c 'import torch' 2>/dev/null || $(BIN)/pip install -q --disable-pip-version-check 'torch==2.13.0'
	$(RUN) -m pytest -q tests/optimizer/test_graph_latency.py

test-all: .venv/.ready-test .venv/.ready-bench
	$(RUN) -m pytest -q

lint: .venv/.ready-lint
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	rm -rf build && mkdir -p build
	$(BIN)/pip install -q --no-deps --no-cache-dir --target build/site . && cd build/site && ../../$(BIN)/mypy --config-file ../../pyproject.toml -p paretosql

bench: .venv/.ready-bench
	$(RUN) -m benchmarks all --full

shell: .venv/.ready-bench
	$(BIN)/paretosql

clean:
	rm -rf .venv .cache build dist *.egg-info

# One stamp per set of extras: an unchanged pyproject.toml costs nothing on the second run.
.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11: set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.ready-%: pyproject.toml | .venv/bin/python
	$(BIN)/pip install -q --disable-pip-version-check -e '.[shell,$*]'
	@touch $@
