# Every command of the tree. `make` alone lists them.

PYTHON ?= python3
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test check fmt bench lock clean setup

help: ## List the commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

# Two lines, each the program itself and no shell: a signal to make reaches it straight.
run: ## Start Karibu on http://127.0.0.1:8000 (KARIBU_HOST, KARIBU_PORT)
	@$(PYTHON) -m scripts.bootstrap
	@exec .venv/bin/python manage.py run $(ARGS)

test: setup ## Run every test; ARGS="-k inbox" goes to pytest, COVERAGE=1 adds a report
	@exec .venv/bin/python -m scripts.test $(ARGS)

check: setup ## Run every static check
	@exec .venv/bin/python -m scripts.check

fmt: export PATH := $(CURDIR)/.venv/bin:$(PATH)
fmt: setup ## Format the sources and mend what can be mended
	@ruff check --fix-only
	@ruff format
	@npm run --silent fmt

bench: setup ## Run the benchmarks and print them beside their ceilings
	@exec .venv/bin/python -m tests.load $(ARGS)

lock: setup ## Pin new dependencies; ARGS=--upgrade pins the newest of all
	@exec .venv/bin/python -m scripts.lock $(ARGS)

clean: ## Remove what can be made again (an installation's data in var/ stays)
	@rm -rf .venv node_modules assets/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* htmlcov

setup:
	@$(PYTHON) -m scripts.bootstrap --dev
