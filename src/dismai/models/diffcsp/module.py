"""One training step of DiffCSP, in Lightning's terms."""

import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.nn.functional import mse_loss
from torch.utils.data import Dataset

from dismai.base.device import sent
from dismai.base.seeds import seed_for
from dismai.models.diffcsp.hparams import Hparams
from dismai.models.diffcsp.network import Diffusion


class Coordinates(Dataset):
    """Fractional coordinates of a set, (n, n_atoms, 3), served in batches."""

    def __init__(self, f: Tensor):
        self.f = f

    def __len__(self) -> int:
        return len(self.f)

    def __getitem__(self, items: list[int]) -> Tensor:
        return self.f[items]


class DiffCSPModule(LightningModule):
    """Predicts scaled scores at a random noise level per structure (DiffCSP, Algorithm 1)."""

    def __init__(self, diffusion: Diffusion, lattice: Tensor, hparams: Hparams, seed: int):
        """The lattice, in the network's unit, (3, 3), is that of every structure."""
        super().__init__()
        self.diffusion = diffusion
        self.register_buffer("lattice", lattice, persistent=False)
        self.h, self.seed = hparams, seed

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(
            self.diffusion.parameters(),
            lr=self.h.learning_rate,
            betas=self.h.betas,
            fused=self.h.keeps_32_bits,  # Lightning cuts no gradients of others
        )

    def training_step(self, batch: Tensor, batch_idx: int) -> dict[str, Tensor] | None:
        losses = self.losses(batch, "step", self.current_epoch, batch_idx)
        if self.h.skip_bad_steps and not losses["loss"].isfinite():  # the host has to know
            return None
        return losses

    def configure_gradient_clipping(self, optimizer, gradient_clip_val, gradient_clip_algorithm):
        """Nothing to cut in a skipped step."""
        if any(parameter.grad is not None for parameter in self.parameters()):
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)

    def validation_step(self, batch: Tensor, index: int) -> dict[str, Tensor]:
        """The loss of coordinates, which the plateau schedule watches; the same noise each time."""
        return {"validation": self.losses(batch, "validate", index)["coordinates"]}

    def losses(self, f: Tensor, *names: str | int) -> dict[str, Tensor]:
        """Mean square errors of one noise draw of every structure.

        Args:
            f: fractional coordinates, (B, n_atoms, 3)
            names: of the random stream, below the seed; noise is the same on every device
        """
        h, schedule = self.h, self.diffusion.schedule
        random = torch.Generator().manual_seed(seed_for(self.seed, *names))
        t = sent(torch.randint(1, h.timesteps + 1, (len(f),), generator=random), f.device)
        eps = sent(torch.randn(f.shape, generator=random), f.device)
        f_t, target = schedule.disturb(f, t, eps)
        lattice = self.lattice.expand(len(f), -1, -1)
        learns_lattice = h.cost_lattice and self.current_epoch >= h.teacher_forcing_epochs
        if learns_lattice:
            lattice_eps = sent(torch.randn(lattice.shape, generator=random), f.device)
            lattice = schedule.disturb_lattice(lattice, t, lattice_eps)
        p, p_lattice = self.diffusion.network(f_t, t, lattice)
        losses = {"coordinates": mse_loss(p, target)}
        losses["loss"] = h.cost_coordinates * losses["coordinates"]
        if learns_lattice:
            losses["lattice"] = mse_loss(p_lattice, lattice_eps)
            losses["loss"] = losses["loss"] + h.cost_lattice * losses["lattice"]
        return losses
