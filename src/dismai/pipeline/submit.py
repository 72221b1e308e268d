"""Makes a submission of a folder of results: the first half of `dismai submit`."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from dismai import __version__
from dismai.base.atomic import sha256, write_atomically
from dismai.base.card import read_card
from dismai.base.errors import InputError
from dismai.datasets.options import Options
from dismai.evaluation.copies import fingerprints
from dismai.evaluation.reference import reference_digest
from dismai.evaluation.submission import (
    CARD,
    MOST_WEIGHT_MB,
    N_SAMPLES,
    NOTES,
    SubmissionCard,
    SubmittedDataset,
    write_samples,
)
from dismai.files.structures import (
    FATES_SCHEMA,
    METRICS_SCHEMA,
    read_structures,
    read_table,
    write_table,
)
from dismai.models.settings import TrainedModel
from dismai.pipeline.config import Config, Run, run_table
from dismai.pipeline.validation import findings, read_config
from dismai.report.cost import cost_of

SETS_SCHEMA = pa.schema(
    [*(METRICS_SCHEMA.field(name) for name in ("dataset", "model", "seed")), *FATES_SCHEMA]
)
"""Fates of all sets together."""
KEPT_AS_THEY_ARE = ("config.yaml", "environment.txt")
MOST_FIGURE_MB = 0.5
MB = 10**6
ROUNDED_FROM = 256
"""Tensors of fewer numbers keep 32 bits: waves, cutoffs and scales of the data are among them."""


def pack(folder: Path, out: Path, name: str | None = None) -> SubmissionCard:
    """Write the submission of a folder of results, which `dismai validate` must find whole.

    Args:
        folder: results/RUN.
        out: new folder, or one that holds nothing but notes (README.md).
        name: how tables call it; that of `out` by default.

    Raises:
        InputError: the folder is not whole, or the new one holds files.
    """
    folder, out = Path(folder), Path(out)
    found = findings(folder)[1]
    if found:
        raise InputError(f"{folder}: expected whole results, found {len(found)} faults: {found[0]}")
    if out.exists() and any(path.name != NOTES for path in out.rglob("*") if path.is_file()):
        raise InputError(f"{out}: expected no such folder, or one with {NOTES} alone, found files")
    config = read_config(folder / "config.yaml")
    runs = run_table(config)
    datasets = _datasets(folder, out, config, runs)
    _tables(folder, out, runs)
    left_out = dict(_weights(folder, out, config, runs))
    for run in runs:
        if run.kind != "baseline":
            raw = folder / "generated" / _own(run) / "raw.extxyz"
            write_samples(raw, out / sample_path(run.dataset, run.model, run.seed), N_SAMPLES)
    left_out |= dict(_as_they_are(folder, out))
    own = [run for run in runs if run.kind != "baseline"]
    aligned = {run.model: getattr(config.models[run.model], "align", "none") for run in own}
    card = SubmissionCard(
        name=name or out.resolve().name,
        note=config.note,
        command="snakemake all --configfile config.yaml --profile profiles/local",
        commit=_commit(),
        hardware=_hardware(),
        processor_hours=round(float(cost_of(folder)["processor_hours"].sum()), 3),
        dismai=__version__,
        seeds=sorted({run.seed for run in own}),
        n_samples=N_SAMPLES,
        aligned=aligned,
        datasets=datasets,
        scores={str(own): sha256(_scores(folder, own)) for own in map(_own, runs)},
        left_out=left_out,
        files={str(path.relative_to(out)): sha256(path) for path in files_of(out)},
    )
    write_atomically(out / CARD, card.model_dump_json(indent=1) + "\n")
    return card


def _own(run: Run) -> Path:
    return Path(run.dataset, run.model, f"seed{run.seed}")


def _scores(folder: Path, own: Path) -> Path:
    return (folder / "metrics" / own).with_suffix(".parquet")


def sample_path(dataset: str, model: str, seed: int) -> str:
    """Place of the samples of one set in a submission."""
    return f"samples/{dataset}/{model}/seed{seed}.extxyz.gz"


def files_of(folder: Path) -> list[Path]:
    """Files of a submission but its card and notes, in the order of their names."""
    return [
        path
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and path.name != NOTES and path != Path(folder) / CARD
    ]


def _datasets(
    folder: Path, out: Path, config: Config, runs: list[Run]
) -> dict[str, SubmittedDataset]:
    """Card and fingerprints of every dataset; what the card of the submission says of it."""
    found = {}
    for dataset in dict.fromkeys(run.dataset for run in runs):
        source, target = folder / "datasets" / dataset, out / "datasets" / dataset
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / "card.json", target / "card.json")
        spec = read_card(source / "card.json")
        parts = [read_structures(source / f"{part}.extxyz") for part in ("train", "val")]
        rows = fingerprints([*parts[0], *parts[1]], spec, Options())
        table = pd.DataFrame(rows, columns=[f"f{i}" for i in range(rows.shape[1])])
        table.insert(0, "held_out", np.repeat([False, True], [len(part) for part in parts]))
        schema = pa.Schema.from_pandas(table, preserve_index=False).remove_metadata()
        write_table(table, target / "fingerprints.parquet", schema)
        found[dataset] = SubmittedDataset(
            kind=spec.kind,
            n_train=spec.n_train,
            n_val=spec.n_val,
            n_atoms=spec.most_atoms,
            relaxed=getattr(config.datasets[dataset], "potential", None) is not None,
            reference_sha256=reference_digest(read_table(source / "features.parquet")),
        )
    return found


def _tables(folder: Path, out: Path, runs: list[Run]) -> None:
    """Scores and fates of all sets, each in one table."""
    metrics, unrelaxed, fates = [], [], []
    for run in runs:
        own = _own(run)
        metrics.append(read_table(_scores(folder, own)))
        unrelaxed.append(read_table(folder / "generated" / own / "unrelaxed.parquet"))
        of_set = read_table(folder / "generated" / own / "fates.parquet")
        fates.append(of_set.assign(dataset=run.dataset, model=run.model, seed=run.seed))
    for name, parts, schema in (
        ("metrics", metrics, METRICS_SCHEMA),
        ("unrelaxed", unrelaxed, METRICS_SCHEMA),
        ("fates", fates, SETS_SCHEMA),
    ):
        filled = [part for part in parts if len(part)] or parts[:1]
        table = pd.concat(filled, ignore_index=True)[schema.names]
        write_table(table, out / f"{name}.parquet", schema)


def _weights(folder: Path, out: Path, config: Config, runs: list[Run]) -> Iterator[tuple[str, str]]:
    """Write weights of the first seed of every pair, rounded; yield those that are too large."""
    seen = set()
    for run in runs:
        model = config.models.get(run.model)
        own = isinstance(model, TrainedModel) and model.weights_of is None
        if not own or (run.dataset, run.model) in seen:
            continue
        seen.add((run.dataset, run.model))
        source = folder / "models" / _own(run) / "model.safetensors"
        target = out / "weights" / run.dataset / f"{run.model}.safetensors"
        target.parent.mkdir(parents=True, exist_ok=True)
        write_rounded(source, target)
        if target.stat().st_size > MOST_WEIGHT_MB * MB:
            yield str(target.relative_to(out)), f"{target.stat().st_size / MB:.1f} MB"
            target.unlink()


def write_rounded(source: Path, target: Path) -> None:
    """A model file with large tensors in numbers of 16 bits; networks load them as of 32."""
    import torch

    from dismai.files.tensors import read_tensors, write_tensors

    tensors, header = read_tensors(source)
    for name, tensor in tensors.items():
        if tensor.dtype == torch.float32 and tensor.numel() >= ROUNDED_FROM:
            half = tensor.half()
            tensors[name] = half if torch.isfinite(half).all() else tensor
    write_tensors(target, tensors, header)


def _as_they_are(folder: Path, out: Path) -> Iterator[tuple[str, str]]:
    """Copy configuration, versions, tables and figures; yield figures that are too large."""
    copied = [folder / name for name in KEPT_AS_THEY_ARE]
    copied += sorted((folder / "tables").glob("*.*"))
    copied += sorted((folder / "figures").rglob("*.svg"))
    for path in copied:
        relative = path.relative_to(folder)
        if path.suffix == ".svg" and path.stat().st_size > MOST_FIGURE_MB * MB:
            yield str(relative), f"{path.stat().st_size / MB:.1f} MB"
            continue
        (out / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, out / relative)


def _commit() -> str:
    """The commit of the checkout that the package runs from, or that it is installed."""
    place = Path(__file__).resolve().parent
    words = ["git", "-C", str(place), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return f"installed {__version__}"
    return done.stdout.strip()


def _hardware() -> str:
    """Processor, cores, and the graphics processor if there is one."""
    processor, told = platform.machine(), Path("/proc/cpuinfo")
    for line in told.read_text().splitlines() if told.is_file() else ():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    gpu = ""
    if find_spec("torch") is not None:
        import torch

        gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{processor}, {os.cpu_count()} cores{gpu}"
