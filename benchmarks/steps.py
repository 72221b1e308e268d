"""A training step of each network at the papers' size, on a CPU, against the reference codes.

python benchmarks/steps.py [--steps diffcsp "unimat"] [--repeats 3]

Times are of the processor, one thread. What the machine can do varies with its other guests, so a
product of two matrices is timed before and after every step, and rates are shares of its rate. The
reference codes were timed once, forward and backward, on a machine of the same type; their times
are brought to the speed of this one by the same product.
"""

import argparse
import math
import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from ase import Atoms
from models import box
from torch.utils.flop_counter import FlopCounterMode

from dismai import models

REFERENCE_GFLOP_PER_S = 73.0
"""Of a product of two matrices while the reference codes were timed, 67 to 79."""
SIZE = 2048
"""Of these matrices."""
CONVOLUTION_BACKWARD = torch.ops.aten.convolution_backward
Step = Callable[[], None]


def placed(n_structures: int, n_atoms: int) -> torch.Tensor:
    """Fractional coordinates near points of a grid, (n_structures, n_atoms, 3)."""
    random = np.random.default_rng(0)
    side = int(np.ceil(n_atoms ** (1 / 3)))
    grid = np.stack(np.meshgrid(*[np.arange(side) / side] * 3, indexing="ij"), -1).reshape(-1, 3)
    f = np.stack([random.permutation(grid)[:n_atoms] for _ in range(n_structures)])
    return torch.from_numpy((f + random.normal(0, 0.01, f.shape)) % 1.0).float()


def descent(network: torch.nn.Module, loss: Callable[[], torch.Tensor]) -> Step:
    """Forward and backward; gradients of the step before are dropped first, as in training."""

    def step() -> None:
        network.zero_grad()
        loss().backward()

    return step


def diffcsp() -> Step:
    """One structure of 256 atoms."""
    spec, f = box(256), placed(1, 256)
    network = models.create("diffcsp", spec, sigma_end=0.1, timesteps=2, steps=2).new_networks(0)
    lattice, t = torch.tensor(spec.cell).float()[None], torch.ones(1, dtype=torch.long)
    return descent(network, lambda: network.network(f, t, lattice)[0].square().mean())


def cdvae_data() -> tuple:
    """Networks, hyperparameters, coordinates, cell and bonds of two structures of 256 atoms."""
    from dismai.models.cdvae.module import bonded_structures

    spec, f = box(256), placed(2, 256)
    model = models.create("cdvae", spec)
    some = [Atoms(spec.symbols, x @ spec.cell, cell=spec.cell, pbc=True) for x in f.numpy()]
    x, bonds = bonded_structures(some, spec)[[0, 1]]
    numbers = torch.from_numpy(some[0].numbers).expand(2, -1)
    return model.new_networks(0), model.hparams, x, torch.tensor(spec.cell), numbers, bonds


def cdvae_decoder() -> Step:
    """Two structures, graph included."""
    from dismai.models.cdvae.denoise import denoise

    networks, h, x, cell, numbers, _ = cdvae_data()
    z, cells = torch.zeros(2, h.latent), cell.float().expand(2, -1, -1)

    def loss() -> torch.Tensor:
        return denoise(networks.decoder, h, z, x, numbers, cells)[0].square().mean()

    return descent(networks.decoder, loss)


def cdvae_encoder() -> Step:
    """Two structures, bonds known."""
    networks, _, _, _, numbers, bonds = cdvae_data()
    numbers = numbers.flatten()
    return descent(networks, lambda: networks.encode(numbers, bonds, 2)[0].square().mean())


def crystens(stage: str) -> Step:
    """One picture of an interface of 264 atoms."""
    model = models.create("crystens", box(264))
    network, side = getattr(model.new_networks(0), stage), model.layout.side
    random = torch.Generator().manual_seed(0)
    for module in network.modules():
        if hasattr(module, "random"):
            module.random = random
    full, level = torch.randn(1, 4, side, side, generator=random), torch.zeros(1)
    small = model.resize.shrink(full)
    inputs = (full, level, full, level) if stage == "sr" else (small, level)
    return descent(network, lambda: (network(*inputs) - inputs[0]).square().mean())


def unimat() -> Step:
    """One video of 256 atoms."""
    model = models.create("unimat", box(256))
    network, random = model.new_networks(0), torch.Generator().manual_seed(0)
    video, level = torch.randn(1, 3, *model.mask.shape, generator=random), torch.zeros(1)
    return descent(network, lambda: (network(video, level) - video).square().mean())


def cryingan(with_generator: bool) -> Step:
    """Eight structures of 264 atoms, with the steps of Adam."""
    from dismai.models.adversarial import critic_loss
    from dismai.models.cryingan.module import CryinGANModule

    spec = box(264)
    model = models.create("cryingan", spec, lambda_distance=0.05, epochs=1)
    networks, random = model.new_networks(0), torch.Generator().manual_seed(0)
    module = CryinGANModule(networks, torch.tensor(spec.cell).float(), model.hparams, 0)
    generator_adam, *critic_adams = module.configure_optimizers()
    real = module.views(placed(8, 264)[:, None])

    def step() -> None:
        with torch.no_grad():
            fake = module.views(networks.generator(torch.randn(8, 64, generator=random)))
        for (kind, critic), adam in zip(networks.critics.items(), critic_adams, strict=True):
            mixing = torch.rand(8, generator=random)
            adam.zero_grad()
            critic_loss(critic, real[kind], fake[kind], mixing, 10.0).backward()
            adam.step()
        if with_generator:
            fake = module.views(networks.generator(torch.randn(8, 64, generator=random)))
            generator_adam.zero_grad()
            loss = module.generator_loss(fake)
            loss.backward(inputs=list(networks.generator.parameters()))
            generator_adam.step()

    return step


STEPS: dict[str, tuple[Callable[[], Step], float]] = {
    "diffcsp": (diffcsp, 19.9),
    "cdvae decoder": (cdvae_decoder, 4.17),
    "cdvae encoder": (cdvae_encoder, 0.318),
    "crystens base": (lambda: crystens("base"), 2.52),
    "crystens sr": (lambda: crystens("sr"), 14.2),
    "unimat": (unimat, 6.28),
    "cryingan critics": (lambda: cryingan(False), 1.30),
    "cryingan critics, generator": (lambda: cryingan(True), 2.03),
}
"""Steps, and the seconds of the reference codes for the same (DiffCSP's as it is shipped)."""


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Processor time of a call, and the part of it that the system took."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    system = after.ru_stime - before.ru_stime
    return after.ru_utime - before.ru_utime + system, system


def products_back(gradient, _x, weight, *settings, **_) -> int:
    """Of a convolution backward, from shapes; torch's own count knows no groups."""
    to_input, to_weight, _ = settings[-1]
    return 2 * math.prod(gradient) * math.prod(weight[1:]) * (to_input + to_weight)


class Untracked:
    """In place of the counter's list of modules, which refuses a gradient of a gradient."""

    parents = ("Global",)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_) -> None:
        pass


def measured(name: str, repeats: int) -> dict[str, float]:
    """One row of the table."""
    build, reference_s = STEPS[name]
    torch.manual_seed(0)
    step, a = build(), torch.rand(SIZE, SIZE)
    counter = FlopCounterMode(display=False, custom_mapping={CONVOLUTION_BACKWARD: products_back})
    counter.mod_tracker = Untracked()
    with counter:
        step()
    rows = []
    for _ in range(repeats):
        began = time.perf_counter()
        products = [seconds(lambda: a @ a)[0]]
        taken, system = seconds(step)
        products.append(seconds(lambda: a @ a)[0])
        rate = 2 * SIZE**3 / np.mean(products) / 1e9
        rows.append((taken, system, rate, time.perf_counter() - began))
    taken, system, rate, _ = np.median(rows, axis=0)
    flop = counter.get_total_flops()
    return {
        "s": taken,
        "of it system": system,
        "product GFLOP/s": rate,
        "reference s": reference_s * REFERENCE_GFLOP_PER_S / rate,
        "ratio": reference_s * REFERENCE_GFLOP_PER_S / rate / taken,
        "GFLOP": flop / 1e9,
        "share %": flop / taken / rate / 1e7,
    }


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.steps:
        row = pd.DataFrame({name: measured(name, args.repeats)}).T
        print(row.to_string(float_format=lambda value: f"{value:.4g}"), flush=True)


if __name__ == "__main__":
    main()
