"""The files of an evaluation: tables, JSON and the page."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from dismai.evaluation.file import Evaluation
from dismai.files import replacing_in
from dismai.io import FATES_SCHEMA, METRICS_SCHEMA, write_table
from dismai.reference import reference_digest
from dismai.report.page import page
from dismai.versions import VERSIONS


def to_json(evaluation: Evaluation) -> str:
    """Numbers and notes as JSON; a value that is not defined is null."""
    first = evaluation.metrics.iloc[0]
    columns = ["metric", "unit", "value", "ci_low", "ci_high", "noise_floor", "published"]
    content: dict[str, Any] = {
        "dataset": first["dataset"],
        "model": first["model"],
        "seed": int(first["seed"]),
        "n_accepted": int(first["n_accepted"]),
        "n_generated": int(first["n_generated"]),
        "n_train": evaluation.spec.n_train,
        "n_atoms": evaluation.spec.n_atoms,
        "reference_sha256": reference_digest(evaluation.reference.train),
        "notes": list(evaluation.notes),
        "metrics": [
            {name: _plain(value) for name, value in row.items()}
            for row in evaluation.metrics[columns].to_dict("records")
        ],
        "rejected": [
            {"reason": reason, "structures": count} for reason, count in evaluation.rejections()
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write metrics.parquet, metrics.json, fates.parquet and report.html, all or none."""
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
    with replacing_in(folder) as part:  # all of them, or none
        write_table(evaluation.metrics, part / "metrics.parquet", METRICS_SCHEMA, meta)
        write_table(evaluation.fates, part / "fates.parquet", FATES_SCHEMA, meta)
        (part / "metrics.json").write_text(to_json(evaluation), encoding="utf-8")
        (part / "report.html").write_text(page(evaluation), encoding="utf-8")
