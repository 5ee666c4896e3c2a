.DEFAULT_GOAL := help
SHELL := /bin/bash

UV := .tools/bin/uv
RUN := .venv/bin
SETUP := .venv/.setup
BENCH := .bench/.setup
# A test that hangs is shown where it hangs; slow ones bring a limit of their own.
# Three at a time, as tests also wait for processes to start; the long ones load the machine by
# themselves: two. In the order of the files: those with few but long tests must not come last, alone.
PYTEST := --timeout=300 --dist=loadfile --no-loadscope-reorder

.PHONY: help
help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: setup
setup: $(SETUP) ## Install hotspan and everything it needs into .venv

# Installed into a folder of its own, so that Debian's "externally managed" Python is left alone.
$(UV): requirements/uv.txt
	@echo "Installing uv into .tools"
	@python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --require-hashes --upgrade --target .tools -r requirements/uv.txt
	@touch $(UV)

$(SETUP): $(UV) requirements/dev.txt pyproject.toml
	@test -x .venv/bin/python || $(UV) venv --quiet --python python3 .venv
	@echo "Installing hotspan and its requirements into .venv"
	@$(UV) pip sync --quiet --python .venv/bin/python --require-hashes requirements/dev.txt
	@$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
	@touch $(SETUP)

.PHONY: demo
demo: setup ## Run the demo shop, the collector and the UI; print what is wrong with the shop
	@exec $(RUN)/hotspan demo

.PHONY: test-setup
test-setup: setup ## Install what tests need besides: Redis, PostgreSQL, MariaDB, Chromium, a ClickHouse server
	@bash tests/install.sh
	@$(UV) pip install --quiet --python $(RUN)/python --require-hashes --no-deps -r tests/environments/mysqlclient.txt

.PHONY: test
test: test-setup ## Run the tests, against real components
	@$(RUN)/pytest $(PYTEST) --numprocesses=3 -m "not slow"

# 5: no test was collected, which is fine as long as none is marked slow.
.PHONY: test-all
test-all: test ## Run all tests, also the long ones
	@$(RUN)/pytest $(PYTEST) --numprocesses=2 -m slow || [ $$? -eq 5 ]

.PHONY: faults
faults: test-setup ## Hurt collectors for half an hour: kills, full disks, hostile senders
	@HOTSPAN_FAULTS=long $(RUN)/pytest --timeout=3600 -n0 tests/faults

.PHONY: lint
lint: setup ## Check style, types and imports between packages
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy
	@$(RUN)/lint-imports --no-cache

.PHONY: format
format: setup ## Format the code
	@$(RUN)/ruff check --fix .
	@$(RUN)/ruff format .

# Not in .venv: ddtrace would be loaded into the tests.
$(BENCH): $(UV) requirements/bench.txt pyproject.toml
	@test -x .bench/bin/python || $(UV) venv --quiet --python python3 .bench
	@echo "Installing what is measured beside hotspan into .bench"
	@$(UV) pip sync --quiet --python .bench/bin/python --require-hashes requirements/bench.txt
	@$(UV) pip install --quiet --python .bench/bin/python --no-deps --no-build-isolation -e .
	@touch $(BENCH)

.PHONY: bench
bench: setup $(BENCH) ## Measure, and write docs/performance.md
	@$(RUN)/python tests/benchmarks/run.py

.PHONY: eval
eval: setup ## Measure precision and recall of the rules on labelled cases
	@$(RUN)/python tests/rules/eval.py

.PHONY: docs
docs: setup ## Write the pages of the rules, and build the documentation into docs/_build/html
	@$(RUN)/python -m hotspan_collector.rules.docs docs/rules
	@$(RUN)/sphinx-build --quiet --fail-on-warning --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

.PHONY: lock
lock: $(UV) ## Resolve the requirements anew, with hashes
	@$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 requirements/uv.in -o requirements/uv.txt
	@$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --all-extras pyproject.toml requirements/dev.in -o requirements/dev.txt
	@$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 -c requirements/dev.txt requirements/build.in -o requirements/build.txt
	@for extra in collector ui demo; do \
		$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --extra $$extra -c requirements/dev.txt pyproject.toml -o requirements/$$extra.txt; \
	done
	@$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --extra demo -c requirements/dev.txt pyproject.toml requirements/bench.in -o requirements/bench.txt
	@$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 -c requirements/dev.txt tests/environments/mysqlclient.in -o tests/environments/mysqlclient.txt
	@grep '^opentelemetry' requirements/dev.txt | tr -d '\\' >.tools/opentelemetry.txt
	@$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 -c .tools/opentelemetry.txt pyproject.toml tests/environments/django42.in -o tests/environments/django42.txt
	@$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 -c .tools/opentelemetry.txt pyproject.toml -o tests/environments/base.txt

.PHONY: clean
clean: ## Remove what setup and the demo made
	@rm -rf .venv .bench .tools .demo docs/_build
