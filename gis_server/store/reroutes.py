"""Runs over history: where each stands, the past decisions page by page, and the corrections found."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, and_, func, insert, or_, select, text, update

from gis_server.core.access import Actor
from gis_server.core.rerouting import (
    Correction,
    Cursor,
    PastDecisions,
    Reroute,
    RerouteState,
    pairs_json,
    tally_of,
)
from gis_server.store.copying import Constant, Values, copy_rows
from gis_server.store.schema import correction, incident, reroute

# one number for "somebody routes history again"; any constant will do that no other program uses on this database
_LOCK = 7_424_492


@contextmanager
def only_one(engine: Engine) -> Iterator[bool]:
    """Whether this is the only run at work, held as long as the block lasts; the lock ends with its process, however that dies."""
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        connection.detach()
        yield bool(connection.execute(select(func.pg_try_advisory_lock(_LOCK))).scalar_one())
    finally:
        connection.close()


def is_at_work(conn: Connection) -> bool:
    """Whether somebody routes history just now."""
    held = text(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = :lock)"
    )
    return bool(conn.execute(held, {"lock": _LOCK}).scalar_one())


def unfinished(
    conn: Connection, *, since: datetime | None, dry_run: bool, generation_id: int | None
) -> Reroute | None:
    """The newest run of this kind that was cut off; None if there is none."""
    query = (
        select(reroute)
        .where(
            reroute.c.state == RerouteState.RUNNING,
            reroute.c.dry_run.is_(dry_run),
            reroute.c.since.is_not_distinct_from(since),
            reroute.c.generation_id.is_not_distinct_from(generation_id),
        )
        .order_by(reroute.c.id.desc())
        .limit(1)
    )
    row = conn.execute(query).one_or_none()
    return None if row is None else _reroute(row)


def begin(
    conn: Connection,
    actor: Actor,
    *,
    since: datetime | None,
    dry_run: bool,
    generation_id: int | None,
    reason: str | None,
    now: datetime,
) -> Reroute:
    """A new run over all incidents recorded before ``now`` (and discovered from ``since`` on)."""
    total = conn.execute(select(func.count()).select_from(incident).where(*_wanted(since, now))).scalar_one()
    row = conn.execute(
        insert(reroute)
        .values(
            state=RerouteState.RUNNING.value,
            started_at=now,
            updated_at=now,
            who=actor.name,
            account_id=actor.account_id,
            reason=reason,
            dry_run=dry_run,
            since=since,
            generation_id=generation_id,
            total=total,
        )
        .returning(reroute)
    ).one()
    return _reroute(row)


def one(conn: Connection, reroute_id: int) -> Reroute | None:
    """A run by its id; None if there is none."""
    row = conn.execute(select(reroute).where(reroute.c.id == reroute_id)).one_or_none()
    return None if row is None else _reroute(row)


def advance(
    conn: Connection, run: Reroute, cursor: Cursor | None, now: datetime, *, is_finished: bool
) -> None:
    """Keep how far a run is, with its tally."""
    last_discovered_at, last_id = cursor or (None, None)
    conn.execute(
        update(reroute)
        .where(reroute.c.id == run.id)
        .values(
            state=(RerouteState.FINISHED if is_finished else RerouteState.RUNNING).value,
            updated_at=now,
            done=run.tally.done,
            only_sub_grid=run.tally.only_sub_grid,
            pairs=pairs_json(run.tally),
            last_discovered_at=last_discovered_at,
            last_id=last_id,
        )
    )


def page(conn: Connection, run: Reroute, after: Cursor | None, limit: int) -> PastDecisions:
    """The next incidents of a run with what was last decided of each: its own decision, or the newest correction of it."""
    latest = (
        select(correction.c.id, correction.c.to_grid_code, correction.c.to_sub_grid_code)
        .where(correction.c.incident_id == incident.c.id)
        # not by id: that would tempt the planner to walk all corrections backwards for each incident
        .order_by(correction.c.reroute_id.desc())
        .limit(1)
        .lateral("latest")
    )
    query = (
        select(
            incident.c.id,
            incident.c.discovered_at,
            func.ST_X(incident.c.geom),
            func.ST_Y(incident.c.geom),
            incident.c.grid_code,
            incident.c.sub_grid_code,
            latest.c.id,
            latest.c.to_grid_code,
            latest.c.to_sub_grid_code,
        )
        .select_from(incident.outerjoin(latest, text("true")))
        .where(*_wanted(run.since, run.started_at))
        .order_by(incident.c.discovered_at, incident.c.id)
        .limit(limit)
    )
    if after is not None:
        at, last = after
        query = query.where(
            incident.c.discovered_at >= at, or_(incident.c.discovered_at > at, and_(incident.c.id > last))
        )
    rows = conn.execute(query).all()
    return PastDecisions(
        ids=[row[0] for row in rows],
        discovered_at=[row[1] for row in rows],
        lon=np.array([row[2] for row in rows], dtype=np.float64),
        lat=np.array([row[3] for row in rows], dtype=np.float64),
        grid_codes=[row[4] if row[6] is None else row[7] for row in rows],
        sub_grid_codes=[row[5] if row[6] is None else row[8] for row in rows],
    )


def correct(conn: Connection, run: Reroute, corrections: Sequence[Correction], now: datetime) -> None:
    """Append corrections; the decisions themselves stay as they are."""
    columns: dict[str, Values] = {
        "reroute_id": Constant(run.id),
        "at": Constant(now),
        "incident_id": [found.incident_id for found in corrections],
        "from_grid_code": [found.from_grid_code for found in corrections],
        "to_grid_code": [found.to_grid_code for found in corrections],
        "to_sub_grid_code": [found.to_sub_grid_code for found in corrections],
        "to_grid_id": [found.to_grid_id for found in corrections],
        "grid_generation_id": [found.grid_generation_id for found in corrections],
        "match": [found.match.value for found in corrections],
        "distance_m": [found.distance_m for found in corrections],
        "area_path": [list(found.area_path) for found in corrections],
    }
    copy_rows(conn, correction.name, columns, len(corrections))


def _wanted(since: datetime | None, until: datetime) -> list[Any]:
    wanted: list[Any] = [incident.c.recorded_at < until]
    if since is not None:
        wanted.append(incident.c.discovered_at >= since)
    return wanted


def _reroute(row: Any) -> Reroute:
    return Reroute(
        id=row.id,
        state=RerouteState(row.state),
        started_at=row.started_at,
        updated_at=row.updated_at,
        who=row.who,
        reason=row.reason,
        dry_run=row.dry_run,
        since=row.since,
        generation_id=row.generation_id,
        total=row.total,
        tally=tally_of(row.done, row.only_sub_grid, row.pairs),
        cursor=None if row.last_id is None else (row.last_discovered_at, row.last_id),
    )
