"""Configuration of amorphous silicon and of its melt-quench. No heavy imports."""

from typing import Literal

from pydantic import Field, model_validator

from dismai.base.section import Section
from dismai.datasets.ready_made import ReadyMade


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
    potential: str | None = Field(
        description="name under potentials, for blocks and generated structures; null: a "
        "ready-made set and what is generated stay as they are"
    )
