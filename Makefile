# make demo    the whole way on this machine: headlines and prices in, alerts out
# make test    every test that this machine can run
BROKER ?= embedded
ARGS ?=

# python3 where it is new enough, else a newer one by name; empty where there is none.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PIP_INSTALL = bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: setup demo test parity check fmt bench pins clean

setup: .venv/ready

demo: .venv-demo/ready
	@.venv-demo/bin/tapewire demo --broker $(BROKER) $(ARGS)

test: .venv/ready
	@.venv/bin/pytest $(ARGS)

# The same inputs by 22 ways, workers killed on some of them: 10 to 40 minutes on two cores.
parity: .venv/ready
	@.venv/bin/python -m tests.parity $(ARGS)

check: .venv/ready
	.venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/mypy && .venv/bin/lint-imports

fmt: .venv/ready
	.venv/bin/ruff format . && .venv/bin/ruff check --fix .

bench: .venv/ready
	.venv/bin/python -m benchmarks $(ARGS)

# Newest versions that pyproject.toml allows, as names and versions only.
pins:
	rm -rf build/pins && $(PYTHON) -m venv build/pins && build/pins/bin/pip install --quiet -e '.[demo,dev,bench]'
	build/pins/bin/pip freeze --exclude-editable > constraints.txt

clean:
	rm -rf .venv .venv-demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov

# The stamp is the last step: a setup that was interrupted begins again.
.venv/ready: extras = dev
.venv-demo/ready: extras = demo
.venv/ready .venv-demo/ready: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Tapewire needs Python 3.11 or newer, and none was found: install it, or name it with make PYTHON=/path/to/python3."; exit 2; }
	@echo "Setting up $(@D) (once, half a minute) ..."
	@$(PYTHON) -m venv $(@D)
	@$(@D)/$(PIP_INSTALL) --editable '.[$(extras)]'
	@touch $@
