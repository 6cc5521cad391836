# The one way in: a person and the continuous integration call the same targets.
# Everything lands in .venv; a stamp says which pinned list it holds.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/.stamps
WEB_STAMP := web/node_modules/.stamp
DEMO   ?= demo
# Quick ones, without real data; the others in benchmarks/ and studies/ say at their top how they are run.
BENCHMARKS ?= benchmarks/metrics.py

MAKEFLAGS += --no-print-directory --no-builtin-rules
export UV_HTTP_TIMEOUT ?= 300

UV_INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
              --no-header --no-annotate --no-emit-index-url $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.PHONY: help demo test check bench docs web web-check web-test format train-env serve-env dev-env lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(STAMPS)/light ## segment generated example scans and write a report (light install, no torch)
	@$(BIN)/breastseg demo --out $(DEMO)

test: $(STAMPS)/dev ## run the tests; those on real data run where BREASTSEG_DATA names the folder
	@echo "test: pytest on two processes"
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q $(TESTS)

check: $(STAMPS)/dev ## lint, formatting, types and the import rules
	@echo "check: ruff, mypy, import-linter"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(STAMPS)/dev ## measure speed and throughput on this machine
	@for script in $(BENCHMARKS); do echo "bench: $$script"; $(BIN)/python $$script || exit 1; done

docs: $(STAMPS)/dev ## write the reference's tables, check the links and run the code blocks
	@echo "docs: tables, links and code blocks"
	@$(BIN)/python docs/tables.py
	@$(BIN)/python docs/schemas.py
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q tests/test_docs.py

web: $(WEB_STAMP) ## build the browser app into web/dist (Node 20.19 or newer)
	@echo "web: vite"
	@npm --prefix web run --silent build -- --logLevel warn

web-test: $(STAMPS)/dev web ## the journeys through the browser app, in Debian's Chromium
	@echo "web-test: vitest and playwright-core on breastseg serve"
	@cd web && npm exec -- vitest run --config tests/vitest.config.ts

web-check: $(WEB_STAMP) ## types, lint and tests of the browser app
	@echo "web-check: tsc, eslint, vitest"
	@npm --prefix web run --silent check

format: $(STAMPS)/dev ## format the code and apply the safe fixes
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

train-env: $(STAMPS)/train ## install what training needs (torch), without the test tools

serve-env: $(STAMPS)/serve ## install what the service and the web app need (no torch)

dev-env: $(STAMPS)/dev ## install what the tests and checks need

lock: $(STAMPS)/uv ## pin requirements/*.txt again from pyproject.toml (UPGRADE=1 for newer versions)
	@echo "lock: requirements/*.txt"
	@$(UV_COMPILE) pyproject.toml --extra train --extra tune --extra dicom --extra ray --extra serve --extra oidc \
	  --extra postgresql --extra openvino --extra dev -o requirements/dev.txt
	@$(UV_COMPILE) pyproject.toml --extra train -c requirements/dev.txt -o requirements/train.txt
	@$(UV_COMPILE) pyproject.toml --extra dicom --extra serve -c requirements/dev.txt -o requirements/serve.txt
	@$(UV_COMPILE) pyproject.toml -c requirements/dev.txt -o requirements/light.txt
	@$(UV_COMPILE) requirements/bootstrap.in -c requirements/dev.txt -o requirements/bootstrap.txt

clean: ## remove the environment and everything that can be made again (runs/ is kept)
	@rm -rf $(VENV) $(DEMO) build dist web/dist web/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find src tests benchmarks studies -name __pycache__ -type d -exec rm -rf {} +
	@echo "clean: done"

# --- environments -------------------------------------------------------------------------

$(STAMPS)/uv: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "breastseg needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 1; }
	@echo "setup: virtual environment in $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "no virtual environment could be made; on Debian and Ubuntu install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/bootstrap.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/light: requirements/light.txt pyproject.toml | $(STAMPS)/uv
	@echo "setup: breastseg with what it runs on (no torch)"
	@$(UV_INSTALL) -r requirements/light.txt -e .
	@touch $@

$(STAMPS)/train: requirements/train.txt pyproject.toml | $(STAMPS)/uv
	@echo "setup: breastseg with torch, for training (about 3 GB)"
	@$(UV_INSTALL) -r requirements/train.txt -e '.[train]'
	@touch $@ $(STAMPS)/light

$(STAMPS)/serve: requirements/serve.txt pyproject.toml | $(STAMPS)/uv
	@echo "setup: breastseg with the service (no torch)"
	@$(UV_INSTALL) -r requirements/serve.txt -e '.[dicom,serve]'
	@touch $@ $(STAMPS)/light

$(STAMPS)/dev: requirements/dev.txt pyproject.toml | $(STAMPS)/uv
	@echo "setup: breastseg with torch and the test tools (about 3 GB)"
	@$(UV_INSTALL) -r requirements/dev.txt -e '.[train,tune,dicom,serve,postgresql,openvino,dev]'
	@touch $@ $(STAMPS)/light $(STAMPS)/train $(STAMPS)/serve

$(WEB_STAMP): web/package.json web/package-lock.json
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null || \
	  { echo "the browser app needs Node 20.19 or newer, with npm, to be built"; exit 1; }
	@echo "setup: packages of the browser app"
	@npm --prefix web ci --silent
	@touch $@
