"""CrystalNN here against pymatgen's and matminer's: equality and processor time an atom.

python benchmarks/crystalnn.py     (needs dismai[peers]; a minute)
"""

import time
import warnings
from collections.abc import Callable

import numpy as np
from ase import Atoms
from ase.build import bulk
from matminer.featurizers.site import CrystalNNFingerprint
from pymatgen.analysis.local_env import CrystalNN
from pymatgen.io.ase import AseAtomsAdaptor

from dismai.base.resources import resource
from dismai.datasets.amorphous_si.blocks import slice_blocks
from dismai.datasets.amorphous_si.bulk import read_bulk
from dismai.metrics import crystalnn

N_SITES = 40
"""Sites of each structure that the libraries are asked for; ours takes all."""


def main() -> None:
    """Print one row a structure."""
    warnings.filterwarnings("ignore")
    silicon = slice_blocks(read_bulk(resource("asi_100k.npz")), n_blocks=1, split="random")[0]
    salt = bulk("NaCl", "rocksalt", a=5.64, cubic=True).repeat(2)
    salt.rattle(0.05, seed=1)
    print(
        "structure | neighbours, ms an atom: theirs, ours | fingerprint: theirs, ours | differences"
    )
    for name, atoms in (("a-Si, 256 atoms", silicon), ("NaCl, 64 atoms", salt)):
        print(name, "|", *row(atoms))


def row(atoms: Atoms) -> list[str]:
    """Times of both and differences of both for one structure."""
    structure = AseAtomsAdaptor.get_structure(atoms)
    near, ops = CrystalNN(), CrystalNNFingerprint.from_preset("ops")
    crystalnn.fingerprints(atoms)  # compiled, or read from where the kernels are kept
    crystalnn.neighbor_list(atoms)
    theirs, info = timed(lambda: [near.get_nn_info(structure, k) for k in range(N_SITES)], N_SITES)
    ours, (i, j, _, _) = timed(lambda: crystalnn.neighbor_list(atoms), len(atoms))
    differ = sum(
        sorted(one["site_index"] for one in info[k]) != sorted(j[i == k].tolist())
        for k in range(N_SITES)
    )
    theirs_too, expected = timed(
        lambda: [ops.featurize(structure, k) for k in range(N_SITES)], N_SITES
    )
    ours_too, found = timed(lambda: crystalnn.fingerprints(atoms), len(atoms))
    largest = np.abs(np.array(expected) - found[:N_SITES]).max()
    return [
        f"{theirs:.3g} {ours:.3g} ({theirs / ours:.0f} x) |",
        f"{theirs_too:.3g} {ours_too:.3g} ({theirs_too / ours_too:.0f} x) |",
        f"{differ} of {N_SITES} sites with other neighbours, fingerprints {largest:.1e}",
    ]


def timed(work: Callable, n_atoms: int) -> tuple[float, list]:
    """Processor time of one call, ms an atom, and what it gives."""
    began = time.process_time()
    found = work()
    return 1e3 * (time.process_time() - began) / n_atoms, found


if __name__ == "__main__":
    main()
