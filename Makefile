# Needs GNU make, git and Python 3.11 or newer (with its venv module); everything else is installed into .venv,
# each file checked against a hash in the lock files. `make` alone prints the list of targets.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

HOST ?= 127.0.0.1
PORT ?= 8000
ARGS ?=
# The lowest share of lines and branches that tests may reach before `make check` fails, in per cent.
COVERAGE_MIN ?= 85
# Tests that watch a clock or a browser have the machine to themselves; all others share its cores.
ALONE := tests/browser tests/faults tests/load tests/test_container.py tests/test_wheel.py

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --generate-hashes --no-strip-extras --no-emit-index-url --no-header --python-version 3.11
# What a coverage figure depends on: when one of these is newer than .coverage, `make check` runs the tests again.
SOURCES := $(shell find src templates tests asgi.py pyproject.toml -type f ! -name '*.pyc' 2>/dev/null)

.PHONY: help run test check lint format bench load docs lock clean

help:  ## Print this help
	@printf 'livesearch: a live-search site over the rows you already have.\n\n'
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nmake run takes HOST, PORT and ARGS (what `livesearch serve` takes): make run PORT=8001 ARGS=books.csv\n'
	@printf 'make test takes ARGS (what pytest takes): make test ARGS="tests/unit -k settings"\n'

run: .venv/.installed  ## Serve http://127.0.0.1:8000 (the demo, or ARGS=books.csv); the first call installs
	@exec $(BIN)/livesearch serve --host $(HOST) --port $(PORT) $(ARGS)

ifeq ($(strip $(ARGS)),)
test: .venv/.installed-dev  ## Run all tests, measuring branch coverage; ARGS narrows the run, without coverage
	@rm -f .coverage
	@$(MAKE) --no-print-directory .coverage
else
test: .venv/.installed-dev
	$(BIN)/pytest $(ARGS)
endif

check: lint .coverage  ## Run everything a change must pass; takes the coverage of a fresh `make test` as it is
	$(BIN)/coverage report --fail-under=$(COVERAGE_MIN)

lint: .venv/.installed-dev  ## The quick part of check: format, ruff, mypy, import-linter, djlint, hadolint
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports
	$(BIN)/djlint --check --quiet templates
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/hadolint Dockerfile

format: .venv/.installed-dev  ## Rewrite Python and templates in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/djlint --reformat --quiet templates

bench: .venv/.installed-dev  ## Compare with named peers (benchmarks/): ARGS="http", ARGS=--help
	$(BIN)/python -m benchmarks $(ARGS)

load: .venv/.installed-dev  ## Let people type against a server (tests/load/): ARGS="--people 300 --overload 3"
	$(BIN)/python -m tests.load $(ARGS)

docs: .venv/.installed-docs  ## Build the documentation into docs/_build/html
	$(BIN)/sphinx-build --fail-on-warning --quiet -b html docs docs/_build/html
	@echo 'Open docs/_build/html/index.html'

lock: .venv/.installed-dev  ## Renew the lock files from pyproject.toml
	$(COMPILE) -o requirements.lock
	$(COMPILE) --extra dev -c requirements.lock -o requirements-dev.lock
	$(COMPILE) --extra docs -c requirements-dev.lock -o requirements-docs.lock

clean:  ## Remove .venv, caches and builds; rows and the key beside them stay
	rm -rf .venv build dist docs/_build htmlcov test-results .coverage coverage.xml
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A run of all tests leaves .coverage only when all of them passed.
.coverage: $(SOURCES) | .venv/.installed-dev
	@$(BIN)/pytest -n 2 --dist loadfile --cov --cov-branch --cov-report= $(ALONE:%=--ignore=%) || { rm -f .coverage; exit 1; }
	@$(BIN)/pytest --cov --cov-branch --cov-report= --cov-append $(ALONE) || { rm -f .coverage; exit 1; }

# Python 3.11 is tried first: the lock files are made with it. Debian and Ubuntu ship venv apart from Python.
.venv/bin/pip:
	@set -eu; for python in python3.11 python3.12 python3.13 python3 python3.14 python; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
	  echo "livesearch needs Python 3.11 or newer; the newest here is: $$(python3 --version 2>/dev/null || echo none)." >&2; \
	  echo "Install one so that python3.11 (or newer) is on the PATH, then call make again." >&2; exit 1; \
	fi; \
	echo "Making .venv with $$($$found --version)"; \
	$$found -m venv .venv || { rm -rf .venv; \
	  echo "$$found cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv." >&2; exit 1; }

# Stamps: while one is newer than its lock file, nothing is installed and the network is not asked.
.venv/.installed: requirements.lock pyproject.toml | .venv/bin/pip
	@echo 'Installing what requirements.lock names (once; less than a minute)'
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

.venv/.installed-dev: requirements-dev.lock requirements.lock pyproject.toml | .venv/bin/pip
	@echo 'Installing what requirements-dev.lock names (once; a minute or two)'
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --editable .
	@touch .venv/.installed $@

.venv/.installed-docs: requirements-docs.lock pyproject.toml | .venv/bin/pip
	@echo 'Installing what requirements-docs.lock names (once)'
	@$(PIP) install --require-hashes -r requirements-docs.lock
	@touch $@
