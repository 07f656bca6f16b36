# Two commands: `make demo` and `make test`. Both set everything up in .venv.

VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WHEEL := $(VENV)/wheel/.built
# NEURON 8.2 has wheels for Python up to 3.13.
VENV8 := .venv-neuron8
STAMP8 := $(VENV8)/.installed
HAS_NEURON8 := $(shell $(PYTHON) -c 'import sys; print("yes" if sys.version_info < (3, 14) else "")')
SOURCES := Cargo.toml Cargo.lock pyproject.toml $(shell find src templates python/gradmod -type f -not -name '*.pyc')

.PHONY: demo test quick lint lint-quick test-rust test-python test-thorough test-neuron8 generate generate-quick generate-derivatives bench bench-jaxley mutate mutate-by-generator clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# Built once for both environments.
$(WHEEL): $(BIN)/python $(SOURCES)
	rm -rf $(@D)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir $(@D) .
	touch $@

$(STAMP): $(WHEEL)
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps $(<D)/*.whl
	$(BIN)/python -m pip install --quiet "$$(ls $(<D)/*.whl)[test,demo]"
	touch $@

$(STAMP8): $(WHEEL)
	test -x $(VENV8)/bin/python || $(PYTHON) -m venv $(VENV8)
	$(VENV8)/bin/python -m pip install --quiet --upgrade pip
	$(VENV8)/bin/python -m pip install --quiet --force-reinstall --no-deps $(<D)/*.whl
	$(VENV8)/bin/python -m pip install --quiet 'pytest>=7' 'pytest-xdist>=3' 'scipy>=1.10' neuron==8.2.7
	touch $@

demo: $(STAMP)
	$(BIN)/python examples/demo.py

test: lint test-rust test-python test-neuron8 coverage-quick generate-quick

lint: $(STAMP) lint-quick
	RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --document-private-items
	$(BIN)/pyright --pythonpath $(BIN)/python

# Whatever an installed .venv holds will do for these.
INSTALLED := $(if $(wildcard $(STAMP)),,$(STAMP))
lint-quick: $(INSTALLED)
	cargo fmt --check
	cargo clippy --quiet --all-targets -- -D warnings
	$(BIN)/typos
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .

# While one works: what finds most mistakes in under two minutes on two quiet cores, once all is built. No wheel is made:
# Python takes the sources, and the command as cargo builds it for tests. `make test` is what a commit has to pass.
SLOW := bounds mutations
QUICK_TESTS := $(filter-out $(SLOW),$(basename $(notdir $(wildcard tests/*.rs))))
quick: lint-quick $(INSTALLED)
	cargo test --quiet --lib $(QUICK_TESTS:%=--test %)
	cargo test --quiet --doc
	GRADMOD_BINARY=$(abspath target/debug/gradmod) PYTHONPATH=$(abspath python) $(FAST) $(BIN)/python -m pytest -q \
		python/tests/test_gradients.py python/tests/test_reverse.py::test_reference_models

test-rust:
	cargo test

# Two files at a time, each in a process of its own: NEURON keeps every mechanism that was ever loaded. The longest first.
LONGEST := $(addprefix python/tests/test_,reverse.py every_parameter.py constructs.py check.py second_order.py bluepyopt.py extracellular.py)
# The compiler takes longer than the runs: a sixth less of all with -O0 for emitted mechanisms, while those of the model are
# compiled once. The machine code differs, its numbers do not.
FAST = GRADMOD_CXXFLAGS=-O0 CXXFLAGS='-O1 -std=c++17' MAKEFLAGS=' -- CXXFLAGS=-O1\ -std=c++17'
test-python: $(STAMP)
	cd python/tests && $(FAST) $(abspath $(BIN))/python -c 'from models import library; library.compile_fixtures()'
	(ls $(LONGEST); ls -S $(filter-out $(LONGEST),$(wildcard python/tests/test_*.py))) | \
		$(FAST) xargs -n 1 -P 2 $(BIN)/python -m pytest -q -m 'not thorough'

# More of what `make test` tries: other values of what its tests are made with. Before a release.
test-thorough: $(STAMP)
	grep -l 'mark\.thorough' python/tests/test_*.py | $(FAST) xargs -n 1 $(BIN)/python -m pytest -q -m thorough

ifeq ($(HAS_NEURON8),yes)
test-neuron8: $(STAMP8)
	$(VENV8)/bin/python -m pytest -n 2 python/tests/test_gradients.py python/tests/test_attach.py python/tests/test_build.py \
		python/tests/test_build_command.py::test_without_a_compiler \
		python/tests/test_second_order.py::test_two_spiking_cells_both_ways \
		'python/tests/test_every_parameter.py::test_own_channels[0.05-tables off]'
else
test-neuron8:
	@echo 'not run: there is no NEURON 8.2.7 for this Python (3.14 or later)'
endif

# .mod files of packages on PyPI, each compared with finite differences: docs/coverage.md. An hour or more.
coverage: $(STAMP)
	$(BIN)/python benches/coverage.py

# A fixed sample of them: none may be a mismatch, none that was exact may be anything else.
coverage-quick: $(STAMP)
	$(FAST) $(BIN)/python benches/coverage.py --quick

# Mechanisms, cells and runs made at random, compared with finite differences: tests/generator. What fails is made small
# and put into .generated. About 2.5 seconds of one core for each mechanism.
SEED ?= 1
GENERATE = PYTHONPATH=tests $(BIN)/python -m generator
generate: N ?= 400
generate: $(STAMP)
	$(GENERATE) -n $(N) --seed $(SEED)

# A fixed part of them.
generate-quick: $(STAMP)
	$(GENERATE) -n 12 --seed 7001 --no-shrink

# Derivatives of programs made at random, without NEURON. A million take some minutes.
generate-derivatives: N ?= 1000000
generate-derivatives:
	PROGRAMS=$(N) SEED=$(SEED) cargo test --release --test derivatives -- --nocapture

# Breaks the compiler in one place after another: every mutant must fail a test. About half an hour.
mutate: $(STAMP)
	$(BIN)/python tests/mutation/mutate.py

# Which of them the generator finds by itself, without any test written for them. An hour and a half.
mutate-by-generator: $(STAMP)
	$(BIN)/python tests/mutation/by_generator.py

JAXLEY = .venv-jaxley/bin/python
$(JAXLEY): $(SOURCES)
	test -x $(JAXLEY) || $(PYTHON) -m venv .venv-jaxley
	$(JAXLEY) -m pip install --quiet '.[test]' jaxley==0.14.0
	touch $(JAXLEY)

# Costs on this machine -> docs/benchmarks.md and a picture. Some minutes, on a quiet one.
bench: $(STAMP) $(JAXLEY)
	$(BIN)/python benches/table.py --jaxley $(JAXLEY)
	cargo bench --quiet --bench transform

# One loss and its derivatives by gradmod and by Jaxley, side by side.
bench-jaxley: $(JAXLEY)
	$(JAXLEY) benches/jaxley_hh.py

clean:
	rm -rf $(VENV) $(VENV8) .venv-jaxley .coverage target
