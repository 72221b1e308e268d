"""Finished pieces of work that survive a kill: each is taken over, or made again and said.

A piece is a file, or a folder, that carries the digest of its identity: all that its content
depends on. One that is damaged, or was made for another identity, is never used.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dismai.base import stopping
from dismai.base.atomic import write_atomically
from dismai.base.errors import InputError, StructureError

logger = logging.getLogger(__name__)


def state_of(folder: Path) -> Path:
    """Where the jobs that make the results of a folder keep what they go on with."""
    return Path(folder) / "state"


class Damaged(Exception):
    """A piece that cannot be read."""


class Foreign(Exception):
    """A piece that was made for another identity."""


def digest(identity: Any) -> str:
    """SHA-256 over an identity as canonical JSON: dicts, lists and plain values."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def write_json(path: Path, content: dict[str, Any], made_for: str) -> None:
    """Write a piece of plain values; it also carries a checksum of itself."""
    whole = {**content, "made_for": made_for}
    write_atomically(path, json.dumps({**whole, "sha256": digest(whole)}))


def read_json(path: Path) -> tuple[dict[str, Any], str]:
    """Content of what `write_json` wrote, and what it was made for; ValueError if damaged."""
    whole = json.loads(path.read_bytes())
    if not isinstance(whole, dict) or whole.pop("sha256", None) != digest(whole):
        raise ValueError("expected its own SHA-256, found another or none")
    return whole, whole.pop("made_for")


def read(path: Path, made_for: str, reader: Callable[[Path], tuple[Any, str]]) -> Any:
    """Content of a piece.

    Args:
        path: of the piece.
        made_for: digest that it must have.
        reader: path to content and digest.

    Raises:
        FileNotFoundError: there is none.
        Damaged: it cannot be read.
        Foreign: it has another digest.
    """
    try:
        content, found = reader(path)
    except (InputError, StructureError, ValueError, KeyError, TypeError) as error:
        raise Damaged(str(error)) from None
    if found != made_for:
        raise Foreign(f"expected digest {made_for[:16]}, found {str(found)[:16]}")
    return content


@dataclass(frozen=True)
class Pieces:
    """Pieces of one sort.

    of: what each belongs to, e.g. generation.  again: what is said to happen when one cannot be
    used.  reader: path to content and digest; FileNotFoundError where there is none.
    writer: of path, content and digest.
    """

    of: str
    again: str
    reader: Callable[[Path], tuple[Any, str]] = read_json
    writer: Callable[[Path, Any, str], None] = write_json

    def finished(self, path: Path, made_for: str) -> Any | None:
        """Content of a piece; None if there is none, or one of which is said why it is no use."""
        try:
            return read(path, made_for, self.reader)
        except FileNotFoundError:
            return None
        except Damaged as error:
            logger.warning("%s is damaged, %s: %s", path, self.again, error)
        except Foreign:
            logger.warning("%s is of another %s, it is not used: %s", path, self.of, self.again)
        return None

    def take_or_make(self, path: Path, made_for: str, make: Callable[[], Any]) -> Any:
        """Content of a finished piece, or of one that is made and kept.

        Ends the process after a piece that was made if it has been asked to.
        """
        content = self.finished(path, made_for)
        if content is None:
            content = make()
            path.parent.mkdir(parents=True, exist_ok=True)
            self.writer(path, content, made_for)
            stopping.leave_if_asked()
        return content
