"""Features cut to a tile: in its units, on a lattice that neighbours share, and no more of them than it shows.

A vertex goes to its lattice point by its position alone, so that two polygons which share a border on the ground share it in
every tile and at every zoom, and a polygon meets itself where two tiles meet.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.catalogue import Geometry
from gis_server.core.geometry import Geometries
from gis_server.core.mvt import Columns, Indices, Kind, Parts, encode, written
from gis_server.core.tile import BUFFER, EXTENT, FULL_ZOOM, Box, Tile
from gis_server.core.tile_borders import Flags, simplified

COARSE = 4
"""Units between lattice points above ``FULL_ZOOM``, where a tile is drawn 512 to 1024 px wide: half a pixel or less."""

Floats = NDArray[np.float64]

_NO_PARTS = Parts(np.empty((0, 2), np.int64), np.zeros(1, np.int64), np.empty(0, np.int64))


def vector_tile(
    name: str,
    geometry_type: Geometry,
    geometry: Geometries,
    columns: Columns,
    tile: Tile,
) -> bytes:
    """A layer (EPSG:4490 degrees) as a tile: the layer ``name``, and of polygons the points ``<name>_label``.

    ``columns`` are the values of all features. A feature's label point stands in exactly one tile of a zoom.
    """
    values = written(columns)
    match geometry_type:
        case Geometry.POINT:
            return encode(name, Kind.POINT, _points(geometry, tile), values)
        case Geometry.MULTI_LINE_STRING:
            return encode(name, Kind.LINE, _lines(geometry, tile), values)
        case Geometry.MULTI_POLYGON:
            shapes, labels = _polygons(geometry, tile)
            return encode(name, Kind.POLYGON, shapes, values) + encode(
                f"{name}_label", Kind.POINT, labels, values
            )


# -- positions ----------------------------------------------------------------------------------------------------------


def _units(degrees: Floats, tile: Tile) -> Floats:
    """Degrees as units of the tile, from its north-western corner, y downward; equal ones stay equal in every tile."""
    across = float(EXTENT << tile.z)
    sine = np.sin(np.radians(degrees[:, 1]))
    x = (degrees[:, 0] / 360 + 0.5) * across
    y = (0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)) * across
    return np.column_stack([x - tile.x * EXTENT, y - tile.y * EXTENT])


def _lattice(units: Floats, tile: Tile) -> Indices:
    step = 1 if tile.z >= FULL_ZOOM else COARSE
    snapped: Indices = np.floor(units / step + 0.5).astype(np.int64) * step
    return snapped


def _within(geometry: Geometries, box: Box) -> tuple[Flags, Flags]:
    """Which features reach into the box, and which of them also out of it."""
    west, south, east, north = shapely.bounds(geometry).T
    reaches = (west <= box[2]) & (east >= box[0]) & (south <= box[3]) & (north >= box[1])
    leaves = (west < box[0]) | (east > box[2]) | (south < box[1]) | (north > box[3])
    return reaches, reaches & leaves


# -- shapes -------------------------------------------------------------------------------------------------------------


def _points(geometry: Geometries, tile: Tile) -> Parts:
    place = _lattice(_units(shapely.get_coordinates(geometry), tile), tile)
    owner = np.flatnonzero(((place >= -BUFFER) & (place <= EXTENT + BUFFER)).all(axis=1))
    # of many at one lattice point the first is seen
    _, first = np.unique(place[owner], axis=0, return_index=True)
    owner = owner[np.sort(first)]
    return Parts(place[owner], np.arange(len(owner) + 1), owner)


def _lines(geometry: Geometries, tile: Tile) -> Parts:
    reaches, leaves = _within(geometry, tile.degrees())
    pieces, owner = _clipped(geometry, reaches, leaves, tile, dimension=1)
    if not len(pieces):
        return _NO_PARTS
    _, degrees, (starts,) = shapely.to_ragged_array(pieces)
    parts = _thinned(_lattice(_units(degrees, tile), tile), starts, owner)
    parts = _gathered(parts, np.flatnonzero(np.diff(parts.starts) >= 2))
    return parts if tile.z >= FULL_ZOOM else simplified(parts, closed=False)


@dataclass(frozen=True, slots=True)
class _Rings:
    """The rings of polygons in degrees, each closed, ring r being ``degrees[starts[r]:starts[r + 1]]``."""

    degrees: Floats
    starts: Indices
    owner: Indices  # the feature of each ring
    is_outer: Flags


def _rings(polygons: Geometries, owner: Indices) -> _Rings:
    """The rings of (multi-)polygons, which belong to the features ``owner``."""
    _, degrees, (starts, of_polygon, *of_feature) = shapely.to_ragged_array(polygons)
    of_feature = of_polygon[of_feature[0]] if of_feature else of_polygon
    is_outer = np.zeros(len(starts) - 1, dtype=bool)
    is_outer[of_polygon[:-1][np.diff(of_polygon) > 0]] = True
    return _Rings(degrees, starts, np.repeat(owner, np.diff(of_feature)), is_outer)


def _chosen(rings: _Rings, which: Indices) -> _Rings:
    place, starts = _pieces(rings.starts, which)
    return _Rings(rings.degrees[place], starts, rings.owner[which], rings.is_outer[which])


def _joined(one: _Rings, other: _Rings) -> _Rings:
    """The rings of both in the order of their features, no feature being in both."""
    both = _Rings(
        np.concatenate([one.degrees, other.degrees]),
        np.concatenate([one.starts, one.starts[-1] + other.starts[1:]]),
        np.concatenate([one.owner, other.owner]),
        np.concatenate([one.is_outer, other.is_outer]),
    )
    return _chosen(both, np.argsort(both.owner, kind="stable"))


def _polygons(geometry: Geometries, tile: Tile) -> tuple[Parts, Parts]:
    """The shapes in a tile, and the label points that are its own."""
    reaches, leaves = _within(geometry, tile.degrees())
    held = np.flatnonzero(reaches & ~shapely.is_empty(geometry))
    if not len(held):
        return _NO_PARTS, _NO_PARTS
    whole = _rings(geometry[held], held)
    shown = whole
    if leaves.any():
        pieces, owner = _clipped(geometry, leaves, leaves, tile, dimension=2)
        inside = _chosen(whole, np.flatnonzero(~leaves[whole.owner]))
        shown = _joined(inside, _rings(pieces, owner)) if len(pieces) else inside
    return _shapes(shown, tile), _label_points(geometry, whole, held, tile)


def _shapes(rings: _Rings, tile: Tile) -> Parts:
    """What remains of rings on the lattice, each turned as the format wants it."""
    thin = _thinned(_lattice(_units(rings.degrees, tile), tile), rings.starts, rings.owner, closed=True)
    stands, area = _standing(thin, rings.is_outer)
    thin, is_outer, area = _gathered(thin, stands), rings.is_outer[stands], area[stands]
    if tile.z < FULL_ZOOM:
        thin = simplified(thin, closed=True)
        stands, area = _standing(thin, is_outer)
        is_outer, area = is_outer[stands], area[stands]
    else:
        stands = np.arange(len(area))
    return _gathered(thin, stands, reverse=(area > 0) != is_outer)


def _standing(rings: Parts, is_outer: Flags) -> tuple[Indices, Indices]:
    """Which rings enclose something, none without the polygon around it; and twice the area of every ring."""
    area = _areas(rings)
    stands = area != 0
    stands &= stands[is_outer][np.cumsum(is_outer) - 1]
    return np.flatnonzero(stands), area


def _clipped(
    geometry: Geometries, chosen: Flags, leaves: Flags, tile: Tile, *, dimension: int
) -> tuple[Geometries, Indices]:
    """The single lines (dimension 1) or polygons (2) of chosen features within the buffered tile, and whose they are."""
    rows = np.flatnonzero(chosen)
    held, cut = geometry[rows], leaves[rows]
    held[cut] = shapely.clip_by_rect(held[cut], *tile.degrees())
    pieces, of = shapely.get_parts(held, return_index=True)
    fits = (shapely.get_dimensions(pieces) == dimension) & ~shapely.is_empty(pieces)
    return pieces[fits], rows[of[fits]]


def _thinned(xy: Indices, starts: Indices, owner: Indices, *, closed: bool = False) -> Parts:
    """Pieces without points that the next one repeats; of closed ones the last goes, for it is the first again."""
    stays = np.ones(len(xy), dtype=bool)
    stays[:-1] = (xy[1:] != xy[:-1]).any(axis=1)
    stays[starts[1:] - 1] = not closed
    before = np.concatenate([[0], np.cumsum(stays)])
    return Parts(xy[stays], before[starts], owner)


def _areas(rings: Parts) -> Indices:
    """Twice the area of each ring, positive where it runs clockwise on the screen."""
    counts = np.diff(rings.starts)
    following = np.arange(len(rings.xy)) + 1
    ends = rings.starts[1:][counts > 0]
    following[ends - 1] = rings.starts[:-1][counts > 0]
    x, y = rings.xy.T
    total = np.concatenate([[0], np.cumsum(x * y[following] - x[following] * y)])
    area: Indices = total[rings.starts[1:]] - total[rings.starts[:-1]]
    return area


def _gathered(parts: Parts, chosen: Indices, reverse: Flags | None = None) -> Parts:
    """The chosen pieces in this order, some of them turned round."""
    place, starts = _pieces(parts.starts, chosen, reverse)
    return Parts(parts.xy[place], starts, parts.owner[chosen])


def _pieces(starts: Indices, chosen: Indices, reverse: Flags | None = None) -> tuple[Indices, Indices]:
    """The positions of the chosen pieces in this order, and where each begins among them."""
    counts = np.diff(starts)[chosen]
    begins = np.concatenate([[0], np.cumsum(counts)])
    place = np.arange(begins[-1]) - np.repeat(begins[:-1], counts)
    if reverse is not None:
        turned = np.repeat(reverse, counts)
        place = np.where(turned, np.repeat(counts, counts) - 1 - place, place)
    return np.repeat(starts[:-1][chosen], counts) + place, begins


# -- label points -------------------------------------------------------------------------------------------------------


def _label_points(geometry: Geometries, rings: _Rings, held: Indices, tile: Tile) -> Parts:
    """One point inside each of the ``held`` polygons whose point is this tile's: the centroid, where that lies inside."""
    number = np.searchsorted(held, rings.owner)
    points, is_inside = _centroids(rings, number, len(held))
    if not is_inside.all():
        points[~is_inside] = shapely.get_coordinates(shapely.point_on_surface(geometry[held[~is_inside]]))
    place = _units(points, tile)
    # half open: at the edge of two tiles it is the later one's
    mine = ((place >= 0) & (place < EXTENT)).all(axis=1)
    return Parts(np.floor(place[mine]).astype(np.int64), np.arange(mine.sum() + 1), held[mine])


def _centroids(rings: _Rings, of: Indices, count: int) -> tuple[Floats, Flags]:
    """The centroid of each of ``count`` polygons, ring r being of the polygon ``of[r]``, and whether it lies inside.

    Decided by the polygon alone, whatever stands beside it: in every tile to the last bit the same.
    """
    origin = rings.degrees[rings.starts[np.searchsorted(of, np.arange(count))]]
    ring = np.repeat(np.arange(len(of)), np.diff(rings.starts))
    near = rings.degrees - origin[of[ring]]  # small numbers: what is squared keeps its digits
    edges = np.delete(np.arange(len(near)), rings.starts[1:] - 1)
    (x, y), (x2, y2), of_edge = near[edges].T, near[edges + 1].T, ring[edges]
    cross = x * y2 - x2 * y

    def sums(values: NDArray[Any], of: Indices, count: int) -> Floats:
        summed: Floats = np.bincount(of, values, count).astype(np.float64)
        return summed

    sign = np.where((sums(cross, of_edge, len(of)) > 0) == rings.is_outer, 1.0, -1.0)

    def total(values: Floats) -> Floats:
        return sums(sign * sums(values, of_edge, len(of)), of, count)

    with np.errstate(divide="ignore", invalid="ignore"):
        area = 3 * total(cross)
        middle = np.column_stack([total((x + x2) * cross) / area, total((y + y2) * cross) / area])
        to_x, to_y = middle[of[of_edge]].T
        crosses = (y > to_y) != (y2 > to_y)
        crosses &= x + (to_y - y) / (y2 - y) * (x2 - x) > to_x
    return origin + middle, sums(crosses, of[of_edge], count) % 2 == 1
