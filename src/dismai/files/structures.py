"""Readers and writers: structures as extended XYZ, tables as Parquet with a schema and a footer."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import ase.io
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ase import Atoms

from dismai.base.atomic import replacing, write_atomically
from dismai.base.columns import SPACE_GROUP
from dismai.base.errors import InputError
from dismai.files.reading.cell import read_cell
from dismai.files.reading.files import (
    XYZ_SUFFIXES,
    FrameSet,
    count_frames,
    find_set,
    is_folder,
    read_frames,
    read_set,
    read_structures,
)
from dismai.files.reading.xyz import SOURCE_FILE, UNREADABLE


def hash_structures(structures: list[Atoms]) -> str:
    """SHA-256 over species, positions, cells and stated space groups of a set, in order."""
    digest = hashlib.sha256()
    for atoms in structures:
        if SPACE_GROUP in atoms.info:
            digest.update(str(atoms.info[SPACE_GROUP]).encode())
        digest.update(np.ascontiguousarray(atoms.numbers, dtype="<i8").tobytes())
        digest.update(np.ascontiguousarray(atoms.positions, dtype="<f8").tobytes())
        digest.update(np.ascontiguousarray(atoms.cell.array, dtype="<f8").tobytes())
    return digest.hexdigest()


__all__ = [
    "FATES_SCHEMA",
    "FrameSet",
    "METRICS_SCHEMA",
    "SOURCE_FILE",
    "UNREADABLE",
    "XYZ_SUFFIXES",
    "concatenate_files",
    "count_frames",
    "features_schema",
    "find_set",
    "gather_tables",
    "is_folder",
    "read_cell",
    "read_frames",
    "read_set",
    "read_structures",
    "read_table",
    "write_cell",
    "write_csv",
    "write_structures",
    "write_table",
]


def _field(name: str, kind: pa.DataType, nullable: bool = True) -> pa.Field:
    return pa.field(name, kind, nullable=nullable)


METRICS_SCHEMA = pa.schema(
    [
        *(_field(name, pa.string(), False) for name in ("dataset", "model", "kind")),
        _field("seed", pa.int64(), False),
        *(_field(name, pa.string(), False) for name in ("metric", "unit")),
        *(_field(name, pa.float64()) for name in ("value", "ci_low", "ci_high")),
        *(_field(name, pa.int64(), False) for name in ("n_accepted", "n_generated")),
    ]
)
FATES_SCHEMA = pa.schema(
    [
        _field("structure", pa.int64(), False),
        *(_field(name, pa.string(), False) for name in ("status", "stage", "reason")),
        _field(SOURCE_FILE, pa.string(), False),
    ]
)


def features_schema(columns: Iterable[str]) -> pa.Schema:
    """Schema of a table of features: one row per structure, all features float64."""
    features = [_field(name, pa.float64()) for name in columns if name != "structure"]
    return pa.schema([_field("structure", pa.int64(), False), *features])


def write_table(
    table: pd.DataFrame, path: Path, schema: pa.Schema, meta: dict[str, str] | None = None
) -> None:
    """Write exactly the columns, order and types of schema; meta goes into the footer."""
    arrow = pa.Table.from_pandas(table[schema.names], schema, preserve_index=False)
    # Arrow is given an open file: it cannot stand names that are not UTF-8.
    with replacing(path) as temporary, open(temporary, "wb") as stream:
        pq.write_table(arrow.replace_schema_metadata(meta), stream, compression="zstd")


def write_csv(table: pd.DataFrame, path: Path, digits: int) -> None:
    """Write a table as CSV, floating-point numbers with a number of significant digits."""
    write_atomically(path, table.to_csv(index=False, float_format=f"%.{digits}g"))


def read_table(path: Path) -> pd.DataFrame:
    """Read a Parquet table; InputError if it is missing or not Parquet."""
    try:
        with open(path, "rb") as stream:
            return pq.read_table(stream).to_pandas()
    except FileNotFoundError:
        raise InputError(f"{path}: expected a Parquet table, found no such file") from None
    except pa.ArrowInvalid:
        raise InputError(f"{path}: expected a Parquet table, found another format") from None


def write_structures(structures: Iterable[Atoms], path: Path) -> None:
    """Write extended XYZ (cell, species, positions and `info` of every structure)."""
    with replacing(path) as temporary:
        with open(temporary, "w", encoding="utf-8") as stream:
            for atoms in structures:
                plain = Atoms(
                    atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc
                )
                plain.info.update(atoms.info)
                ase.io.write(stream, plain, format="extxyz")


def write_cell(atoms: Atoms, path: Path) -> None:
    """Write a cell of silicon as `read_cell` reads it."""
    with replacing(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(
            stream,
            scaled_positions=atoms.get_scaled_positions(),
            cell=atoms.cell.array,
        )


def gather_tables(paths: Iterable[Path], key: str | None = "structure") -> pd.DataFrame:
    """Rows of several tables, sorted by a key column (or as they come, with None)."""
    table = pd.concat([read_table(path) for path in paths], ignore_index=True)
    return table if key is None else table.sort_values(key, ignore_index=True)


def concatenate_files(paths: Iterable[Path], target: Path) -> None:
    """Join text files end to end, in the order given."""
    with replacing(target) as temporary, open(temporary, "wb") as stream:
        for path in paths:
            stream.write(Path(path).read_bytes())
