"""Voronoi cells of atoms, face by face, with exact vertices.

The cell of an atom among a finite set of points is bounded by the planes halfway to some of them.
Each face is found on its own: the polygon of its plane that lies on the near side of all other
planes. Every vertex is the intersection of two lines of that plane, never a point interpolated
along an edge, so a cell that closes thousands of Å away in a vacuum is still exact. The walk goes
from the face of the nearest point, which always exists, over the edges to all others.
"""

import math
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from dismai.base.errors import StructureError
from dismai.base.kernels import njit
from dismai.geometry.grid import Grid, check_radius, make_grid, points_within

# Å; a face is first cut out of a small square, which keeps all digits, then, if it reaches the
# border or beyond, out of a larger one; a face that reaches the border of the last is open
NEAR, STEP, FAR = 1e2, 1e3, 1e11
TOLERANCE = 1e-13  # relative; a plane that cuts off less than this only touches
COINCIDENT = 1e-8  # Å
N_CORNERS = 256
MOST_POINTS = 65_536  # around one atom; silicon has 70, an atom at a vacuum some 5000
OK, OPEN, SAME_POINT, CROWDED, NO_ROOM_FOR_POINTS, NO_ROOM_FOR_FACES = range(6)
NEW, FOUND, DONE = range(3)


@dataclass(frozen=True)
class Tessellation:
    """Voronoi faces of some sites; those of sites[s] are start[s] : start[s + 1].

    sites: (n_sites,).  start: (n_sites + 1,).  radius: Å, sphere of points used, (n_sites,).
    neighbor: atom behind each face, (n_faces,).  shift: its lattice translation relative to the
    input positions, (n_faces, 3).  vector: Å, from the site to it, (n_faces, 3).  distance: Å.
    solid_angle: sr.  area: Å^2.
    """

    sites: np.ndarray
    start: np.ndarray
    radius: np.ndarray
    neighbor: np.ndarray
    shift: np.ndarray
    vector: np.ndarray
    distance: np.ndarray
    solid_angle: np.ndarray
    area: np.ndarray


def tessellate(
    atoms: Atoms,
    sites: np.ndarray | None = None,
    search_radius: float = 7.0,
    grid: Grid | None = None,
) -> Tessellation:
    """Voronoi cells of the given sites, of all by default; the points are atoms of all kinds.

    Each cell is that of the points within search_radius (Å) of its atom. If it is open, the radius
    doubles for this atom, up to the longest diagonal of the cell; then the structure fails.
    """
    grid = make_grid(atoms) if grid is None else grid
    check_radius(grid, search_radius, MOST_POINTS // 4)
    sites = np.arange(len(atoms)) if sites is None else np.asarray(sites, dtype=np.int64)
    largest = longest_diagonal(grid.cell) + 0.01
    work, faces = _work(256), _faces(20 * len(sites) + 256)
    start, radius = np.zeros(len(sites) + 1, np.int64), np.zeros(len(sites))
    state, done = NO_ROOM_FOR_FACES, 0
    while state in (NO_ROOM_FOR_FACES, NO_ROOM_FOR_POINTS):
        state, done = next_cells(
            grid, sites, float(search_radius), largest, done, work, faces, start, radius
        )
        if state == NO_ROOM_FOR_POINTS:
            if len(work[0]) >= MOST_POINTS:
                raise StructureError(f"site {sites[done]}: over {MOST_POINTS} points around it")
            work = _work(2 * len(work[0]))
        if state == NO_ROOM_FOR_FACES:
            room = 2 * len(faces[0]) + len(work[0])
            faces = tuple(np.resize(array, (room, *array.shape[1:])) for array in faces)
    if state == OPEN:
        raise StructureError(f"site {sites[done]}: the Voronoi cell is open up to {largest:.3f} Å")
    if state == SAME_POINT:
        raise StructureError(f"site {sites[done]}: another atom is at the same point")
    if state == CROWDED:
        raise StructureError(f"site {sites[done]}: a Voronoi face has over {N_CORNERS} corners")
    return Tessellation(sites, start, radius, *(array[: start[-1]] for array in faces))


def _work(size: int) -> tuple[np.ndarray, ...]:
    """Room for `size` points about one atom."""
    return (
        np.empty((size, 3)),  # near: points by distance
        np.empty(size),  # half: half the squared distance
        np.empty((size, 3)),  # raw: points as found
        np.empty(size, np.int64),  # order
        np.empty(size, np.int64),  # index
        np.empty((size, 3), np.int64),  # raw_shift
        np.empty((size + 4, 3)),  # line: a x + b y <= c
        np.empty((N_CORNERS, 4)),  # corner
        np.empty((N_CORNERS, 4)),  # spare
        np.empty(size, np.int64),  # seen
        np.empty(size),  # omega
        np.empty(size),  # area
    )


def _faces(size: int) -> tuple[np.ndarray, ...]:
    """Room for `size` faces: neighbor, shift, vector, distance, solid_angle, area."""
    return (
        np.empty(size, np.int64),
        np.empty((size, 3), np.int64),
        np.empty((size, 3)),
        np.empty(size),
        np.empty(size),
        np.empty(size),
    )


def longest_diagonal(cell: np.ndarray) -> float:
    """Longest of the four space diagonals of a cell, Å."""
    corners = np.array([[1, 1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]])
    return float(np.linalg.norm(corners @ cell, axis=1).max())


@njit(cache=True, nogil=True)
def plane_axes(x, y, z):
    """Two unit vectors that complete the unit vector (x, y, z) to a right-handed frame."""
    # DUFF 2017, Building an Orthonormal Basis, Revisited
    sign = 1.0 if z >= 0.0 else -1.0
    a = -1.0 / (sign + z)
    b = x * y * a
    return 1.0 + sign * x * x * a, sign * b, -sign * x, b, sign + y * y * a, -y


@njit(cache=True, nogil=True)
def face_polygon(f, n, far, vector, half, line, corner, spare):
    """Corners of the face towards point f; half is half the squared distances, increasing.

    corner: rows (x, y, |x| + |y|, label) in the plane of the face, origin at its foot point;
    label k means that the edge to the next corner lies on the plane of point k, label >= n that
    it lies on the border, a square with the half side far. Returns the number of corners: 0 if
    there is no face, -1 if there are more than the buffers hold.
    """
    d = math.sqrt(2.0 * half[f])
    h = 0.5 * d
    u0, u1, u2 = vector[f, 0] / d, vector[f, 1] / d, vector[f, 2] / d
    p0, p1, p2, q0, q1, q2 = plane_axes(u0, u1, u2)
    for t in range(4):
        line[n + t, 0] = (1.0, 0.0, -1.0, 0.0)[t]
        line[n + t, 1] = (0.0, 1.0, 0.0, -1.0)[t]
        line[n + t, 2] = far
        corner[t, 0] = (far, far, -far, -far)[t]
        corner[t, 1] = (-far, far, far, -far)[t]
        corner[t, 2] = 2.0 * far
        corner[t, 3] = n + t
    m = 4
    wide = 2.0 * far * far  # squared distance of the farthest corner from the foot point
    for k in range(n):
        if 0.5 * half[k] > wide + h * h:  # (d_k / 2)^2: this plane and later ones are too far
            break
        if k == f:
            continue
        v0, v1, v2 = vector[k, 0], vector[k, 1], vector[k, 2]
        along = v0 * u0 + v1 * u1 + v2 * u2
        c = half[k] - h * along
        if c > 0.0 and c * c > (2.0 * half[k] - along * along) * wide:
            continue  # the line passes outside the circle about all corners
        a = v0 * p0 + v1 * p1 + v2 * p2
        b = v0 * q0 + v1 * q1 + v2 * q2
        size = math.sqrt(2.0 * half[k])
        worst, excess = -1, 0.0
        for t in range(m):
            over = a * corner[t, 0] + b * corner[t, 1] - c
            over -= TOLERANCE * (size * corner[t, 2] + half[k])
            spare[t, 2] = over
            if over > excess:
                worst, excess = t, over
        if worst < 0:
            continue
        line[k, 0], line[k, 1], line[k, 2] = a, b, c
        m = cut_corners(m, k, worst, line, corner, spare)
        if m == 0:
            return 0
        if m > N_CORNERS - 2:
            return -1
        wide = 0.0
        for t in range(m):
            wide = max(wide, corner[t, 0] ** 2 + corner[t, 1] ** 2)
    return m


@njit(cache=True, nogil=True)
def cut_corners(m, k, worst, line, corner, spare):
    """Cut the corners beyond line k, a run about the worst one; spare[:, 2] holds the excess."""
    # `t + 1 if t + 1 < m else 0` is (t + 1) % m without the division
    last = worst
    after = last + 1 if last + 1 < m else 0
    while spare[after, 2] > 0.0:
        if after == worst:
            return 0
        last = after
        after = last + 1 if last + 1 < m else 0
    before = worst
    while spare[before, 2] > 0.0:
        before = before - 1 if before > 0 else m - 1
    # corners after ... before stay; then come the two new ones
    kept, source = 0, after
    while True:
        spare[kept, 0], spare[kept, 1] = corner[source, 0], corner[source, 1]
        spare[kept, 3] = corner[source, 3]
        kept += 1
        if source == before:
            break
        source = source + 1 if source + 1 < m else 0
    edges = (int(corner[before, 3]), int(corner[last, 3]))
    for side in range(2):
        x, y = spare[kept - 1, 0], spare[kept - 1, 1]
        if side == 1:
            x, y = spare[0, 0], spare[0, 1]
        e = edges[side]
        det = line[e, 0] * line[k, 1] - line[e, 1] * line[k, 0]
        if det != 0.0:
            x = (line[e, 2] * line[k, 1] - line[e, 1] * line[k, 2]) / det
            y = (line[e, 0] * line[k, 2] - line[e, 2] * line[k, 0]) / det
        spare[kept + side, 0], spare[kept + side, 1] = x, y
    spare[kept, 3] = k
    spare[kept + 1, 3] = edges[1]
    m = kept + 2
    for t in range(m):
        corner[t, 0], corner[t, 1], corner[t, 3] = spare[t, 0], spare[t, 1], spare[t, 3]
        corner[t, 2] = abs(corner[t, 0]) + abs(corner[t, 1])
    return m


@njit(cache=True, nogil=True)
def face_size(m, h, corner):
    """Solid angle (sr) and area (Å^2) of a polygon at distance h (Å), as a fan of triangles."""
    omega, area = 0.0, 0.0
    px, py = corner[0, 0], corner[0, 1]
    p = math.sqrt(h * h + px * px + py * py)
    for t in range(1, m - 1):
        qx, qy = corner[t, 0], corner[t, 1]
        rx, ry = corner[t + 1, 0], corner[t + 1, 1]
        twice = (qx - px) * (ry - py) - (qy - py) * (rx - px)
        q = math.sqrt(h * h + qx * qx + qy * qy)
        r = math.sqrt(h * h + rx * rx + ry * ry)
        pq = h * h + px * qx + py * qy
        pr = h * h + px * rx + py * ry
        qr = h * h + qx * rx + qy * ry
        # VAN OOSTEROM and STRACKEE 1983, Eq. 8
        omega += 2.0 * math.atan2(h * abs(twice), p * q * r + r * pq + q * pr + p * qr)
        area += 0.5 * abs(twice)
    return omega, area


@njit(cache=True, nogil=True)
def cell_faces(n, vector, half, line, corner, spare, seen, omega, area):
    """Solid angle and area of all faces of the cell among n points by increasing distance.

    seen marks the points whose plane was tried; those that only touch get no area. Returns OK,
    OPEN, or CROWDED if a face has too many corners.
    """
    if n < 4:
        return OPEN
    for k in range(n):
        seen[k] = NEW
    seen[0] = FOUND
    f = 0
    while f < n:
        if seen[f] != FOUND:
            f += 1
            continue
        far = NEAR
        while True:
            m = face_polygon(f, n, far, vector, half, line, corner, spare)
            if m < 0:
                return CROWDED
            on_border = False
            for t in range(m):
                on_border |= corner[t, 3] >= n
            if far >= FAR:
                if on_border:
                    return OPEN
                break
            if m > 0 and not on_border:
                break
            far *= STEP  # the face may lie beyond the square
        seen[f] = DONE
        omega[f], area[f] = 0.0, 0.0
        after = f + 1
        for t in range(m):
            k = int(corner[t, 3])
            if seen[k] == NEW:
                seen[k] = FOUND
                after = min(after, k)
        if m > 2:
            omega[f], area[f] = face_size(m, math.sqrt(0.5 * half[f]), corner)
        f = after
    return OK


@njit(cache=True, nogil=True)
def sort_up(n, key, order):
    """order[:n] sorts key[:n] increasingly; key is sorted in place (SHELL 1959)."""
    for t in range(n):
        order[t] = t
    gap = 1
    while gap < n // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for t in range(gap, n):
            value, source, k = key[t], order[t], t
            while k >= gap and key[k - gap] > value:
                key[k], order[k] = key[k - gap], order[k - gap]
                k -= gap
            key[k], order[k] = value, source
        gap //= 3


@njit(cache=True, nogil=True)
def next_cells(grid, sites, search_radius, largest, done, work, faces, start, radius):
    """Cells of sites[done:], until the buffers are full; returns the state and the sites done.

    work: see `_work`.  faces: the arrays of Tessellation from neighbor on, with room to spare.
    """
    near, half, raw, order, index, raw_shift, line, corner, spare, seen, omega, area = work
    neighbor, shift, vector, distance, out_omega, out_area = faces
    for s in range(done, len(sites)):
        r, n_before = search_radius, -1
        while True:
            n = points_within(grid, sites[s], r, raw, half, index, raw_shift)
            if n < 0:
                return NO_ROOM_FOR_POINTS, s
            if n == n_before and r < largest:
                r = min(2.0 * r, largest + 0.001)  # no new point: as open as before
                continue
            n_before = n
            sort_up(n, half, order)
            for k in range(n):
                half[k] *= 0.5
                for x in range(3):
                    near[k, x] = raw[order[k], x]
            if n > 0 and 2.0 * half[0] < COINCIDENT * COINCIDENT:
                return SAME_POINT, s
            state = cell_faces(n, near, half, line, corner, spare, seen, omega, area)
            if state == OK:
                break
            if state == CROWDED or r >= largest:
                return state, s
            r = min(2.0 * r, largest + 0.001)
        at = start[s]
        if at + n > len(neighbor):
            return NO_ROOM_FOR_FACES, s
        radius[s] = r
        for k in range(n):  # in order of distance
            if seen[k] and area[k] > 0.0:
                neighbor[at] = index[order[k]]
                for x in range(3):
                    shift[at, x] = raw_shift[order[k], x]
                    vector[at, x] = near[k, x]
                distance[at] = math.sqrt(2.0 * half[k])
                out_omega[at], out_area[at] = omega[k], area[k]
                at += 1
        start[s + 1] = at
    return OK, len(sites)
