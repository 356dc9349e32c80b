# Everything runs from .venv in this checkout, made with the versions in constraints.txt.
#
#   make setup    the environment, with the command at .venv/bin/usenhance
#   make demo     a real cine, enhanced: pictures, an animation and figures in demo/
#   make test     all tests            make lint    style, as checked before merging
#   make bench    the published table, made again (BENCH=its name, USENHANCE_DATA=the data folder)
#   make lists    brings the file lists of the extension's CMake files up to date
#   make clean    removes what the above made, but not .venv

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

TEST_PROCESSES ?= 2
USENHANCE_DATA ?= ../shared/data
BENCH ?= enhance

.PHONY: setup demo test lint bench lists clean
.DEFAULT_GOAL := setup

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --constraint constraints.txt torch
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[training,benchmarks,tests,dev]'
	touch $@

demo: $(READY)
	$(BIN)/usenhance demo --out demo

# One thread per process: the processes share the cores, and the results do not depend on their number.
test: $(READY)
	OMP_NUM_THREADS=1 QT_QPA_PLATFORM=offscreen \
	  $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadgroup -ra --durations=15 $(PYTEST_ARGUMENTS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(READY)
	mkdir -p bench
	$(BIN)/usenhance bench $(BENCH) --data $(USENHANCE_DATA) --json bench/$(BENCH).json

lists:
	$(PYTHON) Testing/CMake/update_lists.py

clean:
	rm -rf build dist demo bench .pytest_cache .ruff_cache
	find USEnhance USEnhanceLib Testing -name __pycache__ -type d -prune -exec rm -rf {} +
