"""Configuration of the datasets: what the Snakefile validates. No heavy imports."""

from typing import Annotated

from pydantic import Field

from dismai.datasets.alloy.settings import AlloyDataset
from dismai.datasets.amorphous_si.settings import AmorphousSiDataset
from dismai.datasets.interface.settings import InterfaceDataset

DATASET_KINDS = ("alloy", "amorphous_si", "interface")
Dataset = Annotated[
    AlloyDataset | AmorphousSiDataset | InterfaceDataset, Field(discriminator="kind")
]
