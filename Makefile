# Every target works from a fresh clone: it first makes what it needs, and makes nothing twice.
PYTHON ?= python3
SHARD ?= 1/1
# Programs start hundreds of times here: without this, each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup machine check test test-all demo bench docs screens lock clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

setup: ## Make .venv from requirements.lock; nothing to do while that stays the same
	@PYTHON="$(PYTHON)" scripts/setup.sh

machine: ## Install the programs that tests on real engines run (root, apt)
	@scripts/machine.sh

check: setup ## Lint, types, import contracts, spelling, architecture and unit tests: seconds
	@.venv/bin/python -m scripts.suite check

test: setup machine ## Everything, real engines included, but for the exhaustive tests
	@.venv/bin/python -m scripts.suite test

test-all: setup machine ## The exhaustive tests too; SHARD=1/4 runs a part; goes on where it ended
	@.venv/bin/python -m scripts.suite test-all --shard $(SHARD)

demo: setup machine ## Ship Libra, replace it under load, break things, and count lost requests
	@.venv/bin/python -m scripts.demo

bench: setup machine ## Run every benchmark and print its ratios
	@.venv/bin/python -m bench

docs: setup ## Write the generated reference pages anew
	@.venv/bin/python scripts/reference.py
	@.venv/bin/python -m scripts.compose_reference

screens: setup machine ## Record the pictures of the documentation anew, from real runs
	@.venv/bin/python -m scripts.screens

lock: setup ## Resolve the dependencies of pyproject.toml anew into requirements.lock
	@scripts/lock.sh

clean: ## Remove what these targets made, laboratories excepted (python -m lab down --all)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage artifacts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
