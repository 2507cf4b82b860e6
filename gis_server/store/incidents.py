"""Incidents and their history."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    desc,
    func,
    insert,
    literal_column,
    select,
    true,
    update,
)

from gis_server.core.incident import (
    CLOSED,
    Incident,
    IncidentState,
    Step,
)
from gis_server.core.incident_course import Course, Record, trace_json
from gis_server.core.incident_machine import StepField
from gis_server.core.incident_place import FoundPlace
from gis_server.core.routing import Candidate, Match
from gis_server.core.wall import Figures, HallIncident
from gis_server.store.schema import grid, incident, incident_event


def within(path: Sequence[str]) -> ColumnElement[bool]:
    """Rows of ``incident`` inside a territory, given by the codes of its areas; the empty path is everything."""
    if not path:
        return true()
    return incident.c.area_path[1 : len(path)] == list(path)


def settled(path: Sequence[str], since: datetime, until: datetime | None = None) -> ColumnElement[bool]:
    """Incidents of a territory that were settled from ``since`` on (and before ``until``), and not taken up again since.

    One whose settling was found wanting, or of which nobody knows when it was settled, is none of them.
    """
    at = incident.c.completed_at
    return and_(within(path), at >= since, true() if until is None else at < until)


def course_columns(course: Course) -> dict[str, object]:
    """The columns of ``incident`` that a step may change."""
    return {
        "state": course.state,
        "item": course.item,
        "item_key": course.item_key,
        "current_level": course.current_level,
        "lead_unit": course.lead_unit,
        "responsible_unit": course.responsible_unit,
        "person_in_charge": course.person_in_charge,
        "first_contact": course.first_contact,
        "clock_starts_at": course.clock_starts_at,
        "due_at": course.due_at,
        "completed_at": course.completed_at,
        "supervised_at": course.supervised_at,
        "rating": course.rating,
        "scores": dict(course.scores) or None,
    }


def lock(conn: Connection, incident_id: int) -> Incident | None:
    """One incident, held against every other step until the caller's transaction ends; None if there is none."""
    # the lock first, by itself: what it waited for is then seen by the look that follows
    held = conn.execute(select(incident.c.id).where(incident.c.id == incident_id).with_for_update())
    return None if held.one_or_none() is None else by_id(conn, incident_id)


def set_course(conn: Connection, incident_id: int, course: Course) -> None:
    """Keep the course of an incident that the caller has locked."""
    conn.execute(update(incident).where(incident.c.id == incident_id).values(course_columns(course)))


_IN_WORDS = (StepField.REASON, StepField.RESULT, StepField.NOTE)


def add_records(
    conn: Connection,
    incident_id: int,
    records: Sequence[Record],
    place: tuple[float, float] | None = None,
) -> None:
    """Append rows of history; ``place`` is where the steps were made that name none themselves (lon, lat)."""
    conn.execute(insert(incident_event), record_rows(incident_id, records, place))


def record_rows(
    incident_id: int, records: Sequence[Record], place: tuple[float, float] | None = None
) -> list[dict[str, object]]:
    """The columns of ``incident_event`` for rows of history, as ``add_records`` takes them."""
    rows = []
    for record in records:
        where = record.filled.get(StepField.PLACE, place)
        lon, lat = where if isinstance(where, tuple) else (None, None)
        rows.append(
            {
                "incident_id": incident_id,
                "at": record.at,
                "actor": record.mover.name,
                "account_id": record.mover.account_id,
                "from_state": record.from_state,
                "to_state": record.to_state,
                "note": next((record.filled[key] for key in _IN_WORDS if key in record.filled), None),
                "step": record.step,
                "level": record.level,
                "entered_for": record.entered_for,
                "clause": record.clause,
                "place_lon": lon,
                "place_lat": lat,
                "filled": {key.value: value for key, value in record.filled.items()} or None,
                "trace": trace_json(record),
            }
        )
    return rows


_READ = tuple(column for column in incident.c if column is not incident.c.decision)
"""What an incident is read with: the ground of its routing is long, and asked for by itself."""


def query_of_incidents() -> Select[Any]:
    """Every column of incidents, to be narrowed; ``incident_of`` reads its rows."""
    # the name at the time: of the grid row the incident was routed to
    return select(
        *_READ,
        grid.c.grid_name,
        func.ST_X(incident.c.geom).label("lon"),
        func.ST_Y(incident.c.geom).label("lat"),
    ).select_from(incident.outerjoin(grid, grid.c.id == incident.c.grid_id))


def incident_of(row: Any) -> Incident:
    """An incident from a row of its columns with ``grid_name``, ``lon`` and ``lat``."""
    given = None if row.given_lon is None else (row.given_lon, row.given_lat)
    return Incident(
        id=row.id,
        number=row.number,
        state=IncidentState(row.state),
        item=row.item,
        description=row.description,
        source=row.source,
        is_urgent=row.is_urgent,
        discovered_at=row.discovered_at,
        recorded_at=row.recorded_at,
        reported_by=row.reported_by,
        lon=row.lon,
        lat=row.lat,
        given=given,
        datum=row.datum,
        accuracy_m=row.accuracy_m,
        match=Match(row.match),
        distance_m=row.distance_m,
        candidates=tuple(Candidate(c["grid_code"], c["share"]) for c in row.candidates),
        grid_id=row.grid_id,
        grid_generation_id=row.grid_generation_id,
        grid_code=row.grid_code,
        grid_name=row.grid_name,
        sub_grid_code=row.sub_grid_code,
        area_path=tuple(row.area_path),
        responsible=row.responsible or {},
        due_at=row.due_at,
        item_key=row.item_key,
        current_level=row.current_level,
        lead_unit=row.lead_unit,
        responsible_unit=row.responsible_unit,
        person_in_charge=row.person_in_charge,
        first_contact=row.first_contact,
        clock_starts_at=row.clock_starts_at,
        supervised_at=row.supervised_at,
        rating=row.rating,
        scores=row.scores,
        completed_at=row.completed_at,
        found=None if row.found_by is None else FoundPlace(row.found_by, row.found_code, row.found_text),
    )


def by_id(conn: Connection, incident_id: int) -> Incident | None:
    """One incident; None if there is none."""
    row = conn.execute(query_of_incidents().where(incident.c.id == incident_id)).one_or_none()
    return None if row is None else incident_of(row)


def decision(conn: Connection, incident_id: int) -> str | None:
    """The record of why an incident was routed where it was; None for one from before there were such records."""
    found: str | None = conn.scalar(select(incident.c.decision).where(incident.c.id == incident_id))
    return found


def by_key(conn: Connection, account_id: int | None, key: str) -> Incident | None:
    """The incident that this reporter sent under this idempotency key; None if there is none."""
    query = query_of_incidents().where(
        func.coalesce(incident.c.reported_by, 0) == (account_id or 0), incident.c.idempotency_key == key
    )
    row = conn.execute(query).one_or_none()
    return None if row is None else incident_of(row)


def history(conn: Connection, incident_id: int) -> list[Step]:
    """The rows of an incident's history, oldest first."""
    rows = conn.execute(
        select(incident_event)
        .where(incident_event.c.incident_id == incident_id)
        .order_by(incident_event.c.id)
    )
    return [
        Step(
            at=row.at,
            actor=row.actor,
            from_state=row.from_state,
            to_state=row.to_state,
            note=row.note,
            step=row.step,
            level=row.level,
            entered_for=row.entered_for,
            clause=row.clause,
            place=None if row.place_lon is None else (row.place_lon, row.place_lat),
            filled=row.filled,
            trace=row.trace,
        )
        for row in rows
    ]


_is_open = incident.c.state.not_in(list(CLOSED))


LONGEST_OVERDUE = 10
"""So many a township are told however old they are: that is how many a wall lists."""


def on_wall(
    conn: Connection, path: Sequence[str], since: datetime, limit: int, now: datetime
) -> tuple[list[HallIncident], datetime | None]:
    """What the hall may know of the open incidents and of those discovered since ``since``, newest first.

    Where there are more than ``limit``, the newest, followed by the longest overdue of those before; and since when
    none is left out (None: there are not more).
    """
    told = (
        select(
            incident.c.number,
            func.ST_X(incident.c.geom).label("lon"),
            func.ST_Y(incident.c.geom).label("lat"),
            incident.c.state,
            incident.c.is_urgent,
            incident.c.grid_code,
            grid.c.grid_name,
            incident.c.area_path[2].label("township_code"),
            incident.c.discovered_at,
            incident.c.due_at,
            func.coalesce(_is_open & (incident.c.due_at < now), False),
        )
        .select_from(incident.outerjoin(grid, grid.c.id == incident.c.grid_id))
        .where(within(path), _is_open | (incident.c.discovered_at >= since))
        .order_by(desc(incident.c.discovered_at), desc(incident.c.id))
    )
    newest = [HallIncident(*row) for row in conn.execute(told.limit(limit))]
    if len(newest) < limit:
        return newest, None
    complete_since = newest[-1].discovered_at
    ranked = (
        select(
            incident.c.id,
            func.row_number()
            .over(partition_by=incident.c.area_path[2], order_by=(incident.c.due_at, incident.c.id))
            .label("place"),
        )
        .where(within(path), _is_open, incident.c.due_at < now, incident.c.discovered_at <= complete_since)
        .subquery()
    )
    longest = select(ranked.c.id).where(ranked.c.place <= LONGEST_OVERDUE)
    listed = {one.number for one in newest}
    before = [HallIncident(*row) for row in conn.execute(told.where(incident.c.id.in_(longest)))]
    return newest + [one for one in before if one.number not in listed], complete_since


def figures(conn: Connection, path: Sequence[str], *, since: datetime, now: datetime) -> Figures:
    """Counts for a territory; ``since`` is the start of the local day."""
    counts = conn.execute(
        select(
            func.count().filter(_is_open),
            func.count().filter(and_(_is_open, incident.c.is_urgent)),
            func.count().filter(and_(_is_open, incident.c.due_at < now)),
            func.count().filter(incident.c.discovered_at >= since),
        ).where(within(path), _is_open | (incident.c.discovered_at >= since))
    ).one()
    done = conn.execute(select(func.count()).select_from(incident).where(settled(path, since))).scalar_one()
    return Figures(*counts, done)


def open_by_grid(conn: Connection, path: Sequence[str]) -> Mapping[str, int]:
    """How many open incidents each grid of a territory has; grids without any are absent."""
    query = (
        select(incident.c.grid_code, func.count().label("number"))
        .where(within(path), _is_open, incident.c.grid_code.is_not(None))
        .group_by(incident.c.grid_code)
        .order_by(literal_column("number").desc(), incident.c.grid_code)
    )
    return {row.grid_code: row.number for row in conn.execute(query)}


def open_places(conn: Connection) -> NDArray[np.float64]:
    """Longitude and latitude (n, 2) of all open incidents, EPSG:4490."""
    query = select(func.ST_X(incident.c.geom), func.ST_Y(incident.c.geom)).where(_is_open)
    return np.array([tuple(row) for row in conn.execute(query)], dtype=np.float64).reshape(-1, 2)
