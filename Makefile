# Two commands: `make demo` and `make test`. Both set everything up in .venv.

VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := Cargo.toml Cargo.lock pyproject.toml $(shell find src templates python/gradmod -type f -not -name '*.pyc')

.PHONY: demo test test-rust test-python clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(STAMP): $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --quiet '.[test,demo]'
	touch $@

demo: $(STAMP)
	$(BIN)/python examples/demo.py

test: test-rust test-python

test-rust:
	cargo test

test-python: $(STAMP)
	$(BIN)/python -m pytest python/tests

clean:
	rm -rf $(VENV) target
