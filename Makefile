# `make run` and `make test` come first.  Every target installs what it needs into .venv.

PORT ?= 8000
VAR ?= var
PYTHON ?= python3
STEPS ?= 10000
SEED ?= 5
TESTS ?=
VENV := .venv
CHROMIUM := /usr/bin/chromium-headless-shell
NPM_CLIENTS := tests/clients/node_modules/.package-lock.json
DESIGN := bb2/static/cms/integrity.txt
DOCS := bb2/docs_built/sources.txt

# What one process has compiled, the next need not: a machine may say otherwise.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test proofs lint pictures benchmark clean

run: $(VENV)/.installed $(DESIGN) $(DOCS)
	@VAR="$(VAR)" BB2_PORT="$(PORT)" exec $(VENV)/bin/bb2 --config development.ini serve --init

test: $(VENV)/.installed-for-tests $(DESIGN) $(DOCS) $(NPM_CLIENTS) $(CHROMIUM) lint
	TESTS=$(TESTS) $(VENV)/bin/pytest -n 3 --dist loadfile --no-loadscope-reorder

# The state machine, the fuzzing, the declining, the searching and the synthetic people of `make test`, for some minutes
# each.
proofs: $(VENV)/.installed-for-tests $(DESIGN)
	STEPS=$(STEPS) SEED=$(SEED) $(VENV)/bin/pytest -s \
		tests/oauth/test_state_machine.py tests/oauth/proof_of_the_machine.py tests/oauth/test_fuzz.py \
		tests/fhir/test_fhir_declining.py tests/fhir/proof_of_declining.py tests/fhir/test_fhir_redaction.py \
		tests/fhir/test_fhir_sources.py tests/sandbox/proof_of_the_people.py \
		tests/clients/proof_of_personas.py tests/reference/test_schemathesis.py

lint: $(VENV)/.installed-for-tests
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

pictures: $(VENV)/.installed-for-tests $(DESIGN) $(CHROMIUM)
	$(VENV)/bin/python docs/make_pictures.py

# bb2 beside its peers, and its records beside bare statements.
# `make benchmark ROUNDS=1 SECONDS=0.2 CLAIMS=200 RECORDS=500 PEOPLE=100` only shows that it works.
ROUNDS ?= 5
SECONDS ?= 2
CLAIMS ?= 20000
PEOPLE ?= 10000
RECORDS ?= 10000

benchmark: $(VENV)/.installed-for-benchmarks $(DESIGN)
	@$(VENV)/bin/python benchmarks/oauth.py --rounds $(ROUNDS) --seconds $(SECONDS)
	@$(VENV)/bin/python benchmarks/records.py --claims $(CLAIMS)
	@$(VENV)/bin/python benchmarks/loading.py --rounds $(ROUNDS) --records $(RECORDS)
	@$(VENV)/bin/python benchmarks/people.py --people $(PEOPLE)

# uv installs in seconds what takes pip a minute; pip goes on where uv cannot, as with an index that only pip is told of.
PIP := $(VENV)/bin/pip --quiet --disable-pip-version-check
install = $(VENV)/bin/uv pip install --quiet --python $(VENV)/bin/python --editable '$(1)' || $(PIP) install --editable '$(1)'

$(VENV)/bin/uv:
	@echo "Installing into $(VENV)."
	$(PYTHON) -m venv $(VENV)
	$(PIP) install uv || true

$(VENV)/.installed-for-benchmarks: setup.py | $(VENV)/.installed-for-tests
	$(call install,.[benchmarks])
	@touch $@

$(VENV)/.installed: setup.py | $(VENV)/bin/uv
	$(call install,.)
	@touch $@

$(VENV)/.installed-for-tests: setup.py | $(VENV)/bin/uv
	$(call install,.[test])
	@touch $@ $(VENV)/.installed

# The design system of the pages.  The installing has brought it, with an npm of its own where the machine has none;
# this brings another version later.
$(DESIGN): design_system.py | $(VENV)/bin/uv
	@$(VENV)/bin/python design_system.py
	@touch $@

# The documentation.  The installing has built it; this builds what was written later: with the tests' own Sphinx, or,
# where there is none, by installing once more.
$(DOCS): build_docs.py $(shell find docs -type f -not -path '*/__pycache__/*') | $(VENV)/bin/uv
	@$(VENV)/bin/python build_docs.py || { $(call install,.); }
	@touch $@

# The npm clients of tests/clients, by the Node that the tests bring along.
$(NPM_CLIENTS): tests/clients/package.json tests/clients/package-lock.json | $(VENV)/.installed-for-tests
	@echo "Installing the npm clients of the tests."
	@$(VENV)/bin/npm ci --no-audit --no-fund --loglevel=error --prefix tests/clients
	@touch $@

# The browser of the browser tests, where it is missing: Debian's Chromium, in its build without windows, which takes
# half the time.  Where it cannot be installed, Chromium itself does.
$(CHROMIUM):
	@echo "Installing Chromium for the browser tests."
	@if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
	{ $$sudo apt-get update -qq && $$sudo apt-get install -y -qq chromium-headless-shell; } || test -x /usr/bin/chromium

clean:
	rm -rf $(VENV) bb2/static/cms bb2/static/swagger-ui bb2/docs_built artifacts build dist *.egg-info tests/clients/node_modules benchmarks/peers/oidc_provider/node_modules
