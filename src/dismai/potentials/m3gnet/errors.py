"""Errors of a trained M3GNet on each set, beside the published ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from dismai.potentials.m3gnet.settings import M3gnet

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


SCANNED = ("learning_rate", "batch")


def scan_table(errors: dict[str, pd.DataFrame], settings: dict[str, M3gnet]) -> pd.DataFrame:
    """Errors of several trainings side by side, best forces on the validation set first.

    Args:
        errors: name of a potential to its table of `error_table`.
        settings: name of a potential to how it was trained.

    Returns:
        Columns potential, learning_rate, batch, then the mean absolute errors of each set and
        quantity, e.g. val_force_meV/A; an empty one where a set has none.
    """
    rows = []
    for name, table in errors.items():
        row = {"potential": name, **{key: getattr(settings[name], key) for key in SCANNED}}
        for one in table.itertuples():
            row[f"{one.set}_{one.quantity}_{one.unit}"] = one.mae
        rows.append(row)
    best = f"val_force_{UNITS['force'][0]}"
    return pd.DataFrame(rows).sort_values([best, "potential"], ignore_index=True)


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
