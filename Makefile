# Two commands: `make run` and `make test`.  Both install what they need into .venv.

PORT ?= 8000
VAR ?= var
PYTHON ?= python3
VENV := .venv
CHROMIUM := /usr/bin/chromium

.PHONY: run test lint pictures clean

run: $(VENV)/.installed
	@VAR="$(VAR)" BB2_PORT="$(PORT)" exec $(VENV)/bin/bb2 --config development.ini serve --init

test: $(VENV)/.installed-for-tests $(CHROMIUM) lint
	$(VENV)/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.installed-for-tests
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

pictures: $(VENV)/.installed-for-tests $(CHROMIUM)
	$(VENV)/bin/python docs/make_pictures.py

$(VENV)/.installed: setup.py
	@echo "Installing into $(VENV): about a minute."
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-for-tests: setup.py
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/.installed

# The browser of the browser tests, where it is missing: Debian's.
$(CHROMIUM):
	@echo "Installing Chromium for the browser tests."
	@if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq chromium; \
	else sudo apt-get update -qq && sudo apt-get install -y -qq chromium; fi

clean:
	rm -rf $(VENV) artifacts build dist *.egg-info
