"""Which township, community, grid and sub-grid each face belongs to.

From the top down, every level divides the one above into connected parts, so the hierarchy is exact by construction.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.sample.blocks import Faces
from gis_server.sample.chance import stream
from gis_server.sample.divide import Graph, components, divide, inside_pairs, joined
from gis_server.sample.households import expected_households, out_of_the_water, settle
from gis_server.sample.terrain import Terrain
from gis_server.sample.villages import Country

Ints = NDArray[np.intp]
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

URBAN_GRID_HOUSEHOLDS = 450
SUB_GRID_HOUSEHOLDS = 76
RURAL_SUB_GRID_HOUSEHOLDS = 24

_BUSY_AREA = (1.3e4, 6.5e4)  # m² of a block fit for a school, hospital, mall or park


@dataclass(frozen=True, slots=True)
class Division:
    """The hierarchy: a label a face and level, and the parent of every label."""

    town: Ints  # of each face
    community: Ints  # of each face
    grid: Ints  # of each face
    sub_grid: Ints  # of each face, -1 in exclusive grids
    households: Counts  # of each face
    town_of_community: Ints
    rural_community: NDArray[np.bool_]
    community_of_grid: Ints
    exclusive: NDArray[np.bool_]  # of each grid
    hamlet_of_grid: Ints  # -1 in town
    grid_of_sub_grid: Ints


def _lands(terrain: Terrain, country: Country, faces: Faces) -> Ints:
    """The hamlet to which each face of the country belongs (-1 in town): one connected land each."""
    rural = faces.seat < 0
    x, y = faces.x[rural], faces.y[rural]
    tree = shapely.STRtree(shapely.points(country.hamlets))
    label = np.full(len(faces), -1, dtype=np.intp)
    label[rural] = tree.nearest(shapely.points(x, y))
    label[faces.hamlet >= 0] = faces.hamlet[faces.hamlet >= 0]
    members, pairs, shared = inside_pairs(rural, faces.pairs, faces.shared)
    # across the river is another hamlet's land: first every bank by itself, heavy where the houses stand
    bank = terrain.beyond_river(x, y)
    stay = bank[pairs[:, 0]] == bank[pairs[:, 1]]
    weight = faces.area[members] + np.where(faces.hamlet[members] >= 0, 1e12, 0.0)
    dry = joined(label[members], pairs[stay], shared[stay], weight)
    label[members] = joined(dry, pairs, shared, weight)
    return label


def _towns(terrain: Terrain, faces: Faces, land: Ints, country: Country) -> Ints:
    """The township of each face: whole superblocks (or blocks) and whole hamlet lands, to the nearest centre."""
    inner = min(terrain.towns, 3)
    centres = terrain.town_centres
    town = np.full(len(faces), -1, dtype=np.intp)
    urban = faces.seat >= 0
    # a small city has too few superblocks to share between its towns
    few = len(np.unique(faces.superblock[faces.seat == 0])) < 6 * inner
    street = faces.block if few else faces.superblock
    for number, own, places in ((street, urban, centres[:inner]), (land, ~urban, centres)):
        count = int(number.max()) + 1
        area = np.bincount(number[own], weights=faces.area[own], minlength=count).astype(np.float64)
        x = np.bincount(number[own], weights=(faces.area * faces.x)[own], minlength=count) / np.maximum(
            area, 1
        )
        y = np.bincount(number[own], weights=(faces.area * faces.y)[own], minlength=count) / np.maximum(
            area, 1
        )
        if own is not urban:
            x, y = country.hamlets[:count].T
        away = np.hypot(x[:, None] - places[:, 0], y[:, None] - places[:, 1])
        label = np.argmin(away, axis=1).astype(np.intp)
        if own is urban:
            seat = np.zeros(count, dtype=np.intp)
            seat[number[own]] = faces.seat[own]
            label = np.where(seat > 0, seat - 1 + inner, label)
        a, b = number[faces.pairs[:, 0]], number[faces.pairs[:, 1]]
        both = own[faces.pairs].all(axis=1) & (a != b)
        label = joined(label, np.column_stack([a, b])[both], faces.shared[both], area)
        town[own] = label[number[own]]
    return town


def _cutting_cost(terrain: Terrain, faces: Faces) -> Floats:
    """What a border between two faces costs: its metres, cheapest along the river, dearest along a lane."""
    a, b = faces.pairs.T
    rate = np.full(len(a), 1.0)
    rate[faces.block[a] == faces.block[b]] = 1.9
    rate[(faces.superblock[a] != faces.superblock[b])] = 0.6
    north, west = terrain.beyond_river(faces.x, faces.y), terrain.beyond_railway(faces.x, faces.y)
    rate[west[a] != west[b]] = 0.4
    rate[north[a] != north[b]] = 0.25
    return rate * faces.shared


@dataclass(frozen=True, slots=True)
class _Ground:
    """Some faces, and all that is needed to divide them; arrays have one entry a face but for the pairs."""

    faces: Ints  # their numbers in the city
    x: Floats
    y: Floats
    area: Floats
    households: Floats  # expected
    block: Ints
    pairs: Ints  # local numbers
    cost: Floats  # a pair

    def part(self, chosen: NDArray[np.bool_]) -> "_Ground":
        members, pairs, cost = inside_pairs(chosen, self.pairs, self.cost)
        return _Ground(
            self.faces[members],
            self.x[members],
            self.y[members],
            self.area[members],
            self.households[members],
            self.block[members],
            pairs,
            cost,
        )

    def divided(self, parts: int) -> list["_Ground"]:
        # a little weight for bare ground, so that parts without people are not cut off for nothing
        weight = self.households + 1e-7 * self.area
        label = divide(Graph(weight, self.x, self.y, self.pairs, self.cost), max(1, parts))
        return [self.part(label == k) for k in range(int(label.max()) + 1)]

    def connected(self) -> bool:
        return len(self.faces) > 0 and bool((components(len(self.faces), self.pairs) == 0).all())

    def touches(self, one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
        a, b = self.pairs.T
        return bool(((one[a] & other[b]) | (other[a] & one[b])).any())


def _exclusive_blocks(
    random: np.random.Generator, ground: _Ground, wanted: int
) -> tuple[_Ground, list[_Ground]]:
    """What is left of a community, and the blocks taken out: right in size, apart, the rest in one piece."""
    taken = np.zeros(len(ground.faces), dtype=bool)
    found: list[_Ground] = []
    blocks = np.unique(ground.block)
    for block in random.permutation(blocks):
        if len(found) == wanted:
            break
        own = ground.block == block
        if not _BUSY_AREA[0] <= ground.area[own].sum() <= _BUSY_AREA[1] or ground.touches(own, taken):
            continue
        host = ground.part(own)
        if host.connected() and ground.part(~(taken | own)).connected():
            taken |= own
            found.append(host)
    return ground.part(~taken), found


class _Plan:
    """The division while it is being made: labels are given in the order in which parts are added."""

    def __init__(self, faces: int) -> None:
        self.community, self.grid, self.sub_grid = (np.full(faces, -1, dtype=np.intp) for _ in range(3))
        self.town_of_community: list[int] = []
        self.rural_community: list[bool] = []
        self.community_of_grid: list[int] = []
        self.exclusive: list[bool] = []
        self.hamlet_of_grid: list[int] = []
        self.grid_of_sub_grid: list[int] = []

    def add_community(self, town: int, rural: bool) -> None:
        self.town_of_community.append(town)
        self.rural_community.append(rural)

    def add_grid(self, ground: _Ground, *, exclusive: bool = False, hamlet: int = -1) -> None:
        self.community[ground.faces] = len(self.town_of_community) - 1
        self.grid[ground.faces] = len(self.community_of_grid)
        if not exclusive:
            size = SUB_GRID_HOUSEHOLDS if hamlet < 0 else RURAL_SUB_GRID_HOUSEHOLDS
            for piece in ground.divided(round(float(ground.households.sum()) / size)):
                self.sub_grid[piece.faces] = len(self.grid_of_sub_grid)
                self.grid_of_sub_grid.append(len(self.community_of_grid))
        self.community_of_grid.append(len(self.town_of_community) - 1)
        self.exclusive.append(exclusive)
        self.hamlet_of_grid.append(hamlet)


@dataclass(frozen=True, slots=True)
class Shares:
    """Into how much every township is divided."""

    urban_communities: int
    villages: int
    urban_households: float
    exclusive_grids: int


@dataclass(frozen=True, slots=True)
class _Hamlets:
    of_face: Ints  # -1 in town
    places: Floats  # (n, 2)


def _divide_town(
    random: np.random.Generator, plan: _Plan, town: int, ground: _Ground, shares: Shares
) -> None:
    """Urban communities and their grids; exclusive grids go to about three communities in five."""
    count = shares.urban_communities
    holders = random.permutation(count)[: max(1, round(0.6 * count))]
    quota = np.bincount(holders[np.arange(shares.exclusive_grids) % len(holders)], minlength=count)
    for k, community in enumerate(ground.divided(count)):
        plan.add_community(town, rural=False)
        ordinary, hosts = _exclusive_blocks(random, community, int(quota[k]))
        for grid in ordinary.divided(round(float(ordinary.households.sum()) / URBAN_GRID_HOUSEHOLDS)):
            plan.add_grid(grid)
        for host in hosts:
            plan.add_grid(host, exclusive=True)


def _divide_country(plan: _Plan, town: int, ground: _Ground, hamlets: _Hamlets, villages: int) -> None:
    """Villages of neighbouring hamlets; every hamlet with its land is a grid."""
    lands, number = np.unique(hamlets.of_face[ground.faces], return_inverse=True)
    a, b = number[ground.pairs[:, 0]], number[ground.pairs[:, 1]]
    apart = a != b
    x, y = hamlets.places[lands].T
    pairs = np.column_stack([a, b])[apart]
    label = divide(Graph(np.ones(len(lands)), x, y, pairs, ground.cost[apart]), villages)
    for village in range(int(label.max()) + 1):
        plan.add_community(town, rural=True)
        for k in np.flatnonzero(label == village):
            plan.add_grid(ground.part(number == k), hamlet=int(lands[k]))


def make_division(
    seed: int, terrain: Terrain, country: Country, faces: Faces, hamlets: Counts, *, shares: Shares
) -> Division:
    """Divide the faces into townships, communities, grids and sub-grids.

    ``hamlets`` are the households of each hamlet. The urban ones come to ``shares.urban_households`` a township on
    the average; how many grids they make follows from that.
    """
    random = stream(seed, "grids")
    expected = expected_households(seed, terrain, faces, hamlets, shares.urban_households * terrain.towns)
    land = _lands(terrain, country, faces)
    town = _towns(terrain, faces, land, country)
    cost = _cutting_cost(terrain, faces)
    plan = _Plan(len(faces))
    everything = _Ground(
        np.arange(len(faces)), faces.x, faces.y, faces.area, expected, faces.block, faces.pairs, cost
    )
    for t in range(terrain.towns):
        ground = everything.part(town == t)
        urban = faces.seat[ground.faces] >= 0
        _divide_town(random, plan, t, ground.part(urban), shares)
        if not urban.all():
            rural = ground.part(~urban)
            _divide_country(plan, t, rural, _Hamlets(land, country.hamlets), shares.villages)
    community_of_grid = np.array(plan.community_of_grid, dtype=np.intp)
    grid_of_sub_grid = np.array(plan.grid_of_sub_grid, dtype=np.intp)
    rural_community = np.array(plan.rural_community)
    dry = out_of_the_water(terrain, faces, expected)
    rural_sub_grid = rural_community[community_of_grid][grid_of_sub_grid]
    return Division(
        town=town,
        community=plan.community,
        grid=plan.grid,
        sub_grid=plan.sub_grid,
        households=settle(dry, plan.sub_grid, grid_of_sub_grid, rural_sub_grid),
        town_of_community=np.array(plan.town_of_community, dtype=np.intp),
        rural_community=rural_community,
        community_of_grid=community_of_grid,
        exclusive=np.array(plan.exclusive),
        hamlet_of_grid=np.array(plan.hamlet_of_grid, dtype=np.intp),
        grid_of_sub_grid=grid_of_sub_grid,
    )
