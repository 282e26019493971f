# make run    installs all it needs in a virtual environment and starts the product with a demo camera
# make test   installs all that tests need (system packages too when root) and runs everything
# make binary one file in dist/ that needs nothing but glibc
# make lint · bench · fuzz · soak · lock · clean

SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: run test prepared lint bench binary fuzz soak lock clean client native

VENV := .venv
PY := $(VENV)/bin/python
STAMPS := .cache/stamps
NATIVE := $(wildcard _native/*.pyx _native/*.h) setup.py
PYTHON_SOURCES := $(shell find appliance -name '*.py' -not -path 'appliance/web/client/*')
TEMPLATES := $(wildcard appliance/web/templates/*)
CLIENT := $(shell find appliance/web/client appliance/web/locale -type f -not -path '*/node_modules/*' -not -path '*/client/dev/*' -not -name '*.mo' 2>/dev/null)

run: $(STAMPS)/installed client native
	@exec $(VENV)/bin/fanal run --demo --data $${FANAL_DATA:-.fanal} $(ARGS)

# What tests need is independent of one another for the most part: packages are fetched while others are compiled.
test:
	@$(MAKE) --no-print-directory --jobs=4 --output-sync=line prepared
	build/test.sh $(ARGS)

prepared: $(STAMPS)/dev client native $(STAMPS)/peers $(STAMPS)/footage $(STAMPS)/async

lint: $(STAMPS)/dev native
	build/lint.sh

bench: $(STAMPS)/dev client native $(STAMPS)/peers
	$(PY) -m bench $(ARGS)

# The long runs; `make test` has short ones: ten minutes a parser, an hour of viewers.  FUZZ_SECONDS=…, ARGS="--seconds …"
fuzz: $(STAMPS)/dev native
	FANAL_FUZZ_SECONDS=$${FUZZ_SECONDS:-600} $(PY) -m pytest -q -o faulthandler_timeout=0 tests/fuzz $(ARGS)

soak: $(STAMPS)/dev client native $(STAMPS)/peers
	$(PY) -m tests.soak $(ARGS)

binary: dist/fanal

lock:
	build/venv.sh $(VENV)
	build/lock.sh

client: $(STAMPS)/client
native: $(STAMPS)/native

$(STAMPS)/venv: build/venv.sh
	build/venv.sh $(VENV)
	@mkdir -p $(@D) && touch $@

# What the product runs on, and itself in place: sources stay where they are.
$(STAMPS)/installed: $(STAMPS)/venv build/requirements/run.txt build/requirements/build.txt pyproject.toml
	$(PY) -m pip install -q --require-hashes -r build/requirements/build.txt
	$(PY) -m pip install -q --require-hashes -r build/requirements/run.txt
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(PY) -m pip install -q --no-build-isolation --no-deps -e .
	@touch $@

$(STAMPS)/dev: $(STAMPS)/installed build/requirements/dev.txt
	$(PY) -m pip install -q --require-hashes -r build/requirements/dev.txt
	@touch $@

$(STAMPS)/native: $(STAMPS)/installed $(NATIVE)
	$(PY) setup.py -q build_ext --inplace
	@touch $@

$(STAMPS)/client: $(STAMPS)/installed build/webclient.py $(CLIENT)
	$(PY) build/webclient.py
	@touch $@

dist/fanal: $(STAMPS)/native $(STAMPS)/client $(PYTHON_SOURCES) $(TEMPLATES) pyproject.toml LICENSE README.md \
            build/binary.sh build/backend.py build/catalogues.py build/requirements/run.txt build/requirements/binary.txt \
            packaging/fanal.spec packaging/start.py
	build/binary.sh

# Debian's packages, behind those that the environment needed; and one from npm, which comes with the other tools.
$(STAMPS)/packages: tests/peers/install.sh | $(STAMPS)/venv
	tests/peers/install.sh packages
	@touch $@

$(STAMPS)/peers: $(STAMPS)/packages $(STAMPS)/dev tests/peers/install.sh
	tests/peers/install.sh npm
	@touch $@

# The slowest of the linters, while others wait for the network.
$(STAMPS)/async: $(STAMPS)/dev $(PYTHON_SOURCES) build/lint.sh
	build/lint.sh async

# What the simulated cameras send, so that no test waits for it to be coded.
$(STAMPS)/footage: $(STAMPS)/packages $(STAMPS)/dev tests/peers/cameras.py tests/peers/footage.py
	$(PY) -m tests.peers.cameras
	@touch $@

clean:
	rm -rf .cache dist $(VENV) *.egg-info appliance/web/static appliance/web/client/node_modules appliance/_native/*.so
