# terrawatt: `make demo` and `make test` work in a fresh clone on a machine with Python >= 3.11.
# Each target makes its own virtual environment, .venv, when there is none.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
DEMO ?= demo

.PHONY: help demo test lint types imports servers tests docs reference bench clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "terrawatt needs Python >= 3.11; give one with PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || { echo "python3 -m venv does not work here; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.train: pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --editable '.[train]'
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --editable '.[train,test]'
	@touch $@ $(VENV)/.train

$(VENV)/.bench: pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --editable '.[train,test,bench]'
	@touch $@ $(VENV)/.test $(VENV)/.train

$(VENV)/.docs: pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --editable '.[docs]'
	@touch $@

demo: $(VENV)/.train  ## the whole chain on small data of its own, ending in a report (DEMO=folder)
	$(BIN)/terrawatt demo --out $(DEMO)

test: lint types imports tests  ## everything that CI runs

lint: $(VENV)/.test  ## format and lint, checked
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.test  ## mypy, strict
	$(BIN)/mypy

imports: $(VENV)/.test  ## who may import whom
	$(BIN)/lint-imports

servers:  ## mosquitto and InfluxDB for the tests, when this is root on Debian and they are missing
	@scripts/install-servers.sh

ASIDE := tests/faults tests/docs tests/experiments

tests: $(VENV)/.test servers  ## the tests, with coverage
	$(BIN)/coverage erase
	@# Runs with faults last minutes of real time and mostly wait, so they go on beside the others, which give way;
	@# after them what starts many commands and is measured by no coverage.
	@$(BIN)/pytest $(ASIDE) -p no:cacheprovider >.aside.log 2>&1 & aside=$$!; \
	nice -n 10 $(BIN)/pytest -n logical --maxprocesses 4 --dist loadfile $(ASIDE:%=--ignore=%) \
	  --cov --cov-report=term; others=$$?; \
	echo "$(ASIDE):"; wait $$aside; status=$$?; cat .aside.log; exit $$((others || status))

docs: $(VENV)/.docs  ## the documentation as a site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo site/index.html

reference: $(VENV)/.train  ## docs/reference/commands.md anew, from the program
	$(BIN)/python scripts/command_reference.py

bench: $(VENV)/.bench  ## the benchmarks, each printing its table; run it on an idle machine
	@for benchmark in benchmarks/*.py; do echo; echo "== $$benchmark"; $(BIN)/python $$benchmark || exit 1; done

clean:  ## remove what was made here: environment, caches, demo
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist demo site
	rm -f .coverage .coverage.* coverage.xml .aside.log
	find src tests benchmarks -name __pycache__ -type d -exec rm -rf {} +
