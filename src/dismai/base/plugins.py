"""What other packages bring, found through entry points: models, their settings, kinds."""

from importlib.metadata import EntryPoint
from typing import Any

from dismai.base.errors import InputError


def import_entry_point(entry: EntryPoint) -> Any:
    """The object that an entry point names; InputError where its module does not import."""
    try:
        return entry.load()
    except Exception as error:  # the module of somebody else may raise anything
        found = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        raise InputError(f"{entry.name}: expected {entry.value} to import, found {found}") from None
