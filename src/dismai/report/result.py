"""`dismai.evaluate`: scores of structures in Python, with tables and figures for a notebook."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from math import nan
from pathlib import Path
from typing import Any

import pandas as pd
from ase import Atoms
from matplotlib.figure import Figure

from dismai.base.errors import InputError
from dismai.base.metric import FAMILIES
from dismai.base.resources import check_shipped, shipped_references
from dismai.evaluation.early import potential_of
from dismai.evaluation.file import Evaluation, evaluate_file
from dismai.evaluation.given import Given, given_files, given_structures
from dismai.evaluation.trivial import trivial_of, verdict
from dismai.files.objects import as_structures
from dismai.metrics.entries import METRICS
from dismai.postprocess.on_lattice import Alignment
from dismai.potentials.relaxation_plan import RelaxationPlan
from dismai.report.drawings import drawings_of
from dismai.report.output import to_text, write_evaluation
from dismai.report.page import page


class Result:
    """Scores of one set of structures.

    Attributes:
        table: one row a metric: value, ci_low, ci_high, unit, best, noise_floor, trivial (what a
            generator that has learnt nothing scores, where that is known), published.
        verdict: where the headline metric lies between the two, in a sentence.
        fates: one row a structure: status, stage, reason.
        features: one row an accepted structure: what it was described by.
        notes: what the reader of the numbers has to know, in sentences.
        n_accepted, n_generated: structures that were scored, and that were given or declared.
        figures: matplotlib figures by name; a notebook shows the last expression of a cell.
        evaluation: all of it, as the rest of the package takes it.
    """

    def __init__(self, evaluation: Evaluation):
        self.evaluation = evaluation

    @cached_property
    def table(self) -> pd.DataFrame:
        metrics = self.evaluation.metrics.set_index("metric")
        first = ["value", "ci_low", "ci_high", "unit"]
        best = [METRICS[name].best_text for name in metrics.index]
        known = ["dataset", "model", "kind", "seed", "n_accepted", "n_generated", *first]
        rest = [name for name in metrics if name not in known]
        table = pd.concat([metrics[first].assign(best=best), metrics[rest]], axis=1)
        _, values = trivial_of(self.evaluation)
        table.insert(len(first) + 2, "trivial", [values.get(name, nan) for name in table.index])
        return table

    @property
    def verdict(self) -> str:
        return verdict(self.evaluation)

    @property
    def fates(self) -> pd.DataFrame:
        return self.evaluation.fates

    @property
    def features(self) -> pd.DataFrame:
        features = self.evaluation.features
        every = len(self.evaluation.families) == len(FAMILIES) or features.empty
        return features if every else features.dropna(axis=1, how="all")

    @property
    def notes(self) -> tuple[str, ...]:
        return self.evaluation.notes

    @property
    def n_accepted(self) -> int:
        return self.evaluation.n_accepted

    @property
    def n_generated(self) -> int:
        return int(self.evaluation.metrics["n_generated"].iloc[0])

    @cached_property
    def figures(self) -> dict[str, Figure]:
        sets = {str(self.evaluation.metrics["model"].iloc[0]): self.evaluation.features}
        return {name: figure for name, _, figure in drawings_of(self.evaluation, sets)}

    def save(self, folder: str | Path) -> Path:
        """Write report.html, metrics and fates into a folder; path of the page."""
        write_evaluation(self.evaluation, Path(folder))
        return Path(folder) / "report.html"

    def page(self) -> str:
        """The page as HTML text."""
        return page(self.evaluation)

    def __str__(self) -> str:
        return to_text(self.evaluation)

    def __repr__(self) -> str:
        first = self.evaluation.metrics.iloc[0]
        return (
            f"<dismai result: {first['model']} against {first['dataset']}, "
            f"{self.n_accepted} of {self.n_generated} accepted>"
        )

    def _repr_html_(self) -> str:
        return self.table.to_html(na_rep="–", float_format="{:.4g}".format)


def evaluate(
    structures: str | Path | Sequence[str | Path] | Iterable[Any],
    dataset: str,
    *,
    reference: str | Path | Sequence[Any] | None = None,
    align: Alignment = "none",
    n_generated: int | None = None,
    relax: str | None = None,
    name: str | None = None,
    seed: int = 0,
    n_jobs: int = 1,
    families: str | Sequence[str] | None = None,
) -> Result:
    """Score structures against the training set of a dataset, as `dismai evaluate` does.

    Args:
        structures: ASE Atoms or pymatgen Structures in a list; or a path of a file, folder or
            archive, or a list of these.
        dataset: name of the dataset that they imitate (`dismai datasets` lists them).
        reference: training structures in a list, or their path; else the set that ships.
        align: how alloys are laid on the lattice: none, translate, rotate.
        n_generated: structures that were generated; those that are missing count as failed.
        relax: relax first in `sw`, `chgnet`, the YAML file of a potential or the XML file of a GAP.
        name: of the set in tables and figures.
        seed: of the training that made the set.
        n_jobs: processes; no result depends on it.
        families: families of metrics to compute, such as `["motifs", "sets"]`; None: all.

    Raises:
        InputError: what the user can mend, in one line.
    """
    training = _training(reference)
    if training is None:
        check_shipped(dataset, shipped_references())
    potential = potential_of(relax, dataset)
    given = _given(structures)
    plan = None if potential is None else RelaxationPlan(potential, device="auto")
    return Result(
        evaluate_file(
            given,
            dataset,
            training,
            align,
            n_generated,
            n_jobs,
            name,
            seed,
            relaxation=plan,
            families=families,
        )
    )


def _given(structures: Any) -> Given:
    if isinstance(structures, (str, Path)):
        return given_files(Path(structures))
    several = list(structures) if isinstance(structures, Iterable) else None
    if several is None:
        found = type(structures).__name__
        raise InputError(f"structures: expected a list of structures or a path, found {found}")
    if several and all(isinstance(one, (str, Path)) for one in several):
        return given_files([Path(one) for one in several])
    return given_structures(structures if _is_one(structures) else several)


def _is_one(structures: Any) -> bool:
    """Whether it is a single structure, which also is a sequence: of atoms."""
    return isinstance(structures, Atoms) or hasattr(structures, "to_ase_atoms")


def _training(reference: Any) -> Path | list[Atoms] | None:
    if reference is None:
        return None
    if isinstance(reference, (str, Path)):
        return Path(reference)
    return list(as_structures(reference))
