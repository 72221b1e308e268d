"""Local structure order parameters: how much N neighbours look like a tetrahedron, and so on.

ZIMMERMANN and JAIN 2020, RSC Adv. 10, 6063. One neighbour j is put on the north pole, another, k,
fixes the meridian; every further neighbour m adds a term that is near 1 where the motif expects
it. An order parameter is the mean over these terms for the best pair (j, k).

All depend on three things, made once per site: the angle of k from the pole j, theta[j, k]; the
cosine of the azimuth between k and m, phi[j, k, m]; and whether a neighbour is off the polar axis,
off[j, k]. As cos^2(f phi) = (1 + T_2f(cos phi)) / 2 with 2f whole, no azimuth is ever computed.
G(x; w) = exp(-(w x)^2 / 2).
"""

import math

import numpy as np

from dismai.base.kernels import njit

MAX_NEIGHBORS = 12  # no order parameter is defined for more
ON_AXIS = 1e-12


@njit(cache=True, nogil=True)
def fill_angles(n, unit, theta, phi, off, axis):
    """Tables of angles among n unit vectors; axis is room for (n, n, 3)."""
    for j in range(n):
        for k in range(j + 1, n):
            c = unit[j, 0] * unit[k, 0] + unit[j, 1] * unit[k, 1] + unit[j, 2] * unit[k, 2]
            theta[j, k] = theta[k, j] = math.acos(max(-1.0, min(c, 1.0)))
            for p, q in ((j, k), (k, j)):  # part of q perpendicular to p
                x = unit[q, 0] - c * unit[p, 0]
                y = unit[q, 1] - c * unit[p, 1]
                z = unit[q, 2] - c * unit[p, 2]
                size = math.sqrt(x * x + y * y + z * z)
                off[p, q] = size >= ON_AXIS
                if off[p, q]:
                    axis[p, q, 0], axis[p, q, 1], axis[p, q, 2] = x / size, y / size, z / size
    for j in range(n):
        for k in range(n):
            if k == j or not off[j, k]:
                continue
            for m in range(k + 1, n):
                if m == j or not off[j, m]:
                    continue
                c = axis[j, k, 0] * axis[j, m, 0]
                c += axis[j, k, 1] * axis[j, m, 1]
                c += axis[j, k, 2] * axis[j, m, 2]
                phi[j, k, m] = phi[j, m, k] = max(-1.0, min(c, 1.0))


@njit(cache=True, nogil=True)
def gauss(x, w):
    """G(x; w)."""
    return math.exp(-0.5 * (w * x) ** 2)


@njit(cache=True, nogil=True)
def cos2(c, folds):
    """cos^2(folds / 2 * phi) for c = cos(phi) and folds 2 to 6."""
    if folds == 2:
        return c * c
    if folds == 3:
        return 0.5 * (1.0 + c * (4.0 * c * c - 3.0))
    if folds == 4:
        return (2.0 * c * c - 1.0) ** 2
    if folds == 5:
        square = c * c
        return 0.5 * (1.0 + c * (5.0 + square * (16.0 * square - 20.0)))
    return (c * (4.0 * c * c - 3.0)) ** 2


@njit(cache=True, nogil=True)
def fill_near(n, theta, target, w, near):
    """near[j, k] = G(theta / pi - target; w)."""
    for j in range(n):
        for k in range(j + 1, n):
            near[j, k] = near[k, j] = gauss(theta[j, k] / math.pi - target, w)


@njit(cache=True, nogil=True)
def best_ring(n, near, phi, off, folds):
    """Largest mean over the neighbours off the pole of near[j, m] cos^2(folds / 2 * phi)."""
    best = 0.0
    for j in range(n):
        for k in range(n):
            if k == j:
                continue
            q, terms = near[j, k], 1
            if off[j, k]:
                for m in range(n):
                    if m != j and m != k and off[j, m]:
                        q += near[j, m] * cos2(phi[j, k, m], folds)
                        terms += 1
            best = max(best, q / terms)
    return best


@njit(cache=True, nogil=True)
def target_angle(n, theta, phi, off, near, target, w, folds):
    """Neighbours at polar angle target * pi, folds of them around half the azimuth."""
    fill_near(n, theta, target, w, near)
    return best_ring(n, near, phi, off, folds)


@njit(cache=True, nogil=True)
def pentagonal_planar(n, theta, phi, off, near):
    """Five neighbours in a plane: polar angles 2 pi / 5 and 4 pi / 5."""
    for j in range(n):
        for k in range(j + 1, n):
            target = 0.4 if theta[j, k] <= 0.6 * math.pi else 0.8
            near[j, k] = near[k, j] = gauss(theta[j, k] / math.pi - target, 19.333)
    return best_ring(n, near, phi, off, 2)


@njit(cache=True, nogil=True)
def fill_poles(n, theta, south, w_south, w_equator, hexagon, near):
    """near[j, k]: closeness to the south pole from angle south on, else to the equator.

    For the hexagon the equator is replaced by the two rings 30 degrees off it.
    """
    for j in range(n):
        for k in range(j + 1, n):
            t = theta[j, k] / math.pi
            if theta[j, k] >= south:
                g = gauss(t - 1.0, w_south)
            elif hexagon:
                g = gauss(abs(t - 0.5) - 0.16666667, w_equator)
            else:
                g = gauss(t - 0.5, w_equator)
            near[j, k] = near[k, j] = g


@njit(cache=True, nogil=True)
def pole_and_equator(n, theta, phi, off, near, south, w_south, w_equator, folds, hexagon, bent):
    """Neighbours on both poles and around the equator.

    hexagon: as fill_poles.  bent: azimuths of 135 degrees or more do not count.
    """
    fill_poles(n, theta, south, w_south, w_equator, hexagon, near)
    best = 0.0
    for j in range(n):
        for k in range(n):
            if k == j:
                continue
            q, terms = 0.0, 0
            on_ring = theta[j, k] < south
            if on_ring:
                q, terms = near[j, k], 1
            if off[j, k]:
                for m in range(n):
                    if m == j or m == k:
                        continue
                    if theta[j, m] >= south:
                        q += near[j, m]
                        terms += 1
                    elif on_ring and off[j, m]:
                        c = phi[j, k, m]
                        if bent and not math.acos(c) < 0.75 * math.pi:
                            continue
                        q += near[j, m] * cos2(c, folds)
                        terms += 1
            if terms > 0:
                best = max(best, q / terms)
    return best


@njit(cache=True, nogil=True)
def cuboctahedral(n, theta, phi, off):
    """Twelve neighbours on a cuboctahedron."""
    south, low, high = 2.792526803190927, 1.3089969389957472, 1.8325957145940461
    best = 0.0
    for j in range(n):
        for k in range(n):
            if k == j:
                continue
            q, terms = 0.0, 0.0
            if theta[j, k] >= south:
                q, terms = 1.8 * gauss(theta[j, k] / math.pi - 1.0, 28.75), 1.8
            if off[j, k] and low < theta[j, k] < high:
                for m in range(n):
                    if m == j or m == k or not off[j, m] or theta[j, m] >= south:
                        continue
                    t, c = theta[j, m], phi[j, k, m]
                    if low < t < high:
                        q += c * c * gauss(t / math.pi - 0.5, 25.5)
                        terms += 1.0
                    elif t < low or t > high:
                        third = 1.0 / 3.0 if t < low else 2.0 / 3.0
                        s = 0.0556 * (math.sqrt(1.0 - c * c) - 0.81649658)
                        q += math.exp(-0.5 * s * s) * gauss(t / math.pi - third, 31.25)
                        terms += 1.0
            if terms > 1e-12:
                best = max(best, q / terms)
    return best


@njit(cache=True, nogil=True)
def body_centered(n, theta, phi, off, near):
    """Eight neighbours on a cube; depends on their order, as pairs count once."""
    south, half_pi, third = 2.5261129449194057, 0.5 * math.pi, math.asin(1.0 / 3.0)
    for j in range(n):
        for k in range(j + 1, n):
            y = (theta[j, k] - half_pi) / third
            near[j, k] = near[k, j] = math.exp(0.5 - 0.5 * y * y) * y
    total = 0.0
    for j in range(n):
        for k in range(j + 1, n):
            if theta[j, k] >= south:
                total += 6.0 * gauss(theta[j, k] / math.pi - 1.0, 15.0)
            elif off[j, k]:
                sign = 1.0 if theta[j, k] > half_pi else -1.0
                for m in range(n):
                    if m != j and m != k and off[j, m]:
                        c = phi[j, k, m]
                        total += sign * c * (4.0 * c * c - 3.0) * near[j, m]
    return total / (0.5 * n * (6 + (n - 2) * (n - 3)))


@njit(cache=True, nogil=True)
def steinhardt(n, unit, out):
    """q2, q4 and q6 of n unit vectors. STEINHARDT 1983, Phys. Rev. B 28, 784, Eq. 1.3.

    Uses Y_lm ~ (x + iy)^m times the m-th derivative of the Legendre polynomial of z.
    """
    re, im = np.zeros(15), np.zeros(15)
    d = np.empty(15)
    for a in range(n):
        x, y, z = unit[a, 0], unit[a, 1], unit[a, 2]
        z2 = z * z
        d[0], d[1], d[2] = 1.5 * z2 - 0.5, 3.0 * z, 3.0
        d[3] = ((35.0 * z2 - 30.0) * z2 + 3.0) / 8.0
        d[4] = (35.0 * z2 - 15.0) * z / 2.0
        d[5] = (105.0 * z2 - 15.0) / 2.0
        d[6], d[7] = 105.0 * z, 105.0
        d[8] = (((231.0 * z2 - 315.0) * z2 + 105.0) * z2 - 5.0) / 16.0
        d[9] = ((693.0 * z2 - 630.0) * z2 + 105.0) * z / 8.0
        d[10] = ((3465.0 * z2 - 1890.0) * z2 + 105.0) / 8.0
        d[11] = (3465.0 * z2 - 945.0) * z / 2.0
        d[12] = (10395.0 * z2 - 945.0) / 2.0
        d[13], d[14] = 10395.0 * z, 10395.0
        c, s = 1.0, 0.0  # (x + iy)^m
        for m in range(7):
            for first, degree in ((0, 2), (3, 4), (8, 6)):
                if m <= degree:
                    re[first + m] += d[first + m] * c
                    im[first + m] += d[first + m] * s
            c, s = c * x - s * y, c * y + s * x
    for p, first, degree in ((0, 0, 2), (1, 3, 4), (2, 8, 6)):
        total, norm = re[first] ** 2, 1.0
        for m in range(1, degree + 1):
            norm /= (degree - m + 1) * (degree + m)  # (l - m)! / (l + m)!
            total += 2.0 * norm * (re[first + m] ** 2 + im[first + m] ** 2)
        out[p] = math.sqrt(total) / n
