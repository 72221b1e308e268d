"""Readers and writers: structures as extended XYZ, tables as Parquet with a schema and a footer."""

import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import ase.io
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ase import Atoms

from dismai.errors import InputError, StructureError
from dismai.files import replacing

XYZ_SUFFIXES = (".extxyz", ".xyz")
MAX_ATOMS = 1_000_000
"""Per structure; a larger count in a header is taken for damage, not for a structure."""


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
        with open(temporary, "w") as stream:
            for atoms in structures:
                plain = Atoms(
                    atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc
                )
                plain.info.update(atoms.info)
                ase.io.write(stream, plain, format="extxyz")


def read_frames(path: Path, only: range | None = None) -> list[Atoms | StructureError]:
    """Structures of a file or folder, in order; a bad one is an error in its place.

    Extended XYZ is read structure by structure, so that damage costs what it touches. Other
    files go through ASE; in a folder each file is read by its own format.

    Args:
        path: file or folder.
        only: parse these structures and leave None for the others.

    Raises:
        InputError: no such file, no text, or not even a first structure.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(entry for entry in path.iterdir() if entry.is_file())
        frames = [frame for entry in files for frame in _read_any(entry, lenient=True)]
    elif path.exists():
        frames = _read_any(path, lenient=False, only=only)
    else:
        raise InputError(f"{path}: expected a file of structures, found no such file")
    if not frames:
        raise InputError(f"{path}: expected at least one structure, found none")
    if all(isinstance(frame, StructureError) for frame in frames):
        raise InputError(f"{path}: structure 0: {frames[0]}")
    return frames


def _read_any(
    path: Path, lenient: bool, only: range | None = None
) -> list[Atoms | StructureError | None]:
    if path.suffix.lower() == ".npz":
        return [read_cell(path)]
    if path.suffix.lower() in XYZ_SUFFIXES:
        blocks = list(_xyz_blocks(path))
        wanted = range(len(blocks)) if only is None else only
        return [
            _parse_xyz(*block)
            if isinstance(block, tuple) and index in wanted
            else (None if isinstance(block, tuple) else block)
            for index, block in enumerate(blocks)
        ]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ase.io.read(path, index=":")
    except Exception as error:  # ASE's readers raise anything on damaged files
        found = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        reason = f"expected a structure file that ASE reads, found {found}"
        if lenient:
            return [StructureError(f"{path.name}: {reason}")]
        raise InputError(f"{path}: {reason}") from None


def read_cell(path: Path) -> Atoms:
    """One large periodic cell of silicon as a NumPy archive; InputError if it is anything else.

    scaled_positions: (n_atoms, 3).  cell: rows, Å, (3, 3).  Nothing in the file is unpickled.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            scaled = np.asarray(data["scaled_positions"], dtype=float)
            cell = np.asarray(data["cell"], dtype=float)
    except FileNotFoundError:
        raise InputError(f"{path}: expected a cell, found no such file") from None
    except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        found = " ".join(str(error).split())[:120]
        raise InputError(
            f"{path}: expected an archive of scaled_positions and cell, found {found}"
        ) from None
    if scaled.ndim != 2 or scaled.shape[1] != 3 or len(scaled) == 0 or cell.shape != (3, 3):
        raise InputError(
            f"{path}: expected scaled_positions (n_atoms, 3) and cell (3, 3), found "
            f"{scaled.shape} and {cell.shape}"
        )
    if not (np.isfinite(scaled).all() and np.isfinite(cell).all()):
        raise InputError(f"{path}: expected finite positions and cell, found NaN or infinity")
    if not abs(np.linalg.det(cell)) > 1e-6:
        raise InputError(f"{path}: cell: expected one with a volume, found none")
    return Atoms(f"Si{len(scaled)}", scaled_positions=scaled, cell=cell, pbc=True)


def write_cell(atoms: Atoms, path: Path) -> None:
    """Write a cell of silicon as `read_cell` reads it."""
    with replacing(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(
            stream,
            scaled_positions=atoms.get_scaled_positions(),
            cell=atoms.cell.array,
        )


def _xyz_blocks(path: Path) -> Iterator[tuple[list[str], int] | StructureError]:
    """The lines of every structure and the number of the first one, or what is wrong with it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{path}: expected extended XYZ text, found binary data") from None
    position = 0
    while position < len(lines):
        if not lines[position].strip():
            position += 1
            continue
        try:
            n_atoms = int(lines[position])
        except ValueError:
            found = lines[position].strip()[:40]
            yield StructureError(
                f"line {position + 1}: expected a number of atoms, found {found!r}"
            )
            return  # where the next structure starts cannot be known
        if n_atoms == 0:
            yield StructureError(f"line {position + 1}: expected atoms, found an empty structure")
            position += 2
            continue
        if not 0 < n_atoms <= MAX_ATOMS:
            yield StructureError(
                f"line {position + 1}: expected 1 to {MAX_ATOMS} atoms, found {n_atoms}"
            )
            return
        block = lines[position : position + n_atoms + 2]
        if len(block) < n_atoms + 2:
            yield StructureError(
                f"line {position + 1}: expected {n_atoms} atoms, found "
                f"{max(0, len(block) - 2)} before the end of the file"
            )
            return
        yield block, position + 1
        position += n_atoms + 2


def _parse_xyz(block: list[str], line: int) -> Atoms | StructureError:
    text = io.StringIO("\n".join(block) + "\n")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ase.io.read(text, index=0, format="extxyz")
    except Exception as error:  # ASE's parser raises anything on damaged lines
        reason = " ".join(str(error).split())[:120]
        return StructureError(f"line {line}: expected extended XYZ, found {reason}")


def read_structures(path: Path) -> list[Atoms]:
    """Structures of a file that must be whole, such as a training set; InputError otherwise."""
    frames = read_frames(path)
    for index, frame in enumerate(frames):
        if isinstance(frame, StructureError):
            raise InputError(f"{path}: structure {index}: {frame}")
    return frames


def count_frames(path: Path) -> int:
    """Number of structures in an extended XYZ file, damaged ones included."""
    return sum(1 for _ in _xyz_blocks(Path(path)))


def gather_tables(paths: Iterable[Path], key: str | None = "structure") -> pd.DataFrame:
    """Rows of several tables, sorted by a key column (or as they come, with None)."""
    table = pd.concat([read_table(path) for path in paths], ignore_index=True)
    return table if key is None else table.sort_values(key, ignore_index=True)


def concatenate_files(paths: Iterable[Path], target: Path) -> None:
    """Join text files end to end, in the order given."""
    with replacing(target) as temporary, open(temporary, "wb") as stream:
        for path in paths:
            stream.write(Path(path).read_bytes())
