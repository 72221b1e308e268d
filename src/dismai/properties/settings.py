"""Configuration of what predicts properties of crystals. No heavy imports."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from dismai.base.errors import did_you_mean
from dismai.base.section import Section
from dismai.properties.names import PROPERTIES


class CgcnnTraining(Section):
    """A network of CGCNN that the workflow trains on crystals with a known property."""

    structures: str = Field(
        description="crystals, extended XYZ or a file of many, each with the property in its `info`"
    )
    value: str = Field(description="name of the property there, in the unit of the published one")
    validation_share: float = Field(
        0.2, gt=0, lt=1, description="of crystals, held out by formula; the best epoch is kept"
    )
    epochs: int = Field(30, ge=1, description="passes over the crystals")
    batch: int = Field(256, ge=2, description="crystals of a step")
    learning_rate: float = Field(0.01, gt=0, description="of Adam")
    width: int = Field(64, ge=1, description="features of an atom")
    n_convolutions: int = Field(4, ge=1, description="convolutions")
    hidden: int = Field(32, ge=1, description="width of the layer after the mean over atoms")


class Cgcnn(Section):
    """A network of CGCNN in place of the published one: a file, or one that is trained here."""

    kind: Literal["cgcnn"]
    file: str | None = Field(None, description="safetensors file of the network")
    train: CgcnnTraining | None = Field(None, description="how the workflow trains it")

    @model_validator(mode="after")
    def _one_of_both(self):
        if (self.file is None) == (self.train is None):
            found = "neither" if self.file is None else "both"
            raise ValueError(f"expected a file or train, found {found}")
        return self


def _known(given: dict[str, Cgcnn]) -> dict[str, Cgcnn]:
    for name in given:
        if name not in PROPERTIES:
            raise ValueError(
                f"{name}: expected one of {', '.join(PROPERTIES)}, "
                f"found {name!r}{did_you_mean(name, PROPERTIES)}"
            )
    return given


Properties = Annotated[dict[str, Cgcnn], AfterValidator(_known)]
