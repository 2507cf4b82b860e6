"""Irregular tilings for measurements: hexagons with moved corners whose neighbours share every vertex."""

import numpy as np
import shapely
from numpy.typing import NDArray

WEST, SOUTH = 127.0, 47.0
STEP = 0.0009
"""Degrees a lattice step: cells of about 0.0036°, some 300 m."""
_INNER = 9  # vertices between two corners, so that a cell has 6 x (9 + 1) = 60


def tiling(cells: int, seed: int = 1) -> NDArray[np.object_]:
    """About ``cells`` polygons of 60 vertices in degrees that share their borders vertex for vertex."""
    rng = np.random.default_rng(seed)
    across = round(np.sqrt(cells))
    q, r = (part.ravel() for part in np.meshgrid(np.arange(across), np.arange(-(-cells // across))))
    x, y = 2 * q + (r & 1), 3 * r
    around = np.array([(0, 2), (-1, 1), (-1, -1), (0, -2), (1, -1), (1, 1)])
    corners = np.stack([x, y], 1)[:, None, :] + around + 2  # (n, 6, 2) of the lattice, none negative
    key = corners[..., 0] * (4 * cells) + corners[..., 1]
    unique, number = np.unique(key, return_inverse=True)
    number = number.reshape(key.shape)
    places = np.stack([unique // (4 * cells), unique % (4 * cells)], 1) + rng.uniform(
        -0.3, 0.3, (len(unique), 2)
    )

    start, end = number, np.roll(number, -1, axis=1)
    low, high = np.minimum(start, end), np.maximum(start, end)
    edges, edge = np.unique(low * len(unique) + high, return_inverse=True)
    edge = edge.reshape(low.shape)
    one, other = places[edges // len(unique)], places[edges % len(unique)]
    part = np.arange(1, _INNER + 1)[None, :, None] / (_INNER + 1)
    along = one[:, None] * (1 - part) + other[:, None] * part
    along += rng.uniform(-0.04, 0.04, along.shape)  # (edges, inner, 2)

    inner = along[edge]
    backward = start > end
    inner[backward] = inner[backward][:, ::-1]
    rings = np.concatenate([places[start][:, :, None], inner], axis=2).reshape(len(q), -1, 2)
    rings = np.concatenate([rings, rings[:, :1]], axis=1)
    polygons: NDArray[np.object_] = shapely.polygons(rings * STEP * (1.2, 0.8) + (WEST, SOUTH))
    return polygons
