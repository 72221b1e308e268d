"""Gaussian approximation potentials: files that are checked, then a calculator of quippy."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from ase.calculators.calculator import Calculator
from ase.data import chemical_symbols

from dismai.base.atomic import sha256 as digest_of
from dismai.base.errors import InputError

CENTRES = re.compile(r"\b(?:species_Z|Z\d?)=\{*([\d ]+)")
"""Atomic numbers in the definition of a descriptor."""


@dataclass(frozen=True)
class GapFiles:
    """What the XML file of a GAP says.

    arguments: what starts it in quippy.  elements: symbols.  sparse: sparse files and their MD5.
    """

    arguments: str
    elements: frozenset[str]
    sparse: dict[str, str | None]


def read_gap(path: Path) -> GapFiles:
    """Read the head of a GAP; InputError if it is none. Nothing of it is executed."""
    path = Path(path)
    label, potential, elements, sparse = "", "", set(), {}
    try:
        for _, element in ElementTree.iterparse(path):
            if element.tag == "GAP_params":
                label = element.get("label", "")
            elif element.tag == "Potential":
                potential = element.get("label", "")
            elif element.tag == "descriptor":
                for numbers in CENTRES.findall(element.text or ""):
                    elements.update(chemical_symbols[int(z)] for z in numbers.split())
            if "sparseX_filename" in element.attrib:
                sparse[element.get("sparseX_filename")] = element.get("sparseX_md5sum")
            element.clear()  # a potential has millions of numbers
    except FileNotFoundError:
        raise InputError(f"{path}: expected the XML file of a GAP, found no such file") from None
    except (OSError, ElementTree.ParseError, ValueError, TypeError, IndexError) as error:
        raise InputError(f"{path}: expected the XML file of a GAP, found {error}") from None
    if not (label and elements):
        raise InputError(
            f"{path}: expected GAP_params with a label and descriptors with elements, found none"
        )
    arguments = f"Potential xml_label={potential}" if potential else f"IP GAP label={label}"
    return GapFiles(arguments, frozenset(elements), sparse)


def check_gap(path: Path, sha256: str | None = None) -> GapFiles:
    """Read a GAP and check its files.

    Args:
        path: the XML file; sparse files stand beside it.
        sha256: of the XML file, which itself holds the MD5 of the sparse files.

    Raises:
        InputError: no GAP, another SHA-256, a missing or a changed sparse file.
    """
    path = Path(path)
    files = read_gap(path)
    if sha256 is not None and digest_of(path) != sha256:
        raise InputError(f"{path}: expected SHA-256 {sha256}, found {digest_of(path)}")
    for name, md5 in files.sparse.items():
        sparse = path.parent / name
        if Path(name).name != name:
            raise InputError(f"{path}: expected sparse files beside it, found {name}")
        if not sparse.is_file():
            raise InputError(f"{sparse}: expected a sparse file of {path.name}, found no such file")
        if md5 and hashlib.md5(sparse.read_bytes()).hexdigest() != md5.strip():
            raise InputError(f"{sparse}: expected the sparse file of {path.name} (MD5 {md5})")
    return files


def gap(path: Path, sha256: str | None = None) -> tuple[Calculator, frozenset[str]]:
    """Calculator of a GAP and the elements it knows."""
    files = check_gap(path, sha256)
    from quippy.potential import Potential

    try:
        calculator = Potential(files.arguments, param_filename=str(path))
    except Exception as error:  # quippy raises RuntimeError with lines of Fortran
        found = " ".join(str(error).split())[-160:]
        raise InputError(f"{path}: expected a GAP that quippy takes, found: {found}") from None
    return calculator, files.elements
