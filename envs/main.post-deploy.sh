#!/usr/bin/env bash
# Installs the locked packages and dismai into the conda environment that was just made, as
# `make install` does. DISMAI_CPU=1: torch without CUDA (envs/install.sh).
# Snakemake runs this in its working folder; DISMAI_SOURCE names the checkout if that is elsewhere.
set -euo pipefail
source_folder="${DISMAI_SOURCE:-$PWD}"
"$source_folder/envs/install.sh"
