"""Configuration of what predicts properties of crystals. No heavy imports."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from dismai.base.errors import did_you_mean
from dismai.base.section import Section
from dismai.properties.names import PROPERTIES


class Cgcnn(Section):
    """A network of CGCNN in place of the published one."""

    kind: Literal["cgcnn"]
    file: str = Field(description="safetensors file of the network")


def _known(given: dict[str, Cgcnn]) -> dict[str, Cgcnn]:
    for name in given:
        if name not in PROPERTIES:
            raise ValueError(
                f"{name}: expected one of {', '.join(PROPERTIES)}, "
                f"found {name!r}{did_you_mean(name, PROPERTIES)}"
            )
    return given


Properties = Annotated[dict[str, Cgcnn], AfterValidator(_known)]
