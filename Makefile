# The newcomer's door: `make` lists what there is. Needs Python 3.11 or newer, and make.

VENV  := .venv
BIN   := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := .venv-peers
LOCKS := requirements.lock requirements-dev.lock requirements-build.lock
CODE  := schemas detectors routing streams sdk tests benchmarks examples tools
SHELL := /bin/sh

export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help env peers demo test nightly bench lint format lock schemas clean

help: ## this list
	@printf '\n  \033[1magent-oversight\033[0m watches the event streams of AI agents and pages the one right person, once.\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[36mmake %-9s\033[0m %s\n", $$1, $$2 }' Makefile
	@printf '\n  Start with \033[1mmake demo\033[0m; before a commit \033[1mmake test\033[0m.\n\n'

env: $(READY) ## make .venv, from the locks, and nothing else

# The first Python that fits: `python3` where it does, else by name. PYTHON=/path/to/python wins.
$(READY): pyproject.toml sdk/pyproject.toml $(LOCKS)
	@set -e; \
	fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, $(if $(PYTHON),99,14)))'; \
	python=''; \
	for each in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python); do \
	  if "$$each" -c "$$fits" >/dev/null 2>&1; then python="$$each"; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  printf '\033[31mNo Python 3.11, 3.12 or 3.13 here%s.\033[0m\n' '$(if $(PYTHON), (PYTHON=$(PYTHON) is none))' >&2; \
	  printf 'Install one (Debian: apt-get install python3 python3-venv), or name it: make env PYTHON=/path/to/python3.12\n' >&2; \
	  exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
	  printf '\033[31m%s cannot make environments: its venv module is missing.\033[0m\n' "$$python" >&2; \
	  printf 'Install it (Debian: apt-get install python3-venv) and try again.\n' >&2; \
	  exit 1; \
	fi; \
	if ! $(BIN)/python -c "$$fits" >/dev/null 2>&1; then rm -rf $(VENV); "$$python" -m venv $(VENV); fi; \
	printf '\033[36mInstalling %s locked packages into %s (a minute or two, once) …\033[0m\n' \
	  "$$(cat $(LOCKS) | grep -o '^[a-z0-9._-]*==' | sort -u | wc -l | tr -d ' ')" '$(VENV)'; \
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock -r requirements-build.lock; \
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable . --editable sdk; \
	touch $(READY); \
	printf '\033[32mReady:\033[0m %s\n' '$(BIN)/oversight --help'

peers: $(PEERS)/.ready ## make .venv-peers: what `make bench` is compared with (Quix Streams, Bytewax)

# Apart, since nothing else needs them and their pins are others.
$(PEERS)/.ready: requirements-peers.lock | $(READY)
	@test -x $(PEERS)/bin/python || $(BIN)/python -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --require-hashes -r requirements-peers.lock
	@touch $@

demo: env ## an embedded broker, a simulated fleet with incidents, pages in this terminal
	@$(BIN)/oversight demo

test: env ## everything: lint, types, contracts, tests, coverage, each broker that can be had
	@$(BIN)/python tools/gates.py

nightly: env ## the long forms of everything, hours; PARTS="nights differential" some, PARTS=list which
	@$(BIN)/python -m tools.nightly $(PARTS)

bench: env ## the benchmarks: figures for docs/performance.md
	@$(BIN)/python benchmarks/event_costs.py
	@$(BIN)/python benchmarks/growth.py
	@$(BIN)/python benchmarks/throughput.py
	@$(BIN)/python benchmarks/two_workers.py
	@$(BIN)/python benchmarks/latency.py
	@$(BIN)/python benchmarks/catching_up.py
	@$(BIN)/python benchmarks/memory.py
	@$(BIN)/python benchmarks/cause_costs.py
	@$(BIN)/python benchmarks/advice.py
	@$(BIN)/python benchmarks/publishing.py
	@$(BIN)/python benchmarks/open_incidents.py

lint: env ## ruff, mypy and import-linter only
	@$(BIN)/python tools/gates.py lint format types imports

format: env ## let ruff mend what it can
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

schemas: env ## write schemas/json/ anew from the structs
	@$(BIN)/python tools/publish_schemas.py

# No address of any registry, and no folder of this machine, may end in a lock.
COMPILE = env -u PIP_FIND_LINKS -u PIP_INDEX_URL -u PIP_EXTRA_INDEX_URL $(BIN)/pip-compile --quiet \
	--generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host pyproject.toml

lock: env ## resolve the newest versions that pyproject.toml allows, with hashes
	@$(COMPILE) --upgrade --extra ical --output-file requirements.lock
	@$(COMPILE) --upgrade --extra apprise --extra demo --extra dev --extra ical --extra otlp --constraint requirements.lock --output-file requirements-dev.lock
	@$(COMPILE) --upgrade --extra peers --output-file requirements-peers.lock
	@$(COMPILE) --upgrade --only-build-deps --build-deps-for wheel --build-deps-for editable \
	  --constraint requirements-dev.lock --output-file requirements-build.lock

clean: ## remove .venv and every cache
	@rm -rf $(VENV) $(PEERS) .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist
