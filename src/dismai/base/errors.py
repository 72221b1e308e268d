"""The one exception for everything a user can mend, and what was probably meant."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Wrong input; the message names the file, the place, what was expected, what was found."""


class StructureError(ValueError):
    """One structure cannot be used; it costs that structure, never the set.

    source_file: the file of a folder or archive that it stood in, if it did.
    """

    source_file = ""


def did_you_mean(found: object, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: the known one that looks like it, if any."""
    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(str(found).lower(), by_lower, n=1, cutoff=0.6)
    return f" (did you mean {by_lower[close[0]]}?)" if close else ""
