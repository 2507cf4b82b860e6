"""The tree of administrative areas: who lies in whom, from stated codes and, where none is stated, from the map."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.routing import NOWHERE, Cover

LEVELS = ("county", "township", "community")
"""Admin levels, highest first."""

Texts = NDArray[np.object_]


def complete_parents(
    codes: Texts, levels: Texts, parents: Texts, geometries: NDArray[np.object_]
) -> tuple[Texts, NDArray[np.bool_]]:
    """Parent code of each area, and which of them had to be found on the map.

    A stated code stays; an area below the county without one gets the area of the level above that holds its inner
    point, or None where none does. All arrays have one entry an area.
    """
    complete = parents.copy()
    found = np.zeros(len(codes), bool)
    for above, below in pairwise(LEVELS):
        rows = np.flatnonzero((levels == below) & (parents == np.array(None)))
        upper = np.flatnonzero(levels == above)
        if not len(rows) or not len(upper):
            continue
        cover = Cover(list(codes[upper]), geometries[upper])
        inner = shapely.point_on_surface(geometries[rows])
        for row, rank in zip(
            rows, cover.find_all(shapely.get_x(inner), shapely.get_y(inner)).tolist(), strict=True
        ):
            if rank != NOWHERE:
                complete[row], found[row] = cover.codes[rank], True
    return complete, found


def area_paths(codes: Sequence[str], parents: Sequence[str | None]) -> list[tuple[str, ...]]:
    """For each area the codes from the top down to itself.

    A parent that is not among ``codes`` ends the path, and so does a circle.
    """
    parent_of = dict(zip(codes, parents, strict=True))
    paths: list[tuple[str, ...]] = []
    for code in codes:
        path = [code]
        while (above := parent_of.get(path[-1])) in parent_of and above not in path:
            assert above is not None  # noqa: S101  (no area has the code None)
            path.append(above)
        paths.append(tuple(reversed(path)))
    return paths
