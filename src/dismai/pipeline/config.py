"""The configuration: one frozen section per subject; what the Snakefile validates with.

Sections of datasets, models and potentials stand beside their code, in `settings.py`. Nothing here
imports torch, ase or pymatgen: on a cluster every job parses the Snakefile.
"""

import re
import types
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import Field, Tag, ValidationError, model_validator

from dismai.base.errors import InputError, did_you_mean
from dismai.base.kinds import KINDS, dataset_names
from dismai.base.section import Section
from dismai.base.text import read_mapping
from dismai.datasets.alloy.settings import Alloy
from dismai.datasets.amorphous_si.settings import BulkSi
from dismai.datasets.crystals.settings import CrystensStudy
from dismai.datasets.interface.settings import Labels
from dismai.datasets.settings import DATASET_KINDS, Baselines, Dataset
from dismai.dft.settings import Dft, PotentialStudy
from dismai.models import check_hparams, check_kind, names, sampling_params
from dismai.models.pretrained import pretrained
from dismai.models.settings import (
    MODEL_KINDS,
    LangevinMatch,
    Model,
    PretrainedModel,
    TrainedModel,
    model_kind,
)
from dismai.pipeline.studies import Selection, Studies, check_studies
from dismai.pipeline.variants import merge, with_whole_entries
from dismai.potentials.settings import ENGINE, POTENTIAL_KINDS, Potential, RelaxationSettings
from dismai.properties.settings import Properties

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


class Config(Section):
    """The whole configuration of one run of the workflow."""

    run: str = Field(
        pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}$", description="folder below results/"
    )
    note: str = Field("", description="what its readers must know; the report opens with it")
    seed: int = Field(ge=0, description="root of all random streams")
    shards: int = Field(ge=1, description="parts in which generated structures are processed")
    n_generated: int = Field(1000, ge=1, description="structures drawn from every trained model")
    alloy: Alloy = Field(description="sampling of the alloys")
    amorphous_si: BulkSi = Field(description="cell that amorphous silicon is cut from")
    datasets: dict[str, Dataset] = Field(description="what is trained on, by name")
    models: dict[str, Model] = Field(description="what is trained or scored, by name")
    potentials: dict[str, Potential] = Field({}, description="interatomic potentials, by name")
    properties: Properties = Field(
        {}, description="of crystals, by name: what predicts them in place of published networks"
    )
    relaxation: RelaxationSettings = Field(
        RelaxationSettings(), description="how structures are relaxed"
    )
    dft: Dft = Field(Dft(), description="engine of the labels")
    labels: Labels = Field(Labels(), description="what the potential is trained on")
    study_potential: PotentialStudy = Field(
        PotentialStudy(), description="minima of the potential under the engine"
    )
    study_crystens: CrystensStudy = Field(
        CrystensStudy(), description="stability of generated crystals"
    )
    baselines: Baselines = Field(description="trivial generators")
    runs: list[Selection] = Field(description="which models on which datasets")
    studies: Studies = Field(Studies(), description="which models on which datasets, by study")

    @model_validator(mode="before")
    @classmethod
    def _variants_are_whole(cls, data: Any) -> Any:
        return with_whole_entries(data)

    @model_validator(mode="after")
    def _names_exist(self):
        for kind, names_given in (
            ("datasets", self.datasets),
            ("models", self.models),
            ("potentials", self.potentials),
        ):
            for name in names_given:
                if not NAME.fullmatch(name):
                    raise ValueError(
                        f"{kind}.{name}: expected letters, digits and _ in the name, at most 64"
                    )
        for name in self.models:
            if any(name in kind.baselines for kind in KINDS.values()):
                raise ValueError(f"models.{name}: expected another name, found that of a baseline")
        for place, selection in self.selections().items():
            for key, chosen, known in (
                ("datasets", selection.datasets, self.datasets),
                ("models", selection.models, self.models),
            ):
                for name in chosen:
                    if name not in known:
                        raise ValueError(
                            f"{place}.{key}: expected one of {', '.join(known)}, "
                            f"found {name!r}{did_you_mean(name, known)}"
                        )
        if ENGINE in self.potentials:
            raise ValueError(
                f"potentials.{ENGINE}: expected another name, found that of the engine of dft"
            )
        for name, potential in self.potentials.items():
            self._check_labels(name, potential)
        for name, dataset in self.datasets.items():
            self._check_potential(f"datasets.{name}", getattr(dataset, "potential", None))
        if any(
            self.datasets[name].kind == "crystals" for run in self.runs for name in run.datasets
        ):
            self._check_potential("study_crystens", self.study_crystens.potential)
        for name, model in self.models.items():
            if isinstance(model, TrainedModel):
                self._check_trained(name, model)
        self._check_pairs()
        check_studies(self.studies, self.models, self.datasets)
        return self

    def selections(self) -> dict[str, Selection]:
        """Every selection of runs, those of studies too, by its place in the configuration."""
        lists = {"runs": self.runs} | {f"studies.{name}": rows for name, rows in self.studies}
        return {f"{key}.{i}": one for key, rows in lists.items() for i, one in enumerate(rows)}

    def _check_potential(self, place: str, potential: str | None) -> None:
        if potential is not None and potential not in self.potentials:
            raise ValueError(
                f"{place}.potential: expected one of "
                f"{', '.join(self.potentials) or 'the names under potentials'}, "
                f"found {potential!r}{did_you_mean(potential, self.potentials)}"
            )

    def _check_pairs(self) -> None:
        """Every trained model can model the kinds of the datasets that it is run on."""
        for place, selection in self.selections().items():
            models = [self.models[name] for name in selection.models]
            for name, model in zip(selection.models, models, strict=True):
                if isinstance(model, PretrainedModel) and not model.is_file:
                    _check_ships(f"models.{name}.model", model.model, selection.datasets)
            trained = {one.architecture for one in models if isinstance(one, TrainedModel)}
            kinds = {self.datasets[name].kind for name in selection.datasets}
            for architecture, kind in product(sorted(trained), sorted(kinds)):
                try:
                    check_kind(architecture, kind)
                except InputError as error:
                    raise ValueError(f"{place}: {error}") from None

    def _check_labels(self, name: str, potential: Potential) -> None:
        fit = getattr(potential, "fit", None)
        known = [key for key, entry in self.potentials.items() if not getattr(entry, "fit", None)]
        if fit is not None and fit.labels not in (ENGINE, *known):
            raise ValueError(
                f"potentials.{name}.fit.labels: expected a potential that is not fitted itself "
                f"({', '.join(known) or 'none here'}), or {ENGINE}, found {fit.labels!r}"
                f"{did_you_mean(fit.labels, [ENGINE, *known])}"
            )
        training = getattr(potential, "train", None)
        interfaces = [key for key, entry in self.datasets.items() if entry.kind == "interface"]
        if training is not None and training.dataset not in interfaces:
            raise ValueError(
                f"potentials.{name}.train.dataset: expected a dataset of kind interface "
                f"({', '.join(interfaces) or 'none here'}), found {training.dataset!r}"
                f"{did_you_mean(training.dataset, interfaces)}"
            )

    def _check_match(self, name: str, model: TrainedModel, dataset: str, match: LangevinMatch):
        place = f"models.{name}.match_langevin"
        relaxed = [key for key, entry in self.datasets.items() if getattr(entry, "potential", None)]
        if dataset not in relaxed:
            raise ValueError(
                f"{place}: expected a dataset with energies ({', '.join(relaxed)}), "
                f"found {dataset!r}{did_you_mean(dataset, relaxed)}"
            )
        try:
            hparams = {**model.hparams(dataset), "langevin_steps": match.steps[0]}
            check_hparams(model.architecture, hparams)
        except InputError as error:
            raise ValueError(f"{place}: {error}") from None

    def _check_trained(self, name: str, model: TrainedModel) -> None:
        for dataset in model.dataset_params:
            known = [*dataset_names(), *self.datasets]
            if dataset not in known:
                raise ValueError(
                    f"models.{name}.dataset_params: expected one of {', '.join(dataset_names())}, "
                    f"found {dataset!r}{did_you_mean(dataset, known)}"
                )
        for dataset, match in model.match_langevin.items():
            self._check_match(name, model, dataset, match)
        if model.architecture not in names():
            raise ValueError(
                f"models.{name}.architecture: expected one of {', '.join(names())}, "
                f"found {model.architecture!r}{did_you_mean(model.architecture, names())}"
            )
        for dataset in self.datasets:
            try:
                check_hparams(model.architecture, model.hparams(dataset))
            except InputError as error:
                raise ValueError(f"models.{name}.params: {error}") from None
            if model.weights_of is not None:
                self._check_weights(name, model, dataset)

    def _check_weights(self, name: str, model: TrainedModel, dataset: str) -> None:
        """A variant that is not trained differs from its model in nothing that training reads."""
        trained = self.models[model.weights_of]
        if trained.architecture != model.architecture:
            raise ValueError(
                f"models.{name}.architecture: expected {trained.architecture}, that of "
                f"{model.weights_of}, found {model.architecture}"
            )
        theirs, ours = trained.hparams(dataset), model.hparams(dataset)
        free = sampling_params(model.architecture, ours)
        for key in ours:
            if key not in free and (key not in theirs or ours[key] != theirs[key]):
                raise ValueError(
                    f"models.{name}.params: {key}: expected the hyperparameters of "
                    f"{model.weights_of} but those of sampling, found {ours[key]!r}"
                )


def _check_ships(place: str, model: str, datasets: list[str]) -> None:
    """A model of that name ships for each of some datasets."""
    for dataset in datasets:
        try:
            pretrained(model, dataset)
        except InputError as error:
            raise ValueError(f"{place}: {error}") from None


TAGS = {*MODEL_KINDS, *POTENTIAL_KINDS, *DATASET_KINDS}
TABLE_OF_KIND = {name: kind.table or name for name, kind in KINDS.items()}
"""Tables of metrics by the kind of their datasets."""


class Run(Section):
    """One row of the run table: a model, or a baseline, on a dataset with a seed."""

    dataset: str
    model: str
    seed: int
    kind: Literal["trained", "file", "command", "pretrained", "baseline"]


def run_table(config: Config) -> list[Run]:
    """All runs that the configuration selects, and the baselines of every selected dataset.

    Baselines run once per dataset, with the first seed.
    """
    rows: dict[Run, None] = {}
    for selection in config.runs:
        for dataset in selection.datasets:
            rows |= dict.fromkeys(_of_selection(config, selection, dataset))
            for baseline in KINDS[config.datasets[dataset].kind].baselines:
                if not any(row.dataset == dataset and row.model == baseline for row in rows):
                    seed = selection.seeds[0]
                    row = Run(dataset=dataset, model=baseline, seed=seed, kind="baseline")
                    rows[row] = None
    return list(rows)


def study_runs(config: Config) -> dict[str, list[Run]]:
    """Runs of every study by its name; there are no baselines among them."""
    return {
        study: list(
            dict.fromkeys(
                run
                for selection in selections
                for dataset in selection.datasets
                for run in _of_selection(config, selection, dataset)
            )
        )
        for study, selections in config.studies
    }


def _of_selection(config: Config, selection: Selection, dataset: str) -> Iterator[Run]:
    for model in selection.models:
        kind = model_kind(config.models[model])
        for seed in selection.seeds:
            yield Run(dataset=dataset, model=model, seed=seed, kind=kind)


def n_generated(config: Config, run: Run) -> int:
    """Number of structures that a run declares, to which its percentages refer."""
    dataset = config.datasets[run.dataset]
    if run.model in KINDS[dataset.kind].held_out_baselines:
        return round(dataset.validation_share * dataset.n_structures)
    own = getattr(config.baselines, f"n_{run.model}", None)
    if run.kind == "baseline" and own is not None:
        return own
    usual = getattr(dataset, "n_generated", None) or config.n_generated
    if run.kind == "file":
        return config.models[run.model].n_generated or usual
    return usual


def validate(data: dict[str, Any]) -> Config:
    """Check a configuration; InputError with one line: key, expected, found."""
    try:
        return Config(**data)
    except ValidationError as error:
        line = " ".join(_one_line(error).split())  # a key may hold a line break
        raise InputError(f"configuration: {line}") from None


def load(*paths: str) -> Config:
    """Read YAML files, each laid over the one before as Snakemake does, and check the result."""
    merged: dict[str, Any] = {}
    for path in paths:
        merge(merged, read_mapping(Path(path), "a configuration"))
    return validate(merged)


def _one_line(error: ValidationError) -> str:
    first = error.errors()[0]
    # Tags of discriminated unions are part of pydantic's location, not of the user's keys.
    place = [str(part) for i, part in enumerate(first["loc"]) if i != 2 or part not in TAGS]
    key = ".".join(place) or "configuration"
    if first["type"] == "extra_forbidden":
        tag = next((part for part in first["loc"][2:3] if part in TAGS), "")
        known = sorted(_keys_at(Config, place[:-1], tag))
        meant = did_you_mean(place[-1], known)
        return f"{key}: expected one of the keys {', '.join(known)}, found {place[-1]!r}{meant}"
    if first["type"] == "union_tag_invalid":
        found = first["ctx"]["tag"]
        known = {
            "models": ("file", "command", "pretrained", "none"),
            "datasets": DATASET_KINDS,
            "potentials": POTENTIAL_KINDS,
        }[place[0]]
        meant = did_you_mean(found, known)
        return f"{key}.kind: expected {', '.join(known)}, found {found!r}{meant}"
    if first["type"] == "union_tag_not_found":
        return f"{key}.kind: expected a value, found none"
    if first["type"] == "missing":
        return f"{key}: expected a value, found none"
    if first["type"] == "value_error":
        message = first["msg"].removeprefix("Value error, ")
        return message if key == "configuration" else f"{key}.{message}"
    expected = first["msg"].removeprefix("Input should be ").split(", unable to parse")[0]
    known = re.findall(r"'([^']*)'", expected) if first["type"] == "literal_error" else []
    return (
        f"{key}: expected {expected}, found {first['input']!r}{did_you_mean(first['input'], known)}"
    )


def _keys_at(section: Any, place: list[str], tag: str) -> Iterator[str]:
    """Keys of the section that stands at a place of the configuration; tag: its kind, if any."""
    if get_origin(section) is Annotated:
        section = get_args(section)[0]
    if get_origin(section) in (Union, types.UnionType):
        for option in get_args(section):
            if kind_of(option) in (None, tag):
                yield from _keys_at(option, place, tag)
    elif get_origin(section) is dict and place:
        yield from _keys_at(get_args(section)[1], place[1:], tag)
    elif get_origin(section) is list and place:
        yield from _keys_at(get_args(section)[0], place[1:], tag)
    elif isinstance(section, type) and issubclass(section, Section):
        if not place:
            yield from section.model_fields
        elif place[0] in section.model_fields:
            yield from _keys_at(section.model_fields[place[0]].annotation, place[1:], tag)


def kind_of(option: Any) -> str | None:
    """Tag by which an option of a union is chosen; None: it has none."""
    if get_origin(option) is Annotated:
        return next((mark.tag for mark in get_args(option)[1:] if isinstance(mark, Tag)), None)
    if isinstance(option, type) and issubclass(option, Section) and "kind" in option.model_fields:
        return get_args(option.model_fields["kind"].annotation)[0]
    return None
