"""One training step of one of the two U-Nets, in Lightning's terms."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.utils.data import Dataset

from dismai.base.device import sent
from dismai.base.seeds import seed_for
from dismai.models.crystens.hparams import Stages, UNets
from dismai.models.crystens.network import Networks, UNet
from dismai.models.crystens.pictures import Layout, Resize, encode
from dismai.models.crystens.sampler import to_network
from dismai.models.image.diffusion import (
    EMA_EVERY,
    add_noise,
    cosine_log_snr,
    ema_decay,
    linear_log_snr,
    weighted_error,
)
from dismai.models.image.layers import draw_dropout_from
from dismai.models.image.orders import RegionOrders, reorder
from dismai.models.image.scales import Scales
from dismai.training.run import Training
from dismai.training.schedule import Ema, Validation

logger = logging.getLogger(__name__)

Pictures = Callable[[Any, int | None], Tensor]
"""A batch and the epoch, None in validation, to full pictures in [0, 1], (B, 4, S, S)."""


class Numbered(Dataset):
    """Fractional coordinates of a set, (n, n_atoms, 3), served with the numbers of structures."""

    def __init__(self, f: Tensor):
        self.f = f

    def __len__(self) -> int:
        return len(self.f)

    def __getitem__(self, items: list[int]) -> tuple[Tensor, list[int]]:
        return self.f[items], items


@dataclass
class OrderedPictures:
    """Pictures of a batch of `Numbered` with atoms in the order of the epoch, or of the file."""

    layout: Layout
    scales: Scales
    orders: RegionOrders

    def __call__(self, batch: tuple[Tensor, list[int]], epoch: int | None) -> Tensor:
        f, items = batch
        if epoch is not None:
            f = reorder(f, self.orders.of_epoch(items, epoch))
        if self.scales.low.device != f.device:  # once, not in every step
            self.scales = self.scales.to(f.device)
        return encode(f, self.layout, self.scales)


class StageModule(LightningModule):
    """Predicts the noise in pictures of one stage; pictures are built when they are needed."""

    def __init__(
        self, network: UNet, pictures: Pictures, resize: Resize, hparams: UNets | Stages, seed: int
    ):
        super().__init__()
        self.network, self.pictures, self.resize = network, pictures, resize
        self.h, self.seed = hparams, seed

    def on_fit_start(self) -> None:
        """Lines go to the device once, not in every step."""
        self.resize = self.resize.to(self.device)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(
            self.network.parameters(), lr=self.h.learning_rate, betas=self.h.betas, fused=True
        )

    def training_step(self, batch: Any, batch_idx: int) -> dict[str, Tensor]:
        epoch = self.current_epoch
        return {"loss": self.loss(self.pictures(batch, epoch), "step", epoch, batch_idx)}

    def validation_step(self, batch: Any, index: int) -> dict[str, Tensor]:
        """The same noise each time."""
        return {"validation": self.loss(self.pictures(batch, None), "validate", index)}

    def loss(self, pictures: Tensor, *names: str | int) -> Tensor:
        """Weighted mean square error of one noise draw of every picture.

        Args:
            pictures: full ones in [0, 1], (B, 4, S, S)
            names: of the random stream, below the seed; noise is the same on every device
        """
        random = torch.Generator().manual_seed(seed_for(self.seed, *names))
        draw_dropout_from(self.network, random)
        n, device = len(pictures), pictures.device
        full = to_network(pictures)
        small = self.resize.shrink(full)
        clean = small if self.network.conditioning is None else full
        level = sent(cosine_log_snr(torch.rand(n, generator=random)), device)
        eps = sent(torch.randn(clean.shape, generator=random), device)
        noisy = add_noise(clean, level, eps)
        if self.network.conditioning is None:
            predicted = self.network(noisy, level)
        else:
            # One level for the batch, as published.
            told = linear_log_snr(torch.rand(1, generator=random))
            told = sent(told, device).expand(n)
            more = sent(torch.randn(clean.shape, generator=random), device)
            shown = add_noise(self.resize.enlarge(small), told, more)
            predicted = self.network(noisy, level, shown, told)
        return weighted_error(predicted, eps, level, self.h.snr_cap)


def stages(
    networks: Networks,
    pictures: Pictures,
    data: Dataset,
    validation_data: Dataset,
    resize: Resize,
    hparams: UNets | Stages,
    seed: int,
) -> Iterator[Training]:
    """One network after the other; averaged weights of the lowest validation are used.

    The second one sees small pictures of the training set, so it needs nothing of the first.
    """
    h = hparams
    for stage, epochs in (("base", h.base_epochs), ("sr", h.sr_epochs)):
        logger.info("%s: training the network of the %s picture", stage, stage)
        stage_seed = seed_for(seed, stage)
        validation = Validation(validation_data, h.batch, h.validate_every, ("validation",))
        yield Training(
            StageModule(getattr(networks, stage), pictures, resize, h, stage_seed),
            data,
            columns=("loss",),
            epochs=epochs,
            seed=seed_for(stage_seed, "batches"),
            stage=stage,
            validation=validation,
            ema=Ema(partial(ema_decay, most=h.ema_decay), EMA_EVERY, best_of=validation),
        )
