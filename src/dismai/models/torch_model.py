"""What architectures in torch share: networks of one dataset, their file, their size."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ase import Atoms
from torch import Tensor, nn

from dismai.base.card import Card
from dismai.base.device import resolved, say
from dismai.base.section import Section
from dismai.models.base import GenerativeModel

if TYPE_CHECKING:
    from dismai.training.run import Training
    from dismai.training.sharing import Group


class TorchModel(GenerativeModel):
    """A generative model whose networks are one torch module.

    networks: None until `fit` or `load` has made them.
    """

    shareable: ClassVar[bool] = False
    """Whether several processes can train it together: its networks are `compilable`."""

    def __init__(self, spec: Card, hparams: Section):
        super().__init__(spec, hparams)
        self.networks: Any = None

    @abstractmethod
    def new_networks(self, seed: int) -> nn.Module:
        """Untrained networks; weights follow from the seed."""

    @abstractmethod
    def trainings(self, train: list[Atoms], val: list[Atoms], seed: int) -> Iterable[Training]:
        """Make `networks`, and say what of them is trained on what, one after the other."""

    def fit(self, train: list[Atoms], val: list[Atoms], workdir: Path, seed: int) -> None:
        # Lightning takes seconds to import, and sampling does without.
        from dismai.training.sharing import ALONE

        if self.devices == 1:
            self.fit_as(ALONE, train, val, workdir, seed)
            return
        from dismai.models.together import followed

        with followed(self, train, val, seed, resolved(self.device)) as group:
            self.fit_as(group, train, val, workdir, seed)

    def fit_as(
        self, group: Group, train: list[Atoms], val: list[Atoms], workdir: Path, seed: int
    ) -> None:
        """`fit` as one process of a group, of which the leading one writes files."""
        from dismai.base.kept import state_of
        from dismai.training.run import join_histories, run_training, training_digest

        h, folders, device = self.hparams, {}, resolved(self.device)
        say(device)
        for training in self.trainings(train, val, seed):
            name, folder = self.architecture, Path(workdir)
            if training.stage is not None:
                name, folder = f"{name} {training.stage}", state_of(folder) / training.stage
                folders[training.stage] = folder
            run_training(
                training,
                folder,
                batch=training.batch or h.batch,
                made_for=training_digest(name, h, [*train, *val], seed, device),
                checkpoint_every=h.checkpoint_every,
                precision=h.precision,
                device=device,
                deterministic=self.deterministic,
                compiles=getattr(h, "compile", False),
                group=group,
            )
        if folders and group.leads:
            join_histories(folders, Path(workdir))

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

    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.new_networks(seed=0).parameters())
