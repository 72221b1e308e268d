"""Pictures that carry their own SHA-256: a changed line of one is seen, not only a lost end."""

import hashlib
import re

COMMENT = re.compile(rb"<!-- sha256 ([0-9a-f]{64}) -->\n")


def signed(svg: bytes) -> bytes:
    """An SVG with the SHA-256 of all else in a comment behind its first line."""
    first, end, rest = svg.partition(b"\n")
    digest = hashlib.sha256(svg).hexdigest().encode()
    return first + end + b"<!-- sha256 " + digest + b" -->\n" + rest


def check_signature(svg: bytes) -> None:
    """ValueError if an SVG is not that of its SHA-256; one that has none is not checked."""
    first, end, rest = svg.partition(b"\n")
    found = COMMENT.match(rest)
    if found is None:
        return
    digest = hashlib.sha256(first + end + rest[found.end() :]).hexdigest()
    if digest != found[1].decode():
        raise ValueError(f"expected the SHA-256 {found[1].decode()}, found {digest}")
