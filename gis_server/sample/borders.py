"""Bending borders: the one operation behind gaps, overlaps, bays, slivers and near-misses."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from gis_server.sample.chance import rounded

Floats = NDArray[np.float64]

_STRAIGHT = np.cos(np.radians(14.0))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive vertices of a polygon's outer ring, in the ring's order, nearly in a straight line."""

    start: int  # index of the first vertex in the open ring
    points: Floats  # (n, 2)
    outward: Floats  # (2,) unit vector to the other side

    @property
    def length(self) -> float:
        """Metres."""
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())


def stretches(cell: Polygon, border: object, least: float, most: float) -> list[Stretch]:
    """Straight parts of the cell's ring, ``least`` to ``most`` metres long, that run along ``border``.

    Both ends are vertices of the border, so that bending such a part moves no other cell's border.
    """
    ring = shapely.get_coordinates(shapely.get_exterior_ring(shapely.orient_polygons(cell)))[:-1]
    count = len(ring)
    ends = shapely.get_coordinates(border).tolist()
    known = {(x, y) for x, y in ends}
    on = np.array([(x, y) in known for x, y in ring.tolist()])
    found = []
    for start in range(count):
        if not on[start]:
            continue
        points = [ring[start]]
        length = 0.0
        for step in range(1, count):
            here = ring[(start + step) % count]
            piece = here - points[-1]
            size = float(np.hypot(*piece))
            middle = shapely.Point((points[-1] + here) / 2)
            if (
                not on[(start + step) % count]
                or length + size > most
                or shapely.distance(border, middle) > 1e-6
            ):
                break
            whole = here - points[0]
            if len(points) > 1 and piece @ whole < _STRAIGHT * size * float(np.hypot(*whole)):
                break
            points.append(here)
            length += size
        if length >= least:
            line = points[-1] - points[0]
            # the ring runs counter-clockwise, so the outside is to the right
            outward = np.array([line[1], -line[0]]) / float(np.hypot(*line))
            found.append(Stretch(start, np.array(points), outward))
    return found


def bent(cell: Polygon, stretch: Stretch, offset: float, *, inner_only: bool = False) -> Polygon:
    """The cell with a stretch of its ring pushed outwards by ``offset`` metres (inwards if negative).

    The ends of the stretch stay vertices. With ``inner_only`` they stay where they are and only the vertices between
    them move, so that no step arises at the ends.
    """
    oriented = shapely.orient_polygons(cell)
    ring = shapely.get_coordinates(shapely.get_exterior_ring(oriented))[:-1]
    turned = np.roll(ring, -stretch.start, axis=0)
    count = len(stretch.points)
    moved = np.round((stretch.points + offset * stretch.outward) * 1000) / 1000
    path = (
        [turned[:1], moved[1:-1], turned[count - 1 :]]
        if inner_only
        else [turned[:1], moved, turned[count - 1 :]]
    )
    holes = [r.coords for r in oriented.interiors]
    return Polygon(np.vstack(path), holes)


def doorstep(cell: Polygon, stretch: Stretch, offset: float) -> Polygon:
    """The cell with one more vertex half-way along the stretch's first segment, off the line by ``offset`` metres."""
    oriented = shapely.orient_polygons(cell)
    ring = shapely.get_coordinates(shapely.get_exterior_ring(oriented))[:-1]
    turned = np.roll(ring, -stretch.start, axis=0)
    extra = (turned[0] + turned[1]) / 2 + offset * stretch.outward
    return Polygon(
        np.vstack([turned[:1], [np.round(extra * 1000) / 1000], turned[1:]]),
        [r.coords for r in oriented.interiors],
    )


def crossed(cell: Polygon, corner: Floats, size: float) -> Polygon | None:
    """The cell with a loop of about ``size`` metres inside it, tied to its vertex ``corner``; None without room.

    The ring then touches itself and is invalid; mended, it encloses just what it did before.
    """
    oriented = shapely.orient_polygons(cell)
    ring = shapely.get_coordinates(shapely.get_exterior_ring(oriented))[:-1]
    start = int(np.argmin(np.hypot(*(ring - corner).T)))
    turned = np.roll(ring, -start, axis=0)
    for angle in np.linspace(0, 2 * np.pi, 24, endpoint=False):
        one = rounded(corner + size * np.array([np.cos(angle), np.sin(angle)]))
        other = rounded(corner + size * np.array([np.cos(angle + 0.5), np.sin(angle + 0.5)]))
        loop = Polygon([corner, one, other])
        if shapely.contains(cell, shapely.buffer(LineString([one, other]), size / 4)) and shapely.covers(
            cell, loop
        ):
            broken = Polygon(
                np.vstack([turned[:1], [one, other], turned[:1], turned[1:]]),
                [r.coords for r in oriented.interiors],
            )
            return None if shapely.is_valid(broken) else broken
    return None
