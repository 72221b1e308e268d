"""The contract of a generative model, and the registry that finds architectures by name."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from ase import Atoms

from dismai.datasets.spec import DatasetSpec
from dismai.section import Section

GROUP = "dismai.models"


class GenerativeModel(ABC):
    """A model that learns a distribution of structures of one dataset and draws new ones.

    A third party registers a subclass under the entry-point group `dismai.models`.
    """

    Hparams: ClassVar[type[Section]]
    """Hyperparameters: a frozen pydantic section, importable without torch."""

    def __init__(self, spec: DatasetSpec, hparams: Section):
        self.spec = spec
        self.hparams = hparams

    @abstractmethod
    def fit(self, train: list[Atoms], val: list[Atoms], workdir: Path, seed: int) -> None:
        """Train on structures whose species are in the block order of the card.

        Resumes from `workdir` if a matching state is there; writes `workdir/history.csv`.
        """

    @abstractmethod
    def sample(self, n: int, seed: int) -> list[Atoms]:
        """Draw n structures; structure i depends on (seed, i) only, never on n."""

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write weights, card and hyperparameters to one safetensors file."""

    @classmethod
    @abstractmethod
    def load(cls, path: Path) -> "GenerativeModel":
        """Read what `save` wrote."""
