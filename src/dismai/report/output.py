"""An evaluation as text, and its files: tables, JSON and the page."""

import json
from datetime import date
from math import nan
from pathlib import Path
from typing import Any

import numpy as np

from dismai import __version__
from dismai.base.atomic import replacing_in, write_atomically
from dismai.base.versions import VERSIONS
from dismai.datasets.published import MARK
from dismai.evaluation.file import UNRELAXED, Evaluation
from dismai.evaluation.reference import reference_digest
from dismai.evaluation.trivial import LABELS, trivial_of, verdict
from dismai.files.structures import FATES_SCHEMA, METRICS_SCHEMA, write_table
from dismai.metrics.entries import METRICS
from dismai.report.page import number_text, page
from dismai.report.structures_page import structures_page

STRUCTURES = "structures.html"
"""The page of structures in 3D, beside the report."""


def to_text(evaluation: Evaluation) -> str:
    """The evaluation as lines for a terminal."""
    first = evaluation.metrics.iloc[0]
    spec = evaluation.spec
    width = max(len(name) for name in evaluation.metrics["metric"])
    units = max(4, max(len(unit) for unit in evaluation.metrics["unit"]))
    mark = f" {MARK}" if evaluation.differs else ""
    unrelaxed = f"{'unrelaxed':>9s} " if UNRELAXED in evaluation.metrics else ""
    trivial, values = trivial_of(evaluation)
    heading = f"{'trivial':>9s} " if trivial else ""
    lines = [
        f"{first['model']} against {first['dataset']} ({spec.n_train} training structures of "
        f"{spec.size}): {first['n_accepted']} of {first['n_generated']} accepted",
        "",
        f"{'metric':{width}s} {'value':>9s} {'95 % interval':>21s} {unrelaxed}{'noise floor':>12s} "
        f"{heading}{'best':>6s}  {'unit':{units}s}  published",
    ]
    for row in evaluation.metrics.itertuples():
        entry = METRICS[row.metric]
        interval = f"[{row.ci_low:.4g}, {row.ci_high:.4g}]" if np.isfinite(row.ci_low) else ""
        published = f"{row.published}{mark}" if row.published else ""
        before = f"{number_text(getattr(row, UNRELAXED)):>9s} " if unrelaxed else ""
        beside = f"{number_text(values.get(row.metric, nan)):>9s} " if trivial else ""
        line = (
            f"{row.metric:{width}s} {number_text(row.value):>9s} {interval:>21s} {before}"
            f"{number_text(row.noise_floor):>12s} {beside}{entry.best_text:>6s}  "
            f"{entry.shown_unit:{units}s}  {published}"
        )
        lines.append(line.rstrip())
    rejections = evaluation.rejections()
    if rejections:
        lines += ["", "rejected:"]
        lines += [f"  {count:5d}  {reason}" for reason, count in rejections[:10]]
        if len(rejections) > 10:
            lines.append(f"         and {len(rejections) - 10} other reasons")
    if trivial:
        lines += ["", f"trivial: {LABELS[trivial]}, scored the same way."]
    return "\n".join([*lines, "", verdict(evaluation), "", *evaluation.notes])


def to_json(evaluation: Evaluation, command: str | None = None) -> str:
    """Numbers, notes and origin as JSON; a value that is not defined is null."""
    first = evaluation.metrics.iloc[0]
    columns = ["metric", "unit", "value", "ci_low", "ci_high", "noise_floor", "published"]
    columns += [UNRELAXED] if UNRELAXED in evaluation.metrics else []
    trivial, values = trivial_of(evaluation)
    origin = {"dismai": __version__, "input_sha256": evaluation.input_sha256}
    origin |= {"command": command} if command else {}
    content: dict[str, Any] = {
        "dataset": first["dataset"],
        "model": first["model"],
        "seed": int(first["seed"]),
        "n_accepted": int(first["n_accepted"]),
        "n_generated": int(first["n_generated"]),
        "n_train": evaluation.spec.n_train,
        "n_atoms": evaluation.spec.most_atoms,
        "reference_sha256": reference_digest(evaluation.reference.train),
        "verdict": verdict(evaluation),
        "trivial": {"baseline": trivial, "values": values} if trivial else None,
        "provenance": {**origin, "settings": evaluation.settings},
        "notes": list(evaluation.notes),
        "published_differs": evaluation.differs,
        "metrics": [
            {name: _plain(value) for name, value in row.items()}
            | {"best": METRICS[row["metric"]].best_text}
            for row in evaluation.metrics[columns].to_dict("records")
        ],
        "rejected": [
            {"reason": reason, "structures": count} for reason, count in evaluation.rejections()
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def write_evaluation(evaluation: Evaluation, folder: Path, command: str | None = None) -> None:
    """Write metrics.parquet, metrics.json, fates.parquet and the pages, all or none.

    command: as it was typed. The date stands in the page only: tables stay equal to the byte.
    """
    folder = Path(folder)
    meta = {
        "dismai": json.dumps(
            {
                "reference_sha256": reference_digest(evaluation.reference.train),
                "version": VERSIONS["score"],
            },
            sort_keys=True,
        )
    }
    structures = STRUCTURES if evaluation.shown else None
    text = page(evaluation, command, date.today().isoformat(), structures)
    with replacing_in(folder) as part:  # all of them, or none
        write_table(evaluation.metrics, part / "metrics.parquet", METRICS_SCHEMA, meta)
        write_table(evaluation.fates, part / "fates.parquet", FATES_SCHEMA, meta)
        write_atomically(part / "metrics.json", to_json(evaluation, command))
        write_atomically(part / "report.html", text)
        if structures:
            write_atomically(part / structures, structures_page(evaluation))
