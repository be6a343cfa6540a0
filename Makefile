# One word for each job; `make` alone lists them.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# Node is there on machines that have none of their own.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup run check test soak bench product lock format migration

help: ## List these words
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  %-16s %s\n", $$1, $$2 }'

setup: ## Install everything that running, checks, tests and benchmarks need
	@$(PYTHON) -m tools.setup test

run: ## Start everything on this machine, with demo data; Ctrl-C stops it
	@$(PYTHON) -m tools.setup run
	@exec $(BIN)/klucznik run

check: setup ## Lint, types, import rules, architecture and fast tests
	@$(BIN)/python -m tools.check

test: setup ## All tests, on SQLite and PostgreSQL; T=tests/kernel picks some
	@$(BIN)/python -m tools.test $(T)

soak: setup ## The long tests: races by the hundred rounds, timing by 200 tries, seeded faults
	@$(BIN)/python -m tools.test --soak $(T)

bench: setup ## The benchmarks, each beside its peer or its floor
	@$(BIN)/python -m bench

product: setup ## Each product id and the tests that carry it; REQUIRE=ID-1 insists, SECURITY=1
	@$(BIN)/python -m tools.product $(if $(SECURITY),--security) $(if $(REQUIRE),--require $(REQUIRE))

lock: setup ## Pin requirements/*.in with hashes, and the front end's packages; UPGRADE=1 raises pins
	@$(BIN)/python -m tools.lock $(if $(UPGRADE),--upgrade)

format: setup ## Order and format the code, and write the pages made from it
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .
	@$(BIN)/python -m tools.reference

migration: setup ## A new migration: APP=identity M="add phone"
	@test -n "$(APP)" && test -n "$(M)" || { echo 'make migration APP=identity M="what it does"'; exit 1; }
	@$(BIN)/python -m tools.migration "$(APP)" "$(M)"
