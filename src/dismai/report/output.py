"""The files of an evaluation: tables, JSON and the page."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from dismai import __version__
from dismai.base.atomic import replacing_in, write_atomically
from dismai.base.versions import VERSIONS
from dismai.evaluation.file import UNRELAXED, Evaluation
from dismai.evaluation.reference import reference_digest
from dismai.files.structures import FATES_SCHEMA, METRICS_SCHEMA, write_table
from dismai.metrics.entries import METRICS
from dismai.report.page import page


def to_json(evaluation: Evaluation, command: str | None = None) -> str:
    """Numbers, notes and origin as JSON; a value that is not defined is null."""
    first = evaluation.metrics.iloc[0]
    columns = ["metric", "unit", "value", "ci_low", "ci_high", "noise_floor", "published"]
    columns += [UNRELAXED] if UNRELAXED in evaluation.metrics else []
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
    """Write metrics.parquet, metrics.json, fates.parquet and report.html, all or none.

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
    text = page(evaluation, command, date.today().isoformat())
    with replacing_in(folder) as part:  # all of them, or none
        write_table(evaluation.metrics, part / "metrics.parquet", METRICS_SCHEMA, meta)
        write_table(evaluation.fates, part / "fates.parquet", FATES_SCHEMA, meta)
        write_atomically(part / "metrics.json", to_json(evaluation, command))
        write_atomically(part / "report.html", text)
