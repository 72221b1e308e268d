"""The contract of a generative model. Importing it needs neither torch nor ase."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from dismai.base.card import Card
from dismai.base.errors import InputError
from dismai.base.section import Section

if TYPE_CHECKING:
    from ase import Atoms
    from torch import Tensor


class NoHparams(Section):
    """Of a model that has no hyperparameters."""


class GenerativeModel(ABC):
    """A model that learns a distribution of structures of one dataset and draws new ones.

    A third party registers a subclass under the entry-point group `dismai.models`. It writes `fit`
    and `sample`; and `tensors` and `take_tensors`, from which `save` and `load` here make and read
    the model file, or `save` and `load` of its own, by `dismai.models.weights`.
    """

    architecture: ClassVar[str]
    """Name under which the class is registered; that of the entry point where it has none."""

    Hparams: ClassVar[type[Section]] = NoHparams
    """Hyperparameters: a frozen pydantic section, importable without torch."""

    any_multiple: ClassVar[bool] = False
    """Whether `sample` has an argument `repeat` and draws cells of several training cells."""

    device: str = "auto"
    """Where to compute: cpu, cuda, or auto for a GPU if there is one. Never part of a result."""

    deterministic: bool = False
    """Whether a GPU may use only kernels that give the same bytes in every run."""

    devices: int = 1
    """GPUs, or processes of a CPU, that share the structures of every batch of a training."""

    state_folder: Path | None = None
    """Where `sample` may keep finished batches, so that a killed job goes on."""

    history: Sequence[dict[str, float]] = ()
    """What `log` was told."""

    def __init__(self, spec: Card, hparams: Section):
        self.spec = spec
        self.hparams = hparams

    @abstractmethod
    def fit(self, train: list[Atoms], val: list[Atoms], workdir: Path, seed: int) -> None:
        """Train on structures whose species are in the block order of the card.

        May keep in `workdir/state/` what a killed job needs to go on. `log` tells losses, which
        become `history.csv`, unless `fit` writes `workdir/history.csv` itself.
        """

    @abstractmethod
    def sample(self, n: int, seed: int) -> list[Atoms]:
        """Draw n structures; structure i depends on (seed, i) only, never on n."""

    def log(self, **numbers: float) -> None:
        """Keep one row of `history.csv`: `step`, and losses by name."""
        self.history = [*self.history, numbers]

    def tensors(self) -> dict[str, Any]:
        """All that was learned, by name: arrays of numpy or tensors of torch."""
        raise self._without("tensors", "save")

    def take_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Take over what `tensors` gave, now as tensors of torch."""
        raise self._without("take_tensors", "load")

    def save(self, path: Path) -> None:
        """Write weights, card and hyperparameters to one safetensors file.

        A readable `hparams.yaml` goes beside it.
        """
        from dismai.models.weights import write_model

        write_model(path, self, self.tensors())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        from dismai.models.weights import read_model

        spec, hparams, tensors = read_model(path, cls.architecture)
        model = cls(spec, cls.Hparams(**hparams))
        model.take_tensors(tensors)
        return model

    def parameter_count(self) -> int:
        """Number of trained parameters, all networks together."""
        raise InputError(f"{self.architecture}: parameter_count: this architecture has none")

    def _without(self, method: str, other: str) -> InputError:
        return InputError(
            f"{self.architecture}: {type(self).__name__}: expected the method {method}, or {other} "
            "of its own, found neither"
        )
