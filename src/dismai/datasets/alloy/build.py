"""The Fe-Ni-Cr alloys: Monte Carlo snapshots, selection by short-range order, split, card."""

import logging
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from ase import Atoms

from dismai.base.atomic import replacing
from dismai.base.card import DatasetSpec, FccLattice, cell_rows
from dismai.base.errors import InputError
from dismai.base.seeds import generator_for, seed_for
from dismai.datasets.alloy.monte_carlo import CanonicalSampler, SwapRange
from dismai.datasets.split import split
from dismai.geometry.cluster_expansion import SPECIES, ClusterExpansion, check_composition
from dismai.geometry.fcc import fractional_sites
from dismai.metrics.clusters import count_clusters, published_expansion, warren_cowley_of_counts

logger = logging.getLogger(__name__)

NOTES = (
    "Rebuilt from the published cluster expansion; not the published archive of structures.",
    "The paper leaves open: swap partners, length of a pass, starts, burn-in, which snapshots are "
    "taken. Here a pass is one attempted swap per site, starts are random, the burn-in is dropped, "
    "the wide set is equally spaced over all runs, and the narrow set is equally spaced among "
    "snapshots whose twelve SRO parameters (shells 1, 2) all lie near their averages.",
)
PAPER_COMPOSITION = {"Cr": 51, "Fe": 154, "Ni": 51}
Engine = Literal["numba", "icet"]


@dataclass(frozen=True)
class Snapshots:
    """Decorations visited by independent runs at one temperature.

    occupancy: species index of every site, int8, (n_runs, n_snapshots, n_sites).
    interval: passes between two snapshots.  acceptance: accepted share of unlike swaps; NaN if
    the engine does not count them.
    """

    occupancy: np.ndarray
    interval: int
    acceptance: float

    def equilibrated(self, burn_in_passes: int) -> tuple[np.ndarray, np.ndarray]:
        """Decorations after the burn-in, (n, n_sites), and the run of each, (n,)."""
        n_runs, n_snapshots, n_sites = self.occupancy.shape
        first = burn_in_passes // self.interval
        if first >= n_snapshots:
            raise InputError(
                f"burn_in_passes: expected fewer than the {n_snapshots * self.interval} passes "
                f"of a run, found {burn_in_passes}"
            )
        kept = self.occupancy[:, first:]
        runs = np.repeat(np.arange(n_runs), n_snapshots - first)
        return kept.reshape(-1, n_sites), runs


def save_snapshots(snapshots: Snapshots, path: Path) -> None:
    """Write snapshots as a plain NumPy archive."""
    with replacing(path) as temporary, open(temporary, "wb") as stream:
        np.savez(
            stream,
            occupancy=snapshots.occupancy,
            interval=np.int64(snapshots.interval),
            acceptance=np.float64(snapshots.acceptance),
        )


def load_snapshots(path: Path) -> Snapshots:
    """Read what `save_snapshots` wrote; InputError if it is anything else. Nothing is unpickled."""
    try:
        with np.load(path, allow_pickle=False) as data:
            return Snapshots(data["occupancy"], int(data["interval"]), float(data["acceptance"]))
    except FileNotFoundError:
        raise InputError(f"{path}: expected snapshots, found no such file") from None
    except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        found = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: expected snapshots, found {found}") from None


def sample(
    temperature_K: float,
    expansion: ClusterExpansion | None = None,
    supercell: tuple[int, int, int] = (4, 4, 4),
    composition: Mapping[str, int] = PAPER_COMPOSITION,
    swaps: SwapRange = "any_pair",
    n_runs: int = 10,
    n_passes: int = 50_000,
    interval: int = 10,
    seed: int = 0,
    engine: Engine = "numba",
    n_threads: int = 1,
) -> Snapshots:
    """Independent canonical Monte Carlo runs from random starts (Dismai-Bench paper, 4.1.1).

    Args:
        temperature_K: temperature, K.
        expansion: the energy function; the shipped one by default.
        supercell: conventional cells per axis.
        composition: atoms per species.
        swaps: swap partners: any two unlike atoms, or nearest neighbours.
        n_runs: independent runs.
        n_passes: passes per run, of n_sites attempted swaps each.
        interval: passes between snapshots.
        seed: root seed; every run derives its own from its number.
        engine: `numba` (ours) or `icet` (mchammer, any-pair swaps only).
        n_threads: runs that go on at the same time; no result depends on it.

    Raises:
        InputError: a setting out of range.
    """
    if not temperature_K > 0:
        raise InputError(f"temperature_K: expected a positive number, found {temperature_K}")
    if not 0 < interval <= n_passes:
        raise InputError(f"interval: expected 1 to {n_passes} passes, found {interval}")
    check_composition(composition, supercell)
    expansion = expansion or published_expansion()
    ordered = np.repeat(np.arange(3, dtype=np.int8), [composition[name] for name in SPECIES])
    names = (seed, "sample_alloy", f"{temperature_K:g}")
    starts = [generator_for(*names, "start", run).permutation(ordered) for run in range(n_runs)]

    if engine == "icet":
        if swaps != "any_pair":
            raise InputError(f"swaps: expected any_pair with engine icet, found {swaps}")
        from dismai.datasets.alloy.icet_expansion import run_mchammer

        occupancy = [
            run_mchammer(
                expansion, start, supercell, temperature_K, n_passes, interval,
                seed_for(*names, "mchammer", run) % 2**31,
            )
            for run, start in enumerate(starts)
        ]  # fmt: skip
        return Snapshots(np.array(occupancy), interval, float("nan"))

    sampler = CanonicalSampler(expansion, supercell, swaps)

    def one_run(run: int):
        rng = generator_for(*names, "swaps", run)
        return sampler.run(starts[run], temperature_K, n_passes, interval, rng)

    with ThreadPoolExecutor(n_threads) as pool:
        results = list(pool.map(one_run, range(n_runs)))
    attempts = sum(result[1] for result in results)
    accepted = sum(result[2] for result in results)
    logger.info(
        "%d runs of %d passes at %g K: %.3f of unlike swaps accepted",
        n_runs, n_passes, temperature_K, accepted / max(attempts, 1),
    )  # fmt: skip
    occupancy = np.stack([result[0] for result in results])
    return Snapshots(occupancy, interval, accepted / max(attempts, 1))


def short_range_order(occupancy: np.ndarray, supercell: tuple[int, int, int]) -> np.ndarray:
    """The twelve Warren-Cowley parameters of decorations, (n, 12)."""
    counts = count_clusters(occupancy, supercell)
    return warren_cowley_of_counts(counts).reshape(len(counts), -1)


def evenly_spaced(n_available: int, n_wanted: int) -> np.ndarray:
    """Indices of n_wanted of n_available items, as evenly spaced as they can be."""
    return (np.arange(n_wanted) * n_available) // n_wanted


def select_wide(runs: np.ndarray, n_structures: int) -> np.ndarray:
    """Equally spaced snapshots, the same number (to within one) of every run.

    runs: run of every equilibrated snapshot, ascending, (n,). Returns indices, (n_structures,).
    """
    labels = np.unique(runs)
    quotas = np.diff(np.linspace(0, n_structures, len(labels) + 1).astype(int))
    chosen = []
    for label, quota in zip(labels, quotas, strict=True):
        available = np.flatnonzero(runs == label)
        if len(available) < quota:
            raise InputError(
                f"wide selection: expected at least {quota} snapshots after the burn-in of run "
                f"{label}, found {len(available)}; lengthen n_passes or shorten interval"
            )
        chosen.append(available[evenly_spaced(len(available), quota)])
    return np.concatenate(chosen)


def select_narrow(sro: np.ndarray, n_structures: int, tolerance: float) -> np.ndarray:
    """Snapshots whose twelve SRO parameters all lie within +-tolerance of their averages.

    sro: parameters of the equilibrated snapshots of one temperature, (n, 12). Equally spaced
    ones are taken where more pass than are wanted. Returns indices, (n_structures,).
    """
    passing = np.flatnonzero(np.all(np.abs(sro - sro.mean(axis=0)) <= tolerance, axis=1))
    if len(passing) < n_structures:
        raise InputError(
            f"narrow selection: expected {n_structures} snapshots with all SRO parameters within "
            f"{tolerance} of their averages, found {len(passing)} of {len(sro)}; lengthen "
            f"n_passes or raise sro_tolerance"
        )
    logger.info("%d of %d snapshots are within +-%g", len(passing), len(sro), tolerance)
    return passing[evenly_spaced(len(passing), n_structures)]


def to_atoms(occupancy: np.ndarray, lattice: FccLattice, info: dict | None = None) -> Atoms:
    """A perfect crystal with atoms in species blocks (Cr, Fe, Ni), sites in order within."""
    order = np.argsort(occupancy, kind="stable")
    atoms = Atoms(
        [SPECIES[species] for species in occupancy[order]],
        scaled_positions=fractional_sites(lattice.supercell)[order],
        cell=lattice.cell,
        pbc=True,
    )
    atoms.info.update(info or {})
    return atoms


def build(
    snapshots: Snapshots,
    name: str,
    temperature_K: float,
    selection: Literal["narrow", "wide"],
    lattice: FccLattice,
    n_structures: int = 1500,
    burn_in_passes: int = 20_000,
    sro_tolerance: float = 0.1,
    validation_share: float = 0.2,
    seed: int = 0,
    provenance: dict | None = None,
) -> tuple[list[Atoms], list[Atoms], DatasetSpec]:
    """Select snapshots and split them; training set, validation set and card.

    Every structure keeps its run of origin and its pass in `info`: snapshots of one run are
    correlated, so a random split leaks a little.
    """
    occupancy, runs = snapshots.equilibrated(burn_in_passes)
    n_sites = lattice.n_sites
    if occupancy.shape[1] != n_sites:
        raise InputError(f"{name}: expected snapshots of {n_sites} sites, found {occupancy.shape}")
    if selection == "wide":
        chosen = select_wide(runs, n_structures)
    else:
        sro = short_range_order(occupancy, lattice.supercell)
        chosen = select_narrow(sro, n_structures, sro_tolerance)
    per_run = len(occupancy) // len(np.unique(runs))
    passes = (chosen % per_run + 1) * snapshots.interval + burn_in_passes
    structures = [
        to_atoms(occupancy[k], lattice, {"run": int(runs[k]), "pass": int(step)})
        for k, step in zip(chosen, passes, strict=True)
    ]
    validation = split(n_structures, validation_share, generator_for(seed, "split", name))
    train = [atoms for atoms, held in zip(structures, validation, strict=True) if not held]
    val = [atoms for atoms, held in zip(structures, validation, strict=True) if held]
    species_counts = np.bincount(occupancy[0], minlength=len(SPECIES))
    spec = DatasetSpec(
        name=name,
        kind="alloy",
        composition=dict(zip(SPECIES, species_counts.tolist(), strict=True)),
        cell_A=cell_rows(lattice.cell),
        fcc=lattice,
        n_train=len(train),
        n_val=len(val),
        notes=NOTES,
        provenance=provenance or {},
        statistics={
            "temperature_K": temperature_K,
            "selection": selection,
            "n_equilibrated_snapshots": len(occupancy),
            "n_distinct_decorations": len(np.unique(occupancy[chosen], axis=0)),
            "structures_per_run": np.bincount(runs[chosen], minlength=runs.max() + 1).tolist(),
        },
    )
    return train, val, spec
