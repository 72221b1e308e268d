"""One training step of one of the two U-Nets, in Lightning's terms."""

import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.utils.data import Dataset

from dismai.base.device import sent
from dismai.base.seeds import seed_for
from dismai.models.crystens.hparams import Hparams
from dismai.models.crystens.network import UNet
from dismai.models.crystens.pictures import Layout, Resize, encode
from dismai.models.crystens.sampler import to_network
from dismai.models.image.diffusion import add_noise, cosine_log_snr, linear_log_snr, weighted_error
from dismai.models.image.orders import RegionOrders, reorder
from dismai.models.image.scales import Scales


class Numbered(Dataset):
    """Fractional coordinates of a set, (n, n_atoms, 3), served with the numbers of structures."""

    def __init__(self, f: Tensor):
        self.f = f

    def __len__(self) -> int:
        return len(self.f)

    def __getitem__(self, items: list[int]) -> tuple[Tensor, list[int]]:
        return self.f[items], items


class StageModule(LightningModule):
    """Predicts the noise in pictures of one stage; pictures are built when they are needed."""

    def __init__(
        self,
        network: UNet,
        layout: Layout,
        scales: Scales,
        resize: Resize,
        orders: RegionOrders,
        hparams: Hparams,
        seed: int,
    ):
        super().__init__()
        self.network = network
        self.layout, self.scales, self.resize, self.orders = layout, scales, resize, orders
        self.h, self.seed = hparams, seed

    def on_fit_start(self) -> None:
        """Tables go to the device once, not in every step."""
        self.scales, self.resize = self.scales.to(self.device), self.resize.to(self.device)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(
            self.network.parameters(), lr=self.h.learning_rate, betas=self.h.betas, fused=True
        )

    def training_step(self, batch: tuple[Tensor, list[int]], batch_idx: int) -> dict[str, Tensor]:
        f, items = batch
        order = self.orders.of_epoch(items, self.current_epoch)
        return {"loss": self.loss(reorder(f, order), "step", self.current_epoch, batch_idx)}

    def validation_step(self, batch: tuple[Tensor, list[int]], index: int) -> dict[str, Tensor]:
        """Atoms in the order of the file; the same noise each time."""
        return {"validation": self.loss(batch[0], "validate", index)}

    def loss(self, f: Tensor, *names: str | int) -> Tensor:
        """Weighted mean square error of one noise draw of every structure.

        Args:
            f: fractional coordinates, (B, n_atoms, 3)
            names: of the random stream, below the seed; noise is the same on every device
        """
        random = torch.Generator().manual_seed(seed_for(self.seed, *names))
        self.network.draw_dropout_from(random)
        full = to_network(encode(f, self.layout, self.scales))
        small = self.resize.shrink(full)
        clean = small if self.network.conditioning is None else full
        level = sent(cosine_log_snr(torch.rand(len(f), generator=random)), f.device)
        eps = sent(torch.randn(clean.shape, generator=random), f.device)
        noisy = add_noise(clean, level, eps)
        if self.network.conditioning is None:
            predicted = self.network(noisy, level)
        else:
            # One level for the batch, as published.
            told = linear_log_snr(torch.rand(1, generator=random))
            told = sent(told, f.device).expand(len(f))
            more = sent(torch.randn(clean.shape, generator=random), f.device)
            shown = add_noise(self.resize.enlarge(small), told, more)
            predicted = self.network(noisy, level, shown, told)
        return weighted_error(predicted, eps, level, self.h.snr_cap)
