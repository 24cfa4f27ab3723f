# Two commands: `make demo` and `make test`. Each installs all it needs, on Debian and Ubuntu, and touches nothing
# outside this folder but the system packages of contrib/setup/packages.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
ALONE := env -i HOME="$$HOME" PATH="$$PATH" TMPDIR="$${TMPDIR:-/tmp}" LANG=C.UTF-8

.PHONY: help demo demo-all test test-long lint format bench lock clean

help:
	@echo 'make demo    a real slapd with a sample directory, a stand-in for mailcow, and the sync between them'
	@echo 'make demo-all   the same, and every finding'
	@echo 'make test    every test, with coverage'
	@echo 'make test-long  2,000 stories of the model, every fault at every step, and every fuzz: an hour or more'
	@echo 'make lint    ruff, mypy and xenon'
	@echo 'make bench   scale and speed: tables for 1,000 users, and for lists'
	@echo 'make lock    requirements.lock with the newest releases that requirements.txt allows'

demo: $(READY)
	@$(BIN)/python -m contrib.demo

demo-all: $(READY)
	@$(BIN)/python -m contrib.demo --all

# What a user has set changes no test. coverage writes a file for each process; their folder goes, however the tests end.
test: $(READY)
	@echo 'Every test, with coverage: about 15 minutes on two processors.'
	@set -e; data=$$(mktemp -d); trap 'rm -rf "$$data"' EXIT; trap 'exit 1' HUP INT TERM; \
	coverage() { $(ALONE) COVERAGE_FILE="$$data/coverage" $(BIN)/coverage "$$@"; }; \
	coverage run -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile; \
	coverage combine --quiet; \
	coverage report --fail-under=95; \
	coverage report --fail-under=100 \
	  --include='ldap2mailcow/model/*,ldap2mailcow/desired/*,ldap2mailcow/plan/*,ldap2mailcow/report/*'

# What `make test` does a small part of: other stories each time, every error at every step, and spoiled files.
test-long: $(READY)
	$(ALONE) RELIABILITY_EXAMPLES=$${RELIABILITY_EXAMPLES:-2000} FAULT_MATRIX=whole FUZZ=whole $(BIN)/python -m pytest \
	  --numprocesses 2 --dist loadfile tests/faults tests/fuzz

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/xenon --max-absolute B ldap2mailcow

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	@$(BIN)/python -m bench.sync
	@echo
	@$(BIN)/python -m bench.aliases

# For every Python and processor at once, and of no other index than the public one, whatever this machine is set to.
lock: $(READY)
	@$(PYTHON) -m venv --clear build/lock
	@build/lock/bin/pip install -qq uv
	env -i HOME="$$HOME" PATH="$$PATH" $${SSL_CERT_FILE:+SSL_CERT_FILE="$$SSL_CERT_FILE"} build/lock/bin/uv --no-config \
	  pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes requirements.txt -o requirements.lock
	@rm -rf build/lock

# pip says no more than what fails: its warnings are of the machine's settings.
$(READY): requirements.lock pyproject.toml contrib/setup/packages contrib/setup/install-packages
	@contrib/setup/install-packages $(PYTHON)
	@echo 'Installing Python packages into .venv, for about a minute.'
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install -qq --upgrade pip
	@$(BIN)/pip install -qq --require-hashes --requirement requirements.lock
	@$(BIN)/pip install -qq --no-deps --editable .
	@$(BIN)/pip install -qq --group dev
	@touch $@

clean:
	rm -rf .venv build *.egg-info .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache
