#!/usr/bin/env bash
# Installs the pinned packages and dismai into the conda environment that was just made, as `make install`
# does: without resolving, because requirements.txt is complete.
# Snakemake runs this in its working folder; DISMAI_SOURCE names the checkout if that is elsewhere.
set -euo pipefail
source_folder="${DISMAI_SOURCE:-$PWD}"
python -m pip install --no-deps -r "$source_folder/requirements.txt"
python -m pip install --no-deps "$source_folder"
