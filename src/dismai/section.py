"""Base of every validated section of settings."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A frozen set of settings; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
