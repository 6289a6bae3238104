# `make demo` and `make test` each set up all they need, into .venv, from a machine with make and Python 3.11.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SPARK := $(VENV)/.spark

# Two threads of OpenMP wait for each other by spinning: beside another busy process that is 50 times slower, and one
# thread is nearly as fast. To use more on an idle machine: OMP_NUM_THREADS=4 OMP_WAIT_POLICY=ACTIVE make demo
export OMP_NUM_THREADS ?= 1
export OMP_WAIT_POLICY ?= PASSIVE
export MLFLOW_DISABLE_TELEMETRY := true
export MLFLOW_DISABLE_AGENT_HINT := 1
export MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR := false
export MLFLOW_LOGGING_LEVEL ?= WARNING
export STREAMLIT_BROWSER_GATHER_USAGE_STATS := false

.DEFAULT_GOAL := help
.PHONY: help install demo test quick long lint docs audit bench pins clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## the project and its tools, into .venv; the command is .venv/bin/headway

demo: $(INSTALLED) ## the whole of it, on made-up files where data/raw holds no official ones; ARGS='...' passes options
	$(BIN)/headway demo $(ARGS)

test: $(INSTALLED) $(if $(shell command -v java 2>/dev/null),$(SPARK)) ## the tests; ARGS='-k lineage' passes options to pytest
	$(BIN)/python -m pytest $(ARGS)

quick: $(INSTALLED) ## the tests that take seconds, for work in progress: under a minute
	$(BIN)/python -m pytest -m 'not slow and not long and not real and not browser' $(ARGS)

long: $(INSTALLED) ## the tests that work for minutes on a whole England, which `make test` leaves out
	$(BIN)/python -m pytest -m long $(ARGS)

lint: $(INSTALLED) ## ruff and pyrefly: slips, one form for all, types
	$(BIN)/ruff check $(ARGS) .
	$(BIN)/ruff format --check --quiet .
	@rm -rf build/types && mkdir -p build/types && cp -R headway build/types/ && cp -R pipelines models explorer app.py build/types/headway/
	$(BIN)/pyrefly check --summary=none

docs: $(INSTALLED) ## the documentation, into build/docs; open build/docs/index.html
	$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --quiet -d build/doctrees $(ARGS) docs build/docs

audit: $(INSTALLED) ## published weaknesses of the versions in constraints.txt; says so where nobody can be asked
	@$(BIN)/python .ci/audit.py

bench: $(INSTALLED) ## every script in benchmarks/, one after another
	@set -e; for script in benchmarks/[a-z]*.py; do \
	    if [ -e "$$script" ]; then echo "$$script"; $(BIN)/python "$$script" $(ARGS); fi; \
	done

pins: $(INSTALLED) ## constraints.txt anew, keeping each version that still fits; ARGS=--upgrade takes the newest
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --no-annotate \
	    --custom-compile-command 'make pins' --output-file constraints.txt --quiet $(ARGS)

clean: ## removes .venv and the caches; leaves data/ and mlruns/ alone
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# `uv run` installs newer versions into the same .venv, and writes uv.lock as it does: then ours are put back.
$(INSTALLED): pyproject.toml constraints.txt $(wildcard uv.lock) | $(BIN)/uv
	@echo 'Installing into $(VENV): half a minute or so, once.'
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -c constraints.txt -e '.[dev]' \
	    || $(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@$(BIN)/python -c 'import lightgbm' || { echo >&2 'lightgbm cannot start. It needs the OpenMP library:' \
	    'apt-get install libgomp1 on Debian or Ubuntu, brew install libomp on a Mac.'; exit 1; }
	@touch $@

# Half a gigabyte, so only for the tests, and only where there is the Java it needs.
$(SPARK): $(INSTALLED)
	@echo 'Installing PySpark into $(VENV), once: there is a Java to try it with.'
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev,spark]' \
	    || $(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev,spark]'
	@touch $@

# PYTHON=... chooses another. Each is tried by running it, since a name on the PATH may be a shim with nothing behind it.
$(BIN)/uv:
	@set -e; found=; \
	for python in $(or $(PYTHON),python3.11 python3); do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo >&2 "Headway needs Python 3.11 or newer; found: $$($(or $(PYTHON),python3) --version 2>/dev/null || echo none)." \
	        "Install it, or name one: make PYTHON=/path/to/python3.11 $(or $(MAKECMDGOALS),install)"; \
	    exit 1; \
	fi; \
	$$found -m venv --clear $(VENV) || { \
	    echo >&2 "$$found could not make a virtual environment; on Debian or Ubuntu: apt-get install python3-venv"; \
	    exit 1; \
	}
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
