#!/usr/bin/env bash
# Installs the locked packages and dismai with the `python` of PATH: the one way for `make install`,
# conda and the container. Nothing is resolved, because the locks are complete; every hash is checked.
#   envs/install.sh [--editable]
# DISMAI_CPU=1: torch without CUDA, a gigabyte less than 4; no GPU is used.
# DISMAI_CPU=0: torch with its CUDA libraries; runs without a GPU, too.
# Not set: the build without CUDA where pip is set up to find it by itself, else the one with CUDA.
set -euo pipefail
source_folder="$(cd "$(dirname "$0")/.." && pwd)"
index="https://download.pytorch.org/whl/cpu"
build=$(grep -o '^torch==[^ ]*' "$source_folder/requirements-cpu.txt")
options=(--no-deps --require-hashes -r "$source_folder/requirements.txt")

by_itself() { python -m pip install -qqq --dry-run --ignore-installed --no-deps "$build"; }

case "${DISMAI_CPU:-}" in
  "") if by_itself; then torch=cpu; else torch=cuda; fi ;;
  0) torch=cuda ;;
  1)
    torch=cpu
    by_itself || options+=(--extra-index-url "$index")
    ;;
  *) echo "DISMAI_CPU: expected 0, 1 or nothing, found $DISMAI_CPU" >&2; exit 2 ;;
esac

python -m pip install pip==25.3
echo "installing $(grep -c '^[a-z]' "$source_folder/requirements.txt") packages and torch for $torch"
python -m pip install "${options[@]}" -r "$source_folder/requirements-$torch.txt"
python -m pip install --no-deps "$@" "$source_folder"
# the first evaluation need not compile: a minute of processor time
python -m dismai.evaluation.warm
