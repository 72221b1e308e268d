"""The text of a file, plain or packed, read a part at a time and never held whole."""

import codecs
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO

from dismai.base.errors import StructureError
from dismai.base.text import coding_of, found_in
from dismai.files.reading import other

READ_BYTES = 2**20
"""At a time."""


class Text:
    """How the text of a file is coded, and an error where its packed content is damaged.

    The file is read twice: the encoding of a text is known at its end.

    Args:
        path: the file.
        opener: what opens it, `open` for one that is not packed.
        max_bytes: of text.

    Raises:
        StructureError: no such file, one that cannot be read, no text, or more than max_bytes.
    """

    def __init__(self, path: Path, opener: Callable[..., IO[bytes]], max_bytes: int) -> None:
        self.path, self.opener = path, opener
        self.lost: list[StructureError] = []
        try:
            self.coding = coding_of(self._checked(max_bytes))
        except StructureError:
            raise
        except ValueError:
            raise StructureError(f"{other.EXPECTED}, found binary data") from None

    def lines(self) -> Iterator[list[str]]:
        """Lines without their ends, many at a time."""
        return map(self.decoded, self.parts())

    def decoded(self, part: list[bytes]) -> list[str]:
        """Some of `parts` as `lines` gives them."""
        encoding = "utf-8" if self._is_wide else self.coding.encoding
        return [line.decode(encoding, self.coding.errors).rstrip("\r\n") for line in part]

    def parts(self) -> Iterator[list[bytes]]:
        """Lines with their ends as they stand in the file; UTF-16 and UTF-32 as UTF-8.

        Line feeds and carriage returns end a line, none of Unicode's others do.
        """
        held: list[bytes] = []
        for chunk in self._content():
            held.append(chunk)
            if b"\n" in chunk or b"\r" in chunk:
                *lines, last = b"".join(held).splitlines(keepends=True)
                held = [last]  # its end may be two characters long
                yield lines
        yield b"".join(held).splitlines(keepends=True)

    @property
    def lies_open(self) -> bool:
        """Whether the bytes of a line stand in the file as `parts` gives them."""
        return self.opener is open and not self._is_wide

    @property
    def _is_wide(self) -> bool:
        return self.coding.encoding.startswith(("utf-16", "utf-32"))

    def _content(self) -> Iterator[bytes]:
        """The bytes from first to last; in an encoding whose lines end as in ASCII."""
        if not self._is_wide:
            yield from self._from_first_to_last()
            return
        decoder = codecs.getincrementaldecoder(self.coding.encoding)(self.coding.errors)
        for chunk in chain(self._from_first_to_last(), [b""]):
            yield decoder.decode(chunk, final=not chunk).encode()

    def _from_first_to_last(self) -> Iterator[bytes]:
        _, _, start, stop = self.coding
        position = 0
        for chunk in self._chunks():
            if position < stop:
                yield chunk[max(0, start - position) : stop - position]
            position += len(chunk)
            if position >= stop:
                return  # damage follows, if any

    def _chunks(self) -> Iterator[bytes]:
        with self.opener(self.path, "rb") as stream:
            while chunk := stream.read1(READ_BYTES):  # damage spoils what follows it
                yield chunk

    def _checked(self, max_bytes: int) -> Iterator[bytes]:
        """The bytes as far as they are whole; what follows them is lost."""
        n_bytes = 0
        try:
            for chunk in self._chunks():
                n_bytes += len(chunk)
                if n_bytes > max_bytes:
                    raise StructureError(
                        f"expected at most {max_bytes // 2**30} GiB of text, found more"
                    )
                yield chunk
        except FileNotFoundError:
            raise StructureError(f"{other.EXPECTED}, found no such file") from None
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            found = " ".join(str(error).split())[:120]
            if not n_bytes:
                raise StructureError(f"{other.EXPECTED}, found {found}") from None
            reason = f"what follows: expected compressed text, found {found}"
            self.lost = [StructureError(reason)]
        except OSError as error:
            raise StructureError(f"{other.EXPECTED}, found {found_in(error)}") from None
