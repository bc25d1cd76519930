# make demo   train a small MLP on real data, convert it, verify it          make test   everything the tests need, and the tests
# make bench  speed beside other runtimes, as ratios measured in one run     make lint   ruff and mypy
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip install --disable-pip-version-check --quiet -c constraints.txt

.PHONY: demo test test-slow bench lint clean

demo: $(VENV)/.demo
	$(BIN)/edgeml demo -o build/demo

test: $(VENV)/.test
	$(BIN)/pytest -m "not slow"

test-slow: $(VENV)/.test
	$(BIN)/pytest -m slow

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy sdk/network

# torch comes first and pinned: a later range that it satisfies cannot pull in a build with CUDA.
$(VENV)/.torch: constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch
	touch $@

$(VENV)/.demo: $(VENV)/.torch pyproject.toml setup.py
	$(PIP) -e '.[toolchain,demo]'
	touch $@

$(VENV)/.test: $(VENV)/.torch pyproject.toml setup.py
	$(PIP) -e '.[all]'
	touch $@ $(VENV)/.demo

clean:
	rm -rf build dist $(VENV) .venv-* *.egg-info
