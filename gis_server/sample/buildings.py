"""Buildings: a block of flats over each run of stairwells in a row, a house over each door in the country."""

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.sample.addresses import Addresses
from gis_server.sample.chance import rounded, stream
from gis_server.sample.names import COUNTY_CODE
from gis_server.sample.settled import Settled
from gis_server.sample.tables import Table, texts

Floats = NDArray[np.float64]

STAIRWELLS_AT_MOST = 4
"""Stairwells of one block of flats."""

_WIDEST, _DEEPEST = 17.0, 12.0  # metres: of one stairwell along the row, and of a building across it
_HOUSE = (11.0, 8.0)


def make_buildings(on: Settled, places: Addresses) -> Table:
    """Footprints under the addresses, those alone that lie within their face: none is on a street or in the river."""
    random = stream(on.seed, "buildings")
    points = shapely.get_coordinates(places.table.geometry)
    _, first = np.unique(np.column_stack([points, places.face]), axis=0, return_index=True)
    order = np.sort(first)  # of flats behind one door, one
    x, y, face, turn = points[order, 0], points[order, 1], places.face[order], places.turn[order]
    rural = on.faces.seat[face] < 0
    along = rounded(x * np.cos(turn) + y * np.sin(turn))
    across = rounded(y * np.cos(turn) - x * np.sin(turn))

    # by face, row and place in the row; a row is known by how far across it lies
    sorting = np.lexsort((along, np.round(across), face))
    x, y, face, rural, turn = x[sorting], y[sorting], face[sorting], rural[sorting], turn[sorting]
    along, across = along[sorting], across[sorting]
    gap = np.diff(along, prepend=-np.inf)
    same_row = (np.diff(face, prepend=-1) == 0) & (np.abs(np.diff(across, prepend=np.inf)) < 1.0) & (gap > 0)
    step = np.full(len(on.faces), _WIDEST)
    np.minimum.at(step, face[same_row], gap[same_row])
    pitch = step[face]
    opens = ~(same_row & (gap < 1.5 * pitch)) | rural
    run = np.cumsum(opens) - 1
    place = np.arange(len(run)) - np.flatnonzero(opens)[run]
    opens |= place % STAIRWELLS_AT_MOST == 0
    begins = np.flatnonzero(opens)
    ends = np.append(begins[1:], len(opens)) - 1

    width = np.where(rural[begins], np.minimum(_HOUSE[0], 0.8 * pitch[begins]), 0.92 * pitch[begins])
    depth = np.where(rural[begins], np.minimum(_HOUSE[1], 0.6 * pitch[begins]), 0.6 * pitch[begins])
    half = np.minimum(depth, _DEEPEST) / 2
    left, right = along[begins] - width / 2, along[ends] + width / 2
    middle = (across[begins] + across[ends]) / 2
    shapes = _rectangles(left, right, middle - half, middle + half, turn[begins])
    stands = shapely.contains(on.faces.polygons[face[begins]], shapes) & ~shapely.intersects(on.bed, shapes)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    stands[np.maximum(one, other)[one != other]] = False  # of two that meet the first stays
    storeys = np.where(rural[begins], 1, random.choice([4, 6, 6, 7, 11, 18], len(begins)))[stands]
    shapes = shapes[stands]
    return Table(
        shapes,
        {
            "building_code": texts([f"{COUNTY_CODE}F{k:06d}" for k in range(1, len(shapes) + 1)]),
            "storeys": storeys.astype(np.int64),
        },
    )


def _rectangles(left: Floats, right: Floats, low: Floats, high: Floats, turn: Floats) -> NDArray[np.object_]:
    """Rectangles given along and across a direction, on the grain."""
    u = np.stack([left, right, right, left, left], axis=1)
    v = np.stack([low, low, high, high, low], axis=1)
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    corners = rounded(np.stack([u * cos - v * sin, u * sin + v * cos], axis=2))
    shapes: NDArray[np.object_] = shapely.polygons(corners)
    return shapes
