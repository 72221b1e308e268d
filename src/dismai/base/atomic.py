"""How files are written: whole or not at all; and what a path is called in a sentence."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from dismai.base.errors import InputError


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write a file such that a kill at any moment leaves the old one, the new one or none.

    data: bytes, or text that is written as UTF-8.
    """
    path = Path(path)
    data = data.encode() if isinstance(data, str) else data
    with replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sha256(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of the files below a folder."""
    path = Path(path)
    digest = hashlib.sha256()
    if path.is_dir():
        for entry in sorted(path.rglob("*")):
            if entry.is_file():
                digest.update(f"{entry.relative_to(path)}\0{sha256(entry)}\0".encode())
        return digest.hexdigest()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a working folder; InputError if another live job holds it."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise InputError(f"{folder}: expected no other job here, found one at work") from None


DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def check_place_of_file(path: Path) -> None:
    """InputError if a folder, a device or a pipe is where a file is to be written."""
    if os.path.exists(path) and not os.path.isfile(path):
        found = "a folder" if os.path.isdir(path) else "a device or pipe"
        raise InputError(f"{path}: expected a file or none yet, found {found}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path that takes the place of `path` only when the block ends well."""
    path = Path(path)
    check_place_of_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_in(folder: Path) -> Iterator[Path]:
    """A temporary folder whose files go to `folder` together, only when the block ends well."""
    folder = Path(folder)
    temporary = folder / f".{os.getpid()}.tmp"
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for file in sorted(temporary.iterdir()):
            os.replace(file, folder / file.name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def output_folder(folder: Path) -> Iterator[None]:
    """Make a folder, and try whether files can be made in it, before the work of the block.

    Folders that were made and are still empty after a failure are taken away again.

    Raises:
        OSError: it cannot be made, or no file can be made in it.
    """
    folder = Path(os.path.abspath(folder))
    ours = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        yield
    except BaseException:
        for path in ours:
            try:
                path.rmdir()
            except OSError:  # not made, or not empty
                break
        raise


def printable_name(name: str) -> str:
    r"""A name as text on one line: other bytes than UTF-8 and control characters become \xff."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def explain_os_error(error: OSError) -> str:
    """What the system could not do with a file, in one line: file, expected, found."""
    place = printable_name(os.fsdecode(error.filename)) if error.filename else "a file"
    found = error.strerror or str(error)
    if error.errno in DISK_IS_FULL:
        return f"{place}: expected room for the results, found: {found}"
    return f"{place}: expected a file or folder that can be used, found: {found}"
