"""Whether a result folder is complete and consistent: the work of `dismai validate`.

Every file below the folder is read (`whole.damage`). What should be there follows from the
resolved configuration. What was made from what stands in the footers of tables, with SHA-256.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from dismai.base.atomic import sha256
from dismai.base.card import Card, read_card
from dismai.base.errors import InputError, StructureError
from dismai.base.kinds import KINDS
from dismai.files.structures import read_frames, read_table
from dismai.models.settings import CommandModel, TrainedModel
from dismai.pipeline.config import (
    TABLE_OF_KIND,
    Config,
    Run,
    n_generated,
    run_table,
    study_runs,
    validate,
)
from dismai.pipeline.whole import DAMAGE, damage, footer, tensor_document

DATASET_FILES = (
    *("card.json", "train.extxyz", "val.extxyz", "features.parquet", "features_val.parquet"),
)
GENERATED_FILES = (
    *("raw.extxyz", "clean.extxyz", "relaxed.extxyz"),
    *("fates.parquet", "features.parquet", "unrelaxed.parquet"),
)
MODEL_FILES = ("model.safetensors", "hparams.yaml", "history.csv")
TABLE_SUFFIXES = (".parquet", ".csv", ".md", ".html")
FIGURES = {name: kind.figures for name, kind in KINDS.items()}
"""Figures of a dataset by its kind; a test compares them with the rules."""
NOT_RESULTS = ("logs", "benchmarks", "state", "command")
"""Folders of which nothing is promised: what jobs left, and what third-party models keep."""
INPUTS = {
    "raw": "generated/{dataset}/{model}/seed{seed}/raw.extxyz",
    "reference": "datasets/{dataset}/features.parquet",
    "held_out": "datasets/{dataset}/features_val.parquet",
    "card": "datasets/{dataset}/card.json",
}
"""Inputs of a score by their names in its footer, and where they are."""
OF_A_RUN = re.compile(r"(generated|models|metrics)/([^/]+)/([^/]+)/seed(\d+)(?:\.parquet)?(?:/|$)")


def findings(folder: Path) -> tuple[int, list[str]]:
    """Number of runs that a result folder should hold, and what is wrong with it, in sentences.

    Every file that the configuration promises is there and whole; numbers of structures agree from
    the generated set to the metrics; files are those that the footers of tables were made from;
    nothing belongs to a run that the configuration does not have.

    Raises:
        InputError: no result folder, or its configuration is not one.
    """
    checks = Checks(Path(folder))
    return len(checks.runs), checks.findings()


def read_config(path: Path) -> Config:
    """The resolved configuration of a run, whose first line holds the SHA-256 of the rest."""
    if not path.is_file():
        raise InputError(f"{path}: expected the configuration of a run, found no such file")
    try:
        first, _, text = path.read_text(encoding="utf-8").partition("\n")
    except UnicodeDecodeError:
        raise InputError(f"{path}: expected YAML, found binary data") from None
    digest = hashlib.sha256(text.encode()).hexdigest()
    if first != f"# sha256 {digest}":
        raise InputError(f"{path}: line 1: expected the SHA-256 {digest}, found {first!r}")
    return validate(yaml.safe_load(text))


class Checks:
    """The checks of one result folder; a damaged file is one finding and ends what needs it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.config = read_config(folder / "config.yaml")
        self.runs = run_table(self.config)
        self._digests: dict[Path, str] = {}

    @cached_property
    def files(self) -> list[Path]:
        """All files that hold results, in the order of their names."""
        return [
            path
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not set(path.relative_to(self.folder).parts) & {*NOT_RESULTS}
        ]

    @cached_property
    def damaged(self) -> dict[Path, str]:
        """Files that are not whole, and what is wrong with each."""
        found = ((path, damage(path)) for path in self.files)
        return {path: reason for path, reason in found if reason is not None}

    @cached_property
    def datasets(self) -> list[str]:
        return list(dict.fromkeys(run.dataset for run in self.runs))

    def findings(self) -> list[str]:
        """All findings, damaged files first."""
        found = [f"{path}: {reason}" for path, reason in self.damaged.items()]
        found += self._guarded(self._strangers())
        for dataset in self.datasets:
            found += self._guarded(self._of_dataset(dataset))
        for run in self.runs:
            found += self._guarded(self._of_run(run))
        kinds = {self.config.datasets[dataset].kind for dataset in self.datasets}
        for name in [*(TABLE_OF_KIND[kind] for kind in TABLE_OF_KIND if kind in kinds), "ranking"]:
            found += self._guarded(self._of_table(name))
        found += self._missing([self.folder / name for name in self._others()])
        return found

    def _others(self) -> Iterator[str]:
        """Files of the whole run, and of the potentials that it makes for its datasets."""
        yield from ("environment.txt", "figures/datasets.svg", "figures/ranking.svg")
        yield "datasets/alloy_expansion.ce"
        used = {getattr(self.config.datasets[name], "potential", None) for name in self.datasets}
        for name in sorted(used - {None}):
            entry = self.config.potentials[name]
            fit, training = (getattr(entry, key, None) for key in ("fit", "train"))
            if fit is not None:
                yield from (f"potentials/{name}/train{n}/gap.xml" for n in fit.n_train)
            if training is not None:
                yield f"potentials/{name}/model.safetensors"
                if training.labels is None:
                    yield f"tables/minima/{name}/table5.csv"
            if fit is not None or training is not None:
                yield f"figures/potentials/{name}/parity.svg"

    def _guarded(self, checks: Iterator[str]) -> list[str]:
        """All findings of some checks; what cannot be read ends them and is one."""
        found = []
        try:
            found.extend(checks)
        except DAMAGE as error:
            text = " ".join(str(error).split())
            found.append(text if isinstance(error, InputError) else f"{self.folder}: {text}")
        return found

    def _missing(self, paths: Iterable[Path]) -> list[str]:
        return [f"{path}: expected a file, found none" for path in paths if not path.is_file()]

    def _whole(self, paths: Iterable[Path]) -> bool:
        return all(path.is_file() and path not in self.damaged for path in paths)

    def _sha256(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = sha256(path)
        return self._digests[path]

    def _strangers(self) -> Iterator[str]:
        """Files of datasets, models and seeds that the configuration does not have."""
        studied = (run for runs in study_runs(self.config).values() for run in runs)
        known = {(run.dataset, run.model, str(run.seed)) for run in (*self.runs, *studied)}
        seen = set()
        for path in self.files:
            match = OF_A_RUN.match(path.relative_to(self.folder).as_posix())
            if match and match.groups()[1:] not in known and match.group() not in seen:
                seen.add(match.group())
                place = self.folder / match.group().rstrip("/")
                yield f"{place}: expected runs of config.yaml only, found one of none"

    def _of_dataset(self, dataset: str) -> Iterator[str]:
        folder, kind = self.folder / "datasets" / dataset, self.config.datasets[dataset].kind
        figures = self.folder / "figures" / dataset
        files = [folder / name for name in DATASET_FILES]
        yield from self._missing(files)
        yield from self._missing(figures / f"{name}.svg" for name in FIGURES[kind])
        if not self._whole([folder / "card.json"]):
            return
        spec = read_card(folder / "card.json")
        yield from _differs(folder / "card.json", "name", dataset, spec.name)
        yield from _differs(folder / "card.json", "kind", kind, spec.kind)
        for structures, table, n in (
            ("train.extxyz", "features.parquet", spec.n_train),
            ("val.extxyz", "features_val.parquet", spec.n_val),
        ):
            if self._whole([folder / structures]):
                yield from _structures_of(spec, folder / structures, n)
            if self._whole([folder / table]):
                yield from _differs(folder / table, "rows", n, len(read_table(folder / table)))
                yield from _origin(folder / table, {"dataset": dataset})

    def _of_run(self, run: Run) -> Iterator[str]:
        own = Path(run.dataset, run.model, f"seed{run.seed}")
        generated = self.folder / "generated" / own
        metrics = (self.folder / "metrics" / own).with_suffix(".parquet")
        wanted = [metrics, *(generated / name for name in GENERATED_FILES)]
        model = self.config.models.get(run.model)
        if isinstance(model, TrainedModel) and model.weights_of is None:
            wanted += [self.folder / "models" / own / name for name in MODEL_FILES]
            yield from self._of_model(self.folder / "models" / own, run, model)
        yield from self._missing(wanted)
        if isinstance(model, CommandModel):
            command = self.folder / "models" / own / "command"
            if not command.is_dir():
                yield f"{command}: expected the folder of a model, found none"
        if not self._whole([generated / "fates.parquet"]):
            return
        fates = read_table(generated / "fates.parquet")
        n_expected = n_generated(self.config, run)
        yield from _differs(generated / "fates.parquet", "structures", n_expected, len(fates))
        duplicates = int(fates["structure"].duplicated().sum())
        yield from _differs(generated / "fates.parquet", "structures listed twice", 0, duplicates)
        accepted = sorted(fates.loc[fates["status"] == "accepted", "structure"])
        yield from self._accepted(generated, accepted)
        if self._whole([metrics]):
            yield from self._of_metrics(metrics, run, len(accepted), n_expected)

    def _of_model(self, folder: Path, run: Run, model: TrainedModel) -> Iterator[str]:
        path = folder / "model.safetensors"
        if self._whole([path]) and (told := tensor_document(path)):
            yield from _differs(path, "dataset", run.dataset, told.get("card", {}).get("name"))
            yield from _differs(path, "architecture", model.architecture, told.get("architecture"))
            settings = folder / "hparams.yaml"
            if self._whole([settings]):
                written = yaml.safe_load(settings.read_text(encoding="utf-8"))
                own = {"architecture": told.get("architecture"), **told.get("hparams", {})}
                yield from _differs(settings, f"as in {path.name}", True, written == own)

    def _accepted(self, generated: Path, accepted: list[int]) -> Iterator[str]:
        """Features and structures are those of the accepted."""
        table = generated / "features.parquet"
        if self._whole([table]):
            features = read_table(table)
            same = sorted(features["structure"]) == accepted
            yield from _differs(table, "rows are the accepted", True, same)
        for name in ("clean.extxyz", "relaxed.extxyz"):
            path = generated / name
            if self._whole([path]):
                numbers = _numbers(path)
                if name == "relaxed.extxyz" and not numbers:
                    relaxed = self._whole([table]) and "displacement_A" in features
                    if not relaxed:
                        continue
                yield from _differs(path, "structures", len(accepted), len(numbers))
                same = sorted(numbers) == accepted
                yield from _differs(path, "structures are the accepted", True, same)

    def _of_metrics(self, path: Path, run: Run, n_accepted: int, n_made: int) -> Iterator[str]:
        metrics = read_table(path)
        expected = {
            "dataset": run.dataset, "model": run.model, "kind": run.kind, "seed": run.seed,
            "n_generated": n_made, "n_accepted": n_accepted,
        }  # fmt: skip
        for column, value in expected.items():
            yield from _differs(path, column, [value], metrics[column].unique().tolist())
        twice = int(metrics["metric"].duplicated().sum())
        yield from _differs(path, "metrics listed twice", 0, twice)
        wildcards = {"dataset": run.dataset, "model": run.model, "seed": str(run.seed)}
        yield from _origin(path, wildcards)
        for folder_table in ("fates.parquet", "features.parquet"):
            other = self.folder / "generated" / run.dataset / run.model / f"seed{run.seed}"
            if self._whole([other / folder_table]):
                same = footer(other / folder_table).get("inputs") == footer(path).get("inputs")
                yield from _differs(
                    other / folder_table, "inputs are those of the score", True, same
                )
        recorded = footer(path).get("inputs", {})
        for name, place in INPUTS.items():
            source = self.folder / place.format(**wildcards)
            if self._whole([source]):
                digest = [self._sha256(source)]
                yield from _differs(path, f"SHA-256 of {source}", digest, recorded.get(name))

    def _of_table(self, name: str) -> Iterator[str]:
        """One table in its four forms, made from the metrics that are there."""
        paths = {suffix: self.folder / "tables" / f"{name}{suffix}" for suffix in TABLE_SUFFIXES}
        yield from self._missing(paths.values())
        if not self._whole([paths[".parquet"]]):
            return
        table = read_table(paths[".parquet"])
        if self._whole([paths[".csv"]]):
            yield from _same_numbers(paths[".csv"], table)
        if self._whole([paths[".md"], paths[".html"]]):
            markdown = paths[".md"].read_text(encoding="utf-8")
            page = paths[".html"].read_text(encoding="utf-8")
            n_rows = sum(line.startswith("|") for line in markdown.splitlines())
            n_rules = sum(line.startswith("| ---") for line in markdown.splitlines())
            found = page.count("<tr")
            yield from _differs(
                paths[".md"], f"rows of {paths['.html'].name}", found, n_rows - n_rules
            )
        recorded = footer(paths[".parquet"]).get("inputs", {}).get("metrics", [])
        kind = next((kind for kind, own in TABLE_OF_KIND.items() if own == name), None)
        runs = [run for run in self.runs if kind in (None, self.config.datasets[run.dataset].kind)]
        yield from _differs(paths[".parquet"], "sets", len(runs), len(recorded))
        for run in runs:
            metrics = self.folder / "metrics" / run.dataset / run.model / f"seed{run.seed}.parquet"
            if self._whole([metrics]) and self._sha256(metrics) not in recorded:
                yield (
                    f"{paths['.parquet']}: SHA-256 of {metrics}: expected among those it was made "
                    f"from, found none such"
                )


def _differs(path: Path, what: str, expected: object, found: object) -> Iterator[str]:
    if expected != found:
        yield f"{path}: {what}: expected {expected}, found {found}"


def _origin(path: Path, wildcards: dict[str, str]) -> Iterator[str]:
    """A finding for every wildcard in the footer of a table that is not that of its place."""
    recorded = footer(path).get("wildcards", {})
    for name, value in wildcards.items():
        yield from _differs(path, f"{name} in its footer", value, recorded.get(name))


def _structures_of(spec: Card, path: Path, n: int) -> Iterator[str]:
    """Findings on the structures of a dataset: their number, and what they are made of."""
    frames = [frame for frame in read_frames(path) if not isinstance(frame, StructureError)]
    yield from _differs(path, "structures", n, len(frames))
    others = sum(not spec.fits(frame.get_chemical_symbols()) for frame in frames)
    yield from _differs(path, "structures of another composition than the card", 0, others)


def _numbers(path: Path) -> list[int]:
    """Numbers of the structures of a cleaned or relaxed set, in their order."""
    if path.stat().st_size == 0:
        return []
    return [int(frame.info.get("structure", -1)) for frame in read_frames(path)]


def _same_numbers(path: Path, table: pd.DataFrame) -> Iterator[str]:
    """Findings where a CSV file is not the table that it stands beside."""
    found = pd.read_csv(path)
    yield from _differs(path, "columns", list(table.columns), list(found.columns))
    yield from _differs(path, "rows", len(table), len(found))
    if list(table.columns) != list(found.columns) or len(table) != len(found):
        return
    for name in table.select_dtypes("number").columns:
        ours, theirs = (
            part[name].to_numpy(dtype=float, na_value=np.nan) for part in (table, found)
        )
        same = bool(np.allclose(ours, theirs, rtol=1e-6, equal_nan=True))
        yield from _differs(path, f"{name} as in the Parquet table", True, same)
