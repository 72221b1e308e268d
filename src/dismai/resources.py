"""Files that ship with the package: raw inputs, published numbers, reference sets."""

from importlib.resources import files
from pathlib import Path

from dismai.errors import InputError


def resource(name: str) -> Path:
    """Path of a shipped file: inside an installed package, or in `resources/` of a checkout."""
    installed = Path(str(files("dismai"))) / "shipped"
    checkout = Path(__file__).resolve().parents[2] / "resources"
    for folder in (installed, checkout):
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"{name}: expected a file shipped with dismai, found none in {checkout}")
