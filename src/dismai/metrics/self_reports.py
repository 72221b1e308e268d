"""Names of what models say of their own structures."""

from dismai.metrics.entries import METRICS

SPECIES = "species_accuracy"


RIGHT = "percent_right_species"
"""Structures in which the species of all atoms are right."""


SELF_REPORTED = tuple(
    name for name, metric in METRICS.items() if metric.self_reported and name != RIGHT
)
"""Names in `info` and of metrics; docs/models.md says what each of them means."""
