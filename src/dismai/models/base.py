"""The contract of a generative model. Importing it needs neither torch nor ase."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from dismai.datasets.spec import DatasetSpec
from dismai.errors import InputError
from dismai.section import Section

if TYPE_CHECKING:
    from ase import Atoms


class GenerativeModel(ABC):
    """A model that learns a distribution of structures of one dataset and draws new ones.

    A third party registers a subclass under the entry-point group `dismai.models`.
    """

    architecture: ClassVar[str]
    """Name under which the class is registered."""

    Hparams: ClassVar[type[Section]]
    """Hyperparameters: a frozen pydantic section, importable without torch."""

    device: str = "auto"
    """Where to compute, as Lightning calls it: auto, cpu, cuda, mps. Never part of a result."""

    state_folder: Path | None = None
    """Where `sample` may keep finished batches, so that a killed job goes on."""

    def __init__(self, spec: DatasetSpec, hparams: Section):
        self.spec = spec
        self.hparams = hparams

    @abstractmethod
    def fit(self, train: list[Atoms], val: list[Atoms], workdir: Path, seed: int) -> None:
        """Train on structures whose species are in the block order of the card.

        Resumes from `workdir/state/` if a matching state is there; writes `workdir/history.csv`.
        """

    @abstractmethod
    def sample(self, n: int, seed: int) -> list[Atoms]:
        """Draw n structures; structure i depends on (seed, i) only, never on n."""

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write weights, card and hyperparameters to one safetensors file.

        A readable `hparams.yaml` goes beside it.
        """

    @classmethod
    @abstractmethod
    def load(cls, path: Path) -> GenerativeModel:
        """Read what `save` wrote."""

    def parameter_count(self) -> int:
        """Number of trained parameters, all networks together."""
        raise InputError(f"{self.architecture}: parameter_count: this architecture has none")
