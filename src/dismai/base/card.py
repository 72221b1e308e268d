"""What a dataset is: the card that travels beside its structures."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, ValidationError, field_validator, model_validator

from dismai.base.atomic import write_atomically
from dismai.base.errors import InputError
from dismai.base.kinds import KINDS
from dismai.base.section import Section
from dismai.base.text import read_text

REGION_ATOMS = "region_atoms"
"""Statistic of an interface: atoms of the disordered region by species, first in their blocks."""


class FccLattice(Section):
    """The lattice of an alloy: conventional cells of edge `a_A`, repeated along three axes."""

    a_A: float = Field(3.6, gt=0, description="edge of the conventional cell, Å")
    supercell: tuple[int, int, int] = Field((4, 4, 4), description="conventional cells per axis")

    @property
    def n_sites(self) -> int:
        return 4 * int(np.prod(self.supercell))

    @property
    def box(self) -> np.ndarray:
        """Edges of the cell, Å, (3,)."""
        return self.a_A * np.array(self.supercell, dtype=float)

    @property
    def cell(self) -> np.ndarray:
        """Cell vectors as rows, Å, (3, 3)."""
        return np.diag(self.box)


class DatasetSpec(Section):
    """Card of a dataset: lattice, species blocks in file order, size, origin.

    `composition` is ordered: its keys are the species blocks of every file of the dataset.
    """

    name: str
    kind: str
    composition: dict[str, int] = Field(description="atoms per species, in block order")
    cell_A: tuple[tuple[float, float, float], ...] = Field(description="cell vectors as rows, Å")
    fcc: FccLattice | None = Field(None, description="reference lattice of an alloy")
    n_train: int = Field(0, ge=0)
    n_val: int = Field(0, ge=0)
    notes: tuple[str, ...] = Field((), description="how the set differs from the papers'")
    provenance: dict[str, Any] = Field(
        default_factory=dict, description="source, seeds, versions, SHA-256 of inputs"
    )
    statistics: dict[str, Any] = Field(
        default_factory=dict, description="numbers that describe the set, names with units"
    )

    @field_validator("kind")
    @classmethod
    def _kind_is_known(cls, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"expected one of {', '.join(KINDS)}, found {kind!r}")
        return kind

    @model_validator(mode="after")
    def _lattice_fits(self):
        if np.shape(self.cell_A) != (3, 3):
            raise ValueError(f"cell_A: expected a 3 x 3 matrix, found {np.shape(self.cell_A)}")
        if KINDS[self.kind].on_fcc:
            if self.fcc is None:
                raise ValueError(f"{KINDS[self.kind].label} card needs `fcc`")
            if self.fcc.n_sites != self.n_atoms:
                raise ValueError(
                    f"composition: expected a sum of {self.fcc.n_sites} (the number of sites), "
                    f"found {self.n_atoms}"
                )
        return self

    @property
    def n_atoms(self) -> int:
        return sum(self.composition.values())

    @property
    def species(self) -> list[str]:
        """Species of the blocks, in file order."""
        return list(self.composition)

    @cached_property
    def symbols(self) -> list[str]:
        """Species of every atom, in file order."""
        return [symbol for symbol, count in self.composition.items() for _ in range(count)]

    @property
    def cell(self) -> np.ndarray:
        """Cell vectors as rows, Å, (3, 3)."""
        return np.array(self.cell_A, dtype=float)


def formula(counts: Mapping[str, int], order: Iterable[str] = ()) -> str:
    """Numbers of atoms as text, such as Fe20 Cr6: species of `order` first, then by name."""
    first = [symbol for symbol in order if symbol in counts]
    symbols = [*first, *sorted(set(counts) - set(first))]
    return " ".join(f"{symbol}{counts[symbol]}" for symbol in symbols)


def cell_rows(cell: np.ndarray) -> tuple[tuple[float, float, float], ...]:
    """A (3, 3) array as the nested tuple that a card stores."""
    rows: Sequence[Sequence[float]] = np.asarray(cell, dtype=float).tolist()
    return tuple((row[0], row[1], row[2]) for row in rows)


def read_card(path: Path) -> DatasetSpec:
    """The dataset card next to a set of structures; InputError if it is missing or wrong."""
    try:
        return DatasetSpec(**json.loads(read_text(path, "a dataset card")))
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}: line {error.lineno}: expected JSON, found {error.msg!r}"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {place or 'card'}: {first['msg']}") from None


def write_card(spec: DatasetSpec, path: Path) -> None:
    """Write a card as indented JSON, keys in the order of the class."""
    write_atomically(path, json.dumps(spec.model_dump(mode="json"), indent=2) + "\n")
