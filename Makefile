# Two commands: `make demo` and `make test`. Each installs all it needs, on Debian and Ubuntu, and touches nothing
# outside this folder but the system packages of contrib/setup/packages.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help demo test test-long lint format bench clean

help:
	@echo 'make demo    a real slapd with a sample directory, a stand-in for mailcow, and the sync between them'
	@echo 'make test    every test, with coverage'
	@echo 'make test-long  2,000 stories of the model and the whole fault matrix: half an hour or more'
	@echo 'make lint    ruff and mypy'
	@echo 'make bench   scale and speed: tables for 1,000 users, and for lists'

demo: $(READY)
	@$(BIN)/python -m contrib.demo

test: $(READY)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --fail-under=100 \
	  --include='ldap2mailcow/model/*,ldap2mailcow/desired/*,ldap2mailcow/plan/*,ldap2mailcow/report/*'

# What `make test` does a small part of: other stories each time, and every error at every step.
test-long: $(READY)
	RELIABILITY_EXAMPLES=$${RELIABILITY_EXAMPLES:-2000} FAULT_MATRIX=whole \
	  $(BIN)/python -m pytest --numprocesses 2 --dist loadfile tests/faults/test_model.py tests/faults/test_matrix.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	@$(BIN)/python -m bench.sync
	@echo
	@$(BIN)/python -m bench.aliases

$(READY): requirements.txt pyproject.toml contrib/setup/packages contrib/setup/install-packages
	contrib/setup/install-packages
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Python 3.11 or newer is needed; run make with PYTHON=/path/to/python3.11' >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable . --group dev
	@touch $@

clean:
	rm -rf .venv build *.egg-info .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache
