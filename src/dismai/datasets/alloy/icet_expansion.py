"""The cluster expansion as an icet `ClusterExpansion`, and sampling with mchammer."""

import numpy as np
from ase import Atoms
from ase.build import bulk
from icet import ClusterExpansion as IcetExpansion
from icet import ClusterSpace
from mchammer.calculators import ClusterExpansionCalculator
from mchammer.ensembles import CanonicalEnsemble
from mchammer.observers.base_observer import BaseObserver

from dismai.datasets.alloy.monte_carlo import BOLTZMANN_eV_PER_K, total_energy
from dismai.geometry.cluster_expansion import SPECIES, ClusterExpansion
from dismai.geometry.fcc import SHELLS, fractional_sites

FIT_SUPERCELL = (4, 4, 4)


def decorated_crystal(occupancy: np.ndarray, a_A: float, supercell: tuple[int, int, int]) -> Atoms:
    """An ideal fcc crystal with species index `occupancy`, (n_sites,), on its sites."""
    symbols = [SPECIES[species] for species in occupancy]
    return Atoms(
        symbols,
        scaled_positions=fractional_sites(supercell),
        cell=a_A * np.array(supercell),
        pbc=True,
    )


def to_icet(expansion: ClusterExpansion) -> IcetExpansion:
    """The same energy function in icet's orthogonal basis, eV/atom.

    Both are linear in the pair counts, so the coefficients follow exactly from a linear system
    over random decorations of every composition.
    """
    distances = expansion.a_A / 2 * np.linalg.norm(SHELLS, axis=1)
    cutoff = float(distances[-1] + 0.01)
    space = ClusterSpace(bulk("Fe", "fcc", a=expansion.a_A), [cutoff], list(SPECIES))
    rng = np.random.default_rng(0)
    n_sites = len(fractional_sites(FIT_SUPERCELL))
    vectors, energies = [], []
    for _ in range(4 * len(space)):
        occupancy = rng.choice(3, size=n_sites, p=rng.dirichlet(np.ones(3))).astype(np.int8)
        crystal = decorated_crystal(occupancy, expansion.a_A, FIT_SUPERCELL)
        vectors.append(space.get_cluster_vector(crystal))
        energies.append(total_energy(occupancy, expansion, FIT_SUPERCELL) / n_sites)
    parameters, *_ = np.linalg.lstsq(np.array(vectors), np.array(energies), rcond=None)
    return IcetExpansion(space, parameters)


class _SnapshotObserver(BaseObserver):
    """Records the decoration of the sites at every interval."""

    def __init__(self, interval: int):
        super().__init__(interval=interval, return_type=list, tag="occupancy")
        self.snapshots: list[np.ndarray] = []
        self._index = {symbol: index for index, symbol in enumerate(SPECIES)}

    def get_observable(self, structure: Atoms) -> int:
        self.snapshots.append(
            np.array([self._index[symbol] for symbol in structure.symbols], dtype=np.int8)
        )
        return 0


def canonical_ensemble(
    expansion: ClusterExpansion,
    occupancy: np.ndarray,
    supercell: tuple[int, int, int],
    temperature_K: float,
    seed: int,
) -> CanonicalEnsemble:
    """Mchammer's canonical ensemble (swaps of any two unlike atoms) on one decoration."""
    atoms = decorated_crystal(occupancy, expansion.a_A, supercell)
    calculator = ClusterExpansionCalculator(atoms, to_icet(expansion))
    return CanonicalEnsemble(
        atoms,
        calculator,
        temperature=temperature_K,
        boltzmann_constant=BOLTZMANN_eV_PER_K,
        random_seed=seed,
        ensemble_data_write_interval=10**9,
        trajectory_write_interval=10**9,
    )


def run_mchammer(
    expansion: ClusterExpansion,
    occupancy: np.ndarray,
    supercell: tuple[int, int, int],
    temperature_K: float,
    n_passes: int,
    interval: int,
    seed: int,
) -> np.ndarray:
    """Snapshots (n_passes // interval, n_sites) of one run; a pass is n_sites attempted swaps."""
    ensemble = canonical_ensemble(expansion, occupancy, supercell, temperature_K, seed)
    observer = _SnapshotObserver(interval * len(occupancy))
    ensemble.attach_observer(observer)
    ensemble.run(n_passes * len(occupancy))
    return np.array(observer.snapshots[-(n_passes // interval) :])
