"""The entry of beta brass: light, because every command reads it."""

from pathlib import Path

from dismai.base.kinds import Kind
from dismai.base.metric import Metric

KIND = Kind(
    name="brass",
    label="brass",
    datasets=("brass",),
    composition={"Cu": 8, "Zn": 8},
    section="brass.settings:BrassDataset",
    functions="brass.functions",
    extras="brass.functions",
    headline="d_order",
    metrics=(
        Metric(
            "d_order",
            "distance of neighbours by element",
            "1",
            0,
            "which elements are neighbours",
            "memorised structures",
            heading="d_order",
        ),
    ),
    answers={"d_order": {"swapped": 1, "mixed": 1}, "mmd": {"swapped": 1}},
    baselines=("held_out", "gaussian_displacement", "ordered"),
    table_metrics=("d_order", "percent_failed"),
    unrelaxed="brass is scored as it is",
    figures=("order", "structures", "training"),
    drawings="brass.figures:FIGURES",
    rules=str(Path(__file__).with_name("rules.smk")),
)
