"""Names of what models say of their own structures."""

from dismai.metrics.entries import COMMON, METRICS

SPECIES = "species_accuracy"


RIGHT = "percent_right_species"
"""Structures in which the species of all atoms are right."""


SELF_REPORTED = tuple(
    name for name, metric in METRICS.items() if metric.self_reported and name != RIGHT
)
"""Names in `info` and of metrics; docs/models.md says what each of them means."""

OF_PICTURES = tuple(name for name in SELF_REPORTED if name in {metric.name for metric in COMMON})
"""What pictures of structures of given species in a given cell say, in the order of CrysTens."""
