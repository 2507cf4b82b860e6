"""Cameras: many in the middle of the towns, some at every exclusive grid and hamlet; ids as in GB/T 28181.

The 20 digits are area 6, unit 2, industry 2, type 3, network 1, serial 6.
"""

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from gis_server.sample.blocks import Faces
from gis_server.sample.boundaries import Boundaries
from gis_server.sample.chance import rounded, stream
from gis_server.sample.grids import Division
from gis_server.sample.names import COUNTY_CODE
from gis_server.sample.settled import Settled
from gis_server.sample.tables import Table, texts

Ints = NDArray[np.intp]

_DIRECTIONS = ("E", "W", "S", "N", "SE", "NE", "SW", "NW")  # in the order of GB/T 28181
_TYPES = ("131", "132", "132", "132")  # camera, IP camera
_INSET = 3.0  # metres from the street corner into the face


def _corners(random: np.random.Generator, faces: Faces, chosen: Ints, bed: Polygon) -> NDArray[np.float64]:
    """A place near a corner of each chosen face, strictly inside it and out of the water."""
    places = np.empty((len(chosen), 2))
    shapely.prepare(bed)
    for i, f in enumerate(chosen):
        polygon = faces.polygons[f]
        inner = shapely.buffer(polygon, -_INSET, join_style="mitre")
        ring = shapely.get_coordinates(inner if inner.area > 1.0 else polygon.representative_point())
        dry = ring[~shapely.intersects_xy(bed, ring[:, 0], ring[:, 1])]
        ring = dry if len(dry) else ring
        places[i] = rounded(ring[random.integers(len(ring))])
        if not shapely.contains_xy(polygon, *places[i]):
            places[i] = faces.x[f], faces.y[f]
    return places


def _chosen_faces(
    random: np.random.Generator, faces: Faces, division: Division, wanted: int
) -> tuple[Ints, Ints]:
    """Faces to watch and why: 0 street, 1 exclusive grid, 2 hamlet."""
    gates, hamlets = [], []
    for g in np.flatnonzero(division.exclusive):
        own = np.flatnonzero(division.grid == g)
        gates.extend(random.choice(own, 3).tolist())
    for g in np.flatnonzero(division.hamlet_of_grid >= 0):
        own = np.flatnonzero((division.grid == g) & (division.households > 0))
        hamlets.extend(random.choice(own, 2).tolist())
    gates, hamlets = gates[: wanted // 3], hamlets[: wanted // 3]
    town = np.flatnonzero((faces.seat >= 0) & (division.households > 0))
    # households squared: the dense middle has three to four times the cameras of the edge
    weight = (division.households[town] / faces.area[town]) * np.sqrt(division.households[town])
    streets = random.choice(town, wanted - len(gates) - len(hamlets), p=weight / weight.sum())
    chosen = np.concatenate([streets, gates, hamlets]).astype(np.intp)
    why = np.repeat([0, 1, 2], [len(streets), len(gates), len(hamlets)])
    return chosen, why


def make_cameras(on: Settled, wanted: int) -> Table:
    """``wanted`` cameras. One in seven keeps its recordings for less than its site class asks."""
    faces, division, boundaries, roads = on.faces, on.division, on.boundaries, on.roads
    random = stream(on.seed, "cameras")
    chosen, why = _chosen_faces(random, faces, division, wanted)
    order = np.lexsort((why, division.town[chosen]))
    chosen, why = chosen[order], why[order]
    places = _corners(random, faces, chosen, on.bed)
    draw = random.random(wanted)
    site = np.where(why == 1, "important_site", np.where(draw < 0.06, "sensitive_site", "ordinary_site"))
    site = np.where((why == 0) & (draw > 0.80), "important_site", site)
    source = random.choice(["public_safety", "emergency", "residential_quarter"], wanted, p=[0.55, 0.1, 0.35])
    source = np.where(why == 2, "public_safety", source)
    near_water = shapely.dwithin(shapely.points(places), on.bed, 120.0)
    source = np.where(near_water, "ecology", source)
    image = np.select([site == "important_site", site == "sensitive_site"], [6, 12], 3)
    video = np.select([site == "important_site", site == "sensitive_site"], [1, 3], 1)
    short = random.random(wanted) < 0.14
    image = np.where(short & (site != "ordinary_site"), image - random.integers(1, 3, wanted), image)
    video = np.where(short & (site == "sensitive_site"), video - 1, video)
    named = roads["road_class"] != "railway"
    nearest = shapely.STRtree(roads.geometry[named]).nearest(shapely.points(places))
    street = roads["road_name"][named][nearest]
    seen: dict[str, int] = {}
    names, ids = [], []
    for i in range(wanted):
        grid = int(division.grid[chosen[i]])
        place = str(street[i])
        if why[i] == 1:
            place = str(boundaries.grid.columns["host_units"][_row(boundaries, grid)]) + "门口"
        elif why[i] == 2:
            place = boundaries.community_names[division.community[chosen[i]]] + boundaries.hamlet_names[grid]
        seen[place] = seen.get(place, 0) + 1
        names.append(f"{place}{seen[place]}号")
        unit = f"{int(division.town[chosen[i]]) % 99 + 1:02d}"
        ids.append(f"{COUNTY_CODE}{unit}{int(why[i] > 0):02d}{_TYPES[i % 4]}6{i + 1:06d}")
    return Table(
        shapely.points(places),
        {
            "camera_code": texts(ids),
            "camera_name": texts(names),
            "camera_site_class": texts([str(s) for s in site]),
            "source_class": texts([str(s) for s in source]),
            "image_months": image.astype(np.int64),
            "video_months": video.astype(np.int64),
            "status": texts(
                [str(s) for s in random.choice(["online", "offline", "fault"], wanted, p=[0.94, 0.04, 0.02])]
            ),
            "direction": texts([_DIRECTIONS[k] for k in random.integers(0, 8, wanted)]),
        },
    )


def _row(boundaries: Boundaries, grid: int) -> int:
    """The row of a grid label in the grid table, which is sorted by code."""
    return int(np.searchsorted(boundaries.grid["grid_code"], boundaries.grid_codes[grid]))
