# Levi's commands. Nothing needs to be installed but Python >= 3.11 and make; `make` alone lists what there is.

.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
PY := $(BIN)/python
RUN_READY := .venv/.installed-run
DEV_READY := .venv/.installed-dev
TYPED := trading/domain trading/risk trading/exchanges trading/execution levi_site
# Settings can be loaded for checks that never connect.
OFFLINE := HOME_DIR=$(CURDIR)/var/check DATABASE_URL=postgresql://check@127.0.0.1:1/check LEVI_MODE=paper
ARGS ?=
TESTS ?= tests
# Processes for the tests, each with a database of its own; 0 runs them in one. A file stays in one process.
WORKERS ?= 2

.PHONY: help run test e2e chaos soak bench fmt check lint types migrations lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(RUN_READY) ## start everything (PORT=8123 HOME_DIR=/some/dir DATABASE_URL=… REDIS_URL=…); Ctrl-C stops all of it
	@exec $(PY) manage.py up $(ARGS)

test: check ## linters, types, migrations and all tests, on servers it brings up itself
	$(PY) -m pytest $(TESTS) -m "not chaos" -n $(WORKERS) --dist loadfile -q $(ARGS)

e2e: $(DEV_READY) ## browser tests in headless Chromium, screenshots under var/shots/
	LEVI_SHOTS=all $(PY) -m pytest tests/e2e $(ARGS)

chaos: $(DEV_READY) ## faults by the million and kills by the thousand: one table, within an hour; goes on if interrupted
	$(PY) -m tests.chaos $(ARGS)

soak: $(RUN_READY) ## two days of trading and of faults packed into 24 minutes (ARGS="--hours 0.5 --seed 8"): the table, judged by the venue's ledger
	@exec $(PY) manage.py soak --report var/soak.json $(ARGS)

bench: $(DEV_READY) ## benchmarks: tables on stdout and under benchmarks/results/
	$(PY) -m benchmarks $(ARGS)

fmt: $(DEV_READY) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: lint types migrations ## format, lint, types and migrations, without changing anything

lint: $(DEV_READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(DEV_READY)
	$(OFFLINE) $(BIN)/mypy $(TYPED)

migrations: $(DEV_READY)
	$(OFFLINE) PYTHONWARNINGS=ignore::RuntimeWarning $(PY) manage.py makemigrations --check --dry-run

lock: $(DEV_READY) ## resolve requirements*.in into the locked files
	for name in requirements requirements-dev; do \
	    $(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	        --no-emit-find-links --custom-compile-command "make lock" $(ARGS) $$name.in -o $$name.txt || exit 1; \
	done

clean: ## remove the environment and caches (never var/, which holds data)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(RUN_READY): requirements.txt
	@sh scripts/bootstrap.sh run

$(DEV_READY): requirements.txt requirements-dev.txt
	@sh scripts/bootstrap.sh dev
