"""In what, how far and where structures are relaxed."""

from dataclasses import dataclass
from pathlib import Path

from dismai.potentials.settings import Potential, RelaxationSettings


@dataclass(frozen=True)
class RelaxationPlan:
    """How the structures of an evaluation are relaxed.

    potential: an entry of the section potentials.  settings: minimiser and its limits.
    state: folder that keeps finished structures.  device, n_threads: where the potential computes.
    together: structures that a network relaxes side by side.
    """

    potential: Potential
    settings: RelaxationSettings = RelaxationSettings()
    state: Path | None = None
    device: str = "cpu"
    n_threads: int = 1
    together: int = 1
