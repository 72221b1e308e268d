"""A built set of amorphous silicon beside random atoms, and the noise floor of both splits.

    python benchmarks/silicon_blocks.py results/reference/datasets/amorphous_si [--n-random 150]

Random atoms are pushed apart and relaxed as the blocks were, in Stillinger-Weber. Distances are
those to the training blocks. What is finished is kept in DATASET/state.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.card import read_card
from dismai.base.columns import ENERGY
from dismai.datasets.amorphous_si.build import four_fold
from dismai.datasets.amorphous_si.describe import ANGLES, MOTIF, RDF
from dismai.datasets.baselines import random_atoms
from dismai.datasets.options import Options
from dismai.evaluation.process import describe_reference
from dismai.files.structures import read_structures, read_table
from dismai.metrics.network import bond_network
from dismai.metrics.silicon import BOND_CUTOFF_A
from dismai.metrics.statistics import bootstrap_weights, euclidean
from dismai.potentials import check_entry
from dismai.potentials.resumable import relax_resumably
from dismai.potentials.settings import RelaxationSettings

COLUMNS = {"d_motif": MOTIF, "d_rdf": RDF, "d_angle": ANGLES}
FOUR_FOLD, FOUR_FOLD_VORONOI = "four_fold_percent", "coordination_4_percent"
N_PLACES = 390  # disjoint blocks of 256 atoms in the cell of 100,000
DEPTH_A = 3.0
N_SPLITS = 200


def set_of(path: Path, structures: list[Atoms]) -> pd.DataFrame:
    """Features of a part of the dataset with the shares of four-fold atoms."""
    return read_table(path).assign(**{FOUR_FOLD: [four_fold(atoms) for atoms in structures]})


def random_set(folder: Path, n: int) -> pd.DataFrame:
    """Features of random atoms at least 1.9 Å apart, relaxed as blocks are."""
    spec = read_card(folder / "card.json")
    start = random_atoms(spec, n, 1)
    entry = check_entry({"kind": "sw"})
    relaxed, table = relax_resumably(
        start, entry, RelaxationSettings(), folder / "state" / "random_atoms"
    )
    ok = (table["status"] == "ok").to_numpy()
    relaxed = [atoms for atoms, good in zip(relaxed, ok, strict=True) if good]
    print(f"random atoms: {len(relaxed)} of {n} relaxed, {table['steps'].mean():.0f} steps")
    features = describe_reference(relaxed, spec, Options(), "random atoms")
    features[ENERGY] = table["energy_eV"].to_numpy()[ok] / spec.n_atoms
    return features.assign(**{FOUR_FOLD: [four_fold(atoms) for atoms in relaxed]})


def estimate(values: np.ndarray, reference: np.ndarray | None) -> tuple[float, float]:
    """A mean, or the distance of the mean to a reference, with its standard error (bootstrap)."""
    means = bootstrap_weights(len(values), 1000, 7) @ values
    if reference is None:
        return float(values.mean()), float(means.std())
    resampled = [euclidean(mean, reference) for mean in means]
    return euclidean(values.mean(axis=0), reference), float(np.std(resampled))


def compare(train: pd.DataFrame, held_out: pd.DataFrame, random: pd.DataFrame) -> pd.DataFrame:
    """Held-out blocks beside random atoms, difference in standard errors."""
    rows = []
    for name in (FOUR_FOLD, FOUR_FOLD_VORONOI, ENERGY, *COLUMNS):
        columns = COLUMNS.get(name, [name])
        target = train[columns].to_numpy().mean(axis=0) if name in COLUMNS else None
        (block, block_error), (other, other_error) = (
            estimate(table[columns].to_numpy(), target) for table in (held_out, random)
        )
        error = np.hypot(block_error, other_error)
        rows.append([name, block, block_error, other, other_error, (other - block) / error])
    names = ["quantity", "blocks", "standard_error", "random", "error_of_it", "standard_errors"]
    return pd.DataFrame(rows, columns=names)


def floors(train: pd.DataFrame, held_out: pd.DataFrame) -> pd.DataFrame:
    """Distance of held-out from training blocks in both splits, beside what sampling makes of it.

    The random split divides the same blocks N_SPLITS times: they are a uniform sample of the cell
    but for those across the border of the two slabs. From n_1 and n_2 independent structures
    sampling alone gives sqrt(tr(covariance) (1/n_1 + 1/n_2)): of blocks, or of disjoint places.
    """
    rng = np.random.default_rng(0)
    n_train, n_val = len(train), len(held_out)
    share = n_val / (n_train + n_val)
    rows = []
    for name, columns in COLUMNS.items():
        values = pd.concat([train, held_out])[columns].to_numpy()
        scatter = np.sqrt(values.var(axis=0, ddof=1).sum())
        splits = []
        for _ in range(N_SPLITS):
            order = rng.permutation(len(values))
            splits.append(euclidean(*(values[p].mean(axis=0) for p in np.split(order, [n_val]))))
        spatial = euclidean(train[columns].mean(), held_out[columns].mean())
        pairs = (
            (n_val, n_train),
            (share * N_PLACES, (1 - share) * N_PLACES),
            (1000, n_train),
        )
        expected = [scatter * np.sqrt(1 / a + 1 / b) for a, b in pairs]
        rows.append([name, spatial, np.mean(splits), np.std(splits), *expected])
    names = ["metric", "spatial", "random", "sd_of_random", "blocks", "places", "1000_structures"]
    return pd.DataFrame(rows, columns=names)


def seam(structures: list[Atoms]) -> tuple[float, float, float]:
    """Percent of atoms deeper than 3 Å below the faces; of four-fold atoms there and outside."""
    inner, bonds = [], []
    for atoms in structures:
        scaled = atoms.get_scaled_positions()
        heights = 1.0 / np.linalg.norm(np.linalg.inv(atoms.cell.array), axis=0)
        inner.append((np.minimum(scaled, 1 - scaled) * heights).min(axis=1) > DEPTH_A)
        bonds.append(np.diff(bond_network(atoms, BOND_CUTOFF_A).first) == 4)
    inside, four = np.concatenate(inner), np.concatenate(bonds)
    return 100 * inside.mean(), 100 * four[inside].mean(), 100 * four[~inside].mean()


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path, help="folder of the built set")
    parser.add_argument("--n-random", type=int, default=150)
    arguments = parser.parse_args()
    parts = [read_structures(arguments.dataset / f"{name}.extxyz") for name in ("train", "val")]
    names = ("features.parquet", "features_val.parquet")
    train, held_out = (
        set_of(arguments.dataset / name, part) for name, part in zip(names, parts, strict=True)
    )
    deep, inside, outside = seam([*parts[0], *parts[1]])
    print(
        f"four-fold: {pd.concat([train, held_out])[FOUR_FOLD].mean():.2f} % of all, "
        f"{inside:.2f} % more than {DEPTH_A:g} Å below the faces ({deep:.1f} % of the atoms), "
        f"{outside:.2f} % at the seam\n"
    )
    print(floors(train, held_out).to_string(index=False, float_format="%.4g"), "\n")
    random = random_set(arguments.dataset, arguments.n_random)
    print(compare(train, held_out, random).to_string(index=False, float_format="%.5g"))


if __name__ == "__main__":
    main()
