"""Every metric that a score may hold, declared once: name, unit, best value, what it sees.

Tables, pages, rankings and the list in docs/metrics.md are loops over `METRICS`. Nothing here
imports more than the standard library.
"""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Score = TypeVar("Score")

LOW = -math.inf
"""Best value of a metric that has none but is better the lower it is."""
FEWEST_STRUCTURES = 10
"""Sets of fewer structures get no rank, no p-value and no distribution in a figure."""
MARKS = ("<!-- metrics: begin -->\n", "<!-- metrics: end -->\n")
"""The list in docs/metrics.md stands between these lines."""


@dataclass(frozen=True)
class Metric:
    """One number about a generated set.

    name: in tables.  label: for people.  unit: "1" without one.
    best: the value of a perfect set, from which distances rank.
    sees, blind: what moves it and what does not, one line each.
    bounds: least and greatest possible value; an estimate outside is noise.
    heading: of its column in the tables of the papers' metrics.
    tables: kinds of datasets in whose table of the papers it stands.
    self_reported: models say it of their own structures.
    of_generated: all generated structures count, not only the accepted ones.
    """

    name: str
    label: str
    unit: str
    best: float
    sees: str
    blind: str
    bounds: tuple[float, float] = (0.0, math.inf)
    heading: str | None = None
    tables: tuple[str, ...] = ()
    self_reported: bool = False
    of_generated: bool = False

    def badness(self, value: float) -> float:
        """How far a value is from the best one, in the unit of the metric; nan stays nan.

        Values outside the bounds count as the bound: an unbiased estimate of a discrepancy may
        fall below 0. Where lower is better without a best value, the value itself.
        """
        if math.isnan(value):
            return math.nan
        inside = min(max(value, self.bounds[0]), self.bounds[1])
        return inside if self.best == LOW else abs(inside - self.best)

    @property
    def best_text(self) -> str:
        """Direction and best value, such as `↓ 0`, `↑ 1`, `→ 0.5`, and `↓` alone."""
        if self.best == LOW:
            return "↓"
        low, high = self.bounds
        arrow = "↓" if self.best == low else "↑" if self.best == high else "→"
        return f"{arrow} {self.best:g}"

    @property
    def rule(self) -> str:
        """The same in words: what makes a value better."""
        return "lower is better" if self.best == LOW else f"best: {self.best:g}, nearest first"

    @property
    def shown_unit(self) -> str:
        """The unit, empty for a number without one."""
        return "" if self.unit == "1" else self.unit


SIGNED = (-math.inf, math.inf)
SHARE = (0.0, 1.0)
PERCENT = (0.0, 100.0)
ALL = ("alloy", "amorphous_si", "interface")
_COPIES = "memorised structures, spread of the set"

_ENTRIES = (
    Metric(
        "percent_failed",
        "failed structures",
        "%",
        0,
        "structures that cannot be read, cleaned, relaxed or described",
        "everything about those that can",
        PERCENT,
        heading="failed (%)",
        tables=ALL,
        of_generated=True,
    ),
    Metric(
        "d_cluster",
        "distance of cluster probabilities",
        "1",
        0,
        "short-range order of the mean structure: species of pairs up to the seventh shell",
        "displacements below 0.2 Å and strain below 5 % (sites are ideal), memorised structures, "
        "spread of the set; at 1500 K a random decoration scores 0.026, better than every "
        "published model",
        heading="d_cluster",
        tables=("alloy",),
    ),
    Metric(
        "percent_structures_with_vacancies",
        "structures with vacancies",
        "%",
        0,
        "sites left empty",
        "species; how many sites are empty",
        PERCENT,
        heading="with vacancies (%)",
        tables=("alloy",),
    ),
    Metric(
        "mean_vacancies_per_structure",
        "vacancies per structure",
        "vacancies",
        0,
        "sites left empty",
        "species",
    ),
    Metric(
        "energy_above_training",
        "mean energy above that of the training set",
        "meV/atom",
        0,
        "order, weighted as the energy function weighs it; of relaxed structures their minima; "
        "energies below those of the training set are as wrong as energies above",
        "changes of the order that cost no energy; displacements; strain",
        SIGNED,
    ),
    Metric(
        "displacement_on_relaxation",
        "displacement on relaxation",
        "Å",
        0,
        "how far atoms are from a minimum of the potential",
        "whether the minimum is the right one: any minimum, a crystal too, gives 0",
    ),
    Metric(
        "d_motif",
        "distance of coordination motifs",
        "1",
        0,
        "coordination and shape of the first shell, mean over all atoms",
        f"order beyond the first shell, {_COPIES}",
        heading="d_motif",
        tables=("amorphous_si",),
    ),
    Metric(
        "d_rdf",
        "distance of g(r)",
        "1",
        0,
        "distances of pairs up to 10 Å; a shift of the narrow first peak weighs most",
        f"angles and rings at equal distances, {_COPIES}",
        heading="d_rdf",
        tables=("amorphous_si",),
    ),
    Metric(
        "d_angle",
        "distance of bond angles",
        "1",
        0,
        "angles between bonds",
        f"bond lengths, rings, {_COPIES}",
        heading="d_angle",
        tables=("amorphous_si",),
    ),
    Metric(
        "d_dihedral",
        "distance of dihedral angles",
        "1",
        0,
        "twist of neighbouring bonds",
        "bond lengths and angles, memorised structures",
    ),
    Metric(
        "d_rings",
        "distance of ring statistics",
        "rings/atom",
        0,
        "how the network closes, from three to seven atoms",
        "geometry that keeps the network, memorised structures",
    ),
    Metric(
        "d_structure_factor",
        "distance of S(q)",
        "1",
        0,
        "density waves up to 4 1/Å: order from 1.6 Å to the cell edge",
        "angles and rings at equal pair distances, memorised structures",
    ),
    Metric(
        "coordination_defects_above_training",
        "coordination defects above the training set",
        "% of atoms",
        0,
        "dangling and floating bonds",
        "geometry of fourfold atoms, memorised structures",
        (-100.0, 100.0),
    ),
    Metric(
        "diffraction_peak_shift",
        "shift of the first diffraction peak",
        "1/Å",
        0,
        "spacing of the network, density",
        "height of the peak, memorised structures",
        SIGNED,
    ),
    Metric(
        "diffraction_peak_height_shift",
        "change of the height of that peak",
        "1",
        0,
        "extent of medium-range order",
        "where the peak is, memorised structures",
        SIGNED,
    ),
    Metric(
        "density_shift",
        "density above the training set",
        "%",
        0,
        "volume of the cell, number of atoms",
        "where the atoms are",
        (-100.0, math.inf),
    ),
    *(
        Metric(
            f"d_{symbol}",
            f"distance of the motifs of {element}",
            "1",
            0,
            f"first shell of {element}, mean over the cell",
            f"everything but {element}; memorised structures",
            heading=f"d_{symbol}",
            tables=("interface",),
        )
        for symbol, element in (("Li", "lithium"), ("Co", "cobalt"), ("Sc", "scandium"))
    ),
    Metric(
        "d_all",
        "distance of the motifs of all cations",
        "1",
        0,
        "first shell of the cations, mean over all of them",
        "opposite changes of different cations, which cancel; anions; memorised structures",
        heading="d_all",
        tables=("interface",),
    ),
    Metric(
        "d_profile",
        "distance of layer densities",
        "1/Å³",
        0,
        "which elements are at which height; also a shift of the whole cell",
        "order within a layer, memorised structures",
    ),
    Metric(
        "mean_gamma",
        "mean interface energy",
        "J/m²",
        LOW,
        "how stable relaxed interfaces are in the potential of the dataset",
        "structure; energies below those of the training set count as better",
        SIGNED,
    ),
    Metric(
        "percent_low_gamma",
        "interfaces of low energy",
        "%",
        100,
        "relaxed interfaces at or below the zero of the interface energy",
        "how far above or below they are; structure",
        PERCENT,
    ),
    Metric(
        "mmd",
        "discrepancy of the sets",
        "1",
        0,
        "any difference of the distributions of per-structure means, also of their spread",
        "memorised structures; what the means of a structure do not hold",
    ),
    Metric(
        "soap_mmd",
        "discrepancy of SOAP environments",
        "1",
        0,
        "any difference of the mean environment within 5 Å, species told apart",
        "memorised structures; order between environments; products of two species",
    ),
    Metric(
        "fidelity",
        "generated structures like training structures",
        "1",
        1,
        "structures unlike all training structures",
        "modes that are never generated",
        SHARE,
    ),
    Metric(
        "coverage",
        "training structures with a generated one near",
        "1",
        1,
        "parts of the training set that are never generated",
        "structures unlike all training structures; depends on the number of structures",
        SHARE,
    ),
    Metric(
        "diversity",
        "variety relative to the training set",
        "1",
        1,
        "sets that vary too little or too much",
        "whether the structures are right; copies of an unusual one raise it at first",
    ),
    Metric(
        "memorisation",
        "nearness to training structures",
        "1",
        0.5,
        "copies of training structures (1), structures far from all (0); right is 0.5",
        "copies that were moved, whether the structures are right",
        SHARE,
    ),
    Metric(
        "species_accuracy",
        "species accuracy",
        "1",
        1,
        "atoms whose species, read from the picture, is their own",
        "where the atoms are",
        SHARE,
        self_reported=True,
        of_generated=True,
    ),
    Metric(
        "percent_right_species",
        "structures with all species right",
        "%",
        100,
        "structures in which one atom or more has another species in the picture",
        "where the atoms are; how many species are wrong",
        PERCENT,
        heading="right species (%)",
        self_reported=True,
        of_generated=True,
    ),
    *(
        Metric(
            f"{name}_error",
            f"{name.replace('_', ' ')} error",
            "1",
            0,
            f"pixels of the {name.replace('_', ' ')} that should be empty",
            "the structure that is read from the picture",
            self_reported=True,
            of_generated=True,
        )
        for name in ("lattice_length", "lattice_angle", "space_group")
    ),
    Metric(
        "coordinate_agreement",
        "spread of the guesses for a coordinate",
        "1",
        0,
        "guesses of the picture for one coordinate that differ",
        "whether the coordinate is right",
        self_reported=True,
        of_generated=True,
    ),
    Metric(
        "distance_agreement",
        "drawn distances against those of the coordinates",
        "1",
        0,
        "norms in the picture that differ from those of the coordinates",
        "whether either is right",
        self_reported=True,
        of_generated=True,
    ),
)
METRICS: dict[str, Metric] = {metric.name: metric for metric in _ENTRIES}


def with_units(scores: Mapping[str, Score]) -> dict[str, tuple[str, Score]]:
    """Scores by metric with the unit of each before them; KeyError for one without an entry."""
    return {name: (METRICS[name].unit, score) for name, score in scores.items()}


def headings(kind: str) -> dict[str, str]:
    """Metrics of the papers' table of a kind of datasets, and the headings of their columns."""
    own = [metric for metric in _ENTRIES if kind in metric.tables]
    own.sort(key=lambda metric: metric.name == "percent_failed")  # last, as in the papers
    return {metric.name: metric.heading or metric.name for metric in own}


def self_reported_headings() -> dict[str, str]:
    """Metrics that models say of their own structures, and the headings of their columns."""
    own = [metric for metric in _ENTRIES if metric.self_reported]
    return {metric.name: metric.heading or metric.name.replace("_", " ") for metric in own}


def documentation() -> str:
    """The list of all metrics as a Markdown table."""
    rows = ["| metric | what | unit | best | sees | is blind to |", "|---|---|---|---|---|---|"]
    rows += [
        f"| {metric.name} | {metric.label} | {metric.unit} | {metric.best_text} | {metric.sees} "
        f"| {metric.blind} |"
        for metric in _ENTRIES
    ]
    return "\n".join(rows) + "\n"


def documented(text: str) -> str:
    """A page with the list between its marks brought up to date."""
    before, _, rest = text.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    return f"{before}{MARKS[0]}{documentation()}{MARKS[1]}{after}"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(documented(page.read_text()))
