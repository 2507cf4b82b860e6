"""How likely the true place of an uncertain position lies in each of the grids around it.

**What an accuracy means.** The radius, in metres, of the circle around the stated position that holds the true place
with a probability of 95 %. That is how the W3C Geolocation API defines ``coords.accuracy``, and how GNSS performance is
stated where something depends on it (GPS SPS Performance Standard, ICAO Annex 10, IMO A.915: horizontal error,
95 %). A device that states the 68 % radius (Android's ``Location.getAccuracy``) has ``R95 / R68`` = 1.62 times that.

**What the error is taken for**: an isotropic normal distribution around the position, with a standard deviation of the
radius / 2.448 on either axis. Shares are probabilities under it, and a test holds them to simulated errors.
"""

import math
from typing import Any

import numpy as np
import shapely

from gis_server.core.routing.edges import Floats, Geometries, Rows, edges_of

R95 = math.sqrt(-2.0 * math.log(0.05))
"""Radius that holds 95 % of an isotropic normal distribution, in standard deviations."""

R999 = math.sqrt(-2.0 * math.log(0.001))
"""Radius that holds 99.9 % of it: a grid farther away is no candidate."""

_FAR = 6.0
"""Standard deviations beyond which the mass (1.5e-8) does not count."""

_SMALL = 0.5
"""Sizes (diagonals) up to this many standard deviations: the density hardly differs from one corner to the other."""

_MOST_EDGES = 1 << 20

# Gauss–Legendre nodes that keep the share within 1e-4 for every edge from 1/100 to 1,000 standard deviations, and fewer for the
# many edges that are short
_NODES = np.polynomial.legendre.leggauss(24)
_FEW_NODES = np.polynomial.legendre.leggauss(6)
_SHORT = 0.5


def normal_share(polygon: Any, x: float, y: float, sigma: float) -> float:
    """Probability that a point drawn from an isotropic normal distribution around (x, y) lies in ``polygon``.

    Coordinates and ``sigma`` (standard deviation of each axis, above 0) in metres.
    """
    polygons = np.empty(1, dtype=object)
    polygons[0] = polygon
    ends = edges_of(polygons).ends
    one = np.array([len(ends)])
    share = _shares(ends, np.array([x]), np.array([y]), np.array([sigma]), first=one * 0, count=one)
    return float(np.clip(share[0], 0.0, 1.0))


def normal_shares(polygons: Geometries, which: Rows, x: Floats, y: Floats, sigma: Floats) -> Floats:
    """``normal_share`` of n pairs: position i (x[i], y[i], sigma[i]) and ``polygons[which[i]]``.

    Of a polygon that is small beside sigma the density in its middle times its area is taken (within 2e-4).
    """
    used, place = np.unique(which, return_inverse=True)
    middles = shapely.centroid(polygons[used])
    bounds = shapely.bounds(polygons[used])
    size = np.hypot(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1])
    from_middle = np.hypot(shapely.get_x(middles)[place] - x, shapely.get_y(middles)[place] - y) / sigma
    shares = shapely.area(polygons[used])[place] / (2.0 * np.pi * sigma**2) * np.exp(-(from_middle**2) / 2)
    large = np.flatnonzero(size[place] > _SMALL * sigma)
    edges = edges_of(polygons[used[np.unique(place[large])]])
    count_of = np.bincount(edges.owners)
    first_of = np.cumsum(count_of) - count_of
    _, own = np.unique(place[large], return_inverse=True)
    # as many pairs at once as have a million edges
    steps = np.searchsorted(
        np.cumsum(count_of[own]), np.arange(_MOST_EDGES, count_of[own].sum(), _MOST_EDGES)
    )
    for some in np.split(np.arange(len(large)), np.unique(steps)):
        if len(some):
            pair = large[some]
            first, count = first_of[own[some]], count_of[own[some]]
            shares[pair] = _shares(edges.ends, x[pair], y[pair], sigma[pair], first=first, count=count)
    result: Floats = np.clip(shares, 0.0, 1.0)
    return result


def _shares(ends: Floats, x: Floats, y: Floats, sigma: Floats, *, first: Rows, count: Rows) -> Floats:
    """The mass of each polygon, whose edges are ``count`` of ``ends`` from ``first`` on.

    In polar form around the position it is ∮(1 − exp(−r²/2σ²)) dθ / 2π along the border; far away that is the angle alone.
    """
    pair = np.repeat(np.arange(len(x)), count)
    edge = np.arange(len(pair)) + np.repeat(first - (np.cumsum(count) - count), count)
    scale = 1.0 / sigma[pair]
    px, py = x[pair], y[pair]
    ax, ay, bx, by = ends[edge].T
    ax, ay, bx, by = (ax - px) * scale, (ay - py) * scale, (bx - px) * scale, (by - py) * scale
    ex, ey = bx - ax, by - ay
    length = np.hypot(ex, ey)
    turned = ax * by - ay * bx
    # the foot of the perpendicular lies at -s0 along the edge, at distance d
    d, s0 = turned / length, (ax * ex + ay * ey) / length
    beside = np.maximum(np.maximum(s0, -s0 - length), 0.0)
    near = np.flatnonzero(np.hypot(d, beside) < _FAR)
    mass = np.arctan2(turned, ax * bx + ay * by)
    mass[near] = _masses(d[near], s0[near], length[near])
    shares: Floats = np.bincount(pair, weights=mass, minlength=len(x)) / (2.0 * np.pi)
    return shares


def _masses(d: Floats, s0: Floats, length: Floats) -> Floats:
    """∫(1 − exp(−r²/2)) dθ along edges, with r² = d² + s² and dθ = d / r² ds, s from s0 to s0 + length."""
    # s = sinh(u) is fine near the foot, where the integrand bends, and coarse far away, where it is flat
    u0, u1 = np.arcsinh(s0), np.arcsinh(s0 + length)
    half, middle = (u1 - u0) / 2, (u0 + u1) / 2
    masses = np.empty(len(d))
    is_short = half < _SHORT
    for which, (nodes, weights) in ((is_short, _FEW_NODES), (~is_short, _NODES)):
        at = d[which]
        s = np.sinh(middle[which, None] + half[which, None] * nodes)
        r2 = np.maximum(at[:, None] ** 2 + s * s, 1e-300)
        integrand = -np.expm1(-r2 / 2) / r2 * np.sqrt(1.0 + s * s)
        masses[which] = at * half[which] * (integrand * weights).sum(axis=1)
    return masses
