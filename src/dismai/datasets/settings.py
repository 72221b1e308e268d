"""Configuration of the datasets: what the Snakefile validates. No heavy imports."""

from typing import Annotated, Union

from pydantic import Field

from dismai.base.kinds import KINDS

DATASET_KINDS = tuple(KINDS)
Dataset = Annotated[
    Union[tuple(kind.settings for kind in KINDS.values())],  # noqa: UP007
    Field(discriminator="kind"),
]
