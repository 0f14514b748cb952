# Two commands matter: `make demo` shows kvmperf on real outputs, `make test` passes the whole suite.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: demo test lock docs audit clean
.DELETE_ON_ERROR:

# `python3` may be older than 3.11 while a newer one stands beside it: say so instead of failing inside pip.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "kvmperf: no $(PYTHON) here. hint: PYTHON=python3.12 make $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "kvmperf: $(PYTHON) is older than 3.11. hint: PYTHON=python3.12 make $(MAKECMDGOALS)"; exit 1; }
	@echo "creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing kvmperf[server] into $(VENV) (a minute or two)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "installing kvmperf[server] and its test tools into $(VENV) (a minute or two)"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	@$(BIN)/kvmperf demo $(if $(DEMO_EXIT),--no-serve,)

test: $(VENV)/.test
	@PATH="$(abspath $(BIN)):$$PATH" sh tests/run-all

lock:
	uv pip compile pyproject.toml --extra server --extra postgres --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --extra server --extra postgres --extra scale --extra login --group build --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -c requirements.lock -o requirements-dev.lock

# The documentation as a site in build/site; fails on a broken link.
docs: $(VENV)/.test
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Known holes in what the lock files pin; asks the package index, so it is not part of `make test`.
audit: $(VENV)/.test
	@$(BIN)/pip-audit --disable-pip --require-hashes -r requirements-dev.lock

clean:
	rm -rf $(VENV) build dist
