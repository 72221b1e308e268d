"""POTCAR files from the user's own library: found, checked against the paper, joined.

The library is the folder of the environment variable PMG_VASP_PSP_DIR, in the layout of pymatgen
(`POT_GGA_PAW_PBE/POTCAR.Li_sv.gz`) or of VASP (`potpaw_PBE/Li_sv/POTCAR`).
"""

import gzip
import os
from pathlib import Path

from dismai.base.atomic import write_atomically
from dismai.base.errors import InputError

POTENTIALS = {
    "Li": ("Li_sv", 3),  # 1s2 2s1
    "Co": ("Co", 9),  # 3d8 4s1
    "Sc": ("Sc_sv", 11),  # 3s2 3p6 3d2 4s1
    "Cl": ("Cl", 7),  # 3s2 3p5
    "O": ("O", 6),  # 2s2 2p4
}
"""Element to the name of its PAW-PBE potential and the number of its valence electrons."""
KNOWN = {**POTENTIALS, "Si": ("Si", 4)}
"""The same with silicon, of which the paper has no labels."""
VARIABLE = "PMG_VASP_PSP_DIR"
LAYOUTS = (
    "POT_GGA_PAW_PBE/POTCAR.{name}.gz",
    "POT_GGA_PAW_PBE/POTCAR.{name}",
    "POT_GGA_PAW_PBE/{name}/POTCAR",
    "POT_GGA_PAW_PBE/{name}/POTCAR.gz",
    "potpaw_PBE/{name}/POTCAR",
    "{name}/POTCAR",
)


def library() -> Path:
    """The user's library; InputError that says what to set."""
    value = os.environ.get(VARIABLE, "")
    if not value or not Path(value).is_dir():
        found = f"{value!r}, which is no folder" if value else "it unset"
        raise InputError(
            f"dft.engine: vasp: expected the environment variable {VARIABLE} to name your library "
            f"of POTCAR files, found {found}"
        )
    return Path(value)


def potential_of(element: str) -> tuple[str, int | None]:
    """Name of the potential of an element, and its valence electrons where a paper tells them.

    Beyond `KNOWN` it is the choice of the Materials Project, as pymatgen's MPRelaxSet has it.

    Raises:
        InputError: that has none either.
    """
    if element in KNOWN:
        return KNOWN[element]
    from pymatgen.io.vasp.sets import MPRelaxSet  # takes seconds

    names = MPRelaxSet.CONFIG["POTCAR"]
    if element not in names:
        raise InputError(f"structure for VASP: expected elements with a potential, found {element}")
    return names[element], None


def read_potcar(element: str) -> str:
    """Text of the potential of an element; title and valence are those of `potential_of`."""
    name, valence = potential_of(element)
    root = library()
    paths = [root / layout.format(name=name) for layout in LAYOUTS]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise InputError(f"{root}: expected a POTCAR of {name} (PAW, PBE), found none")
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = text.decode("ascii", errors="replace").splitlines()
    title = lines[0].split() if lines else []
    if title[:2] != ["PAW_PBE", name]:
        raise InputError(
            f"{path}: line 1: expected 'PAW_PBE {name}', found {' '.join(title) or 'nothing'!r}"
        )
    try:
        found = float(lines[1])
    except (IndexError, ValueError):
        raise InputError(
            f"{path}: line 2: expected {valence or 'a number of'} valence electrons, found none"
        ) from None
    if valence is not None and found != valence:
        raise InputError(f"{path}: line 2: expected {valence} valence electrons, found {found:g}")
    return "\n".join(lines) + "\n"


def write_potcar(elements: list[str], path: Path) -> None:
    """Join the potentials of elements, in the order given."""
    write_atomically(path, "".join(read_potcar(element) for element in elements))
