# make demo   train a small MLP on real data, convert it to every form, verify it    (installs what it needs into .venv)
# make test   everything the tests need, and the tests         make test-slow   the long sweeps, from new seeds
# make bench  speed beside other runtimes, as ratios measured in one run; bench-mcu, bench-fpga, bench-spiking,
#             bench-tflite, bench-training alike               make lint        ruff and mypy
# make bench-fpga-frontier   accuracy over lookup tables beside HGQ2 with da4ml, torchlogix and boosted trees, in hours
# make figures  measures again what README and docs show       make mutants     breaks that the quick tests must see
# make site   the documentation as a site, in build/site
# make check  in under 2 minutes what CI looks at first        make types       mypy alone, which remembers, while editing
PYTHON ?= python3
VENV   := .venv
OLD    := .venv-tflite-runtime
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip install --disable-pip-version-check --quiet -c constraints.txt

# Tests run side by side in so many processes, each on one processor. PYTEST_OPTIONS are added to those of the tests;
# SWEEP says how much of the long sweeps runs (tests/sweeps.py).
WORKERS        ?= 2
PYTEST_OPTIONS ?=
SWEEP          ?= --sweep-seed new
PYTEST         := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

# What sees most of a wrong change in little time.
CHECKED := tests/house tests/same_bytes tests/mutants tests/network tests/sdk/system tests/sdk/verification tests/targets/c

.PHONY: check types demo test test-slow mutants figures bench bench-cpu bench-logic bench-mcu bench-fpga bench-fpga-frontier bench-spiking bench-tflite bench-training site lint clean

demo: $(VENV)/.demo $(OLD)/.ready
	$(BIN)/edgeml demo -o build/demo

test: $(VENV)/.test $(OLD)/.ready
	$(PYTEST) -m "not slow" $(PYTEST_OPTIONS)

test-slow: $(VENV)/.test $(OLD)/.ready
	$(PYTEST) -m slow $(SWEEP) $(PYTEST_OPTIONS)

check: lint
	$(PYTEST) -m "not slow" $(CHECKED) $(PYTEST_OPTIONS)

mutants: $(VENV)/.test $(OLD)/.ready
	$(BIN)/python -m tests.mutants --workers $(WORKERS)

figures: $(VENV)/.test $(OLD)/.ready
	$(BIN)/python -m benchmarks.figures

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

bench-cpu bench-logic bench-mcu bench-fpga bench-spiking bench-tflite bench-training: bench-%: $(VENV)/.bench
	$(BIN)/python -m benchmarks.$*

# Hours on an idle machine; what is done already is not done again. Data set can: CAN_LOG=FILE; jet networks: JETS=FOLDER.
bench-fpga-frontier: $(VENV)/.bench build/frontier-venv/.ready
	$(BIN)/python -m benchmarks.fpga_frontier --write $(if $(CAN_LOG),--can-log $(CAN_LOG)) $(if $(JETS),--jets $(JETS))

# The rivals of bench-fpga-frontier, apart: they are no dependencies of this project.
build/frontier-venv/.ready: benchmarks/fpga_frontier/requirements.txt
	$(PYTHON) -m venv build/frontier-venv
	build/frontier-venv/bin/pip install --disable-pip-version-check --quiet -r $<
	touch $@

site: $(VENV)/.test
	$(BIN)/python -m mkdocs build --strict --site-dir build/site

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(MAKE) --no-print-directory types

types: $(VENV)/.test build/typed
	MYPYPATH=build/typed $(BIN)/mypy -p edgeml

# The folders under the names that they are installed by, which mypy cannot be told otherwise.
.PHONY: build/typed
build/typed:
	rm -rf $@ && mkdir -p $@/edgeml
	ln -s $(addprefix $(CURDIR)/,$(wildcard sdk/*) converters targets firmware_stubs) $@/edgeml/

# torch comes first and pinned: a later range that it satisfies cannot pull in a build with CUDA.
$(VENV)/.torch: constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch
	touch $@

# The project's own name was edgeml once: an environment of that time has it under both names, and everything twice.
FORGET := $(BIN)/pip uninstall --disable-pip-version-check --quiet --yes edgeml 2>/dev/null || true

$(VENV)/.demo: $(VENV)/.torch pyproject.toml setup.py
	$(FORGET)
	$(PIP) -e '.[demo]'
	touch $@

$(VENV)/.test: $(VENV)/.torch pyproject.toml setup.py
	$(FORGET)
	$(PIP) -e '.[test,lint]'
	$(PIP) -e '.[xylo]' || echo "xylosim was not built (Debian: apt install g++ python3-dev): its tests are skipped"
	touch $@ $(VENV)/.demo

$(VENV)/.bench: $(VENV)/.test
	$(PIP) -e '.[all]'
	$(PIP) --no-deps emlearn
	touch $@

# tflite-runtime needs numpy < 2 and Python ≤ 3.11, so it lives in an environment of its own; without it, verify says so.
$(OLD)/.ready: constraints.txt
	@if $(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 12))'; then \
		$(PYTHON) -m venv $(OLD) && \
		$(OLD)/bin/pip install --disable-pip-version-check --quiet 'tflite-runtime==2.14.0' 'numpy<2'; \
	else \
		echo "tflite-runtime has no wheel for this Python; its executors will be reported as unavailable"; mkdir -p $(OLD); \
	fi
	@touch $@

clean:
	rm -rf build dist $(VENV) $(OLD) *.egg-info
