"""What a dataset is: the card that travels beside its structures."""

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import Field, ValidationError, field_validator, model_serializer, model_validator

from dismai.base.atomic import write_atomically
from dismai.base.errors import InputError, StructureError
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


class Card(Section, ABC):
    """What every dataset says of itself: name, kind, number of structures, origin.

    A kind says by `Kind.card` which of its two sorts its datasets have: structures of one
    composition in one cell, or crystals of any.
    """

    name: str
    kind: str
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
        if not issubclass(cls, KINDS[kind].card_class):
            expected = KINDS[kind].card_class.__name__
            raise ValueError(f"expected a {expected} for {kind}, found a {cls.__name__}")
        return kind

    @model_serializer(mode="wrap")
    def _own_fields_after_the_kind(self, serialize: Any) -> dict[str, Any]:
        content = serialize(self)
        first = [key for key in ("name", "kind") if key in content]
        own = [key for key in content if key not in Card.model_fields]
        return {key: content[key] for key in dict.fromkeys([*first, *own, *content])}

    @classmethod
    @abstractmethod
    def of_the_paper(cls, name: str, kind: str) -> Self:
        """The card of a dataset as published, without structures."""

    @classmethod
    @abstractmethod
    def told_by(cls, symbols: Sequence[Sequence[str]], cell: np.ndarray) -> dict[str, Any]:
        """The fields of its own, by species of the structures and the cell of the first, Å."""

    @abstractmethod
    def check(self, counts: Mapping[str, int]) -> None:
        """StructureError unless these atoms per species can be a structure of the dataset."""

    @abstractmethod
    def fits(self, symbols: Sequence[str]) -> bool:
        """Whether these species, in file order, are those of a training structure."""

    @abstractmethod
    def holds(self, n_atoms: int) -> bool:
        """Whether a structure of the dataset may have so many atoms."""

    @property
    @abstractmethod
    def most_atoms(self) -> int:
        """Atoms of the largest structure."""

    @property
    @abstractmethod
    def size(self) -> str:
        """Atoms of a structure, in a sentence."""

    @property
    @abstractmethod
    def made_of(self) -> str:
        """Atoms and species of a structure, in a table."""


class DatasetSpec(Card):
    """Card of structures of one composition in one cell: lattice, species blocks in file order.

    `composition` is ordered: its keys are the species blocks of every file of the dataset.
    """

    composition: dict[str, int] = Field(description="atoms per species, in block order")
    cell_A: tuple[tuple[float, float, float], ...] = Field(description="cell vectors as rows, Å")
    fcc: FccLattice | None = Field(None, description="reference lattice of an alloy")

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

    @classmethod
    def of_the_paper(cls, name: str, kind: str) -> Self:
        """Composition and size as published; a cell is given for the alloys only."""
        fcc = FccLattice() if KINDS[kind].on_fcc else None
        cell = np.eye(3) if fcc is None else fcc.cell
        composition = dict(KINDS[kind].composition)
        return cls(name=name, kind=kind, composition=composition, cell_A=cell_rows(cell), fcc=fcc)

    @classmethod
    def told_by(cls, symbols: Sequence[Sequence[str]], cell: np.ndarray) -> dict[str, Any]:
        return {"composition": dict(Counter(symbols[0])), "cell_A": cell_rows(cell)}

    def fits(self, symbols: Sequence[str]) -> bool:
        return list(symbols) == self.symbols

    def check(self, counts: Mapping[str, int]) -> None:
        if Counter(counts) != Counter(self.composition):
            raise StructureError(
                f"composition: expected {formula(self.composition, self.species)}, "
                f"found {formula(counts, self.species)}"
            )

    def holds(self, n_atoms: int) -> bool:
        return n_atoms == self.n_atoms

    @property
    def n_atoms(self) -> int:
        return sum(self.composition.values())

    @property
    def most_atoms(self) -> int:
        return self.n_atoms

    @property
    def size(self) -> str:
        return f"{self.n_atoms} atoms"

    @property
    def made_of(self) -> str:
        return " ".join(f"{symbol}{count}" for symbol, count in self.composition.items())

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


class CrystalSpec(Card):
    """Card of crystals, each of its own composition in its own cell."""

    max_atoms: int = Field(52, ge=1, description="atoms of the largest cell")
    elements: tuple[str, ...] = Field((), description="of all crystals, by atomic number")

    @classmethod
    def of_the_paper(cls, name: str, kind: str) -> Self:
        return cls(name=name, kind=kind)

    @classmethod
    def told_by(cls, symbols: Sequence[Sequence[str]], cell: np.ndarray) -> dict[str, Any]:
        largest = max(map(len, symbols))
        return {"max_atoms": max(largest, cls.model_fields["max_atoms"].default)}

    def fits(self, symbols: Sequence[str]) -> bool:
        return self.holds(len(symbols))

    def check(self, counts: Mapping[str, int]) -> None:
        if not self.holds(found := sum(counts.values())):
            raise StructureError(f"expected {self.size}, found {found}")

    def holds(self, n_atoms: int) -> bool:
        return 1 <= n_atoms <= self.max_atoms

    @property
    def most_atoms(self) -> int:
        return self.max_atoms

    @property
    def size(self) -> str:
        return f"1 to {self.max_atoms} atoms"

    @property
    def made_of(self) -> str:
        return f"{self.size} of any element"


def formula(counts: Mapping[str, int], order: Iterable[str] = ()) -> str:
    """Numbers of atoms as text, such as Fe20 Cr6: species of `order` first, then by name."""
    first = [symbol for symbol in order if symbol in counts]
    symbols = [*first, *sorted(set(counts) - set(first))]
    return " ".join(f"{symbol}{counts[symbol]}" for symbol in symbols)


def cell_rows(cell: np.ndarray) -> tuple[tuple[float, float, float], ...]:
    """A (3, 3) array as the nested tuple that a card stores."""
    rows: Sequence[Sequence[float]] = np.asarray(cell, dtype=float).tolist()
    return tuple((row[0], row[1], row[2]) for row in rows)


def card_from(content: Mapping[str, Any]) -> Card:
    """The card that was stored as plain values, of the class of its kind; or ValidationError."""
    kind = KINDS.get(content.get("kind"))
    return (DatasetSpec if kind is None else kind.card_class)(**content)


def read_card(path: Path) -> Card:
    """The dataset card next to a set of structures; InputError if it is missing or wrong."""
    try:
        content = json.loads(read_text(path, "a dataset card"))
        if not isinstance(content, dict):
            raise InputError(f"{path}: expected a dataset card, found {type(content).__name__}")
        return card_from(content)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}: line {error.lineno}: expected JSON, found {error.msg!r}"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {place or 'card'}: {first['msg']}") from None


def write_card(spec: Card, path: Path) -> None:
    """Write a card as indented JSON, keys in the order of the class."""
    write_atomically(path, json.dumps(spec.model_dump(mode="json"), indent=2) + "\n")
