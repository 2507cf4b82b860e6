"""Areas, grids and sub-grids as polygons with their names and codes.

Codes follow heilongjiang 6.4: 6 digits county, 3 township, 3 community, 3 grid; in each community the grids count from
001 without gaps, ordinary ones first, exclusive ones after them.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.sample.blocks import Faces
from gis_server.sample.chance import stream
from gis_server.sample.grids import Division
from gis_server.sample.names import (
    COUNTY,
    COUNTY_CODE,
    HOSTS,
    community_names,
    numeral,
    town_names,
    village_names,
)
from gis_server.sample.tables import Table, texts

Ints = NDArray[np.intp]

_FIRST_TOWN_CODE = 101  # 镇 count from 101, subdistricts (街道) from 001
_FIRST_VILLAGE_CODE = 200  # residents' committees count from 001, villagers' committees from 200


@dataclass(frozen=True, slots=True)
class Boundaries:
    """The tables of the three boundary layers, and the texts and codes by which others refer to them."""

    area: Table
    grid: Table
    sub_grid: Table
    town_names: tuple[str, ...]
    community_names: tuple[str, ...]
    hamlet_names: dict[int, str]  # by grid label
    grid_codes: NDArray[np.object_]  # by grid label of the division
    sub_grid_codes: NDArray[np.object_]  # by sub-grid label


def united(faces: Faces, labels: Ints, count: int) -> NDArray[np.object_]:
    """The union of the faces of every label 0 … count - 1, exact: vertices are the faces' own."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(count + 1))
    shapes = [shapely.coverage_union_all(faces.polygons[order[a:b]]) for a, b in pairwise(starts)]
    column: NDArray[np.object_] = shapely.normalize(np.array(shapes, dtype=object))
    return column


def _sums(labels: Ints, values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    known = labels >= 0
    return np.bincount(labels[known], weights=values[known], minlength=count).astype(np.int64)


def _reading_order(shapes: NDArray[np.object_], members: Ints) -> Ints:
    """The members from north to south in bands, west to east in each: how people number grids on a map."""
    centre = shapely.centroid(shapes[members])
    x, y = shapely.get_x(centre), shapely.get_y(centre)
    band = max(400.0, float(np.ptp(y)) / max(1.0, np.sqrt(len(members))))
    return members[np.lexsort((x, np.floor((y.max() - y) / band)))]


def _areas(seed: int, faces: Faces, division: Division) -> tuple[Table, list[str], list[str], list[str]]:
    random = stream(seed, "names")
    towns = int(division.town.max()) + 1
    communities = len(division.town_of_community)
    shape = {
        "township": united(faces, division.town, towns),
        "community": united(faces, division.community, communities),
    }
    inner = min(towns, 3)
    fresh_town, fresh_community, fresh_village = (
        town_names(random),
        community_names(random),
        village_names(random),
    )
    town_code, town_name = [], []
    for t in range(towns):
        # the first of the three that share the city is a subdistrict, the others are towns
        code = 1 if t == 0 and inner > 1 else _FIRST_TOWN_CODE + t - (1 if inner > 1 else 0)
        town_code.append(f"{COUNTY_CODE}{code:03d}")
        town_name.append(next(fresh_town) + ("街道" if code < _FIRST_TOWN_CODE else "镇"))
    community_code = [""] * communities
    community_name = [""] * communities
    for t in range(towns):
        for rural, first in ((False, 1), (True, _FIRST_VILLAGE_CODE)):
            own = np.flatnonzero((division.town_of_community == t) & (division.rural_community == rural))
            if not len(own):
                continue
            for k, c in enumerate(_reading_order(shape["community"], own)):
                community_code[c] = f"{town_code[t]}{first + k:03d}"
                community_name[c] = next(fresh_village) + "村" if rural else next(fresh_community) + "社区"
    county = shapely.normalize(shapely.coverage_union_all(shape["township"]))
    order = np.argsort(community_code)
    geometry = np.concatenate(
        [np.array([county], dtype=object), shape["township"], shape["community"][order]]
    )
    kinds = ["administrative_village" if division.rural_community[c] else "urban_community" for c in order]
    table = Table(
        geometry,
        {
            "area_code": texts([COUNTY_CODE, *town_code, *(community_code[c] for c in order)]),
            "area_name": texts([COUNTY, *town_name, *(community_name[c] for c in order)]),
            "admin_level": texts(["county"] + ["township"] * towns + ["community"] * communities),
            "parent_code": texts([None, *[COUNTY_CODE] * towns, *(community_code[c][:9] for c in order)]),
            "community_type": texts([None] * (towns + 1) + kinds),
        },
    )
    return table, town_name, community_name, community_code


def make_boundaries(seed: int, faces: Faces, division: Division) -> Boundaries:
    """Dissolve the faces level by level and give every polygon its name and code."""
    area, town_name, community_name, community_code = _areas(seed, faces, division)
    random = stream(seed, "grid names")
    hosts, hamlets = community_names(random), village_names(random)
    count = len(division.community_of_grid)
    shapes = united(faces, division.grid, count)
    households = _sums(division.grid, division.households, count)
    people = np.where(households > 0, np.rint(households * random.uniform(2.2, 2.6, count)), 0).astype(
        np.int64
    )
    codes, names = texts([""] * count), texts([""] * count)
    host: list[str | None] = [None] * count
    department: list[str | None] = [None] * count
    hamlet_names: dict[int, str] = {}
    schools: dict[int, int] = {}
    number = 0
    for c in np.argsort(community_code):
        own = np.flatnonzero(division.community_of_grid == c)
        sequence = 0
        for special in (False, True):
            members = own[division.exclusive[own] == special]
            if not len(members):
                continue
            for g in _reading_order(shapes, members):
                sequence += 1
                codes[g] = f"{community_code[c]}{sequence:03d}"
                if special:
                    kind = number % len(HOSTS)
                    schools[kind] = schools.get(kind, 0) + 1
                    number += 1
                    title, department[g] = HOSTS[kind]
                    host[g] = COUNTY + title.format(n=numeral(schools[kind]), name=next(hosts))
                    names[g] = f"{host[g]}专属网格"
                elif division.rural_community[c]:
                    hamlet_names[int(g)] = next(hamlets) + "屯"
                    names[g] = f"{community_name[c]}{hamlet_names[int(g)]}网格"
                else:
                    names[g] = f"{community_name[c]}第{numeral(sequence)}网格"
    order = np.argsort(codes)
    rural = division.rural_community[division.community_of_grid]
    grid = Table(
        shapes[order],
        {
            "grid_code": codes[order],
            "grid_name": names[order],
            "community_code": texts([community_code[c] for c in division.community_of_grid[order]]),
            "grid_kind": texts(
                ["exclusive_grid" if e else "resident_grid" for e in division.exclusive[order]]
            ),
            "settlement_class": texts(["rural" if r else "urban_community" for r in rural[order]]),
            "resident_households": households[order],
            "actual_population": people[order],
            "host_units": texts([host[g] for g in order]),
            "managing_department": texts([department[g] for g in order]),
        },
    )
    sub_grid, sub_codes = _sub_grids(faces, division, codes, names)
    return Boundaries(
        area,
        grid,
        sub_grid,
        tuple(town_name),
        tuple(community_name),
        hamlet_names,
        codes,
        sub_codes,
    )


def _sub_grids(
    faces: Faces, division: Division, codes: NDArray[np.object_], names: NDArray[np.object_]
) -> tuple[Table, NDArray[np.object_]]:
    count = len(division.grid_of_sub_grid)
    shapes = united(faces, division.sub_grid, count)
    sub_codes, sub_names = texts([""] * count), texts([""] * count)
    first = np.flatnonzero(np.diff(division.grid_of_sub_grid, prepend=-1))
    for start, stop in pairwise([*first, count]):
        g, own = division.grid_of_sub_grid[start], np.arange(start, stop)
        for k, s in enumerate(_reading_order(shapes, own), start=1):
            sub_codes[s] = f"{codes[g]}-{k:02d}"
            sub_names[s] = f"{names[g]}第{numeral(k)}子网格"
    order = np.argsort(sub_codes)
    table = Table(
        shapes[order],
        {
            "sub_grid_code": sub_codes[order],
            "sub_grid_name": sub_names[order],
            "grid_code": codes[division.grid_of_sub_grid[order]],
            "subdivision_kind": texts(["sub_grid"] * count),
            "resident_households": _sums(division.sub_grid, division.households, count)[order],
        },
    )
    return table, sub_codes
