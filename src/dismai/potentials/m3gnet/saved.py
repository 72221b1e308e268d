"""What a model that matgl has saved looks like, told without matgl."""

from pathlib import Path

MATGL_FILES = ("model.json", "state.pt")
"""What is read of a model that matgl has saved: sizes, weights."""


def is_matgl_folder(path: Path) -> bool:
    """Whether matgl has saved a model here."""
    return all((path / name).is_file() for name in MATGL_FILES)
