"""Configuration of the datasets: what the Snakefile validates. No heavy imports."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from dismai.cluster_expansion import check_composition
from dismai.datasets.names import ELEMENTS
from dismai.potentials.settings import Relaxation
from dismai.section import Section

INTERFACE_ELEMENTS = ELEMENTS["interface"]
"""Order of the blocks of elements in files of the interface."""
REGION_ELEMENTS = ("Li", "Sc", "Cl")


class Alloy(Section):
    """Monte Carlo sampling shared by the alloy datasets."""

    ecis: str = Field("resources/eci.yaml", description="cluster expansion, YAML")
    supercell: tuple[PositiveInt, PositiveInt, PositiveInt] = Field(
        (4, 4, 4), description="conventional cells per axis"
    )
    composition: dict[str, PositiveInt] = Field(description="atoms per species")
    engine: Literal["numba", "icet"] = Field("numba", description="Monte Carlo code")
    swaps: Literal["any_pair", "nearest_neighbors"] = Field("any_pair", description="swap partners")
    n_runs: int = Field(10, ge=1, description="independent runs per temperature")
    n_passes: int = Field(50_000, ge=1, description="passes per run, n_sites attempts each")
    interval: int = Field(10, ge=1, description="passes between snapshots")
    burn_in_passes: int = Field(20_000, ge=0, description="passes dropped at the start of a run")

    @model_validator(mode="after")
    def _composition_fills_the_sites(self):
        if min(self.supercell) < 2:
            raise ValueError(
                f"supercell: expected at least 2 cells per axis, found {self.supercell}"
            )
        check_composition(self.composition, self.supercell, least=1)
        return self


class AlloyDataset(Section):
    """Snapshots of one temperature, with or without a restriction on short-range order."""

    kind: Literal["alloy"]
    temperature_K: float = Field(gt=0, description="temperature of the Monte Carlo runs, K")
    selection: Literal["narrow", "wide"] = Field(description="restriction on short-range order")
    n_structures: int = Field(1500, ge=2, description="training and validation structures")
    sro_tolerance: float = Field(
        0.1, gt=0, description="narrow: largest deviation of an SRO parameter from its average"
    )
    validation_share: float = Field(0.2, gt=0, lt=1, description="share held out of training")


class Stage(Section):
    """One ramp of the temperature in molecular dynamics."""

    from_K: float = Field(gt=0, description="temperature at its start, K")
    to_K: float = Field(gt=0, description="temperature at its end, K")
    steps: int = Field(ge=1, description="steps of molecular dynamics")
    timestep_fs: float = Field(gt=0, le=5, description="one step, fs")


class MeltQuench(Section):
    """Molecular dynamics that makes amorphous silicon: LAMMPS, Stillinger-Weber, 0 bar."""

    n_atoms: int = Field(100_000, ge=8, description="atoms of the cell")
    stages: list[Stage] = Field(min_length=1, description="temperature ramps in order")
    state_every: int = Field(1000, ge=10, description="steps between two states on disk")


class BulkSi(Section):
    """The large cell that amorphous silicon is cut from."""

    source: str = Field(
        "resources/asi_100k.npz",
        description="file of one cell (npz, or what ASE reads); melt_quench: made by the workflow",
    )
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="checksum of the file")
    melt_quench: MeltQuench = Field(description="how the workflow makes the cell")

    @model_validator(mode="after")
    def _file_has_a_checksum(self):
        if (self.source == "melt_quench") == (self.sha256 is not None):
            raise ValueError(
                "source: expected a file with a sha256, or melt_quench without, found "
                f"{self.source!r} {'without' if self.sha256 is None else 'with'} one"
            )
        return self


class ReadyMade(Section):
    """What the datasets share that may be given as a file of structures."""

    source: str | None = Field(
        None, description="ready-made set, path or URL: extended XYZ, or a zip or tar that holds it"
    )
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="checksum of source")
    member: str | None = Field(None, description="file inside the archive")

    @model_validator(mode="after")
    def _source_has_a_checksum(self):
        if self.source and not self.sha256:
            raise ValueError(f"source: expected a sha256 beside it, found none for {self.source!r}")
        return self


class AmorphousSiDataset(ReadyMade):
    """Blocks of the large cell of silicon, relaxed; or a ready-made set of structures."""

    kind: Literal["amorphous_si"]
    n_atoms: int = Field(256, ge=8, description="atoms per block")
    n_structures: int = Field(1500, ge=2, description="training and validation structures")
    validation_share: float = Field(0.2, gt=0, lt=1, description="share held out of training")
    split: Literal["spatial", "random"] = Field(
        "spatial", description="spatial: no atom in both parts; random: as published, they overlap"
    )
    candidates: int = Field(
        4,
        ge=1,
        description="cuts tried for a block; of those the one with most four-fold atoms "
        "after relaxation is kept",
    )
    spare_share: float = Field(
        0.05, ge=0, le=1, description="more blocks, in place of those that do not relax"
    )
    potential: str = Field(description="name under potentials, for blocks and generated structures")


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


class InterfaceDataset(ReadyMade):
    """Random interfaces, relaxed, of low interface energy; or a ready-made set of structures."""

    kind: Literal["interface"]
    geometry: InterfaceGeometry = Field(InterfaceGeometry(), description="slabs, cell, region")
    n_structures: int = Field(1500, ge=2, description="training and validation structures")
    validation_share: float = Field(0.2, gt=0, lt=1, description="share held out of training")
    n_random: int = Field(
        4000, ge=2, description="random interfaces that are relaxed; about half are low in energy"
    )
    potential: str = Field(description="name under potentials, for the set and what is generated")
    relaxation: Relaxation | None = Field(
        None, description="how structures of this dataset relax; as all others by default"
    )
    reference_energy_eV_per_atom: float | None = Field(
        None,
        description="zero of the interface energy, eV/atom: -4.78 for energies of the papers' VASP "
        "settings; fitted to the set by default",
    )
    above_lowest_J_per_m2: float = Field(
        0.4, gt=0, description="the fitted zero lies so far above the lowest structure, J/m²"
    )
    max_gamma_J_per_m2: float = Field(0.0, description="largest interface energy kept, J/m²")
    n_generated: int | None = Field(
        None, ge=1, description="structures drawn from every model; that of the run by default"
    )

    @model_validator(mode="after")
    def _enough_are_tried(self):
        if self.source is None and self.n_random < self.n_structures:
            raise ValueError(
                f"n_random: expected at least n_structures ({self.n_structures}), "
                f"found {self.n_random}"
            )
        return self


DATASET_KINDS = ("alloy", "amorphous_si", "interface")
Dataset = Annotated[
    AlloyDataset | AmorphousSiDataset | InterfaceDataset, Field(discriminator="kind")
]
