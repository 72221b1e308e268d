"""Predictions of a fitted potential beside the labels of structures that it has not seen."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

UNITS = {"energy": "eV/atom", "force": "eV/Å", "stress": "GPa"}
"""Quantities that are predicted; stress only where the labels have one."""
PREDICTIONS_SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.int64(), nullable=False) for name in ("n_train", "structure")),
        *(pa.field(name, pa.string(), nullable=False) for name in ("quantity", "unit")),
        *(pa.field(name, pa.float64(), nullable=False) for name in ("label", "prediction")),
    ]
)
"""n_train: structures that were fitted.  structure: number among those that were not."""
CURVE_SCHEMA = pa.schema(
    [
        pa.field("n_train", pa.int64(), nullable=False),
        pa.field("energy_rmse_meV_per_atom", pa.float64(), nullable=False),
        pa.field("force_rmse_eV_per_A", pa.float64(), nullable=False),
    ]
)


def prediction_rows(
    n_train: int, structure: int, values: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> pd.DataFrame:
    """Rows of one structure: columns of `PREDICTIONS_SCHEMA`.

    values: quantity to labels and predictions in its unit, one row a number of them.
    """
    parts = [
        pd.DataFrame({"label": np.ravel(label), "prediction": np.ravel(prediction)}).assign(
            quantity=quantity, unit=UNITS[quantity]
        )
        for quantity, (label, prediction) in values.items()
    ]
    table = pd.concat(parts, ignore_index=True).assign(n_train=n_train, structure=structure)
    return table[PREDICTIONS_SCHEMA.names]


def learning_curve(table: pd.DataFrame) -> pd.DataFrame:
    """Root mean square errors by the number of training structures: columns of `CURVE_SCHEMA`."""
    squares = table.assign(square=(table["prediction"] - table["label"]) ** 2)
    errors = np.sqrt(squares.groupby(["n_train", "quantity"])["square"].mean()).unstack()
    return pd.DataFrame(
        {
            "n_train": errors.index,
            "energy_rmse_meV_per_atom": 1e3 * errors["energy"].to_numpy(),
            "force_rmse_eV_per_A": errors["force"].to_numpy(),
        }
    )
