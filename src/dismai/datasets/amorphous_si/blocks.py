"""Amorphous silicon: blocks cut from a large cell, repaired to one number of atoms.

A block has the shape of the large cell and every edge shortened by (n / N)^(1/3), the same mean
density (Dismai-Bench paper, 4.1.2). What falls inside is a few atoms too many or too few; only
atoms near the cut are added or deleted, where the cut left too little or too much.
"""

import logging
from dataclasses import dataclass
from typing import Literal

import numpy as np
from ase import Atoms

from dismai.base.errors import InputError
from dismai.base.seeds import generator_for
from dismai.datasets.split import split as random_split

logger = logging.getLogger(__name__)

Split = Literal["spatial", "random"]
LAYER_A = 2.0
"""Depth of the boundary layer below a face; the paper does not give it."""
N_TRIALS = 50
"""Points tried for an added atom; the one farthest from all others is taken."""


@dataclass(frozen=True)
class Plan:
    """Where blocks may be cut, and which are held out.

    origins: corners tried for every block, (n_blocks, n_candidates, 3), fractions of the cell.
    held_out: blocks of the validation set, (n_blocks,).
    """

    origins: np.ndarray
    held_out: np.ndarray


def slice_blocks(
    bulk: Atoms,
    n_atoms: int = 256,
    n_blocks: int = 1500,
    split: Split = "spatial",
    validation_share: float = 0.2,
    seed: int = 0,
    spare_share: float = 0.0,
    candidates: int = 1,
) -> list[Atoms]:
    """Blocks of a large periodic cell at random places, each repaired to n_atoms.

    `info` of each: block (its number, the same for all candidates), origin (fractions of the large
    cell, (3,)), n_added and n_removed (atoms of the repair), held_out.

    Args:
        bulk: the large cell, one element.
        n_atoms: atoms per block.
        n_blocks: blocks.
        split: spatial, where blocks of validation and of training share no part of the cell;
            random, as the paper, where they do.
        validation_share: share of held-out blocks.
        seed: root seed; every block has its own streams.
        spare_share: more blocks than n_blocks, to make up for those that do not relax.
        candidates: places tried for every block.

    Raises:
        InputError: a block as large as the cell or larger, a cell of one atom, several elements,
            or no room for a spatial split.
    """
    edge = block_edge(bulk, n_atoms)
    where = plan(n_blocks, edge, split, validation_share, seed, spare_share, candidates)
    scaled = bulk.get_scaled_positions()
    cell = bulk.cell.array * edge
    blocks = []
    for number, candidate in np.ndindex(where.origins.shape[:2]):
        origin = where.origins[number, candidate]
        _, positions = members(scaled, origin, edge)
        rng = generator_for(seed, "slice_blocks", "repair", number, candidate)
        repaired, n_added, n_removed = repair(positions / edge, cell, n_atoms, rng)
        block = Atoms([bulk.symbols[0]] * n_atoms, scaled_positions=repaired, cell=cell, pbc=True)
        block.info = {
            "block": number,
            "origin": origin,
            "n_added": n_added,
            "n_removed": n_removed,
            "held_out": bool(where.held_out[number]),
        }
        blocks.append(block)
    touched = [block.info["n_added"] + block.info["n_removed"] for block in blocks]
    logger.info(
        "%d blocks of %d atoms, %d candidates each, %.1f atoms added or deleted in the mean",
        len(where.held_out), n_atoms, candidates, np.mean(touched),
    )  # fmt: skip
    return blocks


def block_edge(bulk: Atoms, n_atoms: int) -> float:
    """Edge of a block as a fraction of the edge of the large cell; InputError if it has none."""
    if len(bulk) < 2:
        raise InputError(f"large cell: expected at least 2 atoms, found {len(bulk)}")
    if len(set(bulk.symbols)) > 1:
        raise InputError(
            f"large cell: expected one element, found {', '.join(sorted(set(bulk.symbols)))}"
        )
    if not 1 <= n_atoms < len(bulk):
        raise InputError(
            f"n_atoms: expected a block smaller than the large cell of {len(bulk)} atoms, found "
            f"{n_atoms}"
        )
    return (n_atoms / len(bulk)) ** (1 / 3)


def plan(
    n_blocks: int,
    edge: float,
    split: Split = "spatial",
    validation_share: float = 0.2,
    seed: int = 0,
    spare_share: float = 0.0,
    candidates: int = 1,
) -> Plan:
    """Random corners of blocks, those of each from its own stream.

    A spatial split divides the third axis of the large cell in two slabs, such that corners are
    equally dense in both; every block lies within one slab.

    Args:
        n_blocks: blocks without spare ones.
        edge: edge of a block, fraction of the large cell.
        split: spatial or random.
        validation_share: share of held-out blocks.
        seed: root seed.
        spare_share: spare blocks for each part, as a share of it.
        candidates: corners for every block.
    """
    held_out = random_split(
        n_blocks, validation_share, generator_for(seed, "slice_blocks", "split")
    )
    counts = np.array([(~held_out).sum(), held_out.sum()])
    spare = np.ceil(spare_share * counts).astype(int)
    held_out = np.concatenate([held_out, np.repeat([False, True], spare)])
    origins = np.array(
        [
            generator_for(seed, "slice_blocks", "origin", number).random((candidates, 3))
            for number in range(len(held_out))
        ]
    )
    if split == "spatial":
        free = 1.0 - 2.0 * edge
        if free < 0:
            raise InputError(
                f"split: expected blocks of at most half the large cell for a spatial split, "
                f"found {edge:.3g} of its edge; take smaller blocks, or split: random"
            )
        slab = validation_share * free + edge  # of the validation blocks, from 0
        low = np.where(held_out, 0.0, slab)[:, None]
        width = np.where(held_out, validation_share, 1.0 - validation_share)[:, None] * free
        origins[:, :, 2] = low + width * origins[:, :, 2]
    return Plan(origins, held_out)


def members(scaled: np.ndarray, origin: np.ndarray, edge: float) -> tuple[np.ndarray, np.ndarray]:
    """Atoms of the large cell inside a block, and their places from its corner.

    scaled: fractions of the large cell, (n, 3).  Returns indices, (m,), and fractions of the large
    cell in [0, edge), (m, 3).
    """
    inside = np.arange(len(scaled))
    for axis in range(3):
        place = scaled[inside, axis] - origin[axis]
        inside = inside[place - np.floor(place) < edge]
    place = scaled[inside] - origin
    return inside, place - np.floor(place)


def repair(
    scaled: np.ndarray, cell: np.ndarray, n_atoms: int, rng: np.random.Generator
) -> tuple[np.ndarray, int, int]:
    """Add or delete atoms at the faces of a block, one by one, until it has n_atoms.

    Each of the six faces is divided into 2 x 2 regions, 2 Å deep. Opposite faces touch across the
    boundary, so a region counts the atoms on both sides of it. An atom is added in a region with
    the smallest count, at the one of 50 random points that is farthest from all atoms; a random
    atom is deleted from a region with the largest count. Counts are taken anew each time.

    Args:
        scaled: fractions of the block, (m, 3).
        cell: cell of the block, rows, Å, (3, 3).
        n_atoms: wanted number.
        rng: stream of this block.

    Returns:
        Fractions of the block, (n_atoms, 3), kept atoms first; atoms added; atoms deleted.
    """
    n_added, n_removed = max(0, n_atoms - len(scaled)), max(0, len(scaled) - n_atoms)
    depth = np.minimum(LAYER_A * np.linalg.norm(np.linalg.inv(cell), axis=0), 0.5)
    for _ in range(n_added):
        counts, _ = _region_counts(scaled, depth)
        region = rng.choice(np.flatnonzero(counts == counts.min()))
        point = _roomiest(_points_in(region, depth, rng), scaled, cell)
        scaled = np.vstack([scaled, point])
    for _ in range(n_removed):
        counts, inside = _region_counts(scaled, depth)
        counts[~inside.any(axis=0)] = -1  # dense on the other side only
        region = rng.choice(np.flatnonzero(counts == counts.max()))
        own = np.flatnonzero(inside[:, region])
        if len(own) == 0:  # a block without any atom near its faces
            own = np.arange(len(scaled))
        scaled = np.delete(scaled, rng.choice(own), axis=0)
    return scaled, n_added, n_removed


def _region_counts(scaled: np.ndarray, depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Atoms on both sides of the 24 regions, (24,), and which atoms are in each, (m, 24).

    Region 8 axis + 4 side + quadrant; side 0 is the face at 0.
    """
    inside = np.zeros((len(scaled), 24), dtype=bool)
    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        quadrant = 2 * (scaled[:, first] >= 0.5) + (scaled[:, second] >= 0.5)
        sides = (scaled[:, axis] < depth[axis], scaled[:, axis] >= 1.0 - depth[axis])
        for side, near in enumerate(sides):
            for corner in range(4):
                inside[:, 8 * axis + 4 * side + corner] = near & (quadrant == corner)
    own = inside.sum(axis=0).reshape(3, 2, 4)
    return (own + own[:, ::-1]).reshape(24), inside


def _points_in(region: int, depth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random points in a region, fractions of the block, (N_TRIALS, 3)."""
    axis, side, corner = region // 8, region // 4 % 2, region % 4
    points = rng.random((N_TRIALS, 3))
    points[:, axis] *= depth[axis]
    if side:
        points[:, axis] = 1.0 - points[:, axis]
    for other, half in (((axis + 1) % 3, corner // 2), ((axis + 2) % 3, corner % 2)):
        points[:, other] = 0.5 * (points[:, other] + half)
    return points


def _roomiest(points: np.ndarray, scaled: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """The point, (3,), whose nearest atom is farthest, periodic images included."""
    if len(scaled) == 0:
        return points[0]
    apart = points[:, None, :] - scaled[None]  # (n_points, n_atoms, 3)
    apart -= np.rint(apart)
    orthogonal = np.allclose(cell @ cell.T, np.diag(np.diag(cell @ cell.T)))
    # in a skewed cell the nearest image need not be the one of the rounded fractions
    shifts = np.zeros((1, 3)) if orthogonal else np.array(list(np.ndindex(3, 3, 3))) - 1.0
    squares = [(((apart + shift) @ cell) ** 2).sum(axis=2).min(axis=1) for shift in shifts]
    nearest = np.min(squares, axis=0)
    return points[np.argmax(nearest)]


def leaked_share(bulk: Atoms, n_atoms: int, train: list[Atoms], val: list[Atoms]) -> float:
    """Share of the atoms of validation blocks that also occur in some training block.

    Atoms are those of the large cell, before the repair, told by the `origin` of the blocks.
    """
    edge = block_edge(bulk, n_atoms)
    scaled = bulk.get_scaled_positions()
    seen = np.zeros(len(bulk), dtype=bool)
    for block in train:
        seen[members(scaled, block.info["origin"], edge)[0]] = True
    again = np.concatenate([members(scaled, block.info["origin"], edge)[0] for block in val])
    return float(seen[again].mean())
