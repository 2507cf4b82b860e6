"""Which incidents another division of the ground would send to another grid."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis_server.core.boundaries import Boundaries
from gis_server.core.routing import NOWHERE, Floats


@dataclass(frozen=True, slots=True)
class GridName:
    """A grid as people speak of it; both None for "no grid"."""

    code: str | None
    name: str | None


NO_GRID = GridName(None, None)


@dataclass(frozen=True, slots=True)
class Spot:
    """An incident and its place (CGCS2000 degrees)."""

    id: int
    number: str
    lon: float
    lat: float
    state: str
    is_urgent: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """An incident whose place would have another grid."""

    spot: Spot
    before: GridName
    after: GridName


@dataclass(frozen=True, slots=True)
class Pair:
    """How many incidents would go from one grid to another."""

    before: GridName
    after: GridName
    count: int


@dataclass(frozen=True, slots=True)
class Moves:
    """What a change of boundaries would do to ``asked`` incidents: those that move, and the counts by pair of grids, most first."""

    asked: int
    moved: tuple[Moved, ...]
    pairs: tuple[Pair, ...]


def moves(spots: Sequence[Spot], before: Boundaries | None, after: Boundaries) -> Moves:
    """Route every spot by both divisions; a grid that only changes its code moves its incidents, too.

    ``before`` None is a deployment without grids.
    """
    lon = np.array([spot.lon for spot in spots], dtype=np.float64)
    lat = np.array([spot.lat for spot in spots], dtype=np.float64)
    old = np.full(len(spots), None, dtype=object) if before is None else codes_of(before, lon, lat)
    new = codes_of(after, lon, lat)
    names, new_names = _names(before), _names(after)
    moved = tuple(
        Moved(spots[at], _grid(old[at], names), _grid(new[at], new_names))
        for at in np.flatnonzero(old != new).tolist()
    )
    counted = Counter((one.before, one.after) for one in moved)
    ordered = sorted(
        counted.items(), key=lambda item: (-item[1], item[0][0].code or "", item[0][1].code or "")
    )
    return Moves(len(spots), moved, tuple(Pair(one, other, count) for (one, other), count in ordered))


def codes_of(boundaries: Boundaries, lon: Floats, lat: Floats) -> NDArray[np.object_]:
    """The grid codes of n places (n,), None for no grid: what ``Boundaries.route`` answers to each."""
    ranks = boundaries.index.route_all(lon, lat).ranks
    codes = np.array([*boundaries.index.cover.codes, None], dtype=object)  # NOWHERE is the last
    found: NDArray[np.object_] = codes[np.where(ranks == NOWHERE, len(codes) - 1, ranks)]
    return found


def _names(boundaries: Boundaries | None) -> dict[str, str]:
    return (
        {} if boundaries is None else dict(zip(boundaries.grids.codes, boundaries.grids.names, strict=True))
    )


def _grid(code: str | None, names: dict[str, str]) -> GridName:
    return NO_GRID if code is None else GridName(code, names.get(code))
