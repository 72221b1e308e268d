"""Dismai-Bench: judge generative models of disordered materials."""

import hashlib
import os
from pathlib import Path

__version__ = "0.1.0"


def _keep_compiled_kernels_in_step() -> None:
    """Give every state of the sources its own cache of compiled kernels.

    Numba notices that a kernel's own file changed, but not that a kernel it calls did: after an
    update it would go on with the old one. A folder that cannot be written is left to numba.
    """
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        status = path.stat()
        digest.update(f"{path.relative_to(package)} {status.st_size} {status.st_mtime_ns}".encode())
    cache = package / "__pycache__" / f"numba-{digest.hexdigest()[:16]}"
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache))


_keep_compiled_kernels_in_step()
