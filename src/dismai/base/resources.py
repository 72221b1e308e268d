"""Files that ship with the package: raw inputs, published numbers, reference sets."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from dismai.base.errors import InputError, did_you_mean


def resource(name: str) -> Path:
    """Path of a shipped file: inside an installed package, or in `resources/` of a checkout."""
    installed = Path(str(files("dismai"))) / "shipped"
    checkout = Path(__file__).resolve().parents[3] / "resources"
    for folder in (installed, checkout):
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"{name}: expected a file shipped with dismai, found none in {checkout}")


def shipped_references() -> dict[str, Path]:
    """Datasets whose reference ships with the package, and where it is."""
    folder = resource("eci.yaml").parent / "reference"
    return {path.stem: path for path in sorted(folder.glob("*.parquet"))}


def check_shipped(dataset: str, shipped: Mapping[str, Path]) -> Path:
    """Path of the shipped reference of a dataset; InputError if there is none."""
    if dataset not in shipped:
        raise InputError(
            f"dataset {dataset!r}: expected one with a shipped reference "
            f"({', '.join(shipped)}) or training structures given by --reference"
            f"{did_you_mean(dataset, shipped)}"
        )
    return shipped[dataset]
