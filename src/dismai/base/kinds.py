"""The kinds of datasets: one light entry each, which says where its functions are.

An entry imports next to nothing, so that a command line and the parsing of the Snakefile stay
fast; what it names is imported on first use. docs/add_a_kind.md shows how to bring another kind.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any

from dismai.base.errors import InputError
from dismai.base.metric import Metric

GROUP = "dismai.kinds"
"""Entry points under this name are kinds of other packages."""
OURS = (
    "dismai.datasets.alloy.kind",
    "dismai.datasets.amorphous_si.kind",
    "dismai.datasets.interface.kind",
    "dismai.datasets.crystals.kind",
)
"""Modules of our kinds; the entry of each is its `KIND`."""


VIEW = "-80x,15y,0z"


@dataclass(frozen=True)
class Kind:
    """What structures of one kind are, and where the functions are that treat them.

    name: on cards, and of entries under `datasets` in a configuration.
    label: in sentences, such as `amorphous silicon`.
    datasets: names by which a dataset is known to be of this kind, without a card.
    composition: atoms per species of a structure of standard size, in block order.
    section: `module:Class` of an entry under `datasets` in a configuration.
    functions: module with clean, check_training, describe, tabulate, score, COUNTED, FEATURES,
        SET_COLUMNS, and resample_headline or not (see their properties here).
    card: `module:Class` of its cards: one composition in one cell, or crystals of any.
    headline: the metric that ranks.
    metrics: entries of the metrics that this kind alone has.
    answers: metrics of a score beside the common ones, each with the damages that it claims to
        see and whether it grows (1) or falls (-1).
    baselines: names of trivial generators; what `datasets.baselines` lacks is in `BASELINES` of
        the extras, or in `baselines_with_rules`: a rule of its own makes it in the workflow.
    held_out_baselines: those that make one structure of each that is held out.
    unrelaxed_baselines: those that are scored as they are made.
    table: name of the table of its datasets.  table_metrics: what stands in it.
    unrelaxed: why its structures are never relaxed, in a sentence; empty: they can be.
    on_fcc: structures lie on the fcc lattice of their card.
    paper_region: atoms by species of the region that is disordered, where the rest is a crystal.
    potential: what `--relax` takes for the shipped reference.
    paper_potential: kind of the potential in which a paper relaxed its structures.
    paper_labels: what labelled the training set of that potential.
    figures: names of its figures in the workflow, the one that `all` asks for first.
    energies: column, range and bin, meV/atom, of the histogram of energies.
    drawings: `module:name` of these figures by name (`report.drawings.Drawing`), but for pictures
        of structures and losses, which all kinds have.
    view: how structures are turned in pictures, as ASE writes it.
    extras: module of functions that a kind may have: see `extra`.
    rules: path of a rule file that the Snakefile takes in, absolute or from the Snakefile.
    """

    name: str
    label: str
    datasets: tuple[str, ...]
    composition: Mapping[str, int]
    section: str
    functions: str
    headline: str
    card: str = "dismai.base.card:DatasetSpec"
    metrics: tuple[Metric, ...] = ()
    answers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    baselines: tuple[str, ...] = ("held_out", "gaussian_displacement")
    baselines_with_rules: tuple[str, ...] = ()
    held_out_baselines: tuple[str, ...] = ("held_out",)
    unrelaxed_baselines: tuple[str, ...] = ()
    table: str = ""
    table_metrics: tuple[str, ...] = ()
    unrelaxed: str = ""
    on_fcc: bool = False
    paper_region: Mapping[str, int] = field(default_factory=dict)
    potential: str = ""
    paper_potential: str = ""
    paper_labels: str = ""
    figures: tuple[str, ...] = ()
    energies: tuple[str, float, float, float] | None = None
    drawings: str = ""
    view: str = VIEW
    extras: str = ""
    rules: str = ""

    @property
    def relaxes(self) -> bool:
        return not self.unrelaxed

    @property
    def elements(self) -> tuple[str, ...]:
        return tuple(self.composition)

    @property
    def paper_atoms(self) -> int:
        """Atoms of a structure of standard size."""
        return sum(self.composition.values())

    @property
    def clean(self) -> Callable:
        """Structure, card, options -> cleaned structure, counts by name; or StructureError."""
        return self._functions.clean

    @property
    def check_training(self) -> Callable:
        """Training structure, card; StructureError if it cannot be one."""
        return self._functions.check_training

    @property
    def describe(self) -> Callable:
        """Cleaned structure, card, options -> one row of numbers; or StructureError."""
        return self._functions.describe

    @property
    def tabulate(self) -> Callable:
        """Rows, (n_structures, n), counts of every structure, options -> the features."""
        return self._functions.tabulate

    @property
    def score(self) -> Callable:
        """Features of accepted and of training structures, card -> unit and interval by metric."""
        return self._functions.score

    @property
    def resample_headline(self) -> Callable | None:
        """What score takes -> value and resamples of the headline metric; None: it has none."""
        return getattr(self._functions, "resample_headline", None)

    @property
    def counted(self) -> Sequence[str]:
        """Names of the counts."""
        return self._functions.COUNTED

    @property
    def features(self) -> Sequence[str]:
        """Names of all features, the counts first."""
        return self._functions.FEATURES

    @property
    def set_columns(self) -> Sequence[str]:
        """Features that stand for a structure where whole sets are compared."""
        return self._functions.SET_COLUMNS

    @property
    def _functions(self) -> Any:
        return import_module(self.functions)

    def extra(self, name: str) -> Any:
        """A function that only some kinds have; None: this one has none.

        features_of_reference: columns of a shipped reference, numbers, card, expansion -> features.
        completed_card: what a card holds, first structure, its path -> the same completed.
        packed_reference: structures, card -> columns of a shipped reference.
        misfit: readable structures, card -> expected, found; None where the sizes fit.
        expected: settings of a ready-made set, the section that the kind shares, files by name ->
            composition, cell and card of its structures (`datasets.importing.Expected`).
        statistics_of_minima: relaxed ready-made structures, settings -> statistics for the card.
        differences: card -> in what a dataset differs from that of the paper.
        next_steps: rejected in cleaning, outlines of the accepted structures (`cell`, `info`; no
            atoms), card, options -> sentences.
        training_set: card of the shipped reference, size, relaxed -> the set made again
            (`datasets.recipe`).
        trivial: card, n, seed -> name of a generator that learns nothing, and its structures.
        BASELINES: generators by name: training and held-out structures, card, n, sigma_A, seed.
        """
        return getattr(import_module(self.extras), name, None) if self.extras else None

    @property
    def pictures(self) -> Mapping[str, Any]:
        """Figures of this kind by name, each a `report.drawings.Drawing`."""
        return _named(self.drawings) if self.drawings else {}

    @property
    def card_class(self) -> Any:
        """The class of its cards."""
        return _named(self.card)

    @property
    def settings(self) -> Any:
        """The section of an entry under `datasets` in a configuration."""
        return _named(self.section)


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


class Kinds(Mapping[str, Kind]):
    """All kinds by name, found on first use: ours, then those of other packages."""

    @cached_property
    def _found(self) -> dict[str, Kind]:
        from importlib.metadata import entry_points  # slow, and not needed for `--help`

        from dismai.base.plugins import import_entry_point

        found = {kind.name: kind for kind in our_kinds()}
        for entry in entry_points(group=GROUP):
            kind = import_entry_point(entry)
            if not isinstance(kind, Kind):
                raise InputError(f"{entry.name}: expected a dismai.base.kinds.Kind, found {kind!r}")
            if kind.name in found:
                raise InputError(f"{entry.name}: expected another name, {kind.name} is taken")
            found[kind.name] = kind
        return found

    def __getitem__(self, name: str) -> Kind:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


KINDS = Kinds()


def our_kinds() -> list[Kind]:
    """The kinds of this package; faster than `KINDS`, which looks at all installed ones."""
    return [import_module(module).KIND for module in OURS]


def dataset_names() -> tuple[str, ...]:
    """Names of the datasets whose kind is known."""
    return tuple(name for kind in KINDS.values() for name in kind.datasets)


def in_our_order(datasets: Iterable[str]) -> list[str]:
    """Names of datasets in the order of our kinds; those that we do not know come last."""
    known = {name: place for place, name in enumerate(dataset_names())}
    return sorted(datasets, key=lambda name: known.get(name, len(known)))


def kind_name(dataset: str) -> str:
    """Kind of a dataset by its name, or that of its kind; InputError for an unknown one."""
    for name, kind in KINDS.items():
        if dataset == name or dataset in kind.datasets:
            return name
    raise InputError(f"dataset {dataset!r}: expected one of {', '.join(dataset_names())}")
