"""The sample city: everything a grid service keeps about a county, made up from a seed.

``make_city(seed, towns)`` returns plain tables in the metric CRS. The same arguments give the same city to the bit,
on any machine with the same GEOS.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from gis_server.sample.addresses import make_addresses
from gis_server.sample.blocks import Faces, make_faces
from gis_server.sample.boundaries import make_boundaries
from gis_server.sample.buildings import make_buildings
from gis_server.sample.cameras import make_cameras
from gis_server.sample.grids import URBAN_GRID_HOUSEHOLDS, Division, Shares, make_division
from gis_server.sample.households import hamlet_households
from gis_server.sample.incidents import make_incidents
from gis_server.sample.reference import make_roads, make_water
from gis_server.sample.roster import Row, make_roster
from gis_server.sample.settled import Settled
from gis_server.sample.streets import arterials, superblocks
from gis_server.sample.tables import Table
from gis_server.sample.terrain import AREA_PER_TOWN, CRS, make_terrain, river_bed
from gis_server.sample.villages import make_country

__all__ = ["CHINA_TIME", "LAYERS", "City", "Table", "make_city"]

CHINA_TIME = timezone(timedelta(hours=8))

LAYERS = ("area", "grid", "sub_grid", "address", "camera", "road", "water", "building", "incident")
"""Layers of the city in the order in which they are imported: parents first."""

DEFAULT_SEED = 12
"""The seed of the committed city: 200 grids, two of them with a hole."""

URBAN_AREA_PER_GRID = 13.4e4
"""Square metres of built-up ground for each urban grid, streets and exclusive grids included."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class City:
    """A county with its townships, communities, grids, sub-grids and what stands and happens in them."""

    seed: int
    crs: str  # metric, see terrain.CRS
    tables: Mapping[str, Table]  # by layer name
    faces: Faces  # the smallest pieces of ground, for whoever wants to build other divisions
    division: Division
    roster: Sequence[Row]  # by field of core.roster_file

    def __getitem__(self, layer: str) -> Table:
        return self.tables[layer]


def make_city(
    seed: int = DEFAULT_SEED,
    towns: int = 3,
    communities_per_town: int = 8,
    grids_per_community: float = 9.0,
    *,
    cameras: int | None = None,
    incidents: int | None = None,
    per_household: bool = False,
    until: datetime | None = None,
    progress: Progress | None = None,
) -> City:
    """Make a city of ``towns`` townships.

    Of a township's communities about three in eight are villages, fewer where a township has no room for them. ``grids_per_community`` is the mean of the urban
    ones. Cameras and incidents default to 500 and 2,000 for three townships; incidents fill the 90 days before ``until``
    (an aware time, default 1 November 2026). ``per_household`` gives one address a household instead of one a
    stairwell, as for benchmarks. ``progress`` is called with steps done and all steps.
    """
    if towns < 1 or communities_per_town < 2 or grids_per_community < 1:
        raise ValueError("a city has at least 1 town, 2 communities a town and 1 grid a community")
    steps = 9

    def done(step: int) -> None:
        if progress is not None:
            progress(step, steps)

    villages = max(1, int(communities_per_town * 3 / 8))
    urban = communities_per_town - villages
    hamlets_per_town = max(1, round(villages * grids_per_community * 0.63))
    urban_grids = urban * grids_per_community
    size = communities_per_town * grids_per_community / 72.0  # of a township, beside the usual one
    terrain = make_terrain(seed, towns, urban_grids * URBAN_AREA_PER_GRID, AREA_PER_TOWN * size)
    main_roads = [road for i, seat in enumerate(terrain.seats) for road in arterials(seed, i, seat)]
    supers = superblocks(terrain, main_roads)
    done(1)
    hamlets = hamlet_households(seed, hamlets_per_town * towns)
    country = make_country(seed, terrain, hamlets)
    hamlets = hamlets[: len(country.hamlets)]
    done(2)
    faces, streets = make_faces(seed, terrain, country, main_roads, supers)
    done(3)
    division = make_division(
        seed,
        terrain,
        country,
        faces,
        hamlets,
        shares=Shares(urban, villages, urban_grids * URBAN_GRID_HOUSEHOLDS, max(1, round(urban_grids / 9))),
    )
    done(4)
    boundaries = make_boundaries(seed, faces, division)
    done(5)
    roads = make_roads(seed, terrain, country, main_roads, streets)
    bed = river_bed(terrain)
    on = Settled(seed, faces, division, boundaries, roads, bed)
    places = make_addresses(on, per_household)
    done(6)
    shots = make_cameras(on, cameras if cameras is not None else round(500 * towns / 3))
    done(7)
    end = until if until is not None else datetime(2026, 11, 1, tzinfo=CHINA_TIME)
    events = make_incidents(on, places, incidents if incidents is not None else round(2000 * towns / 3), end)
    done(8)
    water = make_water(seed, terrain, country, bed)
    done(9)
    tables = {
        "area": boundaries.area,
        "grid": boundaries.grid,
        "sub_grid": boundaries.sub_grid,
        "address": places.table,
        "camera": shots,
        "road": roads,
        "water": water,
        "building": make_buildings(on, places),
        "incident": events,
    }
    roster = make_roster(seed, boundaries.area, boundaries.grid)
    return City(seed, CRS, tables, faces, division, roster)
