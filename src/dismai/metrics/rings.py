"""Shortest-path rings of a bond network.

A ring is counted if no path through the network joins two of its atoms in fewer bonds than the ring
does. FRANZBLAU 1991, Phys. Rev. B 44, 4925. The network is infinite: periodic images are different
atoms, so a small cell gives the same counts per atom as its supercell.

Every ring is found from the lowest of its atoms, the root: as two shortest paths to the same atom
(even rings) or to both ends of a bond (odd rings) that share only the root.
"""

import numpy as np

from dismai.base.errors import InputError, StructureError
from dismai.base.kernels import njit
from dismai.metrics.network import Network

MAX_NODES = 1000  # atoms within half a ring; beyond it this is no network but a dense packing
MAX_PATHS = 200  # shortest paths between two atoms
MAX_PAIRS = 5_000  # of paths that may be a ring, per atom; a diamond has some hundred


def ring_counts(network: Network, longest: int = 10) -> np.ndarray:
    """Number of shortest-path rings in the cell by number of atoms, 0 to longest, (longest + 1,).

    Diamond has two rings of six atoms for each atom. StructureError where the network is so
    dense that the search would not end.
    """
    if longest < 3:
        raise InputError(f"rings: expected a longest ring of at least 3 atoms, found {longest}")
    depth = longest // 2
    largest = int(np.abs(network.shift).max(initial=0))
    base = 2 * largest * depth + 1  # digits of a translation in a code
    start, codes, depths = balls(network.first, network.other, network.shift, depth, base)
    if start[0] < 0:
        raise StructureError(f"rings: over {MAX_NODES} atoms within {depth} bonds of one")
    found = np.zeros((longest + 1, longest + 1), np.int64)
    if not find_rings(
        network.first, network.other, network.shift, base, longest, start, codes, depths, found
    ):
        raise StructureError("rings: too many shortest paths, this is no network")
    times = np.arange(1, longest + 1)  # a ring is found from each image of its lowest atom
    return (found[:, 1:] // times).sum(axis=1)


def ring_shares(network: Network, longest: int = 10) -> np.ndarray:
    """Percentage of the shortest-path rings by number of atoms, 0 to longest, (longest + 1,).

    A network without rings has no shares: StructureError.
    """
    counts = ring_counts(network, longest)
    if counts.sum() == 0:
        raise StructureError(f"rings: none of up to {longest} atoms")
    return 100.0 * counts / counts.sum()


@njit(cache=True, nogil=True)
def code_of(atom, x, y, z, base, n_atoms):
    """One number for the image x, y, z of an atom."""
    half = base // 2
    return (((x + half) * base + y + half) * base + z + half) * n_atoms + atom


@njit(cache=True, nogil=True)
def ball(root, first, other, shift, depth, base, node, level, table):
    """Atoms within depth bonds of root in order of distance; their number, or -1 if too many.

    node: (atom, x, y, z, place in the table).  level: bonds from the root.  table: hash table of
    codes and places, empty before; `clear_table` empties it.
    """
    n_atoms = len(first) - 1
    mask = len(table) - 1
    code = code_of(root, 0, 0, 0, base, n_atoms)
    node[0, 0], node[0, 1], node[0, 2], node[0, 3], node[0, 4] = root, 0, 0, 0, code & mask
    table[code & mask, 0], table[code & mask, 1] = code, 0
    level[0] = 0
    n, at = 1, 0
    while at < n and level[at] < depth:
        for b in range(first[node[at, 0]], first[node[at, 0] + 1]):
            x, y, z = (
                node[at, 1] + shift[b, 0],
                node[at, 2] + shift[b, 1],
                node[at, 3] + shift[b, 2],
            )
            code = code_of(other[b], x, y, z, base, n_atoms)
            if find_code(table, code) >= 0:
                continue
            if n == len(node):
                return -1
            node[n, 0], node[n, 1], node[n, 2], node[n, 3] = other[b], x, y, z
            level[n] = level[at] + 1
            slot = code & mask
            while table[slot, 1] >= 0:
                slot = (slot + 1) & mask
            table[slot, 0], table[slot, 1] = code, n
            node[n, 4] = slot
            n += 1
        at += 1
    return n


@njit(cache=True, nogil=True)
def clear_table(n, node, table):
    """Take the n nodes of a ball out of the hash table."""
    for t in range(n):
        table[node[t, 4], 1] = -1


@njit(cache=True, nogil=True)
def find_code(table, code):
    """Place of a code in the hash table, or -1."""
    mask = len(table) - 1
    slot = code & mask
    while table[slot, 1] >= 0:
        if table[slot, 0] == code:
            return table[slot, 1]
        slot = (slot + 1) & mask
    return -1


@njit(cache=True, nogil=True)
def balls(first, other, shift, depth, base):
    """Balls of all atoms: start, sorted codes and the bonds from the atom in the middle."""
    n_atoms = len(first) - 1
    node, level = np.empty((MAX_NODES, 5), np.int64), np.empty(MAX_NODES, np.int64)
    table = np.full((4096, 2), -1)
    start = np.zeros(n_atoms + 1, np.int64)
    codes, depths = np.empty(64 * n_atoms, np.int64), np.empty(64 * n_atoms, np.int64)
    for atom in range(n_atoms):
        n = ball(atom, first, other, shift, depth, base, node, level, table)
        if n < 0:
            start[0] = -1
            break
        clear_table(n, node, table)
        at = start[atom]
        if at + n > len(codes):
            more_codes = np.empty(2 * len(codes) + n, np.int64)
            more_depths = np.empty(2 * len(codes) + n, np.int64)
            for t in range(at):
                more_codes[t], more_depths[t] = codes[t], depths[t]
            codes, depths = more_codes, more_depths
        for t in range(n):  # into their places among the sorted ones (SHELL 1959)
            codes[at + t] = code_of(node[t, 0], node[t, 1], node[t, 2], node[t, 3], base, n_atoms)
            depths[at + t] = level[t]
        gap = 40
        while gap > 0:
            for t in range(at + gap, at + n):
                code, bonds, k = codes[t], depths[t], t
                while k >= at + gap and codes[k - gap] > code:
                    codes[k], depths[k] = codes[k - gap], depths[k - gap]
                    k -= gap
                codes[k], depths[k] = code, bonds
            gap //= 3
        start[atom + 1] = at + n
    return start, codes, depths


@njit(cache=True, nogil=True)
def closer(p, q, bonds, base, n_atoms, start, codes, depths):
    """Whether fewer than `bonds` bonds join the nodes p and q."""
    half = base // 2
    x, y, z = q[1] - p[1], q[2] - p[2], q[3] - p[3]
    if max(abs(x), abs(y), abs(z)) > half:
        return False
    code = code_of(q[0], x, y, z, base, n_atoms)
    low, high = start[p[0]], start[p[0] + 1]
    while low < high:
        middle = (low + high) // 2
        if codes[middle] < code:
            low = middle + 1
        else:
            high = middle
    return low < start[p[0] + 1] and codes[low] == code and depths[low] < bonds


@njit(cache=True, nogil=True)
def count_paths(n, root, node, level, link_start, link, longest, ways, own):
    """Number of shortest paths from the root to each of n nodes, and of those it may begin.

    A ring is looked for from the lowest of its atoms: no other node may be an image of a lower one.
    Returns the number of pairs of paths that may be a ring, or -1 if there are too many paths.
    """
    n_pairs = 0
    ways[0] = own[0] = 1
    for v in range(1, n):
        ways[v] = own[v] = 0
        for t in range(link_start[v], link_start[v + 1]):
            w = link[t]
            if level[w] == level[v] - 1:
                ways[v] += ways[w]
                if node[v, 0] >= root:
                    own[v] += own[w]
        if ways[v] > MAX_PATHS:
            return -1
        n_pairs += ways[v] * (ways[v] - 1) // 2
        for t in range(link_start[v], link_start[v + 1]):
            w = link[t]
            if level[w] == level[v] and w <= v and 2 * level[v] + 1 <= longest:
                n_pairs += ways[v] * ways[w]
    return n_pairs


@njit(cache=True, nogil=True)
def shortest_paths(v, level, link_start, link, own, paths):
    """The own[v] shortest paths from the root to place v, paths[p, : level[v] + 1]."""
    paths[0, level[v]] = v
    n = 1
    for depth in range(level[v], 0, -1):
        for p in range(n):
            tip = paths[p, depth]
            fresh = True
            for t in range(link_start[tip], link_start[tip + 1]):
                if level[link[t]] != depth - 1 or own[link[t]] == 0:
                    continue
                if fresh:
                    paths[p, depth - 1] = link[t]
                    fresh = False
                    continue
                for x in range(depth, level[v] + 1):
                    paths[n, x] = paths[p, x]
                paths[n, depth - 1] = link[t]
                n += 1


@njit(cache=True, nogil=True)
def is_ring(p, q, k, size, node, base, n_atoms, start, codes, depths):
    """Whether two paths from the root, k atoms long without it, close a shortest-path ring.

    If so: how many of its atoms are images of the root; else 0.
    """
    n_roots = 1
    for a in range(1, k + 1):
        for b in range(1, k + 1):
            if p[a] == q[b]:
                if 2 * k == size and a == k and b == k:
                    continue  # both end at the atom opposite to the root
                return 0
            bonds = min(a + b, size - a - b)
            if closer(node[p[a]], node[q[b]], bonds, base, n_atoms, start, codes, depths):
                return 0
        if node[p[a], 0] == node[p[0], 0]:
            n_roots += 1
        if node[q[a], 0] == node[p[0], 0] and p[a] != q[a]:
            n_roots += 1
    return n_roots


@njit(cache=True, nogil=True)
def find_rings(first, other, shift, base, longest, start, codes, depths, found):
    """Count rings by size and by images of their lowest atom, once for each of these.

    found: (longest + 1, longest + 1).  Returns False if there are too many paths.
    """
    n_atoms, depth = len(first) - 1, longest // 2
    node, level = np.empty((MAX_NODES, 5), np.int64), np.empty(MAX_NODES, np.int64)
    ways, own = np.empty(MAX_NODES, np.int64), np.empty(MAX_NODES, np.int64)
    table = np.full((4096, 2), -1)
    paths_v = np.empty((MAX_PATHS, depth + 1), np.int64)
    paths_w = np.empty((MAX_PATHS, depth + 1), np.int64)
    n_pairs = 0
    for root in range(n_atoms):
        n = ball(root, first, other, shift, depth, base, node, level, table)
        link_start, link = ball_bonds(n, first, other, shift, base, node, table)
        clear_table(n, node, table)
        new = count_paths(n, root, node, level, link_start, link, longest, ways, own)
        n_pairs += new
        if new < 0 or n_pairs > MAX_PAIRS * (root + 1):
            return False
        for v in range(1, n):
            k = level[v]
            if own[v] > 0:
                shortest_paths(v, level, link_start, link, own, paths_v)
            for p in range(own[v]):
                for q in range(p):
                    size = 2 * k
                    m = is_ring(
                        paths_v[p], paths_v[q], k, size, node, base, n_atoms, start, codes, depths
                    )
                    found[size, m] += 1
            if 2 * k + 1 > longest:
                continue
            for t in range(link_start[v], link_start[v + 1]):
                w = link[t]
                if level[w] != k or w < v:
                    continue
                if own[v] == 0 or own[w] == 0:
                    continue
                shortest_paths(w, level, link_start, link, own, paths_w)
                size = 2 * k + 1
                for p in range(own[v]):
                    for q in range(own[w]):
                        path = paths_w[q]
                        m = is_ring(
                            paths_v[p], path, k, size, node, base, n_atoms, start, codes, depths
                        )
                        found[size, m] += 1
    return True


@njit(cache=True, nogil=True)
def ball_bonds(n, first, other, shift, base, node, table):
    """Bonds among the n nodes of a ball, as places in it."""
    n_atoms = len(first) - 1
    half = base // 2
    n_links = 0
    for v in range(n):
        n_links += first[node[v, 0] + 1] - first[node[v, 0]]
    link_start, link = np.zeros(n + 1, np.int64), np.empty(n_links, np.int64)
    at = 0
    for v in range(n):
        for b in range(first[node[v, 0]], first[node[v, 0] + 1]):
            x, y, z = node[v, 1] + shift[b, 0], node[v, 2] + shift[b, 1], node[v, 3] + shift[b, 2]
            if max(abs(x), abs(y), abs(z)) > half:
                continue  # outside the ball
            w = find_code(table, code_of(other[b], x, y, z, base, n_atoms))
            if w >= 0:
                link[at] = w
                at += 1
        link_start[v + 1] = at
    return link_start, link[:at]
