.DEFAULT_GOAL := help
.PHONY: help run setup test lint format check bench soak backup clean

VENV := .venv/bin
ifdef CI
export NO_COLOR := 1
endif

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install what is missing, start PostGIS, import the sample city and serve it (ARGS="--port 9000")
	@scripts/setup run
	@exec $(VENV)/gis-server up $(ARGS)

setup: ## install everything that running and testing need
	@scripts/setup test

test: ## the set-up, then lint and every test: core, store, HTTP, command line, browser
	@scripts/setup test
	@$(MAKE) --no-print-directory check
	@npm test --silent
	@$(VENV)/pytest --numprocesses 2 --dist loadfile $(ARGS)

lint: ## style, types and the arrows between the rooms, in Python and in the browser's modules
	@scripts/setup test
	@$(MAKE) --no-print-directory check

check:
	@$(VENV)/ruff check
	@$(VENV)/ruff format --check
	@$(VENV)/mypy
	@$(VENV)/lint-imports
	@npm run --silent check

format: ## put Python into shape
	@scripts/setup test
	@$(VENV)/ruff check --fix-only
	@$(VENV)/ruff format

bench: ## measure imports, requests and event streams
	@scripts/setup bench
	@$(VENV)/python -m pytest bench $(ARGS)

soak: ## refresh a wall half a million times (30 days) and weigh it before and after
	@scripts/setup test
	@GIS_SOAK=$(or $(REFRESHES),500000) $(VENV)/pytest -s -o timeout=0 tests/test_browser_soak.py $(ARGS)

backup: ## save the database to FILE (make backup FILE=gis.backup)
	@test -n "$(FILE)" || { echo "make backup FILE=…" >&2; exit 2; }
	@$(VENV)/gis-server db backup "$(FILE)"

clean: ## remove what can be made again (never var/postgres)
	@rm -rf .venv node_modules web/vendor var/setup .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
