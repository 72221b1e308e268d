"""What can be said of a request to `dismai evaluate` before the slow imports and the reading."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dismai.base.errors import InputError
from dismai.base.kinds import KINDS
from dismai.base.resources import check_shipped, shipped_references
from dismai.metrics.entries import chosen_families

if TYPE_CHECKING:
    from dismai.potentials.settings import Potential


def check_request(
    files: Sequence[Path],
    dataset: str,
    reference: Path | None = None,
    relax: str | None = None,
    n_generated: int | None = None,
    out: Path | None = None,
    families: str | None = None,
) -> "Potential | None":
    """The potential that `relax` names, if any.

    Raises:
        InputError: an unknown dataset, potential or family of metrics, no such file, more
            structures than were generated, a kind that is not relaxed, or results that would mix
            with the structures.
    """
    if reference is None:
        check_shipped(dataset, shipped_references())
    elif not reference.exists():
        raise InputError(f"{reference}: expected training structures, found no such file")
    for file in files:
        if not file.exists():
            raise InputError(f"{file}: expected a file of structures, found no such file")
        if out is not None and file.is_dir() and os.path.realpath(out) == os.path.realpath(file):
            raise InputError(f"--out {out}: expected another folder than that of the structures")
    chosen_families(families)
    potential = potential_of(relax, dataset)
    if n_generated is not None:
        _check_number(files, n_generated)
    return potential


def potential_of(relax: str | None, dataset: str) -> "Potential | None":
    """The potential that a word names, if there is one; InputError where nothing is relaxed.

    Also where the library that computes it is not installed.
    """
    if relax is None:
        return None
    _check_relaxed(dataset, relax)
    from dismai.base.extras import need
    from dismai.potentials import PACKAGES, entry_from_word

    potential = entry_from_word(relax)
    need(*PACKAGES.get(potential.kind, ()))
    return potential


def _check_relaxed(dataset: str, relax: str) -> None:
    kind = next((kind for kind in KINDS.values() if dataset in kind.datasets), None)
    if kind is not None and not kind.relaxes:
        relaxed = " or ".join(kind.label for kind in KINDS.values() if kind.relaxes)
        raise InputError(f"--relax {relax}: expected {relaxed}, found {dataset}; {kind.unrelaxed}")


def _check_number(files: Sequence[Path], n_generated: int) -> None:
    from dismai.files.structures import XYZ_SUFFIXES, count_frames

    counted = [file for file in files if file.suffix.lower() in XYZ_SUFFIXES and file.is_file()]
    found = sum(map(count_frames, counted))
    if found > n_generated:
        named = str(files[0]) if len(files) == 1 else f"{len(files)} files"
        raise InputError(
            f"{named}: expected at most --n-generated {n_generated} structures, found {found}"
        )
