"""Ground given to other cells without tearing a border: the cells about are cut into faces, and put together anew.

All borders near the ground are noded together, so that a new vertex appears in every cell that has it on its border.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from gis_server.core.coverage.cover import Ground, inner_points
from gis_server.core.coverage.edges import Geometries, Indices, flatten
from gis_server.core.coverage.residual import chains, distinct, faces, resolution


@dataclass(frozen=True, slots=True)
class Ruling:
    """``ground`` goes to the rows ``taking`` (none: to nobody) and leaves the rows ``giving``.

    Of several takers each gets what lies next to it, if ``divide``; otherwise the first gets all.
    """

    ground: shapely.Geometry
    taking: tuple[int, ...]
    giving: tuple[int, ...]
    divide: bool = False


def redivide(cells: Geometries, border: Geometries, rulings: Sequence[Ruling]) -> dict[int, shapely.Geometry]:
    """The new polygons of the rows that change; rows that come out as they were are not in it.

    ``border`` are lines that cut as well (the parents' edges where they are not the cells' own).
    """
    if not rulings:
        return {}
    grounds = np.array([r.ground for r in rulings], dtype=object)
    whole = Ground(np.array([shapely.Polygon() if c is None else c for c in cells], dtype=object))
    reach = 4 * resolution(shapely.total_bounds(grounds))
    rows = np.unique(whole.near_shapes(grounds, reach)[1])
    if len(rows) == 0:
        return {}
    rings = flatten(cells[rows])
    edges = np.flatnonzero(rings.hash)
    lines = [chains(rings, distinct(rings, edges))]
    if len(border):
        lines.append(
            border[np.unique(shapely.STRtree(border).query(grounds, predicate="dwithin", distance=reach)[1])]
        )
    pieces = faces(np.concatenate(lines))
    if len(pieces) == 0:
        return {}
    pieces, owners = _owners(pieces, cells, rows, rulings)
    built: dict[int, shapely.Geometry] = {}
    for row in map(int, rows):
        mine = pieces[sorted(owners[row])]
        after = shapely.coverage_union_all(mine) if len(mine) else None
        parts = shapely.get_parts(after) if after is not None else np.empty(0, dtype=object)
        parts = parts[shapely.get_type_id(parts) == 3]
        if len(parts):
            built[row] = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
    changed = np.array(sorted(built), dtype=np.int64)
    same = (
        flatten(cells[changed]).sums == flatten(np.array([built[r] for r in changed], dtype=object)).sums
    ).all(axis=1)
    return {int(r): built[int(r)] for r in changed[~same]}


def _owners(
    pieces: Geometries, cells: Geometries, rows: Indices, rulings: Sequence[Ruling]
) -> tuple[Geometries, dict[int, set[int]]]:
    """(pieces, piece numbers of each row): what it covers, less what rulings take from it, and what they give it.

    Ground to be divided is cut into triangles between vertices there are, appended to the pieces.
    """
    local = Ground(cells[rows])
    grounds = Ground(np.array([r.ground for r in rulings], dtype=object))
    inner = inner_points(pieces, [local])
    owners: dict[int, set[int]] = defaultdict(set)
    (cover,) = inner.over
    for piece, at in zip(cover.point.tolist(), cover.polygon.tolist(), strict=True):
        owners[int(rows[at])].add(piece)
    ruled = grounds.over(inner.point)
    divided: dict[int, list[int]] = defaultdict(list)
    for piece, at in zip(ruled.point.tolist(), ruled.polygon.tolist(), strict=True):
        ruling = rulings[at]
        for row in ruling.giving:
            owners[row].discard(piece)
        if ruling.divide:
            divided[at].append(piece)
        elif ruling.taking:
            owners[ruling.taking[0]].add(piece)
    cut = list(pieces)
    for at, which in divided.items():
        takers = rulings[at].taking
        for piece in which:
            triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(pieces[piece]))
            for row, triangle in zip(_nearest(triangles, cells, takers), triangles, strict=True):
                owners[row].add(len(cut))
                cut.append(triangle)
    return np.array(cut, dtype=object), owners


def _nearest(triangles: Geometries, cells: Geometries, takers: Sequence[int]) -> list[int]:
    """For each triangle the taker that borders most of it; the nearest for one that touches none along an edge."""
    corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)
    middles = (corners[:, :3] + corners[:, 1:]) / 2
    lengths = np.hypot(*np.moveaxis(corners[:, 1:] - corners[:, :3], 2, 0))
    reach = 4 * resolution(shapely.total_bounds(triangles))
    points = shapely.points(middles)
    shared, away = np.zeros((len(takers), len(triangles))), np.zeros((len(takers), len(triangles)))
    for i, row in enumerate(takers):
        shapely.prepare(cells[row])
        shared[i] = (shapely.dwithin(cells[row], points, reach) * lengths).sum(axis=1)
        away[i] = shapely.distance(cells[row], shapely.centroid(triangles))
    best = np.where(shared.max(axis=0) > 0, shared.argmax(axis=0), away.argmin(axis=0))
    return [int(takers[i]) for i in best]
