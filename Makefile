# Every target works on a fresh clone: what it needs is set up first.

PYTHON ?= python3
PACKAGES := $(wildcard hub channels dialogs triggers crm_store plugins)
RUN_OPTIONS := $(if $(filter-out 0 no false,$(DEMO)),--demo) $(if $(HOST),--host $(HOST)) \
	$(if $(PORT),--port $(PORT)) $(if $(DATA),--data "$(DATA)") \
	$(if $(DATABASE),--database "$(DATABASE)")

.PHONY: help run test check format soak bench clean setup setup-dev setup-tests

help:
	@echo "make run     start the hub (DEMO=1 for a demo company; HOST= PORT= DATA= DATABASE=)"
	@echo "make test    every test, on SQLite, on PostgreSQL and in a browser"
	@echo "make check   format, lint, types, floors, documentation"
	@echo "make format  put the code into the one format"
	@echo "make soak    minutes of random faults"
	@echo "make bench   measure (ONLY=name for one)"
	@echo "make clean   remove what was built; data stay"

run: setup
	@exec .venv/bin/dialoghub run $(RUN_OPTIONS)

test: setup-tests
	@.venv/bin/python tools/run_tests.py $(PYTEST)

check: setup-dev
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	$(if $(PACKAGES),.venv/bin/mypy $(PACKAGES) bench)
	.venv/bin/python -m pytest -q tests/architecture

format: setup-dev
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

soak: setup-tests
	HUB_TEST_REQUIRE_SERVERS=1 .venv/bin/python -m pytest -m soak --timeout=0 tests $(PYTEST)
	HUB_TEST_REQUIRE_SERVERS=1 .venv/bin/python -m pytest -m soak --timeout=0 --db=postgres \
		tests/scenarios $(PYTEST)

bench: setup-tests
	.venv/bin/python -m bench $(ONLY)

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@$(PYTHON) tools/setup.py

setup-dev:
	@$(PYTHON) tools/setup.py --dev

# The servers and the browser are installed while pip is at work.
setup-tests:
	@$(PYTHON) tools/setup.py --dev --servers
