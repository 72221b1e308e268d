"""The decoder applied to a batch of structures of one size."""

from torch import Tensor

from dismai.models.cdvae.decoder import Decoder
from dismai.models.cdvae.graph import nearest_graph
from dismai.models.cdvae.hparams import Hparams


def denoise(
    decoder: Decoder, h: Hparams, z: Tensor, x: Tensor, numbers: Tensor, cell: Tensor
) -> tuple[Tensor, Tensor | None]:
    """Sigma times the score, (B, N, 3), and logits of the species, (B, N, z_max), or None.

    z: (B, latent).  x: fractional, (B, N, 3).  numbers: (B, N).  cell: rows, Å, (B, 3, 3).
    Where the cell or a coordinate is not finite, the score is NaN.
    """
    n, n_atoms = numbers.shape
    g = nearest_graph(x, cell, h.cutoff_A, h.neighbours, h.graph)
    o, logits = decoder(z.repeat_interleave(n_atoms, dim=0), numbers.flatten(), g)
    shape = (n, n_atoms)
    return o.unflatten(0, shape), None if logits is None else logits.unflatten(0, shape)
