"""What a user may choose about cleaning and describing structures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dismai.base.metric import FAMILIES
from dismai.geometry.cluster_expansion import ClusterExpansion
from dismai.metrics.clusters import published_expansion
from dismai.postprocess.on_lattice import Alignment
from dismai.potentials.relaxation_plan import RelaxationPlan


@dataclass(frozen=True)
class Options:
    """Choices of an evaluation; a kind of dataset takes what concerns it.

    align: how generated alloys are laid on the lattice.  expansion: energy function of alloys.
    relaxation: how amorphous silicon and interfaces are relaxed; None: scored as given.
    cleaned: generated structures were cleaned elsewhere, so that those on a lattice may lack atoms.
    networks: what predicts properties of crystals, by their names, in place of published networks.
    families: families of metrics that structures are described for; what no other needs is left
        out, and nan in the rows.
    """

    align: Alignment = "none"
    expansion: ClusterExpansion = field(default_factory=published_expansion)
    relaxation: RelaxationPlan | None = None
    cleaned: bool = False
    networks: Mapping[str, Path] = field(default_factory=dict)
    families: frozenset[str] = frozenset(FAMILIES)

    def wants(self, *families: str) -> bool:
        """Whether metrics of some of these families are computed."""
        return not self.families.isdisjoint(families)
