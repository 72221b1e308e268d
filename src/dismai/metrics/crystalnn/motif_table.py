"""The order parameters of each coordination number and their places in a fingerprint."""

import numpy as np

from dismai.base.kernels import njit
from dismai.metrics.crystalnn.order_parameters import (
    body_centered,
    cuboctahedral,
    pentagonal_planar,
    pole_and_equator,
    steinhardt,
    target_angle,
)

MAX_NUMBER = 24  # largest coordination number of a fingerprint
ONE, TARGET, POLES, RECTANGLE, HEXAGON, PENTAGON, CUBE, CUBOCTAHEDRON, Q246, PART_OF_Q = range(10)
DEG_135, DEG_150 = 2.356194490192345, 2.6179938779914944
TETRAHEDRAL = 0.6081734479693927  # acos(-1/3) / pi

# coordination number, label, family, then its parameters; the families with folds take them
# as 2f of cos^2(f phi):  TARGET: angle / pi, width, folds;  POLES, RECTANGLE, HEXAGON: angle of the
# south pole, width there, width on the equator, folds
MOTIFS = (
    (1, "sgl_bd", ONE),
    (2, "L-shaped", TARGET, 0.5, 15.15, 2),
    (2, "water-like", TARGET, 0.5802777777777778, 13.95, 2),
    (2, "bent 120 degrees", TARGET, 0.666666666667, 13.25, 2),
    (2, "bent 150 degrees", TARGET, 0.833333333333333, 12.45, 2),
    (2, "linear", TARGET, 1.0, 8.667, 2),
    (3, "trigonal planar", TARGET, 0.66666666667, 17.5, 2),
    (3, "trigonal non-coplanar", TARGET, TETRAHEDRAL, 18.33, 3),
    (3, "T-shaped", TARGET, 0.5, 15.5, 2),
    (4, "square co-planar", POLES, DEG_135, 13.5, 17.7, 2),
    (4, "tetrahedral", TARGET, TETRAHEDRAL, 18.5, 3),
    (4, "rectangular see-saw-like", RECTANGLE, DEG_135, 11.5, 27.0, 4),
    (4, "see-saw-like", POLES, DEG_135, 12.75, 15.75, 3),
    (4, "trigonal pyramidal", TARGET, 0.5, 15.5, 3),
    (5, "pentagonal planar", PENTAGON),
    (5, "square pyramidal", TARGET, 0.5, 14.9, 4),
    (5, "trigonal bipyramidal", POLES, DEG_135, 12.0, 16.6, 3),
    (6, "hexagonal planar", HEXAGON, DEG_150, 7.5, 25.0, 2),
    (6, "octahedral", POLES, DEG_135, 15.0, 18.0, 4),
    (6, "pentagonal pyramidal", TARGET, 0.5, 13.8, 5),
    (7, "hexagonal pyramidal", TARGET, 0.5, 12.5, 6),
    (7, "pentagonal bipyramidal", POLES, DEG_135, 12.5, 14.75, 5),
    (8, "body-centered cubic", CUBE),
    (8, "hexagonal bipyramidal", POLES, DEG_135, 14.1, 13.6, 6),
    *(
        (c, q, f)
        for c in (9, 10, 11)
        for q, f in (("q2", Q246), ("q4", PART_OF_Q), ("q6", PART_OF_Q))
    ),
    (12, "cuboctahedral", CUBOCTAHEDRON),
    *((12, q, f) for q, f in (("q2", Q246), ("q4", PART_OF_Q), ("q6", PART_OF_Q))),
)
LABELS = [
    f"{name} CN_{c}"
    for c in range(1, MAX_NUMBER + 1)
    for name in ("wt", *(motif[1] for motif in MOTIFS if motif[0] == c))
]  # 61
# index of "wt CN_c" for c = 1 ... 24, then the length of the vector
OFFSETS = np.array([i for i, name in enumerate(LABELS) if name.startswith("wt ")] + [len(LABELS)])
# of the column of each motif; no family for "wt"
FAMILY = np.full(len(LABELS), -1)
PARAMETERS = np.zeros((len(LABELS), 4))
for _motif in MOTIFS:
    _column = LABELS.index(f"{_motif[1]} CN_{_motif[0]}")
    FAMILY[_column] = _motif[2]
    PARAMETERS[_column, : len(_motif) - 3] = _motif[3:]


@njit(cache=True, nogil=True)
def motif_values(n, first, last, family, parameters, unit, theta, phi, off, near, out):
    """Order parameters of n neighbours into out[first:last], the columns of this number.

    unit: (>= n, 3).  theta, phi, off: tables of fill_angles, not used for n = 9, 10, 11.
    near: room for (n, n). Undefined values are 0.
    """
    for at in range(first, last):
        kind = family[at]
        p = parameters[at]
        if kind == ONE:
            out[at] = 1.0
        elif kind == TARGET:
            out[at] = target_angle(n, theta, phi, off, near, p[0], p[1], int(p[2]))
        elif kind == POLES or kind == RECTANGLE or kind == HEXAGON:
            out[at] = pole_and_equator(
                n,
                theta,
                phi,
                off,
                near,
                p[0],
                p[1],
                p[2],
                int(p[3]),
                kind == HEXAGON,
                kind == RECTANGLE,
            )
        elif kind == PENTAGON:
            out[at] = pentagonal_planar(n, theta, phi, off, near)
        elif kind == CUBE:
            out[at] = body_centered(n, theta, phi, off, near)
        elif kind == CUBOCTAHEDRON:
            out[at] = cuboctahedral(n, theta, phi, off)
        elif kind == Q246:
            steinhardt(n, unit, out[at : at + 3])
