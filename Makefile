# Everything a user types. A fresh machine needs python3.11, make and a C++ compiler (icet is
# built from source). Nothing is installed outside .venv.
#   make install          torch with its CUDA libraries; or without, where pip is set up for that
#   make install CPU=1    torch without CUDA; CPU=0: with, whatever pip is set up for

PYTHON ?= python3.11
BIN := .venv/bin
INSTALLED := .venv/.installed
PROFILES := $(or $(XDG_CONFIG_HOME),$(HOME)/.config)/snakemake

.PHONY: install lock gpaw demo demo-all chain test test-slurm lint format schema docs profiles \
  reference results clean

install: $(INSTALLED)

$(INSTALLED): requirements.txt requirements-cuda.txt requirements-cpu.txt pyproject.toml
	$(PYTHON) -m venv .venv
	PATH="$(CURDIR)/$(BIN):$$PATH" DISMAI_CPU="$(CPU)" envs/install.sh --editable
	touch $@

# Remakes requirements.txt, -cuda.txt and -docs.txt from pyproject.toml; versions that still fit
# stay, unless UP says otherwise (UP="--upgrade-package ase", UP=--upgrade).
lock:
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet uv==0.13.9
	PATH="$(CURDIR)/build/lock/bin:$$PATH" envs/lock.sh $(UP)

# GPAW, one of the engines of the labels. Needs the Debian packages libxc-dev, libopenblas-dev and
# gpaw-data (docs/dft.md); the tests of GPAW run where it is installed.
gpaw: $(INSTALLED)
	$(BIN)/python -m pip install --no-deps -r requirements-gpaw.txt

# demo: one model that learns on a dataset of each kind. demo-all: six models on six datasets.
# chain: labels, trained potentials, and sets and generated structures that relax in them.
# One live run at a time; after a crash or Ctrl-C the same command goes on where it stopped.
demo demo-all chain: $(INSTALLED)
	@$(BIN)/python -m dismai.pipeline.demo $@

# One process a core, at most 8 (some tests take 1 GB); each file of tests stays in one of them, and
# the long ones begin first (tests/conftest.py).
# GPAW, where it is installed, is tested in a process of its own: a test after it failed for no reason.
test: $(INSTALLED)
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m pytest \
	  -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m pytest -m gpaw

# Root, and the Debian packages slurm-wlm and munge: a cluster of one node, on this machine.
test-slurm: $(INSTALLED)
	PATH="$(CURDIR)/$(BIN):$$PATH" tests/slurm/with_cluster \
	  python -m pytest -m "slurm and not slow" -s tests/slurm

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules

# Remakes the schema of the configuration, its documentation, the list of metrics and the reference
# of Python functions from the code.
schema: $(INSTALLED)
	$(BIN)/python -m dismai.pipeline.config_docs config/schema.json docs/configuration.md
	$(BIN)/python -m dismai.metrics.entries docs/metrics.md docs/glossary.md
	$(BIN)/python -m dismai.pipeline.api_docs docs/python.md

# The site of docs/: build/docs/html/index.html opens offline, its search too. The tools have an
# environment of their own, which is fetched once.
DOCS := build/docs
docs: $(DOCS)/.installed
	$(PYTHON) docs/site/prepare.py $(DOCS)/source
	$(DOCS)/env/bin/sphinx-build -W --keep-going -q -b html $(DOCS)/source $(DOCS)/html
	@echo "$(DOCS)/html/index.html"

$(DOCS)/.installed: requirements-docs.txt
	$(PYTHON) -m venv $(DOCS)/env
	$(DOCS)/env/bin/python -m pip install --quiet --no-deps --require-hashes -r $<
	touch $@

# docs/results.md and build/leaderboard.html, from our submission and those of others.
results: $(INSTALLED)
	$(BIN)/dismai submit results_mini
	$(BIN)/python -m dismai.report.results results_mini docs/results.md
	$(BIN)/dismai leaderboard results_mini $(wildcard submissions/*) --out build/leaderboard.html

# Makes `snakemake --profile local` and `--profile slurm` work as typed, from anywhere.
profiles:
	@mkdir -p "$(PROFILES)"
	@for name in local slurm; do \
	  link="$(PROFILES)/$$name"; target="$(CURDIR)/profiles/$$name"; \
	  if [ -L "$$link" ] && [ "$$(readlink "$$link")" = "$$target" ]; then continue; fi; \
	  if [ -e "$$link" ] || [ -L "$$link" ]; then \
	    echo "make profiles: $$link exists and is not our link; left as it is" >&2; exit 2; fi; \
	  ln -s "$$target" "$$link" && echo "$$link -> $$target"; \
	done

# Remakes the reference sets that ship with the package: of alloys and silicon at paper scale,
# silicon in Stillinger-Weber (minutes; half an hour), of the interface of 44 atoms (an hour or two),
# of the crystals (minutes).
REFERENCES := $(foreach t,300K 1500K,$(foreach w,narrow wide,alloy_$(t)_$(w))) amorphous_si
CRYSTALS := results/crystals/reference/crystals.parquet
SMALL_INTERFACE := results/interface_small/reference/interface.parquet
reference: $(INSTALLED)
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --profile profiles/local \
	  $(REFERENCES:%=results/reference/reference/%.parquet) --configfile config/reference.yaml
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --profile profiles/local \
	  $(SMALL_INTERFACE) --configfile config/interface_small.yaml
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --profile profiles/local \
	  $(CRYSTALS) --configfile config/crystals.yaml
	mkdir -p resources/reference
	cp $(REFERENCES:%=results/reference/reference/%.parquet) $(SMALL_INTERFACE) $(CRYSTALS) \
	  resources/reference/
	$(BIN)/python -m dismai.evaluation.trivial resources/baselines.csv

clean:
	rm -rf results .snakemake .pytest_cache .ruff_cache
