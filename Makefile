# make demo: the main job on real data.  make test: every check.  make run: the window.
PYTHON ?= python3
BIN = .venv/bin
WORKERS ?= 2
export PYTHON

.PHONY: help setup demo run test lint bench chaos clean

help:
	@echo "make demo    the main job, end to end, on bundled real data (opens the window when there is a display)"
	@echo "make run     open the window"
	@echo "make test    lint, types, import contracts and tests"
	@echo "make bench   the benchmarks (figures: tests/benchmarks/RESULTS.md)"
	@echo "make chaos   the long fault loops"

setup:
	@sh packaging/setup.sh

demo: setup
	$(BIN)/mldesk demo $(if $(or $(DISPLAY),$(WAYLAND_DISPLAY)),--window)

run: setup
	$(BIN)/mldesk

lint: setup
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: lint
	QT_QPA_PLATFORM=offscreen OMP_NUM_THREADS=2 $(BIN)/pytest -n $(WORKERS) --dist worksteal -q

bench: setup
	$(BIN)/python -m tests.benchmarks

chaos: setup
	$(BIN)/python -m tests.chaos

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
