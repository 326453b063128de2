# Needs make and Python 3.11 or newer; everything else goes into .venv.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check

.PHONY: help demo test lint bench mutants clean

help:  ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile

demo: .venv/installed  ## run the example scenario in virtual time; plot and trace go to build/demo
	@mkdir -p build/demo
	$(BIN)/fencepost run examples/demo.toml --plot build/demo/plot.png --trace build/demo/trace.pftrace
	@echo "Load the trace into https://ui.perfetto.dev to look at every batch."
	@echo
	$(BIN)/fencepost compare examples/demo.toml

test: .venv/tools  ## run the tests; ARGS="-k fence" is handed to pytest
	$(BIN)/pytest $(ARGS)

lint: .venv/tools  ## check format, rules and types
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: .venv/tools  ## measure this machine
	$(BIN)/python -m bench

mutants: .venv/tools  ## break the synchronisation in one place at a time; ARGS="--only fences/" chooses where
	$(BIN)/python -m bench.mutants $(ARGS)

clean:  ## remove all that was made, .venv too
	rm -rf .venv build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or \
	    sys.exit("fencepost needs Python 3.11 or newer, not %d.%d: make PYTHON=python3.11" % v[:2])'
	$(PYTHON) -m venv --clear .venv
	$(PIP) install 'pip>=25.1'  # the first that knows dependency groups
	$(PIP) install --editable '.[plot]'
	@touch $@

.venv/tools: .venv/installed
	$(PIP) install --group dev
	@touch $@
