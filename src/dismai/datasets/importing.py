"""Ready-made sets of any kind: fetched, checked, in blocks, with their own split; and their card.

A kind says what it expects of them in its extras (`expected`); without a word of it, structures
of its standard composition.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.card import DatasetSpec, FccLattice, cell_rows
from dismai.base.columns import ENERGY
from dismai.base.errors import InputError
from dismai.base.kept import digest
from dismai.base.kinds import KINDS
from dismai.base.text import is_url
from dismai.datasets.common import note_energies, relaxation_statistics
from dismai.datasets.ready_made import ReadyMade, SourceFile
from dismai.datasets.split import split
from dismai.files.archive import extract, fetch, read_ready_made

NUMBER, HELD_OUT = "number", "held_out"
"""In the `info` of structures: number in the set as it was given, whether it validates."""
LENGTH_TOLERANCE, ANGLE_TOLERANCE = 0.05, 5.0
"""Of cells: relative, and in degrees."""
READY_MADE = "A ready-made set, kept as it is; "
KEPT, DRAWN = "its split is that of its files.", "a random share is held out."


@dataclass(frozen=True)
class Expected:
    """What every structure of a ready-made set has to be, and what the card holds beside that.

    composition: atoms per species, in block order.
    cellpar: lengths, Å, and angles, degrees, of the cell, (6,); None where any will do.
    fcc: lattice of an alloy.
    statistics: of the card.
    """

    composition: Mapping[str, int]
    cellpar: tuple[float | None, ...] = (None,) * 6
    fcc: FccLattice | None = None
    statistics: Mapping[str, Any] = field(default_factory=dict)

    def check_cell(self, atoms: Atoms, path: Path) -> None:
        """InputError if the first structure of a file has a cell off by over 5 % or 5 degrees."""
        wanted = np.array(self.cellpar, dtype=float)  # None is nan, which nothing is off
        found = atoms.cell.cellpar()
        off = np.abs(found - wanted)
        if (off[:3] > LENGTH_TOLERANCE * wanted[:3]).any() or (off[3:] > ANGLE_TOLERANCE).any():
            shown = ["any" if value is None else f"{value:.4g}" for value in self.cellpar]
            raise InputError(
                f"{path}: structure 0: expected a cell of {', '.join(shown)} (Å and degrees), "
                f"found {', '.join(f'{value:.4g}' for value in found)}"
            )


def expected_of(
    settings: ReadyMade, shared: Mapping[str, Any] | None, files: Mapping[str, Any]
) -> Expected:
    """What its kind expects of a ready-made set.

    Args:
        settings: the entry of the dataset.
        shared: the section of the configuration that all its datasets share; None: there is none.
        files: paths of further inputs by name, such as `crystals`.
    """
    kind = KINDS[settings.kind]
    told = kind.extra("expected")
    return Expected(kind.composition) if told is None else told(settings, shared, files)


def take_over(
    settings: ReadyMade, expected: Expected, local: Sequence[str], rng: np.random.Generator
) -> list[Atoms]:
    """Structures of a ready-made set, in order, each with `NUMBER` and `HELD_OUT` in its `info`.

    The split of two files is kept; of one file a random share is held out. Atoms stand in blocks of
    elements, their order inside an element is that of the file.

    Args:
        settings: the entry of the dataset.
        expected: what every structure has to be.
        local: where the files are that are not at a URL, in the order of the parts.
        rng: draws the share of one file.

    Raises:
        InputError: another checksum, number, composition or cell; names file and structure.
    """
    n_val = round(settings.validation_share * settings.n_structures)
    sizes = {"source": settings.n_structures, "val": n_val, "train": settings.n_structures - n_val}
    parts: dict[str, list[Atoms]] = {}
    places = iter(local)
    with tempfile.TemporaryDirectory() as folder:
        for part, file in settings.files.items():
            path = file.path if is_url(file.path) else next(places)
            with _content(file, path, Path(folder)) as content:
                first = parts["train"][0] if part == "val" else None
                own = read_ready_made(content, expected.composition, sizes[part], first)
                expected.check_cell(own[0], content)
            parts[part] = own
    structures = [atoms for own in parts.values() for atoms in own]
    if "val" in parts:
        held_out = np.arange(len(structures)) >= sizes["train"]
    else:
        held_out = split(len(structures), settings.validation_share, rng)
    order = list(expected.composition)
    return [
        _in_blocks(atoms, order, {NUMBER: number, HELD_OUT: bool(held)})
        for number, (atoms, held) in enumerate(zip(structures, held_out, strict=True))
    ]


@contextmanager
def _content(file: SourceFile, path: str, folder: Path) -> Iterator[Path]:
    """The file of structures of one part; errors name where it came from, not the copy.

    Two members of one archive are one copy.
    """
    archive = folder / digest([path, file.sha256])
    content = folder / "structures.extxyz"
    named = {str(archive): path, str(content): f"{path}: {file.member}" if file.member else path}
    try:
        if not archive.exists():
            fetch(path, file.sha256, archive)
        extract(archive, file.member, content)
        yield content
    except InputError as error:
        text = str(error)
        for copy, name in named.items():
            text = text.replace(copy, name)
        raise InputError(text) from None


def _in_blocks(atoms: Atoms, order: list[str], info: dict[str, Any]) -> Atoms:
    """A structure in blocks of elements, order inside an element kept."""
    rank = [order.index(symbol) for symbol in atoms.get_chemical_symbols()]
    moved = atoms[np.argsort(rank, kind="stable")]
    moved.info = info
    return moved


def card_of(
    structures: list[Atoms],
    table: pd.DataFrame | None,
    name: str,
    settings: ReadyMade,
    expected: Expected,
    provenance: dict,
) -> tuple[list[Atoms], list[Atoms], DatasetSpec]:
    """Training set, validation set and card of a ready-made set.

    Every structure is kept as it is. Where the dataset has a potential its relaxation gives the
    energy of the minimum (`ENERGY` in `info`; NaN where it was not reached).

    Args:
        structures: of `take_over`.
        table: of the relaxation, one row each; None: the dataset has no potential.
        name: of the dataset.
        settings: its entry in the configuration.
        expected: what its structures are.
        provenance: for the card.
    """
    statistics: dict[str, Any] = {"n_tried": len(structures), **expected.statistics}
    if table is not None:
        note_energies(structures, table)
        statistics |= _of_relaxation(structures, table, settings)
    train = [atoms for atoms in structures if not atoms.info[HELD_OUT]]
    val = [atoms for atoms in structures if atoms.info[HELD_OUT]]
    order = ", ".join(expected.composition)
    spec = DatasetSpec(
        name=name,
        kind=settings.kind,
        composition=dict(expected.composition),
        cell_A=cell_rows(train[0].cell.array),
        fcc=expected.fcc,
        n_train=len(train),
        n_val=len(val),
        notes=(
            READY_MADE + (KEPT if "val" in settings.files else DRAWN),
            f"Atoms are put in blocks of {order}; their order inside an element is that of the "
            "file.",
        ),
        provenance=provenance,
        statistics=statistics,
    )
    return train, val, spec


def _of_relaxation(
    structures: list[Atoms], table: pd.DataFrame, settings: ReadyMade
) -> dict[str, Any]:
    """Statistics of the minima of all structures, by what the kind adds to them, too."""
    energies = np.array([atoms.info[ENERGY] for atoms in structures])
    if np.isnan(energies).all():
        raise InputError(
            f"expected relaxed structures, found none of {len(structures)} at its minimum; "
            "raise max_steps or fmax_eV_per_A of the relaxation"
        )
    added = KINDS[settings.kind].extra("statistics_of_minima")
    return {
        "n_not_relaxed": int(np.isnan(energies).sum()),
        **relaxation_statistics(structures, table, settings.potential),
        **(added(structures, settings) if added else {}),
    }
