"""Configuration of interfaces and of their labels. No heavy imports."""

import math
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from dismai.base.section import Section
from dismai.datasets.interface.kind import KIND
from dismai.datasets.ready_made import ReadyMade
from dismai.potentials.settings import RelaxationSettings

INTERFACE_ELEMENTS = KIND.elements
"""Order of the blocks of elements in files of the interface."""


REGION_ELEMENTS = ("Li", "Sc", "Cl")


class LatticeMatch(Section):
    """Search for a common in-plane cell of the two slabs (Zur and McGill 1984)."""

    engine: Literal["exact", "mpinterfaces", "zsl"] = Field(
        "exact", description="code that searches; exact: all pairs of superlattices"
    )
    max_area_A2: float = Field(230.0, gt=0, description="largest area of the common cell, Å²")
    length_tolerance: float = Field(
        0.03, gt=0, lt=1, description="largest relative difference of matching vectors"
    )
    angle_tolerance: float = Field(
        0.05, gt=0, lt=1, description="largest relative difference of the angles between them"
    )


class Thickness(Section):
    """Interval from which the thickness of the region is drawn."""

    low_A: float = Field(4.0, gt=0, description="smallest thickness, Å")
    high_A: float = Field(6.0, gt=0, description="largest thickness, Å")

    @model_validator(mode="after")
    def _is_an_interval(self):
        if self.high_A < self.low_A:
            raise ValueError(f"high_A: expected at least {self.low_A} Å, found {self.high_A}")
        return self


class Exchanges(Section):
    """Largest numbers of atoms that swap places between the region and the top LCO layer."""

    Sc_Co: int = Field(0, ge=0, description="Sc of the region with Co; the potential's set: 3")
    Li_Co: int = Field(0, ge=0, description="Li of the region with Co; the potential's set: 3")
    Cl_O: int = Field(0, ge=0, description="Cl of the region with O; the potential's set: 6")


class InterfaceGeometry(Section):
    """Li3ScCl6(100) on LiCoO2(110) with a random region between; defaults are the papers'."""

    substrate: str = Field("resources/LCO.cif", description="bulk LiCoO2, conventional cell")
    film: str = Field("resources/LSC.cif", description="bulk Li3ScCl6, conventional cell")
    match: LatticeMatch = Field(LatticeMatch(), description="common in-plane cell")
    lco_layers: int = Field(4, ge=1, description="planes of LiCoO2")
    lsc_layers: int = Field(7, ge=3, description="planes of Li3ScCl6, Cl on both sides: odd")
    region_formula_units: int = Field(3, ge=1, description="Li3ScCl6 placed at random")
    thickness: Thickness = Field(Thickness(), description="of the region")
    vacuum_A: float = Field(
        14.0, ge=0, description="vacuum over the thickest region; sets the one cell height, Å"
    )
    exchanges: Exchanges = Field(Exchanges(), description="atoms swapped across the contact")
    oxidation_states: dict[str, int] = Field(
        {"Li": 1, "Co": 3, "Sc": 3, "Cl": -1, "O": -2}, description="charge by element"
    )
    min_distances_A: dict[str, float] = Field(
        {
            "Li-Li": 2.0, "Li-Sc": 2.2, "Co-Li": 2.0, "Cl-Li": 1.9, "Li-O": 1.6,
            "Sc-Sc": 3.0, "Co-Sc": 2.6, "Cl-Sc": 2.0, "O-Sc": 1.7,
            "Cl-Cl": 2.5, "Cl-Co": 2.0, "Cl-O": 2.3,
        },
        description="smallest distances of atoms of the region, by pair, Å",
    )  # fmt: skip
    n_attempts: int = Field(200, ge=1, description="tries to fill a region before giving up")

    @model_validator(mode="after")
    def _slabs_and_distances_are_whole(self):
        if self.lsc_layers % 2 == 0:
            raise ValueError(f"lsc_layers: expected an odd number, found {self.lsc_layers}")
        for element in ("Li", "Co", "Sc", "Cl", "O"):
            if element not in self.oxidation_states:
                raise ValueError(f"oxidation_states: expected one for {element}, found none")
        pairs = {"-".join(sorted((a, b))) for a in REGION_ELEMENTS for b in INTERFACE_ELEMENTS}
        for pair in sorted(pairs ^ set(self.min_distances_A)):
            found = "none" if pair in pairs else "one"
            expected = "a distance" if pair in pairs else f"one of {', '.join(sorted(pairs))}"
            raise ValueError(f"min_distances_A.{pair}: expected {expected}, found {found}")
        for pair, distance in self.min_distances_A.items():
            if not 0 < distance < 10:
                raise ValueError(f"min_distances_A.{pair}: expected 0 to 10 Å, found {distance}")
        return self

    def reading(self, crystals: Sequence[str]) -> "InterfaceGeometry":
        """The same geometry with the files of its crystals elsewhere: substrate, film."""
        substrate, film = crystals
        return self.model_copy(update={"substrate": str(substrate), "film": str(film)})


def _potential_or_like(schema: dict[str, Any]) -> None:
    """Tell editors that a variant takes its potential and kind from the set that it is like."""
    del schema["required"]
    schema["anyOf"] = [{"required": ["kind", "potential"]}, {"required": ["like"]}]


class EngineStage(Section):
    """Minima of the potential continued under the engine of `dft`, all atoms moving."""

    structures_per_job: int = Field(4, ge=1, description="that one job relaxes, one by one")
    fmax_eV_per_A: float | None = Field(
        None, gt=0, description="ends at this force, eV/Å; that of dft by default"
    )

    def n_jobs(self, n_structures: int) -> int:
        """Jobs that share a number of structures."""
        return -(-n_structures // self.structures_per_job)


class InterfaceDataset(ReadyMade):
    """Random interfaces, relaxed, of low interface energy; or a ready-made set of structures."""

    model_config = ConfigDict(json_schema_extra=_potential_or_like)

    kind: Literal["interface"]
    like: str | None = Field(
        None,
        exclude=True,
        description="another set of interfaces, of which this variant has every key that it does "
        "not give itself",
    )
    geometry: InterfaceGeometry = Field(InterfaceGeometry(), description="slabs, cell, region")
    relax_crystals: bool = Field(
        False,
        description="whether the engine of dft relaxes the two crystals, cells too, before "
        "interfaces are cut from them; for the papers' cell of Li3ScCl6, which is not published",
    )
    n_structures: int = Field(1500, ge=2, description="training and validation structures")
    validation_share: float = Field(0.2, gt=0, lt=1, description="share held out of training")
    n_random: int = Field(
        4000,
        ge=2,
        description="random interfaces that are relaxed; those that are stay when it is raised",
    )
    potential: str | None = Field(
        description="name under potentials, for the set and what is generated; null: a ready-made "
        "set and what is generated stay as they are"
    )
    relaxation: RelaxationSettings | None = Field(
        None, description="how structures of this dataset relax; as all others by default"
    )
    low_share: float = Field(
        0.48,
        gt=0,
        lt=1,
        description="share of the relaxed random interfaces that lies below the zero of the "
        "interface energy; where neither of the next two is given",
    )
    above_lowest_J_per_m2: float | None = Field(
        None,
        gt=0,
        description="the zero lies so far above the lowest relaxed interface instead, J/m²; the "
        "papers': 0.4",
    )
    reference_energy_eV_per_atom: float | None = Field(
        None,
        description="the zero itself instead, eV/atom: -4.78 for energies of the papers' VASP",
    )
    max_gamma_J_per_m2: float = Field(0.0, description="largest interface energy kept, J/m²")
    engine_stage: EngineStage | None = Field(
        None,
        exclude_if=lambda stage: stage is None,
        description="the engine of dft relaxes the random interfaces further, and its energies "
        "choose the low ones; null: the potential's do",
    )
    n_generated: int | None = Field(
        None, ge=1, description="structures drawn from every model; that of the run by default"
    )

    @model_validator(mode="after")
    def _enough_are_tried(self):
        if self.above_lowest_J_per_m2 and self.reference_energy_eV_per_atom is not None:
            raise ValueError(
                "above_lowest_J_per_m2: expected none beside reference_energy_eV_per_atom, found "
                f"{self.above_lowest_J_per_m2:g}"
            )
        if self.engine_stage and self.source is not None:
            raise ValueError("engine_stage: expected none beside source, found one")
        share, needs = 1.0, f"n_structures ({self.n_structures})"
        if self.by_share and self.max_gamma_J_per_m2 <= 0:
            share, needs = self.low_share, f"{needs} / low_share ({self.low_share:g})"
        least = math.ceil(round(self.n_structures / share, 6))
        if self.source is None and self.n_random < least:
            raise ValueError(
                f"n_random: expected at least {needs}, that is {least}, found {self.n_random}"
            )
        return self

    @property
    def by_share(self) -> bool:
        """Whether the zero of the interface energy is that of a share of the structures."""
        return self.above_lowest_J_per_m2 is None and self.reference_energy_eV_per_atom is None


class Labels(Section):
    """Relaxations of random interfaces, whose ionic steps train the potential."""

    n_plain: int = Field(350, ge=0, description="interfaces without exchanges")
    n_exchanged: int = Field(600, ge=0, description="interfaces with exchanges of ions")
    exchanges: Exchanges = Field(
        Exchanges(Sc_Co=3, Li_Co=3, Cl_O=6), description="largest numbers of exchanged ions"
    )
    shards: int = Field(50, ge=1, description="jobs that share the relaxations")
    first_step: int = Field(5, ge=0, description="first ionic step of stage 2 that is kept")
    every: int = Field(10, ge=1, description="steps from one kept step to the next")
    unfinished: Literal["refuse", "keep_steps"] = Field(
        "refuse", description="relaxations that reach max_steps: refused, or their steps kept"
    )

    @model_validator(mode="after")
    def _there_is_something_to_label(self):
        if self.n_plain + self.n_exchanged == 0:
            raise ValueError("n_plain: expected at least one interface, found 0")
        return self
