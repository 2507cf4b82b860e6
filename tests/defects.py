"""Defects put into a sound coverage, each with what a check must say about it."""

from dataclasses import dataclass

import numpy as np
import shapely
from coverages import Nested

SIDE = 8  # edges to a side of a cell of `coverages.hexagons`


@dataclass(frozen=True)
class Injected:
    """The spoilt cells, and the kinds expected with the area of each (None: no ground concerned)."""

    cells: np.ndarray
    parent_of: np.ndarray
    expected: dict[str, float | None]
    involved: tuple[int, ...]


def ring(cell: shapely.Polygon) -> np.ndarray:
    """The vertices of a cell, once each."""
    return shapely.get_coordinates(cell)[:-1]


def replaced(nested: Nested, row: int, geometry: object) -> np.ndarray:
    cells = nested.cells.copy()
    cells[row] = geometry
    return cells


def moved_vertex(cell: shapely.Polygon, at: int, by: float) -> tuple[shapely.Polygon, float]:
    """The cell with vertex ``at`` moved outward by ``by`` (inward if negative), and the area between (m²)."""
    xy = ring(cell)
    before, after = xy[at - 1], xy[(at + 1) % len(xy)]
    along = after - before
    outward = np.array([along[1], -along[0]]) / np.hypot(*along)  # shells run anticlockwise
    old = xy[at].copy()
    xy[at] = old + outward * by
    parts = np.array([before, old, after, xy[at]])
    local = parts - before
    area = abs(np.sum(local[:, 0] * np.roll(local[:, 1], -1) - np.roll(local[:, 0], -1) * local[:, 1])) / 2
    return shapely.Polygon(xy), float(area)


def neighbour_over(nested: Nested, row: int, at: int) -> int | None:
    """The other cell that bears vertex ``at`` of cell ``row``."""
    point = shapely.Point(ring(nested.cells[row])[at])
    others = [int(i) for i in shapely.STRtree(nested.cells).query(point, predicate="intersects") if i != row]
    return others[0] if others else None
