"""What a phone takes along: the grids of a territory and those beside them, so that it can tell the grid without a network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from gis_server.core.access import Territory
from gis_server.core.boundaries import Boundaries

MOST_VERTICES = 250_000
"""Some 4 MB on the way, some 12 MB in a browser: the grids of a prefecture (our number)."""


@dataclass(frozen=True, slots=True)
class BundledGrid:
    """A grid with its borders to the last bit: polygons of rings of (lon, lat), the outer ring first, in EPSG:4490."""

    grid_code: str
    grid_name: str
    is_own: bool
    polygons: tuple[tuple[list[list[float]], ...], ...]


@dataclass(frozen=True, slots=True)
class FieldBundle:
    """The grids of a territory and all that may touch them: inside the territory they give the server's own answer.

    ``is_complete`` is False, and ``grids`` empty, where that would be more than a phone should carry.
    """

    generation: int
    grids: tuple[BundledGrid, ...]
    is_complete: bool = True


def bundle_of(found: Boundaries, territory: Territory) -> FieldBundle:
    """The bundle of a territory. Neighbours come along because a position on a common border may be theirs."""
    grids = found.grids
    own = {
        row
        for row, community in enumerate(grids.community_codes)
        if territory.holds(found.path_of(community))
    }
    rows = own
    if len(own) < len(grids.codes) and own:
        tree = shapely.STRtree(grids.geometries)
        _, touching = tree.query(grids.geometries[sorted(own)])  # by their boxes: never too few
        rows = own | set(touching.tolist())
    chosen = sorted(rows)
    generation = found.generations["grid"]
    if chosen and int(shapely.get_num_coordinates(grids.geometries[chosen]).sum()) > MOST_VERTICES:
        return FieldBundle(generation, (), is_complete=False)
    return FieldBundle(
        generation,
        tuple(
            BundledGrid(grids.codes[row], grids.names[row], row in own, _polygons(grids.geometries[row]))
            for row in chosen
        ),
    )


def _polygons(geometry: shapely.Geometry) -> tuple[tuple[list[list[float]], ...], ...]:
    parts: Sequence[shapely.Polygon] = shapely.get_parts(geometry)
    return tuple(
        tuple(np.asarray(ring.coords)[:, :2].tolist() for ring in (part.exterior, *part.interiors))
        for part in parts
    )
