"""Configuration of what predicts properties of crystals. No heavy imports."""

from typing import Literal

from pydantic import Field

from dismai.base.section import Section


class Cgcnn(Section):
    """A network of CGCNN in place of the published one."""

    kind: Literal["cgcnn"]
    file: str = Field(description="safetensors file of the network")
