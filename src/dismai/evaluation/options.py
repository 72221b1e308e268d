"""What a user may choose about cleaning and describing structures."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dismai.cluster_expansion import ClusterExpansion, read_cluster_expansion
from dismai.evaluation.relaxation import Relaxing
from dismai.metrics.clusters import published_expansion
from dismai.postprocess.on_lattice import Alignment
from dismai.potentials import check_entry
from dismai.potentials.settings import Relaxation


@dataclass(frozen=True)
class Options:
    """Choices of an evaluation; a kind of dataset takes what concerns it.

    align: how generated alloys are laid on the lattice.  expansion: energy function of alloys.
    relaxing: how amorphous silicon and interfaces are relaxed; None: scored as given.
    """

    align: Alignment = "none"
    expansion: ClusterExpansion = field(default_factory=published_expansion)
    relaxing: Relaxing | None = None


def options_of(
    align: Alignment,
    ecis: str | None,
    relaxing: dict[str, Any] | None,
    state: Path,
    n_threads: int = 1,
) -> Options:
    """Options as the workflow gives them.

    Args:
        align: how generated alloys are laid on the lattice.
        ecis: file of the cluster expansion of an alloy.
        relaxing: potential and relaxation, entries of the configuration; None: not relaxed.
        state: folder that keeps finished relaxations.
        n_threads: threads of the potential.
    """
    expansion = published_expansion() if ecis is None else read_cluster_expansion(Path(ecis))
    if relaxing is None:
        return Options(align, expansion)
    settings = Relaxation(**relaxing["relaxation"])
    entry = check_entry(relaxing["potential"])
    return Options(align, expansion, Relaxing(entry, settings, state, n_threads=n_threads))
