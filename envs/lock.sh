#!/usr/bin/env bash
# Remakes the locks from pyproject.toml (`make lock`); versions that still fit are kept. Words that
# are given go to uv: `envs/lock.sh --upgrade`, `envs/lock.sh --upgrade-package ase`.
#   requirements.txt       everything but torch and its CUDA libraries
#   requirements-cuda.txt  torch as PyPI serves it for Linux, and its CUDA libraries
#   requirements-docs.txt  what `make docs` builds the site with, and nothing of the above
# requirements-cpu.txt, torch alone and without CUDA, is kept by hand: PyPI does not have it.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

lock() {
  uv pip compile --quiet --generate-hashes \
    --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
    --custom-compile-command "make lock" "$@"
}
compile() { lock pyproject.toml --extra mpinterfaces --extra test "$@"; }
names() { sed -nE 's/^([A-Za-z0-9._-]+)==.*/\1/p' "$1"; }
without() { sed 's/^/--no-emit-package=/' "$1"; }

cat requirements.txt requirements-cuda.txt > "$work/all"
compile --no-annotate --output-file "$work/all" "$@"
names "$work/all" | grep -E '^(torch|triton|nvidia-.+|cuda-.+)$' | grep -v '^nvidia-ml-py3$' > "$work/cuda"
names "$work/all" | grep -vxFf "$work/cuda" > "$work/rest"
mapfile -t no_cuda < <(without "$work/cuda")
mapfile -t no_rest < <(without "$work/rest")
cp "$work/all" requirements.txt # what uv finds there it prefers
cp "$work/all" requirements-cuda.txt
compile "${no_cuda[@]}" --output-file requirements.txt
compile "${no_rest[@]}" --output-file requirements-cuda.txt
lock --group pyproject.toml:docs --output-file requirements-docs.txt "$@"
