"""The lattice matching of MPInterfaces, loaded past its package.

MPInterfaces 2020.6.19 asks for a key of the Materials Project on import, and its modules import
names from `pymatgen` that have moved to `pymatgen.core`. Only its module `transformations` is
loaded here, under a private name, with these names in place for as long as the import takes.
"""

import contextlib
import importlib.util
import io
import logging
import warnings
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from types import ModuleType

import numpy as np

from dismai.base.errors import InputError

logger = logging.getLogger(__name__)

MODULE = "mpinterfaces/transformations.py"
MOVED = ("Structure", "Lattice")
"""Names that MPInterfaces imports from `pymatgen`, now in `pymatgen.core`."""


@contextlib.contextmanager
def _names_where_they_were() -> Iterator[None]:
    import pymatgen
    import pymatgen.core

    added = [name for name in MOVED if not hasattr(pymatgen, name)]
    for name in added:
        setattr(pymatgen, name, getattr(pymatgen.core, name))
    try:
        yield
    finally:
        for name in added:
            delattr(pymatgen, name)


@lru_cache
def transformations() -> ModuleType:
    """The module `mpinterfaces.transformations`; InputError without MPInterfaces."""
    try:
        path = distribution("MPInterfaces").locate_file(MODULE)
    except PackageNotFoundError:
        raise InputError(
            "match.engine: expected MPInterfaces to be installed, found it missing; install "
            "MPInterfaces==2020.6.19 without its dependencies, or choose zsl"
        ) from None
    spec = importlib.util.spec_from_file_location("dismai_mpinterfaces_transformations", path)
    module = importlib.util.module_from_spec(spec)
    with _names_where_they_were(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in a text of it
        spec.loader.exec_module(module)
    return module


def matching_vectors(
    substrate: np.ndarray,
    film: np.ndarray,
    max_area_A2: float,
    length_tolerance: float,
    angle_tolerance_degrees: float,
) -> tuple[np.ndarray, np.ndarray] | None:
    """The match of smallest area: superlattice vectors of substrate and film, Å, (2, 2) each.

    substrate, film: in-plane vectors, Å, (2, 2).  None if nothing matches.
    """
    from pymatgen.core import Lattice, Structure

    cells = []
    for vectors in (substrate, film):
        cell = np.diag([0.0, 0.0, 10.0])  # only the first two vectors are looked at
        cell[:2, :2] = vectors
        cells.append(Structure(Lattice(cell), ["H"], [[0, 0, 0]]))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        found = transformations().get_matching_lattices(
            *cells,
            max_area=max_area_A2,
            max_mismatch=length_tolerance,
            max_angle_diff=angle_tolerance_degrees,
            r1r2_tol=2 * length_tolerance,
            best_match="mismatch",
        )
    logger.debug("MPInterfaces: %s", " ".join(printed.getvalue().split()))
    if found[0] is None:
        return None
    return np.array(found[0])[:, :2], np.array(found[1])[:, :2]
