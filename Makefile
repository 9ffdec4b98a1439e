# Every target creates what it needs and is quick the second time. `make help` prints this file's own explanations.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-bench
# Files of tests side by side; browsers last, as tests/conftest.py orders them.
PYTEST = $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
ACCOUNTS := .venv-ministack
AWSCLI := .venv-awscli
LINT := .venv-lint
PREFECT := .venv-prefect
SERVER_PARTS := submissions starts crowd uploads lists
export PIP_DISABLE_PIP_VERSION_CHECK := 1
.DEFAULT_GOAL := help
.PHONY: help demo web serve test check audit format template figures bench bench-mathematics bench-pages bench-server soak lock clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/run ## Phantom raw data in, a job through CloudMR Brain, SNR maps out, beside the known truth
	$(BIN)/cloudmr demo

web: $(VENV)/run ## Bundle the pages' scripts and styles anew
	$(BIN)/python hatch_build.py

serve: $(VENV)/run ## Start CloudMR Brain on this machine (http://127.0.0.1:8000)
	$(BIN)/cloudmr serve

test: $(VENV)/dev ## Format, lint, types and every test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST)

check: audit ## The fast part of `make test`, under two minutes, and the audit of dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST) -m "not slow"

audit: $(VENV)/dev ## Ask whether a known vulnerability is in what the lock files name
	$(BIN)/python -m tools.audit_dependencies requirements/dev.txt

format: $(VENV)/dev ## Format the code and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

template: $(VENV)/python ## Put the functions of a unit's template into it anew
	$(BIN)/python -m tools.embed_functions

figures: $(VENV)/dev ## Draw the documents' figures anew, by the code they tell of
	PYTHONPATH=tests/support $(BIN)/python docs/figures

bench: ## Measure as ratios: the mathematics, what pages cost a browser, the server (PARTS="floors pages crowd")
	@$(if $(filter-out pages $(SERVER_PARTS),$(or $(PARTS),all)),$(MAKE) --no-print-directory bench-mathematics)
	@$(if $(filter pages,$(or $(PARTS),pages)),$(MAKE) --no-print-directory bench-pages)
	@$(if $(filter $(SERVER_PARTS),$(or $(PARTS),crowd)),$(MAKE) --no-print-directory bench-server)

bench-mathematics: $(PEERS)/ready
	PYTHONPATH=src $(PEERS)/bin/python -m benchmarks $(filter-out pages $(SERVER_PARTS),$(PARTS))

bench-pages: $(VENV)/dev
	PYTHONPATH=tests/support $(BIN)/python -m benchmarks.pages

bench-server: $(VENV)/dev $(PREFECT)/ready
	PYTHONPATH=tests/support $(BIN)/python -m benchmarks.brain $(filter $(SERVER_PARTS),$(PARTS))

image: $(VENV)/dev ## Build the image of computing units without a registry, run it in emulated accounts, measure it (needs root)
	PYTHONPATH=tests/support $(BIN)/python -m tools.image

soak: $(VENV)/dev ## A thousand jobs while Brains, workers and the database are killed; takes an hour (SOAK="--jobs 100")
	PYTHONPATH=tests/support $(BIN)/python -m benchmarks.soak $(SOAK)

lock: $(VENV)/python ## Write requirements/*.txt anew from pyproject.toml
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile $(LOCK) --extra server -o requirements/run.txt
	$(BIN)/uv pip compile $(LOCK) --extra test -o requirements/dev.txt
	$(BIN)/uv pip compile $(LOCK) --extra image -o requirements/image.txt
	$(BIN)/uv pip compile $(LOCK) --extra postgres --extra aws -o requirements/brain.txt
	$(BIN)/uv pip compile $(subst pyproject.toml requirements/build.in,requirements/node.in,$(LOCK)) -o requirements/node.txt
	$(BIN)/uv pip compile $(subst build.in,bench.in,$(LOCK)) -o requirements/bench.txt
	$(BIN)/uv pip compile $(subst pyproject.toml requirements/build.in,requirements/prefect.in,$(LOCK)) -o requirements/prefect.txt
	$(BIN)/uv pip compile $(subst pyproject.toml requirements/build.in,requirements/ministack.in,$(LOCK)) -o requirements/ministack.txt
	$(BIN)/uv pip compile $(subst pyproject.toml requirements/build.in,requirements/awscli.in,$(LOCK)) -o requirements/awscli.txt
	$(BIN)/uv pip compile $(subst pyproject.toml requirements/build.in,requirements/lint.in,$(LOCK)) -o requirements/lint.txt

clean: ## Remove the environments and everything built
	rm -rf $(VENV) $(PEERS) $(ACCOUNTS) $(AWSCLI) $(LINT) $(PREFECT) tools/static/node_modules build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

LOCK = pyproject.toml requirements/build.in --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

# Debian packages: installed where we are root, named elsewhere.
define debian
{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq $(1) >/dev/null; } \
  || { echo "Please install: $(1) (names as in Debian)"; exit 1; }
endef

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name it with PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(call debian,python3-venv)
	$(PYTHON) -m venv $(VENV)
	@touch $@

# What writes PDF reports draws text with Pango, which is no Python package.
$(VENV)/pango: | $(VENV)/python
	@$(PYTHON) -c 'import ctypes.util, sys; sys.exit(not ctypes.util.find_library("pangoft2-1.0"))' \
	  || $(call debian,libpango-1.0-0 libpangoft2-1.0-0)
	@touch $@

$(VENV)/run: requirements/run.txt | $(VENV)/python $(VENV)/node
	$(BIN)/pip install --quiet --require-hashes -r requirements/run.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# The guides' commands are tested as they stand there.
$(VENV)/tools: | $(VENV)/python
	@{ command -v curl && command -v jq; } >/dev/null || $(call debian,curl jq)
	@touch $@

# What needs a database is tested on both kinds; Debian keeps the server's programs out of PATH.
$(VENV)/postgresql: | $(VENV)/python
	@{ command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1 || $(call debian,postgresql)
	@touch $@

# Pages are tested in a real browser.
$(VENV)/chromium: | $(VENV)/python
	@command -v chromium >/dev/null || $(call debian,chromium)
	@touch $@

# The pages' scripts are bundled when the package is installed, by the machine's Node or, without one, by a packaged one.
$(VENV)/node: requirements/node.txt | $(VENV)/python
	@node -e 'process.exit(parseInt(process.versions.node) < 20)' 2>/dev/null && command -v npm >/dev/null \
	  || $(BIN)/pip install --quiet --require-hashes -r requirements/node.txt
	@touch $@

$(VENV)/dev: requirements/dev.txt | $(VENV)/python $(VENV)/node $(VENV)/pango $(VENV)/tools $(VENV)/postgresql $(VENV)/chromium $(ACCOUNTS)/ready $(AWSCLI)/ready $(LINT)/ready
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m tools.install_static_checks
	@touch $@
	@touch $(VENV)/run

# The emulated AWS accounts that tests/aws works in pin libraries of their own.
$(ACCOUNTS)/ready: requirements/ministack.txt | $(VENV)/python
	$(PYTHON) -m venv $(ACCOUNTS)
	$(ACCOUNTS)/bin/pip install --quiet --require-hashes -r requirements/ministack.txt
	@touch $@

# The guides call AWS's command line, which pins libraries of its own, too.
$(AWSCLI)/ready: requirements/awscli.txt | $(VENV)/python
	$(PYTHON) -m venv $(AWSCLI)
	$(AWSCLI)/bin/pip install --quiet --require-hashes -r requirements/awscli.txt
	@touch $@

# What checks templates, policies, images, workflows and scripts pins libraries of its own, too.
$(LINT)/ready: requirements/lint.txt | $(VENV)/python
	$(PYTHON) -m venv $(LINT)
	$(LINT)/bin/pip install --quiet --require-hashes -r requirements/lint.txt
	@touch $@

# The libraries we measure against are no part of the project.
$(PEERS)/ready: requirements/bench.txt | $(VENV)/python
	@command -v bart >/dev/null || $(call debian,bart)
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --require-hashes -r requirements/bench.txt
	@touch $@

# Nor is the server: it has an environment of its own, since it wants older packages than we do.
$(PREFECT)/ready: requirements/prefect.txt | $(VENV)/python
	$(PYTHON) -m venv $(PREFECT)
	$(PREFECT)/bin/pip install --quiet --require-hashes -r requirements/prefect.txt
	@touch $@
