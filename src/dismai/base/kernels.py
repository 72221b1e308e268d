"""Compiled functions, and the folder that keeps them between runs.

Numba notices that a kernel's own file changed, but not that a kernel it calls did: after an update
it would go on with the old one. So the folder is named after the contents of all files with
kernels; changes elsewhere, and changed times of files, compile nothing again.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numba
from numba.core import types


def njit(**options) -> Callable:
    """`numba.njit` that compiles a kernel once where numba would twice: half of all the time.

    Numba types a constant as itself, and compiles what is called with it a second time for any
    number: here it is a number at once. Nothing here is a callback of C: no wrapper for it.
    """

    def compiled(function: Callable):
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


def _keep_in_step() -> None:
    """Use that folder, unless NUMBA_CACHE_DIR says another; numba chooses if it cannot be made."""
    if numba.config.CACHE_DIR:
        return
    folder = cache_folder(Path(__file__).parents[1])
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    numba.config.CACHE_DIR = str(folder)


_keep_in_step()
