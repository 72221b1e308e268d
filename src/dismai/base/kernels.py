"""Compiled functions, and the folder that keeps them between runs.

Numba notices that a kernel's own file changed, but not that a kernel it calls did: after an update
it would go on with the old one. So the folder is named after the contents of all files with
kernels; changes elsewhere, and changed times of files, compile nothing again.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numba
from numba.core import types


def njit(**options) -> Callable:
    """`numba.njit` that compiles a kernel once where numba would twice: half of all the time.

    Numba types a constant as itself, and compiles what is called with it a second time for any
    number: here it is a number at once. Nothing here is a callback of C: no wrapper for it.
    """

    def compiled(function: Callable):
        with _kept_in_step():
            kernel = numba.njit(no_cfunc_wrapper=True, **options)(function)
        template = kernel.get_call_template
        kernel.get_call_template = lambda args, kws: template(
            tuple(map(types.unliteral, args)),
            {name: types.unliteral(kind) for name, kind in kws.items()},
        )
        return kernel

    return compiled


def cache_folder(package: Path) -> Path:
    """Folder for the compiled kernels of the sources as they are."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        text = path.read_bytes()
        if b"njit" in text:
            digest.update(f"{path.relative_to(package)} {len(text)} ".encode() + text)
    return package / "__pycache__" / f"numba-{digest.hexdigest()[:16]}"


@cache
def _our_folder() -> str | None:
    """That folder for this package; None where it cannot be made, so that numba chooses."""
    folder = cache_folder(Path(__file__).parents[1])
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return str(folder)


@contextmanager
def _kept_in_step() -> Iterator[None]:
    """Kernels that are declared here are kept in that folder, unless NUMBA_CACHE_DIR says another.

    Numba asks for the folder when a kernel is declared; whoever else uses numba in this process
    keeps their own.
    """
    before = numba.config.CACHE_DIR
    if not before:
        numba.config.CACHE_DIR = _our_folder() or before
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before
