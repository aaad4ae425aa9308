# Everything that is done from a shell. `make run` needs Python 3.11 or later and make, nothing else.
#   make run [PORT=8000] [HOST=127.0.0.1] [PERENNIAL_HOME=folder] [DATABASE_URL=... REDIS_URL=...] [DEMO=no]
#   make test [ARGS="-k import"] [WORKERS=auto]      make evaluate [ONLY=telco]
#   make bench [N=1000000] [ONLY=recompute,pages,edits,imports,bulk,history]

VENV := .venv
PY := $(VENV)/bin/python
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
N ?= 1000000
ONLY ?=
ARGS ?=
# Processes that the tests are shared among; 0 is this one alone.
WORKERS ?= auto
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --no-input
# A stamp names the whole set of packages, so that two checkouts of different age never share a half-updated one.
RUNTIME := $(VENV)/.installed-runtime
DEVELOPMENT := $(VENV)/.installed-development

.PHONY: run test lint types check bench evaluate try-real screenshots install install-dev clean

run: $(RUNTIME)
	@$(PY) -m config.supervisor

test: $(DEVELOPMENT)
	$(PY) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: $(DEVELOPMENT)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(VENV)/bin/lint-imports

types: $(DEVELOPMENT)
	$(PY) -m mypy .

check: lint types test

bench: $(RUNTIME)
	$(PY) -m bench.run --renewals $(N) --only "$(ONLY)"

# The labelled files lie in ../shared/data, or where PERENNIAL_REAL_DATA says.
evaluate: $(RUNTIME)
	$(PY) -m bench.evaluate $(if $(ONLY),--only $(ONLY))

try-real: $(RUNTIME)
	$(PY) manage.py try_real

screenshots: $(DEVELOPMENT)
	$(PY) -m bench.screenshots

install: $(RUNTIME)
install-dev: $(DEVELOPMENT)

$(RUNTIME): requirements.txt | $(VENV)/bin/pip
	@echo "Installing packages..."
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(DEVELOPMENT): requirements-dev.txt $(RUNTIME)
	@echo "Installing packages for tests and checks..."
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

$(VENV)/bin/pip:
	@test -n "$(PYTHON)" || { echo "Perennial needs Python 3.11 or later. Install it, or name it: make run PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Perennial needs Python 3.11 or later; $(PYTHON) is `$(PYTHON) --version 2>&1`." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: it lacks venv or ensurepip." >&2; \
		echo "On Debian and Ubuntu: apt install python3-venv. Or name another one: make run PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Making the virtual environment..."
	@$(PYTHON) -m venv --clear $(VENV)

# Leaves the data (.perennial/) alone.
clean:
	rm -rf $(VENV) staticfiles test-results .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
