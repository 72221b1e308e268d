"""Compiles what describes structures before it is first used: `python -m dismai.evaluation.warm`.

The kernels of an installation are kept (dismai.base.kernels): `make install` fills that folder, and
the first evaluation has only to load them.
"""

from collections.abc import Iterator
from typing import get_args

from ase import Atoms

from dismai.base.card import DatasetSpec
from dismai.base.resources import shipped_references
from dismai.datasets.baselines import random_atoms, random_decoration
from dismai.datasets.options import Options
from dismai.evaluation.process import process_one
from dismai.evaluation.reference import load_shipped
from dismai.postprocess.on_lattice import Alignment


def compile_kernels() -> None:
    """Describe a random structure of every kind; what comes of it is of no interest."""
    kinds: set[str] = set()
    for dataset in shipped_references():
        spec = load_shipped(dataset, Options().expansion).spec
        if spec.kind in kinds or not isinstance(spec, DatasetSpec):
            continue  # nothing of crystals is compiled
        kinds.add(spec.kind)
        print(f"compiling what describes structures of kind {spec.kind}", flush=True)
        for structure, options in _structures(spec):
            process_one(0, structure, spec, options)


def _structures(spec: DatasetSpec) -> Iterator[tuple[Atoms, Options]]:
    if spec.fcc is None:
        yield random_atoms(spec, 1, 0)[0], Options()
        return
    for align in get_args(Alignment):
        yield random_decoration(spec, 1, 0)[0], Options(align=align)


if __name__ == "__main__":
    compile_kernels()
