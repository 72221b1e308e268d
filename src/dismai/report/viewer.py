"""Structures of a run as the 3D viewer of its page takes them: atoms, cell, what is marked."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from ase.data import atomic_numbers
from ase.data.colors import jmol_colors
from ase.geometry import find_mic
from matplotlib.colors import to_hex

from dismai.base.card import REGION_ATOMS, Card
from dismai.base.kinds import KINDS
from dismai.base.resources import resource
from dismai.evaluation.process import load_generated
from dismai.files.structures import read_frames
from dismai.geometry.axes import MATCH_RADIUS_A
from dismai.geometry.fcc import fractional_sites
from dismai.postprocess.separation import CLOSE_A
from dismai.report.figures import SPECIES_COLORS

N_TRAINING = 2
STATES = {"raw": "as generated", "clean": "cleaned", "relaxed": "relaxed"}


def colors_of(species: set[str]) -> dict[str, str]:
    """The colour of every element, as in the pictures."""
    return {
        symbol: to_hex(SPECIES_COLORS.get(symbol, tuple(jmol_colors[atomic_numbers[symbol]])))
        for symbol in sorted(species)
    }


def training_entries(folder: Path, spec: Card) -> list[dict[str, Any]]:
    """The first training structures of a dataset."""
    frames = read_frames(folder / "train.extxyz", range(N_TRAINING))
    return [
        {"set": "training set", "state": "training", "number": i, **entry(atoms, spec)}
        for i, atoms in enumerate(frames)
        if isinstance(atoms, Atoms)
    ]


def generated_entries(folder: Path, name: str, spec: Card) -> list[dict[str, Any]]:
    """The first accepted structure of a generated set in every state, and the first rejected one.

    folder: of the set, with its structures and fates.  name: of the set.
    """
    fates = pd.read_parquet(folder / "fates.parquet").sort_values("structure")
    found = []
    for status in ("accepted", "rejected"):
        chosen = fates[fates["status"] == status]
        if len(chosen) == 0:
            continue
        row = chosen.iloc[0]
        number = int(row["structure"])
        why = f"{row['stage']}: {row['reason']}" if status == "rejected" else ""
        for state, atoms in _states(folder, number, status == "accepted"):
            found.append(
                {"set": name, "state": STATES[state], "number": number, "why": why}
                | entry(atoms, spec)
            )
    return found


def _states(folder: Path, number: int, accepted: bool) -> Iterator[tuple[str, Atoms]]:
    """A structure in every state that it reached; nothing of one that cannot be read."""
    raw = load_generated(folder / "raw.extxyz", None, range(number + 1)).get(number)
    if isinstance(raw, Atoms) and len(raw) and np.isfinite(raw.positions).all():
        yield "raw", raw
    if accepted:  # the first accepted one is the first of these files
        for state in ("clean", "relaxed"):
            path = folder / f"{state}.extxyz"
            frames = read_frames(path, range(1)) if path.stat().st_size else []
            yield from ((state, atoms) for atoms in frames if isinstance(atoms, Atoms))


def entry(atoms: Atoms, spec: Card) -> dict[str, Any]:
    """Atoms inside the cell with what is marked: close atoms, vacancies, the region of a slab."""
    shown = atoms.copy()
    if abs(shown.cell.volume) > 1e-6:
        shown.pbc = True
        shown.wrap(eps=1e-9)
    pairs = close_pairs(shown)
    return {
        "symbols": shown.get_chemical_symbols(),
        "xyz": [round(float(x), 2) for x in shown.positions.ravel()],
        "cell": [round(float(x), 3) for x in shown.cell.array.ravel()],
        "close": sorted({int(i) for pair in pairs for i in pair}),
        "n_close": len(pairs),
        "vacant": [[round(float(x), 2) for x in site] for site in vacancies(shown, spec)],
    }


def close_pairs(atoms: Atoms) -> np.ndarray:
    """Pairs of atoms nearer than `CLOSE_A` across boundaries, (n_pairs, 2)."""
    i, j = np.triu_indices(len(atoms), 1)
    separation = atoms.positions[j] - atoms.positions[i]
    if abs(atoms.cell.volume) > 1e-6:
        separation, _ = find_mic(separation, atoms.cell, pbc=True)
    near = np.linalg.norm(separation, axis=1) < CLOSE_A
    return np.column_stack([i[near], j[near]])


def vacancies(atoms: Atoms, spec: Card) -> np.ndarray:
    """Sites of the lattice of an alloy without an atom near, Å, (n_sites, 3); none elsewhere.

    The lattice is that of the card, stretched to the cell; a shifted crystal looks vacant.
    """
    if not KINDS[spec.kind].on_fcc or abs(atoms.cell.volume) < 1e-6:
        return np.zeros((0, 3))
    sites = fractional_sites(tuple(spec.fcc.supercell)) @ atoms.cell.array
    separation = atoms.positions[None, :, :] - sites[:, None, :]
    flat, _ = find_mic(separation.reshape(-1, 3), atoms.cell, pbc=True)
    distance = np.linalg.norm(flat, axis=1).reshape(len(sites), len(atoms))
    return sites[distance.min(axis=1) > MATCH_RADIUS_A]


def region(folder: Path, spec: Card) -> list[float] | None:
    """Heights between which the disordered region of the training structures lies, Å.

    Told by the card: its atoms are the first of each block. None where the card says nothing.

    folder: of the dataset.
    """
    counts = spec.statistics.get(REGION_ATOMS)
    training = read_frames(folder / "train.extxyz", range(1))[0]
    if not counts or not isinstance(training, Atoms):
        return None
    symbols = np.array(training.get_chemical_symbols())
    chosen = [np.flatnonzero(symbols == symbol)[:count] for symbol, count in counts.items()]
    normal = np.cross(training.cell[0], training.cell[1])
    heights = training.positions[np.concatenate(chosen)] @ normal / np.linalg.norm(normal)
    return [round(float(heights.min()), 2), round(float(heights.max()), 2)]


def controls(level: int = 3) -> str:
    """The controls and the place of the 3D viewer, under a heading of the given level."""
    lists = "".join(
        f'<label for="{key}">{label}<select id="{key}"></select></label>'
        for key, label in (("dataset", "Dataset"), ("set", "Set"), ("state", "State"))
    )
    marks = "".join(
        f'<label class="check"><input type="checkbox" id="{key}" checked>{label}</label>'
        for key, label in (
            ("close", "atoms too close"), ("vacant", "vacancies"), ("region", "interface region"),
        )
    )  # fmt: skip
    keys = "".join(
        f'<button type="button" data-key="{key}">{label}</button>'
        for key, label in (
            ("ArrowLeft", "Turn left"), ("ArrowRight", "Turn right"), ("ArrowUp", "Turn up"),
            ("ArrowDown", "Turn down"), ("+", "Nearer"), ("-", "Farther"), ("0", "Reset"),
        )
    )  # fmt: skip
    return (
        f'<h{level} id="viewer">Structures in 3D</h{level}><div class="viewer">'
        f'<div class="controls">{lists}</div><div class="controls">{marks}</div>'
        '<div id="canvas" tabindex="0" role="application" aria-label="3D picture"></div>'
        '<ul id="legend" aria-label="Colours of the elements"></ul>'
        f'<p id="said" aria-live="polite"></p><div class="controls">{keys}</div></div>'
    )


def scripts(datasets: Mapping[str, Any], species: set[str]) -> str:
    """Structures by dataset, the library that draws them and the script that joins both."""
    content = json.dumps({"datasets": datasets, "colors": colors_of(species)}, ensure_ascii=False)
    safe = content.replace("<", "\\u003c")
    library = resource("3dmol/3Dmol-min.js").read_text(encoding="utf-8")
    return (
        f'<script type="application/json" id="structures">{safe}</script>\n'
        f"<script>{library}</script>\n<script>{resource('page/run.js').read_text()}</script>\n"
    )
