# `make setup` fills .venv; every other target does that first, once, and again when pyproject.toml or constraints.txt change.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# One thread a test process: two processes with as many threads as cores each only get in each other's way.
CALM := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMBA_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false
DEMO ?= demo
CRAWL_DEMO ?= crawl-demo

.DEFAULT_GOAL := help
.PHONY: help setup demo crawl-demo test check bench golden evidence clean

help:  ## what there is to make
	@grep -E '^[a-z-]+: .*##|^[a-z-]+:  ##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 18

setup: $(READY)  ## a .venv with the pinned packages and this project

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; v >= (3, 11) or sys.exit(f"error: Python 3.11 or newer is needed; {sys.executable} is {v[0]}.{v[1]}. Name another one: make PYTHON=python3.12")'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "error: $(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY)  ## a simulated world with a known truth, the whole way to a report in ./demo
	$(BIN)/valuation demo $(DEMO)

crawl-demo: $(READY)  ## the same from crawled postings: a local internet, real HTTP, every source, twice
	$(BIN)/valuation demo --crawl $(CRAWL_DEMO)

test: $(READY)  ## all tests: the quick ones, then the slow ones; installs Chromium and PostgreSQL where apt may
	@sh tests/support/system_tools.sh
	$(CALM) $(BIN)/python -m pytest -n 2 -m "not slow"
	$(CALM) $(BIN)/python -m pytest -n 2 --dist loadfile -m slow

check: $(READY)  ## style, types and the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## speed and accuracy, measured; minutes
	@for file in benchmarks/*.py; do [ -e "$$file" ] || continue; echo "== $$file"; $(BIN)/python $$file || exit 1; done

golden: $(READY)  ## the golden run's figures again; read the diff before you commit it
	$(CALM) $(BIN)/python tests/golden/remake.py

evidence: $(READY)  ## the simulation study's tables in docs/evidence.md; half an hour, and goes on where it was stopped
	$(CALM) $(BIN)/python -m valuation.evidence.make_page

clean:  ## remove .venv and the caches; no data
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
