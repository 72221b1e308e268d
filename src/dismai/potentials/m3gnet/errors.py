"""Errors of a trained M3GNet on each set, beside the published ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

UNITS = {"energy": ("meV/atom", 1000.0), "force": ("meV/A", 1000.0), "stress": ("GPa", 1.0)}
_KEYS = [pa.field(name, pa.string(), nullable=False) for name in ("set", "quantity", "unit")]
ERRORS_SCHEMA = pa.schema(
    [
        *_KEYS,
        pa.field("n_structures", pa.int64(), nullable=False),
        *(pa.field(name, pa.float64()) for name in ("mae", "rms_label", "published_mae")),
    ]
)
PUBLISHED = {name: f"test_MAE_{name}" for name in UNITS}


def error_table(predictions: dict[str, pd.DataFrame], published: Path) -> pd.DataFrame:
    """Mean absolute error of each quantity on each set.

    Args:
        predictions: set (train, val, test) to the table of `training.predictions`.
        published: file of published numbers; they are of the test set.

    Returns:
        Columns set, quantity, unit, n_structures, mae, rms_label (root mean square of the labels;
        of energies about their mean), published_mae.
    """
    table = pd.read_csv(published, dtype=str)
    printed = table[table["model"] == "M3GNet"].set_index("metric")["mean"].astype(float)
    rows = []
    for name, numbers in predictions.items():
        for quantity, (unit, factor) in UNITS.items():
            part = numbers[numbers["quantity"] == quantity]
            if part.empty:
                continue
            mae = factor * (part["prediction"] - part["label"]).abs().mean()
            label = part["label"] - (part["label"].mean() if quantity == "energy" else 0.0)
            rms = factor * float(np.sqrt((label**2).mean()))
            theirs = printed[PUBLISHED[quantity]] if name == "test" else np.nan
            rows.append([name, quantity, unit, part["structure"].nunique(), mae, rms, theirs])
    columns = ["set", "quantity", "unit", "n_structures", "mae", "rms_label", "published_mae"]
    return pd.DataFrame(rows, columns=columns)
