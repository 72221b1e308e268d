"""Configuration of the datasets: what the Snakefile validates. No heavy imports."""

from typing import Annotated, Union

from pydantic import Field

from dismai.base.kinds import KINDS
from dismai.base.section import Section
from dismai.datasets.amorphous_si.settings import Stage

DATASET_KINDS = tuple(KINDS)
Dataset = Annotated[
    Union[tuple(kind.settings for kind in KINDS.values())],  # noqa: UP007
    Field(discriminator="kind"),
]


class Baselines(Section):
    """Trivial generators scored beside every model."""

    gaussian_displacement_A: float = Field(
        0.3, gt=0, description="standard deviation of each coordinate of displaced structures, Å"
    )
    n_melt_quench: int = Field(100, ge=1, description="amorphous cells quenched one by one")
    melt_quench_stages: list[Stage] = Field(
        min_length=1, description="temperature ramps of each of them, LAMMPS at 0 bar"
    )
