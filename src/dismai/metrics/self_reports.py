"""Names of what models say of their own structures."""

from dismai.metrics.entries import COMMON, METRICS

SPECIES = "species_accuracy"


RIGHT = "percent_right_species"
"""Structures in which the species of all atoms are right."""


UNREAD = "percent_unread"
"""Structures whose picture could not be read, so that they are in no mean of what pictures say."""

SELF_REPORTED = tuple(
    name for name, metric in METRICS.items() if metric.self_reported and name not in (RIGHT, UNREAD)
)
"""Names in `info` and of metrics; docs/models.md says what each of them means."""

OF_PICTURES = tuple(name for name in SELF_REPORTED if name in {metric.name for metric in COMMON})
"""What pictures of structures of given species in a given cell say, in the order of CrysTens."""

OF_CRYSTALS = tuple(name for name in SELF_REPORTED if name not in OF_PICTURES)
"""What pictures of crystals of any composition say, and how far their model was trained."""
