"""Cost of the models by number of atoms: time per step, memory, where it goes.

python benchmarks/models.py --models diffcsp --sizes 32 64 128 256 [--threads 1]

Every size runs in its own process, so that peak memory is its own. Another model is another
function in MODELS.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch.profiler import ProfilerActivity, profile

from dismai import models
from dismai.base.card import DatasetSpec

ATOM_VOLUME_A3 = 11.7
"""Of fcc with a = 3.6 Å."""
PARTS = {
    "matrix products": ("mm", "addmm", "bmm", "baddbmm"),
    "activations": ("silu", "sigmoid", "exp", "gelu", "softmax"),
    "element by element": ("mul", "add", "sub", "div", "sin", "cos", "remainder"),
    "sums and copies": ("sum", "mean", "copy_", "cat", "index", "index_add_", "stack"),
}
"""Operators by the part that they are counted in; backward and in-place forms go with them."""

Step = Callable[[], None]


def diffcsp(n_atoms: int, batch: int) -> tuple[Step, Step]:
    """A training step and a noise level of sampling (two network calls) of the paper's network."""
    from dismai.models.diffcsp.sampler import Streams, predictor_corrector

    spec = box(n_atoms)
    model = models.create("diffcsp", spec, timesteps=2, steps=2, sigma_end=0.1)
    diffusion = model.new_networks(0)
    lattice = torch.tensor(spec.cell, dtype=torch.float32)
    optimizer = torch.optim.Adam(diffusion.parameters(), lr=1e-3, fused=True)
    f = torch.rand(batch, n_atoms, 3, generator=torch.Generator().manual_seed(0))

    def train() -> None:
        p, _ = diffusion.network(
            f, torch.ones(batch, dtype=torch.long), lattice.expand(batch, 3, 3)
        )
        optimizer.zero_grad()
        p.square().mean().backward()
        optimizer.step()

    one_level = model.hparams.model_copy(update={"steps": 1})

    def sample() -> None:
        streams = Streams(range(batch), torch.device("cpu"))
        levels = (diffusion.network, diffusion.schedule, lattice.expand(batch, 3, 3))
        predictor_corrector(*levels, n_atoms, streams, one_level)

    return train, sample


def cdvae(n_atoms: int, batch: int) -> tuple[Step, Step]:
    """A training step and one Langevin step of the paper's networks, graphs included."""
    from ase import Atoms

    from dismai.models.cdvae.denoise import denoise
    from dismai.models.cdvae.module import CDVAEModule, bonded_structures

    spec = box(n_atoms)
    model = models.create("cdvae", spec)
    networks, cell = model.new_networks(0), torch.tensor(spec.cell)
    x = np.random.default_rng(0).random((batch, n_atoms, 3))
    structures = [Atoms(spec.symbols, x_i @ spec.cell, cell=spec.cell, pbc=True) for x_i in x]
    numbers = torch.from_numpy(structures[0].numbers)
    data = bonded_structures(structures, spec)[list(range(batch))]
    module = CDVAEModule(networks, numbers, cell, model.hparams, 0)
    optimizer = module.configure_optimizers()

    def train() -> None:
        optimizer.zero_grad()
        losses = module.losses(data, torch.Generator().manual_seed(0), teacher_forcing=True)
        losses["loss"].backward()
        optimizer.step()

    @torch.no_grad()
    def sample() -> None:
        for x_i in data[0]:  # one at a time, as the sampler on a CPU
            z = torch.zeros(1, model.hparams.latent)
            state = (z, x_i[None], numbers[None], cell[None].float())
            denoise(networks.decoder, model.hparams, *state)

    return train, sample


def crystens(n_atoms: int, batch: int) -> tuple[Step, Step]:
    """A training step and a step of sampling of both networks of the paper."""
    from dismai.models.crystens.module import OrderedPictures, StageModule
    from dismai.models.crystens.pictures import picture_scales
    from dismai.models.image.orders import RegionOrders

    spec = box(n_atoms)
    model = models.create("crystens", spec)
    networks, layout, h = model.new_networks(0), model.layout, model.hparams
    f = torch.rand(batch, n_atoms, 3, generator=torch.Generator().manual_seed(0))
    pictures = OrderedPictures(layout, picture_scales(f, layout), RegionOrders(spec, {}, 1, 0))
    shared = (pictures, model.resize, h, 0)
    modules = [StageModule(network, *shared) for network in (networks.base, networks.sr)]
    optimizers = [module.configure_optimizers() for module in modules]

    def train() -> None:
        for module, optimizer in zip(modules, optimizers, strict=True):
            optimizer.zero_grad()
            module.loss(pictures((f, []), None), "step").backward()
            optimizer.step()

    @torch.no_grad()
    def sample() -> None:
        full, level = torch.randn(batch, 4, layout.side, layout.side), torch.zeros(batch)
        networks.base(model.resize.shrink(full), level)
        networks.sr(full, level, full, level)

    return train, sample


def unimat(n_atoms: int, batch: int) -> tuple[Step, Step]:
    """A training step and a network call of sampling of the paper's network."""
    model = models.create("unimat", box(n_atoms))
    network = model.new_networks(0)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)
    video = torch.randn(batch, 3, *model.mask.shape, generator=torch.Generator().manual_seed(0))
    log_snr = torch.zeros(batch)

    def train() -> None:
        loss = (network(video, log_snr) - video).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    @torch.no_grad()
    def sample() -> None:
        network(video, log_snr)

    return train, sample


def melt(n_atoms: int, batch: int) -> tuple[Step, Step]:
    """A training step and a network call of sampling of the mover, neighbours included."""
    from dismai.models.melt.facts import facts_of
    from dismai.models.melt.module import MoverModule

    model = models.create("melt", box(n_atoms))
    species, cell = torch.zeros(n_atoms, dtype=torch.long), torch.tensor(model.spec.cell).float()
    f = torch.rand(batch, n_atoms, 3, generator=torch.Generator().manual_seed(0))
    x = f @ cell
    facts = facts_of(x, species, cell, model.hparams)
    mover = model.new_networks(0, facts).mover
    module = MoverModule(mover, species, cell, facts, model.hparams, 0)
    optimizer = module.configure_optimizers()

    def train() -> None:
        optimizer.zero_grad()
        module.losses((x,), torch.Generator().manual_seed(0))["loss"].backward()
        optimizer.step()

    @torch.no_grad()
    def sample() -> None:
        mover(x, cell, species.expand(batch, -1), torch.full((batch,), 0.3))

    return train, sample


MODELS: dict[str, Callable[[int, int], tuple[Step, Step]]] = {
    "diffcsp": diffcsp,
    "cdvae": cdvae,
    "crystens": crystens,
    "unimat": unimat,
    "melt": melt,
}
DECODER_FLOP = 16.5e9
"""Matrix products of the published CDVAE decoder on 256 to 264 atoms, one structure."""


def box(n_atoms: int) -> DatasetSpec:
    """Card of one species in a cube of the density of the alloys."""
    edge = (n_atoms * ATOM_VOLUME_A3) ** (1 / 3)
    cell = ((edge, 0.0, 0.0), (0.0, edge, 0.0), (0.0, 0.0, edge))
    return DatasetSpec(
        name="amorphous_si", kind="amorphous_si", composition={"Si": n_atoms}, cell_A=cell
    )


def milliseconds(step: Step, repeats: int) -> float:
    """Median time of the processor, all threads together, after one call to warm up."""
    step()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        step()
        times.append(time.process_time() - start)
    return 1000 * float(np.median(times))


def shares(step: Step) -> dict[str, float]:
    """Percent of the time of a step by kind of operator."""
    with profile(activities=[ProfilerActivity.CPU]) as record:
        step()
    totals = dict.fromkeys([*PARTS, "everything else"], 0.0)
    for event in record.key_averages():
        name = event.key.removeprefix("aten::").removesuffix("_backward").rstrip("_")
        part = next((p for p, ops in PARTS.items() if name in {o.rstrip("_") for o in ops}), None)
        totals[part or "everything else"] += event.self_cpu_time_total
    whole = sum(totals.values())
    return {part: 100 * value / whole for part, value in totals.items()}


def measure(model: str, n_atoms: int, batch: int, repeats: int) -> dict[str, float]:
    """One row of the table, in this process."""
    train, sample = MODELS[model](n_atoms, batch)
    sampling_ms = milliseconds(sample, repeats)
    training_ms = milliseconds(train, repeats)
    a = torch.rand(2048, 2048)
    matmul_GFLOP_per_s = 2 * 2048**3 / milliseconds(lambda: a @ a, 5) / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "n_atoms": n_atoms,
        "training_ms": training_ms,
        "sampling_ms": sampling_ms,
        "matmul_GFLOP_per_s": matmul_GFLOP_per_s,
        "peak_MB": peak,
        **{f"{part} %": share for part, share in shares(train).items()},
    }


def exponent(n_atoms: pd.Series, values: pd.Series) -> float:
    """Slope of a power law through the points."""
    return float(np.polyfit(np.log(n_atoms), np.log(values), 1)[0])


def main() -> None:
    """The table of every model, or one row of it for the parent process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--sizes", nargs="+", type=int, default=[32, 64, 128, 256])
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--row", action="store_true", help="one model, one size, as JSON")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.row:
        print(json.dumps(measure(args.models[0], args.sizes[0], args.batch, args.repeats)))
        return
    settings = ["--batch", args.batch, "--repeats", args.repeats, "--threads", args.threads]
    for model in args.models:
        rows = []
        for n_atoms in args.sizes:
            words = [sys.executable, __file__, "--row", "--models", model, "--sizes", n_atoms]
            result = subprocess.run(
                [str(word) for word in (*words, *settings)], check=True, stdout=subprocess.PIPE
            )
            rows.append(json.loads(result.stdout))
        table = pd.DataFrame(rows).set_index("n_atoms")
        print(f"{model}, batch {args.batch}, {args.threads} thread(s)")
        print(table.to_string(float_format=lambda value: f"{value:.4g}"))
        if len(table) > 1:
            for column in ("training_ms", "sampling_ms"):
                print(f"{column} ~ N^{exponent(table.index.to_series(), table[column]):.2f}")
        if model == "cdvae" and 256 in table.index:
            row = table.loc[256]
            rate = DECODER_FLOP * args.batch / row["sampling_ms"] / 1e6
            share = 100 * rate / row["matmul_GFLOP_per_s"]
            print(f"decoder at 256 atoms: {rate:.0f} GFLOP/s, {share:.0f} % of a matrix product")


if __name__ == "__main__":
    main()
