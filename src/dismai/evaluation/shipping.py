"""Let the relaxed dataset of a run ship with the package: reference and structures, one command.

python -m dismai.evaluation.shipping results/RUN DATASET NAME resources
"""

import lzma
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ase import Atoms

from dismai.base.atomic import sha256, write_atomically
from dismai.base.card import read_card
from dismai.datasets.recipe import STRUCTURES
from dismai.evaluation.reference import HELD_OUT_FILE, TRAIN_FILE, ship
from dismai.files.structures import read_structures, write_structures


def ship_dataset(run: Path, dataset: str, name: str, resources: Path) -> str:
    """Put a reference of a run, and its structures packed, among the files that ship.

    Args:
        run: folder of the results, `results/RUN`, with `reference/DATASET.parquet` made.
        dataset: its name in the run, which stays that of the card.
        name: under which `--dataset` finds it; another than the dataset for another size of it.
        resources: folder of the files that ship.

    Returns:
        What was written, in a line.

    Raises:
        InputError: no such card or structures.
    """
    folder = run / "datasets" / dataset
    card = read_card(folder / "card.json")
    train, val = (read_structures(folder / file) for file in (TRAIN_FILE, HELD_OUT_FILE))
    packed = resources / STRUCTURES / f"{name}.extxyz.xz"
    packed.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(packed, _packed([*train, *val]))
    origin = {"file": str(packed.relative_to(resources)), "sha256": sha256(packed)}
    spec = card.model_copy(update={"provenance": {**card.provenance, STRUCTURES: origin}})
    reference = resources / "reference" / f"{name}.parquet"
    ship(run / "reference" / f"{dataset}.parquet", spec, reference)
    sizes = " and ".join(f"{path} ({path.stat().st_size} B)" for path in (reference, packed))
    return f"{len(train)} + {len(val)} structures of {spec.size}: {sizes}"


def _packed(structures: Sequence[Atoms]) -> bytes:
    """Structures as a compressed file of extended XYZ."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "all.extxyz"
        write_structures(structures, path)
        return lzma.compress(path.read_bytes(), preset=9)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("usage: python -m dismai.evaluation.shipping results/RUN DATASET NAME resources")
    words = sys.argv[1:]
    print(ship_dataset(Path(words[0]), words[1], words[2], Path(words[3])))
