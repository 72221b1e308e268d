"""Configuration of the datasets: what the Snakefile validates. No heavy imports."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dismai.cluster_expansion import check_composition
from dismai.section import Section


class Alloy(Section):
    """Monte Carlo sampling shared by the alloy datasets."""

    ecis: str = Field("resources/eci.yaml", description="cluster expansion, YAML")
    supercell: tuple[int, int, int] = Field((4, 4, 4), description="conventional cells per axis")
    composition: dict[str, int] = Field(description="atoms per species")
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


class AmorphousSiDataset(Section):
    """Blocks of the large cell of silicon, relaxed; or a ready-made set of structures."""

    kind: Literal["amorphous_si"]
    n_atoms: int = Field(256, ge=8, description="atoms per block")
    n_structures: int = Field(1500, ge=2, description="training and validation structures")
    validation_share: float = Field(0.2, gt=0, lt=1, description="share held out of training")
    split: Literal["spatial", "random"] = Field(
        "spatial", description="spatial: no atom in both parts; random: as published, they overlap"
    )
    spare_share: float = Field(
        0.05, ge=0, le=1, description="more blocks, in place of those that do not relax"
    )
    potential: str = Field(description="name under potentials, for blocks and generated structures")
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


DATASET_KINDS = ("alloy", "amorphous_si")
Dataset = Annotated[AlloyDataset | AmorphousSiDataset, Field(discriminator="kind")]
