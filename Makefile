# Everything a newcomer needs: `make run` opens the program, `make test` checks it.
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3.14 python3,$(if $(shell command -v $(p)),$(p))))
BIN := .venv/bin

.PHONY: run test lint types unit clean

run: .venv/.run
	@$(BIN)/sensorloom $(ARGS)

test: .venv/.dev
	$(MAKE) lint types unit

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: .venv/.dev
	$(BIN)/pyright

unit: .venv/.dev
	$(BIN)/pytest -n auto $(ARGS)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("sensorloom needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11") if sys.version_info < (3, 11) else 0'
	@$(PYTHON) -m venv .venv

.venv/.run: .venv/bin/python pyproject.toml
	@echo "installing sensorloom into .venv (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/.dev: .venv/bin/python pyproject.toml
	@echo "installing sensorloom and its checks into .venv (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ .venv/.run

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
