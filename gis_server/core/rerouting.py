"""History routed again: what each past decision would be by the boundaries of its own day, compared with what it was."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gis_server.core.boundaries import Boundaries, Place
from gis_server.core.routing import NOWHERE, Floats, Match, Rows

GridPair = tuple[str | None, str | None]
"""From which grid to which, by code; None is "no grid"."""


class RerouteState(StrEnum):
    """How far a run over history is."""

    RUNNING = "running"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class PastDecisions:
    """n incidents in the order of (discovered_at, id): places in CGCS2000 degrees, and the codes last decided."""

    ids: Sequence[int]
    discovered_at: Sequence[datetime]
    lon: Floats
    lat: Floats
    grid_codes: Sequence[str | None]
    sub_grid_codes: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Correction:
    """A decision that would be another one now, with the place it would have."""

    incident_id: int
    from_grid_code: str | None
    to_grid_code: str | None
    to_sub_grid_code: str | None
    to_grid_id: int | None
    grid_generation_id: int
    match: Match
    distance_m: float | None
    area_path: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """What was found so far: incidents looked at, those of another grid by pair, and those of another sub-grid only."""

    done: int = 0
    pairs: Counter[GridPair] = field(default_factory=Counter)
    only_sub_grid: int = 0

    @property
    def changed(self) -> int:
        """Incidents of another grid."""
        return sum(self.pairs.values())

    def most_first(self) -> list[tuple[GridPair, int]]:
        """The pairs, most incidents first."""
        return sorted(self.pairs.items(), key=lambda item: (-item[1], item[0][0] or "", item[0][1] or ""))


Cursor = tuple[datetime, int]
"""discovered_at and id of the last incident that is done."""


@dataclass(frozen=True, slots=True)
class Reroute:
    """One run; ``cursor`` is None before its first page."""

    id: int
    state: RerouteState
    started_at: datetime
    updated_at: datetime
    who: str
    reason: str | None
    dry_run: bool
    since: datetime | None
    generation_id: int | None
    total: int
    tally: Tally
    cursor: Cursor | None


def reroute(
    past: PastDecisions,
    boundaries: Boundaries,
    tally: Tally,
    start: int = 0,
    end: int | None = None,
    *,
    naming: bool = True,
) -> list[Correction]:
    """Route the incidents ``start`` to ``end`` by ``boundaries`` and count them in ``tally``.

    With ``naming`` those that differ in grid or sub-grid are answered, each with the place it would have.
    """
    lon, lat = past.lon[start:end], past.lat[start:end]
    found = boundaries.index.route_all(lon, lat)
    codes = _named(boundaries.index.cover.codes, found.ranks)
    sub_codes = _named(boundaries.index.sub_codes, found.sub_ranks)
    was, sub_was = _column(past.grid_codes[start:end]), _column(past.sub_grid_codes[start:end])
    other = codes != was
    differs = np.flatnonzero(other | (sub_codes != sub_was))
    tally.done += len(lon)
    tally.only_sub_grid += len(differs) - int(other.sum())
    tally.pairs.update(zip(was[other].tolist(), codes[other].tolist(), strict=True))
    if not naming:
        return []
    places = boundaries.route_all(lon[differs], lat[differs])
    return [
        Correction(
            incident_id=past.ids[start + at],
            from_grid_code=was[at],
            to_grid_code=place.routed.grid_code,
            to_sub_grid_code=place.routed.sub_grid_code,
            to_grid_id=place.grid_id,
            grid_generation_id=boundaries.generations["grid"],
            match=place.routed.match,
            distance_m=place.routed.distance_m,
            area_path=place.area_path,
        )
        for at, place in zip(differs.tolist(), places, strict=True)
        if isinstance(place, Place)  # what is kept was a place once
    ]


def _column(values: Sequence[str | None]) -> NDArray[np.object_]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _named(codes: Sequence[str], ranks: Rows) -> NDArray[np.object_]:
    names = np.array([*codes, None], dtype=object)  # NOWHERE is the last
    found: NDArray[np.object_] = names[np.where(ranks == NOWHERE, len(codes), ranks)]
    return found


def pairs_json(tally: Tally) -> list[dict[str, object]]:
    """The pairs as JSON keeps them, most first."""
    return [{"from": pair[0], "to": pair[1], "count": count} for pair, count in tally.most_first()]


def tally_of(done: int, only_sub_grid: int, pairs: Sequence[Mapping[str, object]]) -> Tally:
    """The tally behind a kept row."""
    counted: Counter[GridPair] = Counter()
    for pair in pairs:
        counted[(_code(pair["from"]), _code(pair["to"]))] = int(str(pair["count"]))
    return Tally(done, counted, only_sub_grid)


def _code(value: object) -> str | None:
    return None if value is None else str(value)
