"""Compiled kernels are kept as long as no file with kernels changes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dismai
from dismai.base.kernels import cache_folder, njit

PACKAGE = Path(dismai.__file__).parent


def test_the_folder_follows_the_kernels_and_nothing_else(tmp_path):
    (tmp_path / "metrics").mkdir()
    kernel, plain = tmp_path / "metrics" / "kernel.py", tmp_path / "plain.py"
    kernel.write_text("from dismai.base.kernels import njit\n")
    plain.write_text("x = 1\n")
    before = cache_folder(tmp_path)
    plain.write_text("x = 2\n")
    os.utime(kernel, (1, 1))
    assert cache_folder(tmp_path) == before
    kernel.write_text("from dismai.base.kernels import njit\ny = 1\n")
    assert cache_folder(tmp_path) != before
    shutil.move(kernel, tmp_path / "kernel.py")
    assert cache_folder(tmp_path) != before


def test_every_kernel_is_compiled_through_one_module():
    others = [
        path.name
        for path in PACKAGE.rglob("*.py")
        if "from numba import" in path.read_text() and path.name != "kernels.py"
    ]
    assert others == []


def test_importing_the_package_imports_no_numba_and_sets_nothing():
    code = (
        "import os, sys; before = dict(os.environ); import dismai; "
        "print('numba' in sys.modules, dict(os.environ) == before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_kernels_are_kept_apart_from_those_of_others_and_where_the_user_says(tmp_path):
    code = (
        "import numba; from dismai.metrics.rdf import count_pairs; print(numba.config.CACHE_DIR); "
        "print(count_pairs._cache.cache_path)"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    of_all, ours = done.stdout.split("\n")[:2]
    assert of_all == str(tmp_path)
    assert Path(ours).is_relative_to(tmp_path)
    del environment["NUMBA_CACHE_DIR"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    of_all, ours = done.stdout.split("\n")[:2]
    assert of_all == ""
    assert Path(ours).is_relative_to(cache_folder(PACKAGE))


def test_a_constant_argument_compiles_nothing_a_second_time():
    @njit()
    def inner(i):
        return i + 1

    @njit()
    def outer(n):
        return inner(0) + inner(n)

    assert outer(1) == 3
    assert len(inner.signatures) == 1
