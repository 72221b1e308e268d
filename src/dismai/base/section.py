"""Base of every validated section of settings."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

LARGEST = 2**63 - 1
"""The largest integer that tables can hold."""


class Section(BaseModel):
    """A frozen set of settings; an unknown key, or a number without end, is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="after")
    def _integers_fit(self):
        for name in type(self).model_fields:
            for value in _integers(getattr(self, name)):
                if abs(value) > LARGEST:
                    raise ValueError(f"{name}: expected at most {LARGEST}, found {value}")
        return self


def _integers(value: Any) -> Iterator[int]:
    """The integers in a value, those of mappings and lists included."""
    if isinstance(value, int):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _integers(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _integers(entry)
