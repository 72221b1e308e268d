"""Score given structures against a reference set: the work of `dismai evaluate`."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.card import Card
from dismai.base.columns import DISPLACEMENT, ENERGY, REFERENCE, RELAXED
from dismai.base.errors import InputError
from dismai.base.kinds import KINDS
from dismai.base.metric import FAMILIES
from dismai.base.resources import resource
from dismai.datasets.options import Options
from dismai.datasets.published import MARK, differences, published_numbers, shown
from dismai.evaluation.advice import next_steps, other_dataset
from dismai.evaluation.floor import noise_floor
from dismai.evaluation.given import Given, given_files
from dismai.evaluation.notes import on_gaps, on_overlap, on_relaxation, on_unreadable
from dismai.evaluation.parallel import Reporter
from dismai.evaluation.process import Processed, numbered, process
from dismai.evaluation.reference import (
    Reference,
    load_built,
    load_shipped,
    reference_of,
    shipped_cards,
)
from dismai.evaluation.relax import check_kind
from dismai.evaluation.score import score
from dismai.evaluation.self_reports import scores_of_infos
from dismai.files.reading.on_demand import Frame
from dismai.metrics.entries import FEWEST_STRUCTURES, METRICS, chosen_families
from dismai.postprocess.on_lattice import Alignment
from dismai.potentials import potential_digest
from dismai.potentials.relaxation_plan import RelaxationPlan


@dataclass(frozen=True)
class Shown:
    """A structure for pictures: its state and number, and why it was rejected, if it was."""

    state: str
    number: int
    atoms: Atoms
    why: str = ""


@dataclass(frozen=True)
class Evaluation:
    """Metrics (one row each), what became of every structure, and what they were compared with.

    notes: what the reader of the numbers has to know, in sentences.
    settings: what was asked for, by name.
    input_sha256: of the file of structures, or of the names and contents in the folder.
    shown: structures for pictures.
    """

    metrics: pd.DataFrame
    fates: pd.DataFrame
    features: pd.DataFrame
    reference: Reference
    notes: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    input_sha256: str = ""
    shown: tuple[Shown, ...] = ()

    @property
    def spec(self) -> Card:
        return self.reference.spec

    @property
    def n_accepted(self) -> int:
        return int(self.metrics["n_accepted"].iloc[0])

    @property
    def families(self) -> frozenset[str]:
        """Families of the metrics that were computed."""
        return chosen_families(self.settings.get("families"))

    @property
    def headline(self) -> pd.Series | None:
        """The row of the metric that ranks; None where it was not computed."""
        rows = self.metrics[self.metrics["metric"] == KINDS[self.spec.kind].headline]
        return None if rows.empty else rows.iloc[0]

    @property
    def differs(self) -> list[str]:
        """Why published values do not compare with these; empty where they do."""
        reasons = differences(self.spec)
        if KINDS[self.spec.kind].relaxes and DISPLACEMENT not in self.features:
            reasons.append("structures as given, not at minima of a potential")
        return reasons

    def why_none(self, name: str) -> str:
        """Why a metric has no value."""
        if self.n_accepted == 0 and not METRICS[name].of_generated:
            return "no structure accepted"
        return "not defined for so few structures, or without a descriptor that they lack"

    def rejections(self) -> list[tuple[str, int]]:
        """Reasons of rejection, most frequent first, with the number of structures."""
        rejected = self.fates[self.fates["status"] == "rejected"]
        return Counter(rejected["reason"]).most_common()


def evaluate_file(
    path: Path | Sequence[Path] | Given,
    dataset: str,
    reference: Path | Sequence[Atoms] | None = None,
    align: Alignment = "none",
    n_generated: int | None = None,
    n_jobs: int = 1,
    model: str | None = None,
    seed: int = 0,
    reporter: Reporter | None = None,
    relaxation: RelaxationPlan | None = None,
    families: str | Sequence[str] | None = None,
) -> Evaluation:
    """Clean, relax, describe and score the structures of a file.

    Args:
        path: file, folder or archive of structures, several of them, or structures.
        dataset: name of the dataset they imitate.
        reference: training structures, or their file, card beside, or folder; else the shipped.
        align: how alloys are laid on the lattice.
        n_generated: structures that were generated; the number in the file by default.
        n_jobs: processes; no result depends on it.
        model: name of the set in tables; the name of the file by default.
        seed: seed of the training that made the set; pairs sets in comparisons.
        reporter: told how the work goes on.
        relaxation: how structures are relaxed after cleaning; None: scored as given.
        families: families of metrics to compute, of `FAMILIES`; None: all.

    Raises:
        InputError: nothing readable, more structures than generated, no such reference, one that
            holds the set itself, a dataset without relaxation, or a family that it does not have.
    """
    options = Options(align, relaxation=relaxation, families=chosen_families(families))
    given = path if isinstance(path, Given) else given_files(path)
    structures = numbered(given.frames, given.source, n_generated)
    overlap = on_overlap(given, reference)
    expected = _checked_reference(dataset, reference, options, n_jobs, reporter)
    if reference is None:
        check_size(structures, expected.spec, given.source)
    result = process(structures, expected.spec, options, n_jobs, reporter, n_kept=1)
    name = model or given.name
    metrics, floor_note = _scores(result, expected, name, seed, options.families)
    notes = [
        *given.notes,
        *on_unreadable(result.fates, len(given.frames)),
        *overlap,
        *expected.notes,
        on_relaxation(expected.spec, relaxation),
        floor_note,
        *on_gaps(result.features, options),
        *next_steps(structures, result.fates, result.outlines, expected.spec, options),
        *([WITHOUT_HELD_OUT] if expected.held_out is None and options.wants("sets") else []),
    ]
    settings = {"align": align, "n_generated": len(structures), "seed": seed}
    settings |= _against(reference, options)
    evaluation = Evaluation(
        metrics, result.fates, result.features, expected, tuple(notes), settings, given.sha256,
        _first_of_each(result, structures),
    )  # fmt: skip
    return replace(evaluation, notes=(*notes, *_reading(evaluation)))


UNRELAXED = "before_relaxation"
"""Column of the values of the same structures before relaxation, where they were relaxed."""
WITHOUT_HELD_OUT = (
    "Memorisation: without held-out structures, training structures are compared with each other."
)


def _scores(
    result: Processed,
    expected: Reference,
    model: str,
    seed: int,
    families: frozenset[str],
) -> tuple[pd.DataFrame, str]:
    """Metrics of a set, one row each, beside their noise floor; and what to know of the floor."""
    common = {
        "fates": result.fates,
        "reference": expected.train,
        "held_out": expected.held_out,
        "spec": expected.spec,
        "model": model,
        "kind": "file",
        "seed": seed,
        "families": families,
    }
    infos = [outline.info for outline in result.outlines.values()]
    said = scores_of_infos(infos, len(result.fates))
    metrics = score(result.features, **common, self_reports=said)
    if result.unrelaxed is not None:
        before = score(result.unrelaxed, **common).set_index("metric")["value"]
        metrics[UNRELAXED] = metrics["metric"].map(before)
    floor, note = noise_floor(expected, len(result.features), families)
    metrics["noise_floor"] = metrics["metric"].map(floor)
    metrics["published"] = metrics["metric"].map(_published(expected.spec.name)).fillna("")
    return metrics, note


def _against(reference: Any, options: Options) -> dict[str, Any]:
    """Whether the reference ships, the potential of the relaxation, and families of metrics."""
    plan = options.relaxation
    relax = plan.potential.model_dump(mode="json") if plan else None
    settings = {"relax": relax, "reference": "shipped" if reference is None else "given"}
    named = [name for name in FAMILIES if name in options.families]
    return settings if len(named) == len(FAMILIES) else {**settings, "families": ",".join(named)}


def _first_of_each(result: Processed, structures: Mapping[int, Frame]) -> tuple[Shown, ...]:
    """The first accepted structure in every state, and the first readable one that was rejected."""
    shown = []
    if result.clean:
        number = int(result.clean[0].info["structure"])
        states = {
            "as generated": structures[number],
            "cleaned": result.clean[0],
            "relaxed": result.relaxed[0] if result.relaxed else None,
        }
        shown += [Shown(state, number, atoms) for state, atoms in states.items() if atoms]
    for row in result.fates[result.fates["status"] == "rejected"].itertuples():
        atoms = structures[row.structure]
        if isinstance(atoms, Atoms) and len(atoms) and np.isfinite(atoms.positions).all():
            why = f"{row.stage}: {row.reason}"
            return (*shown, Shown("as generated", int(row.structure), atoms, why))
    return tuple(shown)


def _checked_reference(
    dataset: str,
    given: Path | Sequence[Atoms] | None,
    options: Options,
    n_jobs: int,
    reporter: Reporter | None,
) -> Reference:
    """The reference, with energies of the potential in use alone; InputError if not as asked."""
    reference = load_reference(dataset, given, options, n_jobs, reporter)
    kind = KINDS[reference.spec.kind]
    if len(options.families) < len(FAMILIES):
        chosen_families(sorted(options.families), kind)
    if options.relaxation is not None:
        check_kind(kind.name)
    return without_other_energies(reference, options.relaxation)


def load_reference(
    dataset: str,
    given: Path | Sequence[Atoms] | None,
    options: Options,
    n_jobs: int = 1,
    reporter: Reporter | None = None,
) -> Reference:
    """The shipped reference of a dataset, or that of training structures, also in a file."""
    if given is None:
        return load_shipped(dataset, options.expansion)
    if isinstance(given, Path):
        return load_built(given, dataset, options, n_jobs, reporter)
    return reference_of(given, dataset, options, n_jobs, reporter)


def check_size(structures: Mapping[int, Frame], spec: Card, path: Path | str) -> None:
    """InputError unless some readable structure has the size of the shipped reference.

    That is its number of atoms and, of an interface, its cell in the plane, to 5 % and 5 degrees.
    """

    def readable() -> Iterator[Atoms]:  # no more than are needed are read
        return (atoms for atoms in structures.values() if isinstance(atoms, Atoms))

    if next(readable(), None) is None:
        return
    misfit, sizes = KINDS[spec.kind].extra("misfit"), []
    if not any(spec.holds(len(atoms)) for atoms in readable()):
        sizes = sorted({len(atoms) for atoms in readable()})
        found = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        expected = f"{spec.size}, as in"
    elif misfit is not None and (differs := misfit(readable(), spec)):
        expected, found = f"{differs[0]} of", differs[1]
    else:
        return
    ends = "give training structures of yours by --reference"
    if sizes and (fits := _shipped_for(sizes, spec)):
        ends = f"of this size is --dataset {fits}"
    elif other := other_dataset(readable(), spec):
        ends = f"these elements are those of another dataset: {other}".rstrip(".")
    raise InputError(
        f"{path}: expected {expected} the shipped reference of {spec.name}, found {found}; {ends}"
    )


def _shipped_for(sizes: Sequence[int], spec: Card) -> str:
    """The reference of another size of a kind that ships and holds some structures; else empty."""
    for name, card in shipped_cards().items():
        if card.kind == spec.kind and any(map(card.holds, sizes)):
            return name
    return ""


def without_other_energies(reference: Reference, relaxation: RelaxationPlan | None) -> Reference:
    """The reference without energies, and their zero, of another potential than that in use."""
    if ENERGY not in reference.train or relaxation is None:
        return reference
    if reference.potential == potential_digest(relaxation.potential):
        return reference
    note = (
        "The energies of the reference are those of another potential: no energy_above_training "
        "and no interface energies."
    )
    held_out, spec = reference.held_out, reference.spec
    known = {name: value for name, value in spec.statistics.items() if name != REFERENCE}
    return replace(
        reference,
        spec=spec.model_copy(update={"statistics": known}),
        train=reference.train.drop(columns=RELAXED, errors="ignore"),
        held_out=None if held_out is None else held_out.drop(columns=RELAXED, errors="ignore"),
        notes=(*reference.notes, note),
    )


def _reading(evaluation: Evaluation) -> list[str]:
    """How the numbers are to be read: intervals, dashes, published values."""
    n = evaluation.n_accepted
    notes = [
        "95 % interval: what another set of as many structures of the same model may give; it "
        "says nothing about another training."
    ]
    if n < FEWEST_STRUCTURES:
        notes.append(
            f"Only {n} accepted: fewer than {FEWEST_STRUCTURES} structures say nothing about a "
            "distribution, and get no rank and no p-value."
        )
    values = evaluation.metrics
    names = values.loc[values["value"].isna(), "metric"]
    n_of_accepted = sum(not METRICS[name].of_generated for name in values["metric"])
    for why in dict.fromkeys(map(evaluation.why_none, names)):
        own = [name for name in names if evaluation.why_none(name) == why]
        which = ", ".join(own) if len(own) < n_of_accepted else "everything but percent_failed"
        notes.append(f"–: {why} ({which}).")
    if values.loc[values["value"].notna(), "noise_floor"].isna().any():
        notes.append("– as noise floor: not known for held-out structures.")
    if evaluation.differs and (values["published"] != "").any():
        notes.append(f"{MARK} Published values do not compare: {'; '.join(evaluation.differs)}.")
    return notes


def _published(dataset: str) -> dict[str, str]:
    """Published means of every model, in one cell a metric."""
    table = published_numbers(resource("published.csv"))
    table = table[table["dataset"] == dataset]
    return {
        metric: ", ".join(f"{row.model} {_mean_or_limit(row)}" for row in rows.itertuples())
        for metric, rows in table.groupby("metric", sort=False)
    }


def _mean_or_limit(row: NamedTuple) -> str:
    return shown(row.published_mean, row.published_min, nan)
