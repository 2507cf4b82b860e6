"""Features cut to a tile: in its units, on a lattice that neighbours share, and no more of them than it shows.

A vertex goes to its lattice point by its position alone, so that two polygons which share a border on the ground share it in
every tile and at every zoom, and a polygon meets itself where two tiles meet.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.catalogue import Geometry
from gis_server.core.geometry import Geometries
from gis_server.core.mvt import Indices, Kind, Parts, encode
from gis_server.core.tile import BUFFER, EXTENT, FULL_ZOOM, Box, Tile

COARSE = 4
"""Units between lattice points above ``FULL_ZOOM``, where a tile is drawn 512 to 1024 px wide: half a pixel or less."""

Floats = NDArray[np.float64]

_NO_PARTS = Parts(np.empty((0, 2), np.int64), np.zeros(1, np.int64), np.empty(0, np.int64))


def vector_tile(
    name: str,
    geometry_type: Geometry,
    geometry: Geometries,
    columns: Mapping[str, Sequence[object]],
    tile: Tile,
) -> bytes:
    """A layer (EPSG:4490 degrees) as a tile: the layer ``name``, and of polygons the points ``<name>_label``.

    ``columns`` are the values of all features. A feature's label point stands in exactly one tile of a zoom.
    """
    match geometry_type:
        case Geometry.POINT:
            return encode(name, Kind.POINT, _points(geometry, tile), columns)
        case Geometry.MULTI_LINE_STRING:
            return encode(name, Kind.LINE, _lines(geometry, tile), columns)
        case Geometry.MULTI_POLYGON:
            labels = _label_points(geometry, tile)
            return encode(name, Kind.POLYGON, _polygons(geometry, tile), columns) + encode(
                f"{name}_label", Kind.POINT, labels, columns
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


def _within(geometry: Geometries, box: Box) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
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
    pieces, owner = _cut(geometry, tile, 1)
    if not len(pieces):
        return _NO_PARTS
    _, degrees, (starts,) = shapely.to_ragged_array(pieces)
    parts = _thinned(_lattice(_units(degrees, tile), tile), starts, owner)
    lasting = np.flatnonzero(np.diff(parts.starts) >= 2)
    return _gathered(parts, lasting)


def _polygons(geometry: Geometries, tile: Tile) -> Parts:
    pieces, owner = _cut(geometry, tile, 2)
    if not len(pieces):
        return _NO_PARTS
    _, degrees, (starts, of_polygon) = shapely.to_ragged_array(pieces)
    rings = np.diff(of_polygon)
    thin = _thinned(_lattice(_units(degrees, tile), tile), starts, np.repeat(owner, rings), closed=True)
    area = _areas(thin)
    is_outer = np.zeros(len(area), dtype=bool)
    is_outer[of_polygon[:-1]] = True
    stands = area != 0
    stands &= np.repeat(stands[of_polygon[:-1]], rings)  # no hole without the polygon around it
    return _gathered(thin, np.flatnonzero(stands), reverse=((area > 0) != is_outer)[stands])


def _cut(geometry: Geometries, tile: Tile, dimension: int) -> tuple[Geometries, Indices]:
    """The single lines (dimension 1) or polygons (2) of what the buffered tile holds, and the feature of each."""
    box = tile.degrees()
    reaches, leaves = _within(geometry, box)
    kept = np.flatnonzero(reaches)
    held = geometry[kept]
    leaves = leaves[kept]
    held[leaves] = shapely.clip_by_rect(held[leaves], *box)
    pieces, owner = shapely.get_parts(held, return_index=True)
    fits = (shapely.get_dimensions(pieces) == dimension) & ~shapely.is_empty(pieces)
    return pieces[fits], kept[owner[fits]]


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


def _gathered(parts: Parts, chosen: Indices, reverse: NDArray[np.bool_] | None = None) -> Parts:
    """The chosen pieces in this order, some of them turned round."""
    counts = np.diff(parts.starts)[chosen]
    starts = np.concatenate([[0], np.cumsum(counts)])
    place = np.arange(starts[-1]) - np.repeat(starts[:-1], counts)
    if reverse is not None:
        turned = np.repeat(reverse, counts)
        place = np.where(turned, np.repeat(counts, counts) - 1 - place, place)
    xy = parts.xy[np.repeat(parts.starts[:-1][chosen], counts) + place]
    return Parts(xy, starts, parts.owner[chosen])


# -- label points -------------------------------------------------------------------------------------------------------


def _label_points(geometry: Geometries, tile: Tile) -> Parts:
    """One point inside each polygon whose point is this tile's: the centroid, where that lies inside."""
    reaches, _ = _within(geometry, tile.degrees(0))
    owner = np.flatnonzero(reaches & ~shapely.is_empty(geometry))
    if not len(owner):
        return _NO_PARTS
    place = _units(_inner_points(geometry[owner]), tile)
    # half open: at the edge of two tiles it is the later one's
    mine = ((place >= 0) & (place < EXTENT)).all(axis=1)
    return Parts(np.floor(place[mine]).astype(np.int64), np.arange(mine.sum() + 1), owner[mine])


def _inner_points(polygons: Geometries) -> Floats:
    """A point inside each (multi-)polygon, in degrees, decided by it alone, whatever stands beside it."""
    pieces, owner = shapely.get_parts(polygons, return_index=True)
    _, degrees, (starts, of_polygon) = shapely.to_ragged_array(pieces)
    counts = np.diff(starts)
    ring = np.repeat(np.arange(len(counts)), counts)
    of_ring = np.repeat(owner, np.diff(of_polygon))
    origin = degrees[starts[of_polygon[np.searchsorted(owner, np.arange(len(polygons)))]]]
    near = degrees - origin[of_ring[ring]]  # small numbers: what is squared keeps its digits

    edges = np.delete(np.arange(len(near)), starts[1:] - 1)
    (x, y), (x2, y2), of_edge = near[edges].T, near[edges + 1].T, ring[edges]
    cross = x * y2 - x2 * y
    is_hole = np.ones(len(counts), dtype=bool)
    is_hole[of_polygon[:-1]] = False

    def sums(values: NDArray[Any], of: Indices, count: int) -> Floats:
        summed: Floats = np.bincount(of, values, count).astype(np.float64)
        return summed

    sign = np.where((sums(cross, of_edge, len(counts)) < 0) != is_hole, -1.0, 1.0)

    def of_polygons(values: Floats) -> Floats:
        return sums(sign * sums(values, of_edge, len(counts)), of_ring, len(polygons))

    with np.errstate(divide="ignore", invalid="ignore"):
        whole = 3 * of_polygons(cross)
        middle_x, middle_y = (of_polygons((x + x2) * cross) / whole, of_polygons((y + y2) * cross) / whole)
        to_x, to_y = middle_x[of_ring[of_edge]], middle_y[of_ring[of_edge]]
        crosses = (y > to_y) != (y2 > to_y)
        crosses &= x + (to_y - y) / (y2 - y) * (x2 - x) > to_x
    inside = sums(crosses, of_ring[of_edge], len(polygons)) % 2 == 1
    found: Floats = origin + np.column_stack([middle_x, middle_y])
    if not inside.all():
        found[~inside] = shapely.get_coordinates(shapely.point_on_surface(polygons[~inside]))
    return found
