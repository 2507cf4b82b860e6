"""How many households live where: dense in the middle of a town, about fifty in a hamlet."""

from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.sample.blocks import Faces, expected_density
from gis_server.sample.chance import stream
from gis_server.sample.terrain import Terrain, river_bed

Ints = NDArray[np.intp]
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

URBAN_GRID = (382, 518)
"""Households of an urban grid, least and most."""

URBAN_SUB_GRID = (52, 98)
RURAL_SUB_GRID_LEAST = 14

_LEAST_AREA = 400.0  # m²; nobody lives on a smaller scrap of ground


def hamlet_households(seed: int, hamlets: int) -> Counts:
    """Households of each hamlet: about 50, some clearly smaller or larger."""
    drawn = stream(seed, "hamlets").normal(50.0, 7.0, hamlets)
    return np.clip(np.rint(drawn), 34, 66).astype(np.int64)


def expected_households(
    seed: int, terrain: Terrain, faces: Faces, hamlets: Counts, urban_total: float
) -> Floats:
    """Households of each face as a real number; the towns together come to ``urban_total``."""
    random = stream(seed, "households")
    households = expected_density(terrain, faces.x, faces.y) * faces.area / 1e4
    by_superblock = random.lognormal(0.0, 0.22, int(faces.superblock.max()) + 2)
    by_block = random.lognormal(0.0, 0.25, int(faces.block.max()) + 2)
    households *= by_superblock[faces.superblock] * by_block[faces.block]
    households[faces.area < _LEAST_AREA] = 0.0
    if households.sum() > 0:
        households *= urban_total / households.sum()
    lived = (faces.hamlet >= 0) & (faces.area >= _LEAST_AREA)
    ground = np.bincount(faces.hamlet[lived], weights=faces.area[lived], minlength=len(hamlets))
    share = faces.area[lived] / ground[faces.hamlet[lived]] * random.uniform(0.8, 1.2, int(lived.sum()))
    households[lived] = share * hamlets[faces.hamlet[lived]]
    return households


def out_of_the_water(terrain: Terrain, faces: Faces, households: Floats) -> Floats:
    """The households of each face left when nobody lives in the river's bed."""
    bed = river_bed(terrain)
    shapely.prepare(bed)
    wet = np.flatnonzero(shapely.intersects(bed, faces.polygons))
    dry = shapely.area(shapely.difference(faces.polygons[wet], bed))
    left = households.copy()
    left[wet] *= np.where(dry < _LEAST_AREA, 0.0, dry / faces.area[wet])
    return left


def shared_out(total: int, weights: Floats) -> Counts:
    """``total`` split into whole numbers in proportion to ``weights`` (largest remainders first)."""
    if weights.sum() <= 0:
        weights = np.ones(len(weights))
    exact = weights * (total / weights.sum())
    whole: Counts = np.floor(exact).astype(np.int64)
    rest = total - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:rest]] += 1
    return whole


def settle(expected: Floats, sub_grid: Ints, grid_of: Ints, rural: NDArray[np.bool_]) -> Counts:
    """Whole households a face, such that every sub-grid and urban grid has a size of the profile.

    ``sub_grid`` is the sub-grid of each face (-1: nobody lives there), ``grid_of`` the grid of each sub-grid, rising,
    and ``rural`` whether that grid is. Chance made the numbers, so a few households more or fewer falsify nothing.
    """
    count = len(grid_of)
    lived = sub_grid >= 0
    sums = np.bincount(sub_grid[lived], weights=expected[lived], minlength=count)
    low = np.where(rural, RURAL_SUB_GRID_LEAST, URBAN_SUB_GRID[0])
    size = np.clip(np.rint(sums), low, URBAN_SUB_GRID[1]).astype(np.int64)
    # the sub-grids of a grid follow one another
    first = np.flatnonzero(np.diff(grid_of, prepend=-1))
    for start, stop in pairwise([*first, count]):
        own = slice(start, stop)
        if rural[start]:
            continue
        while size[own].sum() > URBAN_GRID[1]:
            size[start + np.argmax(size[own])] -= 1
        while size[own].sum() < URBAN_GRID[0] and size[own].min() < URBAN_SUB_GRID[1]:
            size[start + np.argmin(size[own])] += 1
    households = np.zeros(len(expected), dtype=np.int64)
    order = np.argsort(sub_grid, kind="stable")
    starts = np.searchsorted(sub_grid[order], np.arange(count + 1))
    for i, (start, stop) in enumerate(pairwise(starts)):
        faces = order[start:stop]
        households[faces] = shared_out(int(size[i]), expected[faces])
    return households
