# Two commands on a fresh Linux machine with Python 3.10 or newer, pip and make:
#   make demo    make test
# Each sets up what it needs, once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= auto

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup system browser demo test fuzz lint format bench picture rules wheel clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: system $(READY) ## Make .venv and install what the others need; demo and test do this first

$(READY): pyproject.toml constraints.txt .ci/setup
	@.ci/setup "$(PYTHON)" "$(VENV)"
	@touch $@

system:
	@.ci/system git bwrap

browser: $(READY)
	@.ci/browser $(BIN)/python

demo: setup ## Publish, check and verify the example, and show its report
	@$(BIN)/python examples/demo.py

test: lint browser ## Run every gate: lint, types, and all tests, the sandbox's as root and as an ordinary user
	@.ci/system shellcheck jq openssl # the pages: tests/test_pages.py
	@if [ "$$(id -u)" != 0 ]; then \
	    $(BIN)/python -m pytest -n $(WORKERS); \
	else \
	    echo "test: as root, all but what users without rights prove below" && \
	    $(BIN)/python -m pytest -n $(WORKERS) -m "not proof" && \
	    echo "test: as an ordinary user, the sandbox and what is proven in it" && \
	    .ci/as-user $(VENV) $(abspath $(BIN))/python -m pytest -n $(WORKERS) -m "sandbox or proof" --no-skips -p no:cacheprovider; \
	fi

lint: setup ## Check style, formatting and types
	@echo "lint: ruff check"
	@$(BIN)/ruff check --quiet
	@echo "lint: ruff format"
	@$(BIN)/ruff format --check
	@echo "lint: mypy"
	@$(BIN)/mypy --no-error-summary

fuzz: setup browser ## Run the property tests with new examples; each run tries others
	@$(BIN)/python -m pytest -n $(WORKERS) -m hypothesis --hypothesis-profile fuzz -p no:cacheprovider

format: setup ## Format the code, and mend what can be mended safely
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

bench: setup ## Print what hubpub costs beside libcst, torch, sha256sum and json.dumps
	@$(BIN)/python benchmarks/startup.py
	@$(BIN)/python benchmarks/stamp.py
	@$(BIN)/python benchmarks/report.py

picture: setup browser ## Draw docs/session.svg and docs/report.png from runs of the demo
	@$(BIN)/python docs/session.py
	@$(BIN)/python docs/report_picture.py

rules: setup ## Write docs/rules.md and the list of rules in README.md
	@$(BIN)/python docs/write_rules.py

wheel: setup ## Build dist/*.whl
	@$(BIN)/python -m build --wheel

clean: ## Remove .venv, caches and builds
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find hubpub tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
