PYTHON ?= python3
BIN = .venv/bin
# Two processes, each with the TensorFlow of its own; the tests of a file stay together,
# because they share fixtures.
PYTEST = $(BIN)/python -m pytest -q -n 2 --dist loadfile --durations=10

.PHONY: help demo lint types test test-fast bench bench-compare soak audit package
help:  ## this list; every target sets up .venv first, from nothing
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: .venv/ready  ## GAMO on digits; three methods side by side on three seeds; GAMO2pix
	$(BIN)/python train_gamo.py --dataset digits
	$(BIN)/python -m gamo_tf compare --dataset digits --seeds 3 --iterations 1000 \
	  --methods cn gamo balanced-pairs
	$(BIN)/python train_gamo2pix.py --class 7 --shared-iterations 300 --fid-features classifier

lint: .venv/ready-dev  ## ruff: errors and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready-dev  ## mypy
	$(BIN)/python -m mypy

test: lint types  ## lint, types and all tests
	$(PYTEST)

test-fast: .venv/ready-dev  ## the tests without long trainings and other processes
	$(PYTEST) -m "not slow"

bench: .venv/ready  ## time and memory, part by part, in under 10 minutes: docs/bench.json
	$(BIN)/python benchmarks/bench.py

bench-compare: .venv/ready  ## is a commit faster? make bench-compare A=HEAD~1 B=HEAD
	$(BIN)/python benchmarks/bench_compare.py $(A) $(B)

soak: .venv/ready-dev  ## kills, full disks and 20,000 damaged files; 45 minutes on 2 slow cores
	GAMO_CASES=600 $(PYTEST) tests/hostile
	$(BIN)/python tests/soak/interruptions.py --page docs/reliability.md

audit: .venv/ready-audit  ## known vulnerabilities of the packages, dangerous calls of ours
	$(BIN)/python tests/soak/audit.py

package: .venv/ready-dev  ## a wheel in dist/
	rm -rf build dist  # setuptools would pack what an earlier build left there
	$(BIN)/python -m build --wheel

.venv/ready: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -r requirements.txt
	touch $@

.venv/ready-dev: requirements-dev.txt .venv/ready
	$(BIN)/pip install -q -r requirements-dev.txt
	touch $@

# Apart from the others: it brings many packages, and only `audit` needs it.
.venv/ready-audit: .venv/ready-dev
	$(BIN)/pip install -q pip-audit==2.10.1
	touch $@
