"""Relaxation that survives kills: every finished structure is kept, whatever happens next."""

import itertools
import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from ase import Atoms

from dismai.base import kept, stopping
from dismai.base.device import resolved
from dismai.base.versions import VERSIONS
from dismai.potentials import packages, potential_digest
from dismai.potentials.relax import RelaxedStructure, table_of
from dismai.potentials.settings import NETWORKS, Potential, RelaxationSettings
from dismai.potentials.worker import Worker, as_numbers

logger = logging.getLogger(__name__)

RESULT = ("positions", "steps", "energy_eV", "fmax_eV_per_A", "status")
RELAXATIONS = kept.Pieces("relaxation", "this relaxation is made again")
MOST_LOOKED_AT = 100
"""Kept files that are looked at before something is said of other ones."""
_warned_of: set[Path] = set()
"""Folders of which this process has said so."""


class Relaxer:
    """Relaxes structures in a process of their own and keeps what is finished.

    A result is kept in a file whose name is the SHA-256 of everything it depends on: potential with
    its files, packages, settings, threads, device, stage version, structure, and whether structures
    are relaxed side by side. So a killed shard goes on with the next structure, and no result is
    ever taken for another.

    Args:
        entry: the potential.
        settings: how structures are relaxed.
        folder: where results are kept; None: nowhere.
        elements: symbols that the potential has to know.
        device: where networks compute: cpu, cuda, or auto for a GPU if there is one.
        n_threads: threads of the potential.
        together: structures that `relax_ahead` relaxes side by side; it does nothing below two.
    """

    def __init__(
        self,
        entry: Potential,
        settings: RelaxationSettings,
        folder: Path | None = None,
        elements: Sequence[str] = (),
        device: str = "cpu",
        n_threads: int = 1,
        together: int = 1,
    ):
        self.entry, self.settings = entry, settings
        self.folder = None if folder is None else Path(folder)
        in_network = entry.kind in NETWORKS
        self.place = {
            "device": resolved(device) if in_network else "cpu",
            "n_threads": n_threads,
        }
        self.together = together if in_network else 1
        self.worker = Worker(entry, settings, elements, **self.place)
        self._ahead: dict[str, dict[str, Any]] = {}
        self.n_taken_over = self.n_made = 0

    def relax(self, atoms: Atoms) -> RelaxedStructure:
        """Relax one structure, or take over what an earlier call has finished."""
        name = self._name(atoms) if self.folder or self._ahead else ""
        if name in self._ahead:
            content = self._ahead[name]
            result = {name: content[name] for name in RESULT}
        elif self.folder is None:
            result = self.worker.relax(atoms)
        else:
            n_made = self.n_made
            path = self.folder / f"{name}.json"
            content = RELAXATIONS.take_or_make(path, name, lambda: self._made(atoms))
            if self.n_made == n_made:
                if self.n_taken_over == 0:
                    logger.info("going on with relaxations that are finished in %s", self.folder)
                self.n_taken_over += 1
            result = {name: content[name] for name in RESULT}
        relaxed = atoms.copy()
        relaxed.pbc = True
        relaxed.positions = result.pop("positions")
        return RelaxedStructure(relaxed, **result)

    def relax_ahead(self, structures: Sequence[Atoms]) -> None:
        """Relax structures side by side, as far as they are not finished; `relax` then has them.

        Each is kept as soon as it has ended, and the process may end there if it is asked to.
        """
        if self.together < 2:
            return
        todo: dict[str, Atoms] = {}
        for atoms in structures:
            name = self._name(atoms)
            if self.folder is None or not (self.folder / f"{name}.json").exists():
                todo[name] = atoms
        names = list(todo)
        if not names:
            return
        self._say_what_is_not_used()
        logger.info("relaxing %d structures, %d side by side", len(names), self.together)
        for number, result in self.worker.relax_together(list(todo.values()), self.together):
            content = {**result, "origin": self._origin_digest}
            self._ahead[names[number]] = content
            if self.folder is not None:
                self.folder.mkdir(parents=True, exist_ok=True)
                kept.write_json(self.folder / f"{names[number]}.json", content, names[number])
                stopping.leave_if_asked()

    def _made(self, atoms: Atoms) -> dict[str, Any]:
        """A fresh result, and the digest of what it shares with others."""
        if self.n_made == 0:
            self._say_what_is_not_used()
        result = self.worker.relax(atoms)
        self.n_made += 1
        return {**result, "origin": self._origin_digest}

    def close(self) -> None:
        """End the process that relaxes."""
        self.worker.close()

    def _say_what_is_not_used(self) -> None:
        """Report, once, that the folder keeps results of something else."""
        if self.folder is None or self.folder in _warned_of:
            return
        files = itertools.islice(self.folder.glob("*.json"), MOST_LOOKED_AT)
        if any(_origin_of(file) != self._origin_digest for file in files):
            _warned_of.add(self.folder)
            logger.warning(
                "%s: finished relaxations of another potential, model file, version or setting "
                "are not used",
                self.folder,
            )

    @cached_property
    def _origin_digest(self) -> str:
        return kept.digest(self._origin)

    @cached_property
    def _origin(self) -> dict[str, Any]:
        return {
            "potential": potential_digest(self.entry),
            "packages": packages(self.entry),
            "settings": self.settings.model_dump(mode="json"),
            "version": VERSIONS["relax"],
            **self.place,
            **({"together": True} if self.together > 1 else {}),  # sums are rounded differently
        }

    def _name(self, atoms: Atoms) -> str:
        return kept.digest({**self._origin, **as_numbers(atoms)})


def _origin_of(path: Path) -> str | None:
    try:
        return kept.read_json(path)[0]["origin"]
    except (OSError, ValueError, KeyError):
        return None


def relax_resumably(
    atoms_list: Sequence[Atoms],
    entry: Potential,
    settings: RelaxationSettings,
    folder: Path,
    elements: Sequence[str] = (),
    device: str = "cpu",
    n_threads: int = 1,
    together: int = 1,
) -> tuple[list[Atoms], pd.DataFrame]:
    """Relax structures as `relax` does; a killed call goes on with the next structure.

    Args:
        atoms_list: the structures.
        entry: the potential, a section of the configuration.
        settings: how structures are relaxed.
        folder: where results are kept between calls.
        elements: symbols that the potential has to know.
        device: where networks compute, cpu or cuda.
        n_threads: threads of the potential.
        together: structures that a network relaxes side by side.

    Returns:
        All structures where they ended, and one row each: structure (from 0), steps, energy_eV,
        fmax_eV_per_A, status (ok, or why it is rejected).
    """
    relaxer = Relaxer(entry, settings, folder, elements, device, n_threads, together)
    try:
        relaxer.relax_ahead(atoms_list)
        ended = [relaxer.relax(atoms) for atoms in atoms_list]
    finally:
        relaxer.close()
    return [one.atoms for one in ended], table_of(ended)
