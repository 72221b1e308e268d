"""What architectures in torch share: networks of one dataset, their file, their size."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, Self

from torch import Tensor, nn

from dismai.datasets.spec import DatasetSpec
from dismai.models.base import GenerativeModel
from dismai.models.weights import read_model, write_model
from dismai.section import Section


class TorchModel(GenerativeModel):
    """A generative model whose networks are one torch module.

    networks: None until `fit` or `load` has made them.
    """

    def __init__(self, spec: DatasetSpec, hparams: Section):
        super().__init__(spec, hparams)
        self.networks: Any = None

    @abstractmethod
    def new_networks(self, seed: int) -> nn.Module:
        """Untrained networks; weights follow from the seed."""

    def trained(self, use: str) -> Any:
        """The networks, for a use that needs them; RuntimeError before `fit` or `load`."""
        if self.networks is None:
            raise RuntimeError(f"{self.architecture}: fit or load before {use}")
        return self.networks

    def tensors(self) -> dict[str, Tensor]:
        """What the model file holds: all that was learned from the training set."""
        return self.trained("save").state_dict()

    def take_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Take over what `tensors` gave."""
        self.networks = self.new_networks(seed=0)  # overwritten at once
        self.networks.load_state_dict(tensors)

    def save(self, path: Path) -> None:
        write_model(path, self, self.tensors())

    @classmethod
    def load(cls, path: Path) -> Self:
        spec, hparams, tensors = read_model(path, cls.architecture)
        model = cls(spec, cls.Hparams(**hparams))
        model.take_tensors(tensors)
        return model

    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.new_networks(seed=0).parameters())
