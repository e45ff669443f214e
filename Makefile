# Three commands for a fresh machine: `make install`, `make demo` and `make test`. Everything they need goes into .venv, which
# is made of the Python that PYTHON names (`make demo PYTHON=python3.13`); of pyenv's, those that are not switched on are found, too.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: install demo test lint types unit docs benchmarks clean

install: $(VENV)/.demo
	@echo "Installed: . $(BIN)/activate, then kobench --help"

# The run itself; the installation is remembered until a pyproject or the constraints change. Real knockouts come from pip's index; where that does not answer they are left out.
demo: $(VENV)/.demo
	@if $(BIN)/kobench datasets get hipsc-ko; then \
		$(BIN)/kobench run quick --dataset hipsc-ko --jobs 2 --out kobench-results/demo; \
	else \
		echo "The real knockouts (hipsc-ko) are left out of the demo: their file could not be got, as said above."; \
		$(BIN)/kobench run quick --jobs 2 --out kobench-results/demo; \
	fi

test: lint types unit

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy kobench benchmarks

unit: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

# The documentation site, in build/docs: open build/docs/index.html. Nothing is fetched while it is made.
docs: $(VENV)/.dev
	$(BIN)/python -m sphinx -W --keep-going -q -b html -d build/doctrees docs build/docs

# The table of benchmarks/RESULTS.md measured again, which takes about three quarters of an hour; `python -m benchmarks --only NAME` measures one row.
benchmarks: $(VENV)/.dev
	$(BIN)/python -m benchmarks --write

$(VENV)/bin/python:
	@for python in $(PYTHON) $(HOME)/.pyenv/versions/*/bin/$(PYTHON); do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then exec $$python -m venv $(VENV); fi; \
	done; echo "PYTHON=$(PYTHON) is no Python 3.11 or newer that is here; name one, or its path" >&2; exit 1

PROJECTS := pyproject.toml plugins/kobench-baselines/pyproject.toml plugins/kobench-example/pyproject.toml constraints.txt

$(VENV)/.demo: $(VENV)/bin/python $(PROJECTS)
	$(PIP) -e '.[pbmc,pictures]' -e 'plugins/kobench-baselines[all]' -e plugins/kobench-example
	touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(PIP) -e '.[pbmc,pictures,docs,dev]'
	touch $@

clean:
	rm -rf $(VENV) kobench-results .pytest_cache .mypy_cache .ruff_cache build dist
