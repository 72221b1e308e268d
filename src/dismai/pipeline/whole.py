"""Whether a single file is whole, by what its format promises: nothing is left out at its end."""

import json
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from dismai.base.errors import InputError, StructureError
from dismai.base.signed import check_signature
from dismai.files.structures import read_frames

DAMAGE = (
    *(OSError, ValueError, KeyError, EOFError, struct.error, zipfile.BadZipFile, tarfile.TarError),
    *(pa.ArrowException, yaml.YAMLError, ElementTree.ParseError, InputError),
)
"""What readers raise on damaged files; UnicodeDecodeError and JSON's are ValueErrors."""
MAY_BE_EMPTY = ("raw.extxyz", "clean.extxyz", "relaxed.extxyz")
"""Sets without an accepted structure; how many they should hold is checked elsewhere."""

PNG = b"\x89PNG\r\n\x1a\n"


def damage(path: Path) -> str | None:
    """What is wrong with a file, as `expected X, found Y`; None for one that is whole."""
    path = Path(path)
    if _is_left_over(path):
        return "expected only finished files, found one of an interrupted copy"
    try:
        if path.stat().st_size == 0:
            return None if path.name in MAY_BE_EMPTY else "expected content, found an empty file"
        READERS.get(path.suffix, lambda path: None)(path)
    except DAMAGE as error:
        found = " ".join(str(error).removeprefix(f"{path}: ").split())[:120]
        return found if found.startswith("expected ") else f"expected a whole file, found: {found}"
    return None


def _is_left_over(path: Path) -> bool:
    """Hidden names are those of temporary files: ours, and those of rsync."""
    return path.name.startswith(".") or path.suffix in (".tmp", ".part", ".partial")


def _table(path: Path) -> None:
    pq.read_table(path)
    footer(path)


def footer(path: Path) -> dict:
    """What the footer of a Parquet table says of its origin; empty without one."""
    text = (pq.read_schema(path).metadata or {}).get(b"dismai", b"{}")
    return json.loads(text)


def _frames(path: Path) -> None:
    if path.name == "raw.extxyz":  # may hold damage of its maker; its SHA-256 is in the footers
        return
    for index, frame in enumerate(read_frames(path)):
        if isinstance(frame, StructureError):
            raise ValueError(f"structure {index}: {frame}")


def _markup(path: Path) -> None:
    ElementTree.parse(path)


def _drawing(path: Path) -> None:
    _markup(path)
    check_signature(path.read_bytes())


def _picture(path: Path) -> None:
    """A PNG: every chunk has the checksum that follows it, and the last one is its end."""
    content, kind = path.read_bytes(), b""
    if not content.startswith(PNG):
        raise ValueError("expected a PNG, found another format")
    place = len(PNG)
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, place)
        data = content[place + 4 : place + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, place + 8 + length)
        if zlib.crc32(data) != checksum:
            raise ValueError(f"byte {place}: expected a chunk with its checksum, found another one")
        place += 12 + length


def _page(path: Path) -> None:
    if not path.read_text(encoding="utf-8").rstrip().endswith("</html>"):
        raise ValueError("expected </html> at the end, found none")


def _lines(path: Path) -> None:
    if not path.read_text(encoding="utf-8").endswith("\n"):
        raise ValueError("expected a line break at the end, found none")


def _comma_separated(path: Path) -> None:
    _lines(path)
    if len(pd.read_csv(path)) == 0:
        raise ValueError("expected rows, found none")


def _json(path: Path) -> None:
    json.loads(path.read_text(encoding="utf-8"))


def _yaml(path: Path) -> None:
    if not isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict):
        raise ValueError("expected entries with names, found none")


def _tensors(path: Path) -> None:
    """Length of the header, header with the place of every tensor, tensors: nothing else."""
    header, start = _tensor_header(path)
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    expected, size = start + max(ends, default=0), path.stat().st_size
    if size != expected:
        raise ValueError(f"expected {expected} bytes, found {size}")
    if "dismai" in header.get("__metadata__", {}):
        from dismai.files.tensors import read_tensors  # loads torch

        read_tensors(path)


def _tensor_header(path: Path) -> tuple[dict, int]:
    """The header of a safetensors file, and where the tensors begin."""
    with open(path, "rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        if length > path.stat().st_size - 8:
            raise ValueError(f"expected a header of {length} bytes, found less")
        return json.loads(stream.read(length)), 8 + length


def tensor_document(path: Path) -> dict:
    """What a model file says of its origin: architecture, hyperparameters, card; empty without."""
    metadata = _tensor_header(path)[0].get("__metadata__", {})
    return json.loads(json.loads(metadata["dismai"])["document"]) if "dismai" in metadata else {}


def _archive(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        broken = archive.testzip()
    if broken is not None:
        raise ValueError(f"expected whole arrays, found {broken} damaged")


def _tar(path: Path) -> None:
    """Every member is read to its end, and two empty blocks follow the last one."""
    with tarfile.open(path, "r:") as archive:
        n_read = [len(archive.extractfile(one).read()) for one in archive if one.isfile()]
        end = archive.offset
    if not n_read or path.stat().st_size < end + tarfile.BLOCKSIZE:
        raise ValueError("expected a whole archive, found one that ends early")


READERS: dict[str, Callable[[Path], None]] = {
    ".parquet": _table,
    ".extxyz": _frames,
    ".svg": _drawing,
    ".png": _picture,
    ".xml": _markup,
    ".html": _page,
    ".md": _lines,
    ".txt": _lines,
    ".csv": _comma_separated,
    ".json": _json,
    ".yaml": _yaml,
    ".safetensors": _tensors,
    ".npz": _archive,
    ".ce": _tar,
}
