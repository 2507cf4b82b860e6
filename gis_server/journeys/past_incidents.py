"""Taking over incidents of the past: each is routed by the boundaries and the roster of its day, or by the first there were."""

from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime

import shapely
from sqlalchemy import Connection

from gis_server.core.access import Actor
from gis_server.core.boundaries import too_far
from gis_server.core.datum import Datum
from gis_server.core.decision import Asked, Decision, Ground, decide, route
from gis_server.core.features import FeatureTable
from gis_server.core.incident import SETTLED
from gis_server.core.message import msg
from gis_server.journeys.context import Context
from gis_server.journeys.ground import ground_at
from gis_server.journeys.staging import Reasons, reject, row_message
from gis_server.store import past_incidents
from gis_server.store.copying import Constant, Json, Values

Count = Callable[[int, int], None]

_FROM_FILE = ("number", "item", "description", "source", "state", "discovered_at", "accuracy_m")


def add(
    ctx: Context, conn: Connection, actor: Actor, table: FeatureTable, *, now: datetime, progress: Count
) -> FeatureTable:
    """Route and add the rows of a table of layer ``incident`` in the caller's transaction; what was added.

    A number that is known already, a time to come, and a place far from every grid are row problems.
    """
    table = _without_known(conn, table, now)
    routing = _Routing(ctx, conn, now)
    decisions: list[Decision] = []
    astray: Reasons = {}
    lon, lat = shapely.get_x(table.geometry).tolist(), shapely.get_y(table.geometry).tolist()
    for at, discovered in enumerate(table.columns["discovered_at"].tolist()):
        decision = routing.decide(lon[at], lat[at], table.columns["accuracy_m"][at], discovered)
        if (reason := too_far(decision.place)) is not None:
            astray[at] = (None, row_message(table, at, reason))
        decisions.append(decision)
        if at % 200 == 0:
            progress(at, len(lon))
    kept = reject(table, astray)
    columns = _columns(kept, [one for at, one in enumerate(decisions) if at not in astray])
    numbers = kept.columns["number"].tolist()
    past_incidents.add_past(conn, columns, numbers, actor=actor.name, account_id=actor.account_id)
    progress(len(numbers), len(numbers))
    return kept


def _without_known(conn: Connection, table: FeatureTable, now: datetime) -> FeatureTable:
    numbers = table.columns["number"].tolist()
    known = past_incidents.known_numbers(conn, numbers)
    reasons: Reasons = {
        at: ("number", row_message(table, at, msg("事件编号 {number} 已经有了", number=number)))
        for at, number in enumerate(numbers)
        if number in known
    }
    times = zip(table.columns["discovered_at"].tolist(), table.columns["completed_at"].tolist(), strict=True)
    for at, (discovered, completed) in enumerate(times):
        if discovered > now:
            reasons[at] = ("discovered_at", row_message(table, at, msg("发现时间晚于现在")))
        elif completed is not None and not discovered <= completed <= now:
            reasons[at] = ("completed_at", row_message(table, at, msg("办结时间早于发现时间或晚于现在")))
    return reject(table, reasons)


class _Routing:
    """What decided on each day, asked of the database once for each span without a publication."""

    def __init__(self, ctx: Context, conn: Connection, now: datetime) -> None:
        self._ctx = ctx
        self._conn = conn
        self._starts = past_incidents.boundary_days(conn) or [now]
        self._found: dict[int, Ground] = {}

    def decide(self, lon: float, lat: float, accuracy_m: float | None, discovered: datetime) -> Decision:
        span = max(bisect_right(self._starts, discovered) - 1, 0)
        # before the first boundaries there were, those count, with the people who were in post then
        at = max(discovered, self._starts[span])
        if span not in self._found:
            self._found[span] = ground_at(self._ctx, self._conn, self._starts[span])
        ground = self._found[span]
        asked = Asked(lon, lat, Datum.CGCS2000, accuracy_m, at)
        return decide(asked, route(asked, ground.boundaries), ground)


def _columns(table: FeatureTable, decisions: list[Decision]) -> dict[str, Values]:
    given = table.columns
    times = zip(given["recorded_at"].tolist(), given["discovered_at"].tolist(), strict=True)
    places = [decision.place for decision in decisions]
    routed = [place.routed for place in places]
    columns: dict[str, Values] = {name: given[name] for name in _FROM_FILE}
    ended = zip(given["completed_at"].tolist(), given["state"].tolist(), strict=True)
    derived: dict[str, Values] = {
        # of a matter that was taken up again an old list may still tell the first end
        "completed_at": [completed if state in SETTLED else None for completed, state in ended],
        "recorded_at": [recorded or discovered for recorded, discovered in times],
        "is_urgent": [bool(value) for value in given["is_urgent"].tolist()],
        "match": [str(one.match) for one in routed],
        "distance_m": [one.distance_m for one in routed],
        "candidates": [
            Json([{"grid_code": c.grid_code, "share": c.share} for c in one.candidates]) for one in routed
        ],
        "grid_id": [place.grid_id for place in places],
        "grid_generation_id": [
            None if one.place.grid_id is None else one.generations["grid"] for one in decisions
        ],
        "grid_code": [one.grid_code for one in routed],
        "sub_grid_code": [one.sub_grid_code for one in routed],
        "area_path": [list(place.area_path) for place in places],
        "responsible": [dict(one.responsible) for one in decisions],
        "decision": [one.record for one in decisions],
    }
    return {**columns, **derived, "datum": Constant(Datum.CGCS2000.value), "geom": table.geometry}
