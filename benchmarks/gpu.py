"""Do the models train, go on, sample and relax on a GPU, and how fast? One run, 8 minutes at most.

python benchmarks/gpu.py --out gpu             # gpu.parquet and gpu.md, on a machine with a GPU
python benchmarks/gpu.py --out gpu --dry-run   # all of it on the CPU at small sizes

Every check and every measurement is a row; one that fails says why, and the rest goes on. Ends with
1 if one failed. What is not reached in time is "not measured". On a machine that has PyTorch but
cannot reach a package index, these pure-Python or small wheels are to be carried there:

    ase pydantic pydantic_core annotated-types typing-inspection
    CHGNet: chgnet pymatgen pymatgen-core monty palettable ruamel.yaml spglib orjson uncertainties
            tabulate bibtexparser, and an empty nvidia_smi.py
    M3GNet: matgl
    and `pip wheel --no-deps .` of this project, whose entry points name the models
"""

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from ase import Atoms
from lightning.pytorch import Callback
from small_models import SMALL

from dismai import models
from dismai.base import device as devices
from dismai.base import running, stopping
from dismai.base.card import DatasetSpec, FccLattice, cell_rows
from dismai.training import callbacks
from dismai.training.run import run_training

PRECISIONS = ("32-true", "tf32", "bf16-mixed")
DATASETS = {"interface": 1, "alloys": 4, "amorphous silicon": 1}
"""Datasets of the papers, and how many there are of each."""
TRAINED_ON = {
    "cryingan": ("interface", "alloys"),
    "diffcsp": ("interface", "alloys", "amorphous silicon"),
    "cdvae": ("interface", "alloys", "amorphous silicon"),
    "crystens": ("interface",),
    "unimat": ("interface",),
}
N_SEEDS = 3
ATOMS = {"interface": 264, "alloys": 256, "amorphous silicon": 256}
STEPS = {"cryingan": 3_800_000, "diffcsp": 300_000, "cdvae": 150_000, "crystens": 150_000}
"""Training steps of the papers; UniMat has those of CDVAE, and CrysTens twice as many."""
STEP_FLOP = {
    "cdvae": 4.4e11,
    "diffcsp": 9.9e11,
    "crystens base": 5.3e11,
    "crystens sr": 4.1e12,
    "unimat": 5.9e11,
    "cryingan": 1.6e11,
}
"""Of a training step of the papers' batch at 264 atoms, counted, messages kept."""
COMPILED = ("cryingan", "diffcsp", "unimat", "crystens")
"""Models of which networks can be compiled, which takes minutes: measured last, in bf16-mixed."""
COMPILATION_S = 120.0
"""What one takes at least: none begins that would not end in time."""
CALLS = {"diffcsp": 2000, "cdvae": 5000, "unimat": 100, "crystens": 200}
"""Network calls for a structure."""
CALLS_OF = {"diffcsp": ("steps", 2), "cdvae": ("levels", 1), "unimat": ("steps", 1)}
CALLS_OF["crystens"] = ("steps", 2)
"""The hyperparameter that says how many, and calls a unit of it."""
RELAXATIONS = 22_000
FORCE_CALLS = 300
"""Structures of the papers' interface relaxed, and force calls each (100 to 500)."""


class Report:
    """Rows of the table, and the time that is left."""

    def __init__(self, seconds: float):
        self.rows: list[dict] = []
        self.end = time.monotonic() + seconds

    def add(self, part: str, quantity: str, value: float, unit: str, precision: str = "") -> None:
        row = {"part": part, "precision": precision, "quantity": quantity}
        self.rows.append({**row, "value": value, "unit": unit, "status": "ok"})
        print(f"{part} {precision}: {quantity} {value:.4g} {unit}", flush=True)

    def attempt(
        self, part: str, work: Callable[[], None], precision: str = "", needs_s: float = 0.0
    ) -> None:
        """Do a part of the work if there is as much time; what goes wrong is a row."""
        status = "not measured: no time left"
        if time.monotonic() + needs_s < self.end:
            try:
                work()
                return
            except (Exception, SystemExit) as error:  # the rest is measured all the same
                devices.free_memory("cuda")
                status = f"failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        row = {"part": part, "precision": precision, "quantity": "", "value": math.nan, "unit": ""}
        self.rows.append({**row, "status": status})
        print(f"{part} {precision}: {status}", flush=True)

    def value(self, part: str, quantity: str) -> float:
        """The best of a quantity over the precisions; NaN if there is none."""
        found = [r["value"] for r in self.rows if (r["part"], r["quantity"]) == (part, quantity)]
        return min(found, default=math.nan)

    def failed(self) -> bool:
        return any(row["status"].startswith("failed") for row in self.rows)


def interface() -> DatasetSpec:
    """Composition and cell of the papers' interface."""
    angle = math.radians(75.6674)
    b = (17.19967 * math.cos(angle), 17.19967 * math.sin(angle), 0.0)
    cell = ((12.46997, 0.0, 0.0), b, (0.0, 0.0, 38.0))
    composition = {"Li": 72, "Co": 36, "Sc": 12, "Cl": 72, "O": 72}
    return DatasetSpec(name="interface", kind="interface", composition=composition, cell_A=cell)


def alloy() -> DatasetSpec:
    """A small alloy, 32 atoms."""
    fcc = FccLattice(supercell=(2, 2, 2))
    return DatasetSpec(
        name="alloy_300K_wide",
        kind="alloy",
        composition={"Cr": 6, "Fe": 20, "Ni": 6},
        cell_A=cell_rows(fcc.cell),
        fcc=fcc,
    )


def structures(spec: DatasetSpec, n: int, seed: int) -> list[Atoms]:
    """Atoms near points of a grid: where atoms overlap, losses are not finite."""
    random, lengths = np.random.default_rng(seed), np.linalg.norm(spec.cell, axis=1)
    spacing = (abs(np.linalg.det(spec.cell)) / spec.n_atoms) ** (1 / 3)
    counts = np.maximum(1, np.round(lengths / spacing)).astype(int)
    while counts.prod() < spec.n_atoms:
        counts[np.argmin(counts / lengths)] += 1
    axes = np.meshgrid(*[np.arange(count) / count for count in counts], indexing="ij")
    grid = np.stack(axes, -1).reshape(-1, 3)
    found = []
    for _ in range(n):
        f = random.permutation(grid)[: spec.n_atoms] + random.normal(0, 0.01, (spec.n_atoms, 3))
        found.append(Atoms(spec.symbols, f @ spec.cell, cell=spec.cell, pbc=True))
    return found


# --- right


def small_model(name: str, device: str):
    """A model that trains in seconds, on the small alloy."""
    model = models.create(name, alloy(), **SMALL[name], batch=4, checkpoint_every=10**6)
    model.device = device
    return model


def losses(folder: Path) -> np.ndarray:
    """Losses of a history, (n_epochs, n_columns)."""
    return np.genfromtxt(folder / "history.csv", delimiter=",", skip_header=1)[:, 2:]


def check_training(report: Report, name: str, device: str, folder: Path) -> None:
    """Losses as on the CPU; ended within an epoch and gone on, as if undisturbed."""
    train, val = structures(alloy(), 12, 0), structures(alloy(), 4, 1)
    small_model(name, "cpu").fit(train, val, folder / "cpu", 0)
    whole = small_model(name, device)
    whole.fit(train, val, folder / "whole", 0)
    report.add(name, "losses off the CPU's", off(folder / "whole", folder / "cpu"), "share")
    if not all(np.isfinite(one.positions).all() for one in whole.sample(4, 0)):
        raise ValueError("sampled positions are not finite")
    seen, original = [], callbacks.StateKeeper.on_train_batch_end

    def ask_to_end(self, *args):
        seen.append(args)
        if len(seen) == 5:  # the second of the three steps of the second epoch
            stopping._asked.set()
        return original(self, *args)

    callbacks.StateKeeper.on_train_batch_end = ask_to_end
    try:
        small_model(name, device).fit(train, val, folder / "resumed", 0)
        raise ValueError("expected an end within an epoch, found none")
    except SystemExit as left:
        if left.code != stopping.EXIT_CODE:
            raise
    finally:
        callbacks.StateKeeper.on_train_batch_end = original
        stopping._asked.clear()
    small_model(name, device).fit(train, val, folder / "resumed", 0)
    report.add(
        name, "losses off after a resume", off(folder / "resumed", folder / "whole"), "share"
    )


def off(one: Path, other: Path) -> float:
    """Largest relative difference of two histories; ValueError above a hundredth."""
    a, b = losses(one), losses(other)
    found = float(np.nanmax(np.abs(a - b) / np.maximum(np.abs(a), 1e-3)))
    if not found < 0.01:
        raise ValueError(f"losses differ by {found:.1e} of themselves")
    return found


# --- fast


class Timer(Callback):
    """Measures steps of a training for some seconds after a few that warm up, and ends it."""

    WARM_UP = 3

    def __init__(self, device: str, seconds: float):
        self.device, self.seconds = device, seconds
        self.n = 0

    def on_train_batch_end(self, trainer, *_) -> None:
        self.n += 1
        if self.n == self.WARM_UP:
            wait(self.device)
            self.began = time.perf_counter()
        if self.n > self.WARM_UP and time.perf_counter() - self.began > self.seconds:
            wait(self.device)
            self.seconds_per_step = (time.perf_counter() - self.began) / (self.n - self.WARM_UP)
            trainer.should_stop = True

    def state_dict(self) -> dict:
        return {}


def wait(device: str) -> None:
    """Until a GPU has done what it was told."""
    if device == "cuda":
        torch.cuda.synchronize()


def seconds_per_call(work: Callable[[], object], device: str, seconds: float) -> float:
    """Time of a call, the first one not counted."""
    work()
    wait(device)
    began, n = time.perf_counter(), 0
    while n < 2 or time.perf_counter() - began < seconds:
        work()
        n += 1
        wait(device)
    return (time.perf_counter() - began) / n


def ceilings(report: Report, device: str, tiny: bool) -> None:
    """Matrix products and copies: what everything else is held against."""
    n, seconds = (256, 0.1) if tiny else (8192, 1.0)
    a = torch.randn(n, n, device=device)
    for precision in PRECISIONS:
        with devices.arithmetic(device, precision):
            x = a.bfloat16() if precision == "bf16-mixed" else a
            rate = 2 * n**3 / seconds_per_call(lambda x=x: x @ x, device, seconds) / 1e12
        report.add("card", "matrix products", rate, "TFLOP/s", precision)
    b = torch.empty_like(a)
    rate = 8 * n * n / seconds_per_call(lambda: b.copy_(a), device, seconds) / 1e12
    report.add("card", "copies", rate, "TB/s")


def speed(report: Report, name: str, device: str, tiny: bool, precision: str) -> None:
    """Steps of every network of a model, and structures, at the papers' size and batch."""
    spec = alloy() if tiny else interface()
    arithmetic, _, compiles = precision.partition(", ")
    settings = {**(SMALL[name] if tiny else {}), "precision": arithmetic}
    settings |= {"compile": True} if compiles else {}
    model = models.create(name, spec, **settings, **({"batch": 2} if tiny else {}))
    model.device, batch = device, model.hparams.batch
    train, val = structures(spec, 4 * batch, 0), structures(spec, 2, 1)
    for training in model.trainings(train, val, 0):
        part = f"{name} {training.stage}" if training.stage else name
        timer = Timer(device, 0.1 if tiny else 4.0)
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        with tempfile.TemporaryDirectory() as folder:
            run_training(
                # the place of the plateau takes any callback; without validation it has no work
                replace(training, epochs=10**6, validation=None, plateau=timer),
                Path(folder),
                batch=batch,
                made_for="benchmark",
                checkpoint_every=10**9,
                precision=arithmetic,
                device=device,
                compiles=bool(compiles),
            )
        seconds = timer.seconds_per_step
        report.add(part, "step", 1000 * seconds, "ms", precision)
        n_steps = STEPS.get(name, STEPS["cdvae"])
        report.add(part, "training", n_steps * seconds / 3600, "h", precision)
        if device == "cuda":
            peak = torch.cuda.max_memory_allocated() / 1e9
            report.add(part, "peak memory", peak, "GB", precision)
        rates = [r for r in report.rows if r["quantity"] == "matrix products"]
        (rate,) = [r["value"] for r in rates if r["precision"] == arithmetic] or [math.nan]
        if not tiny:
            share = STEP_FLOP[part] / seconds / (rate * 1e12)
            report.add(part, "of matrix products", share, "share", precision)
    if name in CALLS:
        sampling(report, name, model, tiny, precision)


def sampling(report: Report, name: str, model, tiny: bool, precision: str) -> None:
    """Hours for 1000 structures, from the difference of many and few network calls."""
    key, calls_per_unit = CALLS_OF[name]
    n, taken = (2 if tiny else model.hparams.sampling_batch), {}
    more = {"langevin_steps": 1} if name == "cdvae" else {}
    for units in (2, 4 if tiny else 8):
        short = model.hparams.model_copy(update={key: units, "sampling_batch": n, **more})
        drawing = type(model)(model.spec, short)
        drawing.networks, drawing.device = model.networks, model.device
        taken[units] = seconds_per_call(lambda one=drawing: one.sample(n, 0), model.device, 0.1)
    few, many = taken
    call = max(0.0, taken[many] - taken[few]) / ((many - few) * calls_per_unit)
    hours = 1000 / n * CALLS[name] * call / 3600
    report.add(name, "1000 structures", hours, "h", precision)


def relaxation(report: Report, kind: str, device: str, tiny: bool, folder: Path) -> None:
    """Force calls in batches, and relaxations side by side against those one by one."""
    from dismai.potentials import load
    from dismai.potentials.graphs import graph_or_error
    from dismai.potentials.relax import relax_structure
    from dismai.potentials.together import Batches, relax_together

    spec = alloy() if tiny else interface()
    potential = load(entry_of(kind, spec, folder), device=device)
    some = structures(spec, 2 if tiny else 32, 0)

    def graphs(these: list[Atoms]) -> list:
        return [graph_or_error(potential, one) for one in these]

    seconds = 0.1 if tiny else 2.0
    report.add(
        kind, "graph", 1000 * seconds_per_call(lambda: graphs(some[:1]), "cpu", seconds), "ms"
    )
    for width in (1, 2) if tiny else (1, 8, 32):
        made = graphs(some[:width])
        call = seconds_per_call(
            lambda made=made: potential.energies_and_forces(made), device, seconds
        )
        rate = width / call
        report.add(kind, f"force calls, {width} together", rate, "1/s")
    n_relaxed, limits = (2, 3) if tiny else (8, 10), {"optimizer": "fire"}
    few = some[: n_relaxed[0]]
    limits["max_steps"] = n_relaxed[1]
    batches = Batches(potential, len(few), device, graphs)
    began = time.perf_counter()
    ended = dict(
        relax_together(few, batches, len(few), lambda *one: relax_structure(*one, **limits))
    )
    rate = len(few) * limits["max_steps"] / (time.perf_counter() - began)
    report.add(kind, "relaxation steps, graphs in one process", rate, "1/s")
    alone = [relax_structure(one, potential, **limits) for one in few[:2]]
    apart = max(abs(ended[i].energy_eV - alone[i].energy_eV) / spec.n_atoms for i in range(2))
    if not apart < 1e-4:
        raise ValueError(f"energies differ by {apart:.1e} eV an atom from those one by one")
    report.add(kind, "energy off that of one by one", apart, "eV/atom")


def entry_of(kind: str, spec: DatasetSpec, folder: Path) -> dict:
    """CHGNet as it is, or an M3GNet of the published size that has learned nothing."""
    if kind == "chgnet":
        return {"kind": "chgnet"}
    from dismai.potentials.m3gnet.network import build, save
    from dismai.potentials.m3gnet.settings import M3gnet

    settings, elements = M3gnet(), sorted(set(spec.symbols))
    untrained = build(elements, settings, np.zeros(len(elements)), 1.0, 0)
    save(folder / "model.safetensors", untrained, settings)
    return {"kind": "m3gnet", "folder": str(folder)}


# --- the whole


def suite(report: Report) -> None:
    """Hours of the papers' schedule, per dataset and whole, with the fastest precision each."""
    whole = 0.0
    for dataset, n_datasets in DATASETS.items():
        hours = 0.0
        for name, trained_on in TRAINED_ON.items():
            parts = [f"{name} base", f"{name} sr"] if name == "crystens" else [name]
            if dataset in trained_on:
                size = ATOMS[dataset] / ATOMS["interface"]
                hours += size * sum(report.value(part, "training") for part in parts)
                if name in CALLS:
                    hours += size * report.value(name, "1000 structures")
        report.add(dataset, "training and generation, one dataset", N_SEEDS * hours, "h")
        whole += N_SEEDS * n_datasets * hours
    calls = max(
        (r["value"] for r in report.rows if r["part"] == "chgnet" and "together" in r["quantity"]),
        default=math.nan,
    )
    relaxing = RELAXATIONS * FORCE_CALLS / calls / 3600
    report.add("interface", "relaxation, all sets, graphs apart", relaxing, "h")
    report.add("suite", "GPU time", whole + relaxing, "h")


def write(report: Report, path: Path, device: str, tiny: bool) -> None:
    """The rows as Parquet, and a table for readers."""
    table = pd.DataFrame(report.rows)
    table.insert(0, "device", devices.described(device))
    table.to_parquet(path.with_suffix(".parquet"), index=False)
    size = "small sizes, a test of this script" if tiny else "the papers' sizes"
    head = [f"# {devices.described(device)}", "", f"Measured by benchmarks/gpu.py at {size}.", ""]
    columns = ["part", "precision", "quantity", "value", "unit", "status"]
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for row in report.rows:
        words = [f"{row[name]:.4g}" if name == "value" else str(row[name]) for name in columns]
        lines.append(f"| {' | '.join(words)} |")
    path.with_suffix(".md").write_text("\n".join([*head, *lines]) + "\n")


def main() -> int:
    """Measure, write, and tell by the exit code whether anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("gpu"), help="stem of the two files")
    parser.add_argument("--dry-run", action="store_true", help="on the CPU, at small sizes")
    parser.add_argument("--minutes", type=float, default=7.5, help="after which no part begins")
    parser.add_argument("--models", nargs="+", default=list(TRAINED_ON), choices=list(TRAINED_ON))
    args = parser.parse_args()
    tiny, device = args.dry_run, "cpu" if args.dry_run else devices.resolved("cuda")
    report = Report(60 * args.minutes)
    report.attempt("card", lambda: ceilings(report, device, tiny))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in args.models:
            work = (report, name, device, folder / name)
            report.attempt(name, lambda work=work: check_training(*work))
        for precision in islice(PRECISIONS, 1 if tiny else None):
            for name in args.models:
                work = (report, name, device, tiny, precision)
                report.attempt(name, lambda work=work: speed(*work), precision)
        for kind in ("chgnet", "m3gnet"):
            work = (report, kind, device, tiny, folder)
            report.attempt(kind, lambda work=work: relaxation(*work))
        if tiny:  # no kernels, which take as long to make for small networks
            running.compiler = lambda device: {"backend": "aot_eager"}
        for name in args.models:
            work = (report, name, device, tiny, "bf16-mixed, compiled")
            if name in COMPILED[: 1 if tiny else None]:
                needs = 0.0 if tiny else COMPILATION_S
                report.attempt(name, lambda work=work: speed(*work), work[-1], needs)
    suite(report)
    write(report, args.out, device, tiny)
    return int(report.failed())


if __name__ == "__main__":
    sys.exit(main())
