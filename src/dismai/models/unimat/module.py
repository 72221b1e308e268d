"""One training step of UniMat, in Lightning's terms."""

import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.utils.data import Dataset

from dismai.base.device import sent
from dismai.base.seeds import seed_for
from dismai.models.image.diffusion import add_noise, cosine_log_snr, weighted_error
from dismai.models.image.orders import RegionOrders, reorder
from dismai.models.unimat.hparams import Hparams
from dismai.models.unimat.network import UNet
from dismai.models.unimat.representation import encode


class ScaledCoordinates(Dataset):
    """Numbers and scaled coordinates, (n, n_atoms, 3), of a set; videos are made when needed."""

    def __init__(self, scaled: Tensor):
        self.scaled = scaled

    def __len__(self) -> int:
        return len(self.scaled)

    def __getitem__(self, items: list[int]) -> tuple[list[int], Tensor]:
        return items, self.scaled[items]


class UniMatModule(LightningModule):
    """Predicts the noise in videos at a random time each (Dismai-Bench, section 4.2.4)."""

    def __init__(
        self, network: UNet, mask: Tensor, orders: RegionOrders, hparams: Hparams, seed: int
    ):
        """`mask`: the pixel of the right species in every frame, (n_atoms, side, side)."""
        super().__init__()
        self.network = network
        self.register_buffer("mask", mask, persistent=False)
        self.orders, self.h, self.seed = orders, hparams, seed

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(
            self.network.parameters(), lr=self.h.learning_rate, betas=self.h.betas, fused=True
        )

    def training_step(self, batch: tuple[list[int], Tensor], batch_idx: int) -> dict[str, Tensor]:
        """Every epoch shows another order of the atoms of the interface region."""
        items, scaled = batch
        scaled = reorder(scaled, self.orders.of_epoch(items, self.current_epoch))
        return {"loss": self.loss(scaled, "step", self.current_epoch, batch_idx)}

    def validation_step(self, batch: tuple[list[int], Tensor], index: int) -> dict[str, Tensor]:
        """In the order of the file, with the same noise each time."""
        return {"validation": self.loss(batch[1], "validate", index)}

    def loss(self, scaled: Tensor, *names: str | int) -> Tensor:
        """Weighted mean square error of one noise draw of every structure.

        Args:
            scaled: coordinates in [0, 1], (B, n_atoms, 3)
            names: of the random stream, below the seed; noise is the same on every device
        """
        video = encode(scaled, self.mask)
        random = torch.Generator().manual_seed(seed_for(self.seed, *names))
        log_snr = sent(cosine_log_snr(torch.rand(len(video), generator=random)), video.device)
        eps = sent(torch.randn(video.shape, generator=random), video.device)
        predicted = self.network(add_noise(video, log_snr, eps), log_snr)
        return weighted_error(predicted, eps, log_snr, self.h.snr_cap)
