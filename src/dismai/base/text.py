"""Text that people wrote elsewhere: files in any usual encoding, names of sources."""

import codecs
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from dismai.base.errors import InputError

BYTE_ORDER_MARKS = (  # UTF-32 before UTF-16: one begins like the other
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b")) + b"\x7f"
PADDING = b"\0\x1a"
"""What crashes and old systems leave behind the end of a text."""
HEAD_BYTES = 2**20
MAX_CONTROL_SHARE = 0.03
"""Share of control characters above which bytes are no text: random bytes have a tenth."""


def is_url(source: str) -> bool:
    """Whether a source is fetched from elsewhere."""
    return source.startswith(("https://", "http://"))


class Coding(NamedTuple):
    """How bytes are read as text: from which to which, in what encoding, with which errors."""

    encoding: str
    errors: str
    start: int
    stop: int


def coding_of(chunks: Iterable[bytes]) -> Coding:
    """How a text is coded: what a byte-order mark says, else UTF-8, else Latin-1.

    chunks: the bytes of a file, a part at a time.

    Raises:
        ValueError: the bytes are no text.
    """
    head, size, stop = bytearray(), 0, 0
    encoding, decoder = "utf-8", codecs.getincrementaldecoder("utf-8")()
    for chunk in chain(chunks, [b""]):
        head += chunk[: HEAD_BYTES - len(head)]
        stop = size + len(kept) if (kept := chunk.rstrip(PADDING)) else stop
        size += len(chunk)
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError:
            encoding = "latin-1"
    for mark, marked in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return Coding(marked, "replace", len(mark), size)
    stop = stop or size
    head = head[:stop]
    if len(head) - len(head.translate(None, CONTROL)) > MAX_CONTROL_SHARE * len(head):
        raise ValueError("binary data")
    return Coding(encoding, "strict", 0, stop)


def decode(data: bytes) -> str:
    """Text of the bytes of a file; ValueError if they are none."""
    coding = coding_of([data])
    return data[coding.start : coding.stop].decode(coding.encoding, coding.errors)


def to_lines(text: str) -> list[str]:
    """Lines of a text; line feeds and carriage returns end them, none of Unicode's others do."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def on_one_line(text: str, without: str = '"\\') -> str:
    """A text with question marks for what would end its line or its quotes in extended XYZ."""
    return "".join(
        letter if letter.isprintable() and letter not in without else "?" for letter in text
    )


def found_in(error: OSError) -> str:
    """What an error of the system says, without number and path."""
    return (error.strerror or type(error).__name__).lower()


def read_text(path: Path, expected: str) -> str:
    """Text of a file in any usual encoding.

    Args:
        path: the file.
        expected: what it should be, for the message.

    Raises:
        InputError: no such file, one that cannot be read, or no text.
    """
    try:
        return decode(Path(path).read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: expected {expected}, found no such file") from None
    except OSError as error:
        raise InputError(f"{path}: expected {expected}, found {found_in(error)}") from None
    except ValueError:
        raise InputError(f"{path}: expected {expected}, found binary data") from None


def read_yaml(path: Path, expected: str) -> Any:
    """Content of a YAML file in any usual encoding.

    Args:
        path: the file.
        expected: what it should be, for the message.

    Raises:
        InputError: no such file, one that cannot be read, no text, or no YAML.
    """
    try:
        return yaml.safe_load(read_text(path, expected))
    except yaml.YAMLError as error:
        found = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: expected YAML, found {found!r}") from None


def read_mapping(path: Path, expected: str) -> dict[str, Any]:
    """Entries of a YAML file, none of an empty one; InputError as of `read_yaml`, or for a list."""
    found = read_yaml(path, expected)
    if found is not None and not isinstance(found, dict):
        raise InputError(f"{path}: expected {expected}, found a {type(found).__name__}")
    return found or {}


def between(text: str, marks: tuple[str, str], content: str) -> str:
    """A text with other content between two marks, each of which it holds once."""
    before, _, rest = text.partition(marks[0])
    _, _, after = rest.partition(marks[1])
    return f"{before}{marks[0]}{content}{marks[1]}{after}"
