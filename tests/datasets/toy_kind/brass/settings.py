"""Configuration of brass."""

from typing import Literal

from pydantic import Field

from dismai.datasets.ready_made import ReadyMade


class BrassDataset(ReadyMade):
    """Cells of beta brass with elements on random sites; or a ready-made set of them."""

    kind: Literal["brass"]
    n_structures: int = Field(20, ge=8, description="training and validation structures")
    validation_share: float = Field(0.5, gt=0, lt=1, description="share held out of training")
