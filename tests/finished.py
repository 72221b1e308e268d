"""A finished run of the workflow, written without it: one model, the baselines of its dataset."""

import json
import tarfile
from pathlib import Path

import torch
import yaml

from dismai.base.atomic import sha256
from dismai.base.card import write_card
from dismai.base.errors import StructureError
from dismai.base.resources import resource
from dismai.datasets.baselines import gaussian_displacement, random_decoration
from dismai.datasets.options import Options
from dismai.evaluation.process import describe_reference, process
from dismai.evaluation.score import score
from dismai.files.structures import (
    FATES_SCHEMA,
    METRICS_SCHEMA,
    features_schema,
    gather_tables,
    read_table,
    write_structures,
    write_table,
)
from dismai.files.tensors import write_tensors
from dismai.pipeline.config import load, n_generated, run_table
from dismai.pipeline.jobs import write_config
from dismai.pipeline.validation import FIGURES
from dismai.report.tables import HEADINGS, metrics_table, published_numbers, ranking, write_all
from tests.conftest import ROOT
from tests.makers import alloy_spec

DATASET = "alloy_300K_wide"
OVERLAY = {"models": {"cryingan": {"architecture": "cryingan"}}, "n_generated": 12}


def footer_of(wildcards, **inputs):
    hashes = {name: [sha256(path) for path in paths] for name, paths in inputs.items()}
    return {"dismai": json.dumps({"wildcards": wildcards, "inputs": hashes})}


def write_features(table, path, meta):
    write_table(table, path, features_schema(table.columns), meta)


def make_dataset(folder, config):
    """Training and held-out structures with features and card, as the workflow writes them."""
    n_val = round(config.datasets[DATASET].validation_share * 20)
    train, val = (random_decoration(alloy_spec(), n, seed=n) for n in (20 - n_val, n_val))
    spec = alloy_spec().model_copy(update={"n_train": len(train), "n_val": n_val})
    write_card(spec, folder / "card.json")
    for name, part in (("train", train), ("val", val)):
        write_structures(part, folder / f"{name}.extxyz")
        table = folder / ("features.parquet" if name == "train" else "features_val.parquet")
        features = describe_reference(part, spec, Options(), str(table))
        write_features(features, table, footer_of({"dataset": DATASET}))
    return train, spec


def displaced(train, spec, n, seed):
    return gaussian_displacement(train, spec, 0.1, n, seed=seed)


def make_run(root, run, n, train, spec, generate=displaced):
    """One generated set with its fates, features and metrics."""
    wildcards = {"dataset": run.dataset, "model": run.model, "seed": str(run.seed)}
    own = Path(run.dataset, run.model, f"seed{run.seed}")
    folder, dataset = root / "generated" / own, root / "datasets" / run.dataset
    structures = dict(enumerate(generate(train, spec, n, run.seed)))
    write_structures(structures.values(), folder / "raw.extxyz")
    structures[n - 1] = StructureError("spoiled")
    result = process(structures, spec, Options())
    write_structures(result.clean, folder / "clean.extxyz")
    (folder / "relaxed.extxyz").touch()
    none = METRICS_SCHEMA.empty_table().to_pandas()
    write_table(none, folder / "unrelaxed.parquet", METRICS_SCHEMA, {})
    inputs = {
        "raw": folder / "raw.extxyz", "reference": dataset / "features.parquet",
        "held_out": dataset / "features_val.parquet", "card": dataset / "card.json",
    }  # fmt: skip
    meta = footer_of(wildcards, **{name: [path] for name, path in inputs.items()})
    write_table(result.fates, folder / "fates.parquet", FATES_SCHEMA, meta)
    write_features(result.features, folder / "features.parquet", meta)
    parts = (
        result.features,
        result.fates,
        *(read_table(inputs[k]) for k in ("reference", "held_out")),
    )
    metrics = score(*parts, spec, run.model, run.kind, run.seed)
    path = (root / "metrics" / own).with_suffix(".parquet")
    write_table(metrics, path, METRICS_SCHEMA, meta)
    if run.kind == "trained":
        model = root / "models" / own
        header = {"architecture": "cryingan", "hparams": {}, "card": spec.model_dump(mode="json")}
        write_tensors(model / "model.safetensors", {"w": torch.arange(64.0)}, header)
        (model / "hparams.yaml").write_text("architecture: cryingan\n")
        (model / "history.csv").write_text("step,loss\n1,0.5\n")
    return path


def finished_run(root, settings=OVERLAY, generate=displaced):
    """The folder of a run; generate: draws structures of a model from training structures."""
    overlay = root.with_name("overlay.yaml")
    overlay.write_text(yaml.safe_dump(settings))
    config = load(ROOT / "config/config.yaml", ROOT / "tests/config/tiny.yaml", overlay)
    for folder in ("datasets", "tables", f"figures/{DATASET}"):
        (root / folder).mkdir(parents=True)
    write_config(config.model_dump(mode="json"), root / "config.yaml")
    (root / "environment.txt").write_text("python==3.11\n")
    train, spec = make_dataset(root / "datasets" / DATASET, config)
    runs = run_table(config)
    paths = [make_run(root, run, n_generated(config, run), train, spec, generate) for run in runs]
    metrics = gather_tables(paths, key=None)
    published = published_numbers(resource("published.csv"))
    for name, table, headings in (
        ("alloys", metrics_table(metrics, [spec], published), HEADINGS["alloy"]),
        ("ranking", ranking(metrics, [spec]), None),
    ):
        places = [
            root / "tables" / f"{name}.{suffix}" for suffix in ("parquet", "csv", "md", "html")
        ]
        write_all(table, *places, footer_of({}, metrics=paths), headings)
    for name in ("ranking", "datasets"):
        (root / "figures" / f"{name}.svg").write_text("<svg><g/></svg>\n")
    for name in FIGURES["alloy"]:
        (root / "figures" / DATASET / f"{name}.svg").write_text("<svg><g/></svg>\n")
    with tarfile.open(root / "datasets" / "alloy_expansion.ce", "w") as archive:  # as icet does
        archive.add(root / "tables" / "alloys.html", "cluster_space")
    return root
