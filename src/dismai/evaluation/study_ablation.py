"""The ablations of the Dismai-Bench paper (2.2, 2.6, 4.2): switches of the models, sampling steps.

A variant is an entry of the configuration. What it is about follows from its hyperparameters: a
switch that the benchmark leaves off, or another number of sampling steps with the same weights.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from ase.geometry import cell_to_cellpar

from dismai.base.card import DatasetSpec
from dismai.base.columns import ENERGY
from dismai.base.errors import StructureError
from dismai.base.kinds import KINDS, dataset_names, kind_name
from dismai.datasets.published import SOURCES, published_numbers
from dismai.evaluation import study
from dismai.evaluation.study import STATEMENTS_SCHEMA, STUDY_SCHEMA
from dismai.metrics.entries import METRICS
from dismai.metrics.statistics import UNDEFINED, Interval, mean_ci, percentage

COMPOSITION, LENGTHS, ANGLES = "right_composition", "cell_length_error", "cell_angle_error"
"""Our own numbers, of structures as they were generated."""
OWN = {
    COMPOSITION: ("structures of the right composition", "%", (0.0, 100.0)),
    LENGTHS: ("mean error of the lengths of the cell", "%", (0.0, np.inf)),
    ANGLES: ("mean error of the angles of the cell", "degrees", (0.0, np.inf)),
}
SCORED = ("percent_failed", "energy_above_training", "relaxation_steps")
"""Metrics beside the headline of the dataset."""
BEFORE = "_unrelaxed"
"""Ends the name of a metric of the structures before their relaxation."""
PLAIN = "as published"
"""Group of the models without any switch, and the name of that state."""
STEPS = ("langevin_steps", "steps")
"""Hyperparameters that count sampling steps, by architecture one of them."""
COMPOSITION_TOLD = "composition_accuracy"
"""Name in published.csv."""


@dataclass(frozen=True)
class Training:
    """One training of a variant and what it generated.

    weights_of: the model whose weights it draws with; empty for its own.  hparams: resolved.
    numbers: by metric.  energies: above the mean of the training set, meV/atom, (n_accepted,).
    """

    model: str
    seed: int
    architecture: str
    weights_of: str
    hparams: Mapping[str, Any]
    numbers: Mapping[str, Interval]
    energies: np.ndarray
    n_generated: int


@dataclass(frozen=True)
class Variant(study.Variant):
    """All trainings of one entry of the configuration on one dataset."""

    n_atoms: int

    @property
    def architecture(self) -> str:
        return self.trainings[0].architecture

    @property
    def weights_of(self) -> str:
        return self.trainings[0].weights_of

    @property
    def switch(self) -> str:
        """What the benchmark leaves off and this variant has on."""
        return switch_of(self.trainings[0].hparams, self.n_atoms)

    @property
    def is_plain(self) -> bool:
        """Whether this is the model of the benchmark, with its own weights."""
        return self.switch == PLAIN and not self.weights_of

    @property
    def steps(self) -> int:
        """Sampling steps; of CDVAE those at each noise level.  0: its architecture has none."""
        own = (self.trainings[0].hparams.get(key) for key in STEPS)
        return next((int(n) for n in own if n is not None), 0)

    @property
    def energies(self) -> np.ndarray:
        """Of the structures of all trainings, (n,)."""
        return np.concatenate([one.energies for one in self.trainings])


def switch_of(hparams: Mapping[str, Any], n_atoms: int) -> str:
    """What the benchmark leaves off, in words; hparams: resolved."""
    if hparams.get("species_denoising"):
        return "species denoised"
    if hparams.get("cost_lattice"):
        forced = hparams.get("teacher_forcing_epochs")
        return "lattice diffused, forced at first" if forced else "lattice diffused"
    if sum((hparams.get("region") or {}).values()) == n_atoms:
        return "all atoms shuffled"
    return PLAIN


def numbers_of(
    raw: Mapping[int, Atoms | StructureError],
    metrics: pd.DataFrame,
    unrelaxed: pd.DataFrame,
    spec: DatasetSpec,
) -> dict[str, Interval]:
    """Numbers of one generated set, by name.

    Args:
        raw: structures as they were generated.
        metrics: of the set (`METRICS_SCHEMA`).
        unrelaxed: the same before relaxation; no rows where nothing is relaxed.
        spec: card of the dataset.
    """
    headline = KINDS[spec.kind].headline
    before = study.scored(unrelaxed, (headline,))
    return {
        **generated_numbers(raw.values(), spec),
        **study.scored(metrics, (headline, *SCORED)),
        **{f"{name}{BEFORE}": value for name, value in before.items()},
    }


def generated_numbers(
    structures: Iterable[Atoms | StructureError], spec: DatasetSpec
) -> dict[str, Interval]:
    """Compositions and cells of structures as they were generated, whatever became of them.

    A structure that cannot be read has no right composition and no cell.
    """
    structures = list(structures)
    read = [atoms for atoms in structures if isinstance(atoms, Atoms)]
    right = sum(Counter(atoms.get_chemical_symbols()) == spec.composition for atoms in read)
    theirs = cell_to_cellpar(np.array(spec.cell))
    cells = np.array([atoms.cell.cellpar() for atoms in read]).reshape(-1, 6)
    errors = np.abs(cells - theirs).round(8)  # a copied cell is exact
    lengths = 100 * (errors[:, :3] / theirs[:3]).mean(axis=1)
    angles = errors[:, 3:].mean(axis=1)
    return {
        COMPOSITION: percentage(right, len(structures)),
        LENGTHS: _mean(lengths),
        ANGLES: _mean(angles),
    }


def _mean(values: np.ndarray) -> Interval:
    known = values[np.isfinite(values)]
    return mean_ci(known) if len(known) else UNDEFINED


def words_of(spec: DatasetSpec) -> dict[str, tuple[str, str]]:
    """Numbers of a dataset in the order of tables: words and unit."""
    headline = METRICS[KINDS[spec.kind].headline]
    before = (f"{headline.label}, before relaxation", headline.unit)
    scored = {name: (METRICS[name].label, METRICS[name].unit) for name in SCORED}
    own = {name: (label, unit) for name, (label, unit, _) in OWN.items()}
    return {
        **own,
        "percent_failed": scored.pop("percent_failed"),
        f"{headline.name}{BEFORE}": before,
        headline.name: (headline.label, headline.unit),
        **scored,
    }


def bounds_of(metric: str) -> tuple[float, float]:
    """Least and greatest possible value of a number."""
    return OWN[metric][2] if metric in OWN else METRICS[metric.removesuffix(BEFORE)].bounds


def variants_of(trainings: Sequence[Training], spec: DatasetSpec) -> list[Variant]:
    """Trainings by their variant, in the order of the configuration."""
    return [Variant(name, own, spec.most_atoms) for name, own in study.by_model(trainings)]


def grouped(variants: Sequence[Variant]) -> dict[str, list[Variant]]:
    """Variants by what they are about; a model stands in the group of each of its variants.

    First the models as published. Then by architecture: its switches; its sampling steps, in their
    order.
    """
    found = {PLAIN: [one for one in variants if one.is_plain]}
    for architecture in dict.fromkeys(one.architecture for one in variants):
        own = [one for one in variants if one.architecture == architecture]
        trained = [one for one in own if not one.weights_of]
        drawn = [one for one in own if one.switch == PLAIN]
        if any(one.switch != PLAIN for one in trained):
            found[f"{architecture}, switches"] = trained
        if any(one.weights_of for one in drawn):
            found[f"{architecture}, sampling steps"] = sorted(drawn, key=lambda one: one.steps)
    return found


def ablation_table(
    variants: Sequence[Variant], spec: DatasetSpec, published: pd.DataFrame
) -> pd.DataFrame:
    """All numbers of all variants, as in `STUDY_SCHEMA`.

    published: columns dataset, model, metric, mean, min, max (`told_of`), of the models as
    published.
    """
    theirs = published[published["dataset"].eq(paper_name(spec))]
    theirs = theirs.set_index(["model", "metric"])[["mean", "min", "max"]]
    rows = []
    for group, own in grouped(variants).items():
        for one in own:
            for metric, (_, unit) in words_of(spec).items():
                key, told = (one.architecture, metric), [np.nan] * 3
                if one.is_plain and key in theirs.index:
                    told = theirs.loc[key].tolist()
                rows.append(one.row(group, metric, unit, bounds_of(metric), told))
    return pd.DataFrame(rows, columns=STUDY_SCHEMA.names)


def told_of(path: Path) -> pd.DataFrame:
    """What the paper tells of the models as published: dataset, model, metric, mean, min, max.

    path: published.csv.
    """
    scored = published_numbers(path)
    scored = scored.rename(columns=lambda name: name.removeprefix("published_"))
    table, paper = pd.read_csv(path), SOURCES[0]
    own = table[table["source"].eq(paper.name) & table["metric"].eq(COMPOSITION_TOLD)]
    names = {theirs: ours for ours, theirs in paper.models.items()}
    own = own.assign(model=own["model"].map(names), metric=COMPOSITION)
    return pd.concat([scored, own[scored.columns].astype(scored.dtypes)], ignore_index=True)


def paper_name(spec: DatasetSpec) -> str:
    """The dataset of the paper that a dataset stands for: its own name, or the one of its kind."""
    if spec.name in dataset_names():
        return spec.name
    own = [name for name in dataset_names() if kind_name(name) == spec.kind]
    return own[0] if len(own) == 1 else ""


def ablation_statements(variants: Sequence[Variant], spec: DatasetSpec) -> pd.DataFrame:
    """What the paper says of the variants that there are, as in `STATEMENTS_SCHEMA`."""
    words, headline, rows = words_of(spec), KINDS[spec.kind].headline, []

    def add(statement: str, metric: str, first: Variant, second: Variant, sign: int) -> None:
        rows.append(second.against(statement, metric, words[metric][1], first, sign))

    for group, own in grouped(variants).items():
        base = next((one for one in own if one.is_plain), None)
        if base is None:
            continue
        if group == PLAIN:
            for first, second in _against_cdvae(own):
                add("CDVAE needs the fewest relaxation steps", "relaxation_steps", first, second, 1)
            continue
        by_switch = {one.switch: one for one in own if not one.weights_of}
        if "species denoised" in by_switch:
            noised = by_switch["species denoised"]
            add("denoised species: compositions become wrong", COMPOSITION, base, noised, -1)
        free = by_switch.get("lattice diffused")
        forced = by_switch.get("lattice diffused, forced at first")
        shuffled = by_switch.get("all atoms shuffled")
        for metric in ("percent_failed", headline):
            if free:
                add("a diffused lattice is worse than the true one", metric, base, free, 1)
            if forced:
                add("so it is after teacher forcing", metric, base, forced, 1)
            if free and forced:
                add("teacher forcing helps a diffused lattice", metric, free, forced, -1)
            if shuffled:
                add("models of pictures need sorted atoms", metric, base, shuffled, 1)
        if free and forced:
            add("teacher forcing helps a diffused lattice", LENGTHS, free, forced, -1)
        for more in own:
            if more.weights_of and more.steps > base.steps and base.architecture != "cdvae":
                words_said = "more steps lower the energies no further"
                add(words_said, "energy_above_training", base, more, 1)
    return pd.DataFrame(rows, columns=STATEMENTS_SCHEMA.names)


def _against_cdvae(models: Sequence[Variant]) -> list[tuple[Variant, Variant]]:
    """CDVAE and each other model, where relaxations were counted."""
    counted = [one for one in models if np.isfinite(one.mean("relaxation_steps").value)]
    first = [one for one in counted if one.architecture == "cdvae"]
    return [(first[0], one) for one in counted if first and one is not first[0]]


def energies_above(
    features: pd.DataFrame, reference: pd.DataFrame, spec: DatasetSpec
) -> np.ndarray:
    """Energies above the mean of the training set, meV/atom, (n_accepted,); none: not relaxed."""
    column = (KINDS[spec.kind].energies or (ENERGY,))[0]
    if column not in features or column not in reference:
        return np.empty(0)
    return 1000 * (features[column].to_numpy(dtype=float) - reference[column].mean())
