"""Generated interfaces looked at closely (Dismai-Bench paper, 2.5 and 4.4).

Generated structures of low energy, and random ones of high energy, against the training
structures: all at minima of the potential that the engine relaxed further. Only cations of the
disordered region count.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.card import REGION_ATOMS, DatasetSpec
from dismai.base.columns import ENERGY, ENGINE_ENERGY, ENGINE_REFERENCE, ENGINE_STATUS, REFERENCE
from dismai.base.errors import StructureError
from dismai.evaluation.study import STATEMENTS_SCHEMA, STUDY_SCHEMA, difference, held, mean_of
from dismai.metrics.crystalnn import fingerprints, sites
from dismai.metrics.interface import cations_of_region, interface_energy
from dismai.metrics.motifs import ligand_numbers, motif_names, motifs
from dismai.metrics.rdf import partial_rdf
from dismai.metrics.statistics import (
    Interval,
    bootstrap_ci,
    clipped_to,
    cosine_distance,
    euclidean,
    mean_ci,
    percentage,
    published_ci,
)

CATIONS, ANIONS = ("Sc", "Li"), ("O", "Cl")
RANDOM, TRAINING, HELD_OUT, HIGH = "random", "training", "held_out", "high_energy"
"""Sets that stem from the random interfaces of the dataset."""
ENERGIES = "energies"
LOW_POTENTIAL, LOW_ENGINE = "percent_low_potential", "percent_low_engine"
FINISHED = "percent_at_minima"
EUCLID, COSINE = "euclidean_distance", "cosine_similarity"
WORDS = {
    FINISHED: ("at minima of potential and engine (%)", "%"),
    LOW_POTENTIAL: ("low energy in the potential (%)", "%"),
    LOW_ENGINE: ("low energy under the engine (%)", "%"),
    EUCLID: ("Euclidean distance", "1"),
    COSINE: ("cosine similarity", "1"),
    **{f"bonds_{anion}": (f"{anion} bonds of an atom", "bonds/atom") for anion in ANIONS},
}
"""Numbers of a set: words and unit."""
SHOWN_FROM = 1.0
"""Percent of the atoms of the training set from which a motif is shown."""


Relaxed = tuple[list[Atoms], pd.DataFrame]
"""Structures where they ended, and the table of the engine stage, a row each."""


@dataclass(frozen=True)
class Energies:
    """Interface energies of the structures of a set, J/m^2, after each stage.

    potential, engine: (n_structures,), those at minima of both.  n_declared: structures that were
    tried or generated.
    """

    potential: np.ndarray
    engine: np.ndarray
    n_declared: int

    @property
    def low(self) -> np.ndarray:
        return self.engine <= 0.0


@dataclass(frozen=True)
class Region:
    """The cations of the region in every structure of a set, by element.

    prints: mean fingerprint of each structure, (n_structures, n_features).
    motifs: percent of the atoms with a motif and a number of O, one dict a structure.
    bonds: mean number of O and of Cl neighbours in each structure, (n_structures, 2).
    rdf: g of each anion around the cation, mean over the structures, (n_bins,).
    """

    prints: Mapping[str, np.ndarray]
    motifs: Mapping[str, list[dict[tuple[str, int], float]]]
    bonds: Mapping[str, np.ndarray]
    rdf: Mapping[tuple[str, str], np.ndarray]
    r_A: np.ndarray
    n_left_out: int

    @property
    def n_structures(self) -> int:
        return len(self.prints[CATIONS[0]])


def energies_of(table: pd.DataFrame, spec: DatasetSpec, n_declared: int) -> Energies:
    """Energies of a table of the engine stage (`evaluation.engine_stage.joined`)."""
    rows = table[_at_minima(table)]
    own = rows[ENERGY] if ENERGY in rows else rows["energy_eV"] / spec.n_atoms
    area = float(np.linalg.norm(np.cross(spec.cell[0], spec.cell[1])))

    def gamma(energy: pd.Series, zero: float) -> np.ndarray:
        return interface_energy(spec.n_atoms * energy.to_numpy(float), spec.n_atoms, area, zero)

    statistics = spec.statistics
    return Energies(
        gamma(own, statistics[REFERENCE]),
        gamma(rows[ENGINE_ENERGY], statistics[ENGINE_REFERENCE]),
        n_declared,
    )


def _at_minima(table: pd.DataFrame) -> np.ndarray:
    """Which structures are at minima of potential and engine, (n_structures,)."""
    ok = table[ENGINE_STATUS].eq("ok")
    return (ok & table["status"].eq("ok") if "status" in table else ok).to_numpy()


def pooled(
    models: Sequence[str], sets: Sequence[Relaxed], n_declared: Sequence[int]
) -> dict[str, tuple[list[Atoms], pd.DataFrame, int]]:
    """Generated sets of all trainings of a model as one, with the structures that it declared."""
    found = {}
    for name in dict.fromkeys(models):
        own = [k for k, model in enumerate(models) if model == name]
        structures = [atoms for k in own for atoms in sets[k][0]]
        table = pd.concat([sets[k][1] for k in own], ignore_index=True)
        found[name] = structures, table, sum(n_declared[k] for k in own)
    return found


def regions_of(
    train: Sequence[Atoms],
    val: Sequence[Atoms],
    tried: Relaxed,
    generated: Mapping[str, Relaxed],
    energies: Mapping[str, Energies],
    spec: DatasetSpec,
) -> dict[str, Region]:
    """Regions of the sets of the study: generated ones of low energy, random ones of high energy.

    Of a generated set NAME all structures stand beside, as NAME_all: few may be low.

    energies: of the random interfaces that were tried, and of the generated sets.
    """

    def chosen(relaxed: Relaxed, wanted: np.ndarray) -> list[Atoms]:
        structures, table = relaxed
        return [structures[k] for k in np.flatnonzero(_at_minima(table))[wanted]]

    sets = {TRAINING: train, HELD_OUT: val, HIGH: chosen(tried, ~energies[RANDOM].low)}
    for name, own in generated.items():
        low = energies[name].low
        sets |= {name: chosen(own, low), f"{name}_all": chosen(own, np.ones_like(low))}
    return {name: region_of(structures, spec) for name, structures in sets.items()}


def region_of(structures: Iterable[Atoms], spec: DatasetSpec) -> Region:
    """The region of every structure; those without a defined environment are left out."""
    counts = spec.statistics[REGION_ATOMS]
    prints, found, bonds, curves = ({key: [] for key in CATIONS} for _ in range(4))
    names, n_left_out, r = motif_names(), 0, np.empty(0)
    for atoms in structures:
        try:
            chosen = cations_of_region(atoms, counts)
            own = fingerprints(atoms, "interface")
        except StructureError:
            n_left_out += 1
            continue
        place = {site: k for k, site in enumerate(sites(atoms, "interface"))}
        for cation in CATIONS:
            rows = own[[place[index] for index in chosen[cation]]]
            ligands = ligand_numbers(rows)  # Cl, O
            keys = Counter(zip((names[m] for m in motifs(rows)), ligands[:, 1], strict=True))
            prints[cation].append(rows.mean(axis=0))
            bonds[cation].append(ligands[:, ::-1].mean(axis=0))
            found[cation].append({(m, int(o)): 100 * n / len(rows) for (m, o), n in keys.items()})
            both = [
                partial_rdf(atoms, chosen[cation], np.flatnonzero(atoms.symbols == anion))
                for anion in ANIONS
            ]
            r = both[0][0]
            curves[cation].append([g for _, g in both])
    rdf = {
        (cation, anion): np.mean([two[k] for two in curves[cation]], axis=0)
        for cation in CATIONS
        for k, anion in enumerate(ANIONS)
        if curves[cation]
    }
    arrays = [{key: np.array(rows) for key, rows in part.items()} for part in (prints, bonds)]
    return Region(arrays[0], found, arrays[1], rdf, r, n_left_out)


def motif_shares(
    regions: Mapping[str, Region], cation: str
) -> dict[tuple[str, int], dict[str, Interval]]:
    """Percent of the cations with a motif and a number of O, by set, with 95 % intervals (Fig. 9).

    Motifs with at least 1 % of the atoms of the training set, in the order of the papers' figures.
    """
    training = regions[TRAINING].motifs[cation]
    mean = {
        key: np.mean([own.get(key, 0.0) for own in training])
        for key in {key for own in training for key in own}
    }
    order = {name: i for i, name in enumerate(motif_names())}
    shown = [key for key, share in mean.items() if share >= SHOWN_FROM]
    return {
        key: {
            name: bootstrap_ci(
                np.array([own.get(key, 0.0) for own in region.motifs[cation]]),
                lambda resampled: float(resampled[0]),
                (0.0, 100.0),
            )
            for name, region in regions.items()
            if region.n_structures
        }
        for key in sorted(shown, key=lambda key: (order[key[0]], key[1]))
    }


def interface_table(
    energies: Mapping[str, Energies], regions: Mapping[str, Region], published: pd.DataFrame
) -> pd.DataFrame:
    """All numbers of the study, as in `STUDY_SCHEMA`.

    Args:
        energies: of the random interfaces and of each generated set.
        regions: of the training set and of all that is compared with it.
        published: rows of published.csv.
    """
    said = published[published["dataset"].eq("interface_DFT_relaxed")]
    said = said.set_index(["model", "metric"])[["mean", "min", "max"]].astype(float)
    rows = []

    def add(group: str, name: str, metric: str, n: int, found: Interval, key: tuple) -> None:
        theirs = list(said.loc[key]) if key and key in said.index else [np.nan] * 3
        limits = [found.low, found.high, found.value, found.value]
        rows.append([group, name, metric, WORDS[metric][1], 1, n, found.value, *limits, *theirs])

    for name, own in energies.items():
        model = "random_generation" if name == RANDOM else "CryinGAN lambda=0.05"
        for metric, found in shares_of(own).items():
            key = (model, "percent_low_interface_energy") if metric == LOW_ENGINE else ()
            add(ENERGIES, name, metric, own.n_declared, found, key)
    models = {name: "CryinGAN" for name in energies} | {HIGH: "high_energy_random_structures"}
    for cation in CATIONS:
        for name, region in regions.items():
            for metric, found in numbers_of(region, regions[TRAINING], cation).items():
                if name == TRAINING and metric in (EUCLID, COSINE):
                    continue
                known = cation == "Sc" and name in models
                key = (models[name], f"interface_Sc_fingerprint_{metric}") if known else ()
                add(f"{cation} of the region", name, metric, region.n_structures, found, key)
    return pd.DataFrame(rows, columns=STUDY_SCHEMA.names)


def shares_of(own: Energies) -> dict[str, Interval]:
    """Percent at minima, and of those the percent of low energy in the potential and the engine."""
    n = len(own.engine)
    found = {FINISHED: percentage(n, own.n_declared)}
    if n:
        found[LOW_POTENTIAL] = percentage(int((own.potential <= 0).sum()), n)
        found[LOW_ENGINE] = percentage(int(own.low.sum()), n)
    return found


def numbers_of(region: Region, training: Region, cation: str) -> dict[str, Interval]:
    """Table 4 for one cation, pivotal 95 % intervals, and bonds of an atom to O and Cl."""
    if not region.n_structures or not training.n_structures:
        return {}
    target = training.prints[cation].mean(axis=0)
    own = region.prints[cation]
    distance = published_ci(own, lambda mean: euclidean(mean, target))
    cosine = published_ci(own, lambda mean: 1.0 - cosine_distance(mean, target))
    bonds = {
        f"bonds_{anion}": clipped_to(mean_ci(region.bonds[cation][:, k]), (0.0, np.inf))
        for k, anion in enumerate(ANIONS)
    }
    return {EUCLID: distance, COSINE: cosine, **bonds}


def interface_statements(table: pd.DataFrame, generated: Sequence[str]) -> pd.DataFrame:
    """What the paper says of generated interfaces, as in `STATEMENTS_SCHEMA`.

    table: as `interface_table` gives it.  generated: names of the generated sets.
    """
    keyed = table.set_index(["group", "name", "metric"])[["value", "low", "high"]]
    rows = []

    def add(statement: str, group: str, metric: str, first: str, second: str, sign: int) -> None:
        keys = [(group, name, metric) for name in (first, second)]
        if all(key in keyed.index for key in keys):
            one, two = (mean_of([Interval(*keyed.loc[key])]) for key in keys)
            found = difference(one, two)
            unit = WORDS[metric][1]
            rows.append([statement, metric, unit, first, second, *found, held(found, sign)])

    scandium = "Sc of the region"
    for name in generated:
        add("more of low energy than at random", ENERGIES, LOW_ENGINE, RANDOM, name, 1)
        add("nearer to training than high energies", scandium, EUCLID, HIGH, name, -1)
        add("more alike training than high energies", scandium, COSINE, HIGH, name, 1)
        add("more Sc-O bonds than training", scandium, "bonds_O", TRAINING, name, 1)
    add("high energies have fewer Sc-O bonds", scandium, "bonds_O", TRAINING, HIGH, -1)
    return pd.DataFrame(rows, columns=STATEMENTS_SCHEMA.names)
