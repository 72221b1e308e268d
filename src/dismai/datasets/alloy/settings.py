"""Configuration of the alloys. No heavy imports."""

from typing import Literal

from pydantic import Field, PositiveInt, model_validator

from dismai.base.section import Section
from dismai.datasets.ready_made import ReadyMade
from dismai.geometry.cluster_expansion import check_composition


class ExpansionFit(Section):
    """ECIs fitted by the workflow: LASSO, its penalty by cross-validation."""

    labels: str = Field(description="alloys with energies (eV), extended XYZ")
    a_A: float = Field(3.6, gt=0, description="edge of the conventional fcc cell, Å")
    n_folds: int = Field(10, ge=2, description="parts of the cross-validation")


class Alloy(Section):
    """Monte Carlo sampling shared by the alloy datasets."""

    ecis: str = Field("resources/eci.yaml", description="cluster expansion, YAML")
    fit: ExpansionFit | None = Field(
        None,
        description="cluster expansion fitted to alloys with energies; takes the place of ecis",
    )
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


class AlloyDataset(ReadyMade):
    """Snapshots of one temperature, restricted in short-range order or not; or a ready-made set."""

    kind: Literal["alloy"]
    temperature_K: float = Field(gt=0, description="temperature of the Monte Carlo runs, K")
    selection: Literal["narrow", "wide"] = Field(description="restriction on short-range order")
    n_structures: int = Field(1500, ge=2, description="training and validation structures")
    sro_tolerance: float = Field(
        0.1, gt=0, description="narrow: largest deviation of an SRO parameter from its average"
    )
    validation_share: float = Field(0.2, gt=0, lt=1, description="share held out of training")
