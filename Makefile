# Everything a person or a machine does with this project. `make run` and `make test` need git,
# make and python3; what else they need they install into .venv and node_modules, or with apt.

PYTHON   ?= python3
CHROMIUM ?= $(or $(shell command -v chromium),/usr/bin/chromium)
ARGS     ?=
SHELL    := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: help run install test check lint unit pages bench campaign sbom lock clean

BIN  := .venv/bin
PIP  := $(BIN)/python -m pip --disable-pip-version-check --no-input
LOCK := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --no-config --quiet --strip-extras \
        --generate-hashes --allow-unsafe --no-emit-options --no-emit-index-url \
        --no-emit-trusted-host --no-emit-find-links
PYTEST := $(BIN)/python -m pytest
SHOWN  := build/controls-shown
export CHROMIUM

help:            ## Show this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/\1\t\2/p' Makefile | expand -t 12

run: .venv/run   ## Start one simulated operating room and print its address (ARGS="--speed 20")
	$(BIN)/hipec demo $(ARGS)

install: .venv/run ## Set up what `hipec` needs to run, nothing for development

test: lint pages .venv/browser .venv/postgresql .venv/strace ## Prove everything, in real processes and a real browser
	rm -f $(SHOWN)
	$(PYTEST) -n auto -m "not e2e and not campaign" --controls-shown=$(SHOWN) $(ARGS) || failed=1; \
	$(PYTEST) -m e2e --controls-shown=$(SHOWN) --requirements=docs/risks.md $(ARGS); [ -z "$${failed:-}" ]

check: lint unit pages ## The quick proof: style, types, import rules, unit tests

lint: .venv/dev node_modules/.installed
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	npm run --silent check

unit: .venv/dev
	$(PYTEST) -q -n auto -m "not e2e and not integration and not campaign" $(ARGS)

pages: node_modules/.installed
	npm run --silent test

bench: .venv/dev ## Measure what benchmarks/ measures
	for program in benchmarks/*.py; do PYTHONPATH=. $(BIN)/python "$$program"; done

campaign: bench .venv/strace ## The long runs: every benchmark, then tests/campaign
	if [ -d tests/campaign ]; then $(PYTEST) tests/campaign $(ARGS); fi

sbom: .venv/dev  ## Write the bill of materials (CycloneDX) to build/sbom.json
	$(BIN)/python .ci/sbom.py build/sbom.json

lock: .venv/dev  ## Pin every dependency anew, by hash (--upgrade with ARGS)
	$(LOCK) $(ARGS) --build-deps-for wheel -o requirements.lock pyproject.toml
	$(LOCK) $(ARGS) --build-deps-for wheel --extra dev -c requirements.lock \
	    -o requirements-dev.lock pyproject.toml

clean:           ## Remove everything that can be made again
	rm -rf .venv node_modules build dist *.egg-info .*_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	.ci/venv $(PYTHON) .venv

# Stamps: a second make installs nothing.
.venv/run: requirements.lock pyproject.toml | .venv/bin/python
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	touch $@

.venv/dev: requirements-dev.lock .venv/run
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	touch $@

.venv/browser: | .venv/dev
	command -v "$(CHROMIUM)" >/dev/null || .ci/apt-install chromium
	touch $@

.venv/postgresql: tests/postgresql.py | .venv/dev
	$(BIN)/python -c "from tests.postgresql import programs; programs()" 2>/dev/null \
	    || .ci/apt-install postgresql
	touch $@

.venv/strace: | .venv/dev
	command -v strace >/dev/null || .ci/apt-install strace
	touch $@

node_modules/.installed: package.json package-lock.json
	command -v node >/dev/null || .ci/apt-install nodejs
	command -v npm >/dev/null || .ci/apt-install npm
	npm ci --no-audit --no-fund --ignore-scripts
	touch $@
