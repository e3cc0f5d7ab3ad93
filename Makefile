# Each command sets up what it needs. The environment is made again only when requirements.lock or pyproject.toml change.
#
#   make report            the main job on the bundled demo release
#   make report CASE=name  the same on datasets/name, or on any folder or file
#   make help              all commands

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

CASE ?= demo
SET ?=
OUT ?= datasets/simulated
ACCOUNTS ?= 5000
POSTS ?= 100000
SEED ?= 7
SEEDS ?= 10
N ?= 1000
KILLS ?= $(if $(filter real,$(KIND)),10,50)
KIND ?= quick
TEXTS ?= ../shared/data

ENV := .venv
BIN := $(ENV)/bin
AUDIT := .cache/audit
READY := $(ENV)/.ready
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip

.PHONY: help report catalogue demo test lint lab check simulate evaluate bench fuzz faults determinism load audit setup spark clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

report: $(READY) ## run the notebooks on CASE (default demo) and write reports/CASE; SET="seed=8 ..." sets parameters
	@$(BIN)/workbench report "$(CASE)" $(foreach one,$(SET),--set "$(one)")

catalogue: $(READY) ## write reports/index.html, the page that lists all reports, with an Atom feed and JSON
	@$(BIN)/workbench catalogue

demo: $(READY) ## make docs/demo/report.html anew, the demo report that the repository shows
	@$(BIN)/python docs/renew_demo.py

test: $(READY) ## run all tests; ARGS="..." goes to pytest
	@$(BIN)/python -m pytest $(ARGS)

lint: $(READY) ## check style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/ty check workbench

lab: $(READY) ## open JupyterLab on the notebooks
	@$(BIN)/jupyter lab --notebook-dir=. $$([ "$$(id -u)" = 0 ] && echo --allow-root) notebooks

check: $(READY) ## hold CASE against what was announced and published; FILES=folder where its files lie elsewhere
	@$(BIN)/workbench check "$(CASE)" $(if $(FILES),--files "$(FILES)")

simulate: $(READY) ## write a synthetic release with ACCOUNTS, POSTS and SEED to the folder OUT
	@$(BIN)/workbench simulate "$(OUT)" --accounts "$(ACCOUNTS)" --posts "$(POSTS)" --seed "$(SEED)"

evaluate: $(READY) ## judge the methods on planted worlds and labelled texts; tables go to reports/evaluation (long)
	@$(BIN)/python tests/benchmarks/evaluate_worlds.py reports/evaluation $(SEEDS)
	@$(BIN)/python tests/benchmarks/evaluate_page.py reports/evaluation reports/evaluation/page.html "$(TEXTS)"
	@$(BIN)/python tests/benchmarks/narratives_quality.py "$(TEXTS)"

bench: $(READY) ## time the kernel beside polars, DuckDB and the toolkit, which it adds to the environment, not pinned; reports/benchmarks (long)
	@$(PIP) install --quiet "duckdb>=1.4" "coordination-network-toolkit>=1.5"
	@$(BIN)/python tests/benchmarks/coaction_bench.py

fuzz: $(READY) ## try N damaged inputs on every reader; a page goes to reports/fuzz (N=10000: half an hour)
	@$(BIN)/python tests/fuzz/run_fuzz.py "$(N)" reports/fuzz "$(SEED)"

faults: $(READY) ## kill the main job KILLS times at random moments; KIND=real takes the real notebooks (half an hour); reports/faults
	@$(BIN)/python tests/faults/run_faults.py "$(KILLS)" reports/faults "$(SEED)" "$(KIND)"

determinism: $(READY) ## hold every file of a report made on Python 3.11, 3.12, 3.13, one thread, rows shuffled, against one another
	@$(BIN)/python tests/faults/determinism.py --folder reports/determinism

load: $(READY) ## the whole main job on POSTS posts (or several sizes: POSTS=1e4,1e5); a page goes to reports/benchmarks
	@$(BIN)/python tests/benchmarks/load_bench.py --posts "$(POSTS)" --accounts "$(ACCOUNTS)" --out reports/benchmarks

audit: $(READY) ## look the packages of both locks up among known vulnerabilities (needs the network; has an environment of its own)
	@$(BIN)/python -m venv $(AUDIT)
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(AUDIT)/bin/python -m pip install --quiet "pip-audit>=2.9"
	@$(AUDIT)/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock --requirement requirements-spark.lock

setup: $(READY) ## only make the environment

spark: $(READY) ## add Spark to the environment (needs Java 17 or newer; without it Spark's tests are skipped)
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-spark.lock; \
	else \
	  $(PIP) install --quiet --require-hashes -r requirements-spark.lock; \
	fi

clean: ## remove the environment, kept results and drafts; reports stay
	rm -rf $(ENV) .cache .pytest_cache .ruff_cache .hypothesis reports/*.draft reports/*.failed reports/.*.running-*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# With uv if it is there (seconds), else with pip; both refuse a package whose hash is not the locked one.
$(READY): requirements.lock pyproject.toml
	@set -e; \
	python=; \
	for one in python3 python3.13 python3.12 python3.11 python; do \
	  if "$$one" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then python=$$one; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "No Python 3.11 or newer with venv was found (looked for python3, python3.13, python3.12, python3.11, python)." >&2; \
	  echo "Install one, e.g. apt-get install python3 python3-venv, brew install python, or from python.org." >&2; \
	  exit 1; \
	fi; \
	echo "Setting up $(ENV) with $$($$python --version); a few minutes the first time."; \
	rm -rf $(ENV); \
	"$$python" -m venv $(ENV); \
	if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock; \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
	  $(PIP) install --quiet --require-hashes -r requirements.lock; \
	  $(PIP) install --quiet --no-deps --no-build-isolation -e .; \
	fi; \
	touch $(READY)
