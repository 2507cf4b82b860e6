"""The counts behind the panels of a wall."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Double,
    Integer,
    Select,
    and_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    true,
)

from gis_server.core.access import Tier
from gis_server.core.catalogue import Layer
from gis_server.core.incident import CLOSED, DONE, UNANSWERED, IncidentState
from gis_server.core.wall_figures import (
    AGES_H,
    DAYS,
    DUE_H,
    HEAT_DAYS,
    HOURS,
    WEEKS,
    Alarm,
    CameraFigures,
    DayFigures,
    GridFigures,
    Replayed,
    Statistics,
    TownFigures,
    WeekFigures,
)
from gis_server.store.incidents import settled, within
from gis_server.store.schema import (
    acknowledgement,
    area,
    camera,
    generation,
    grid,
    incident,
    incident_alert,
    incident_event,
)

MOST_ALARMS = 500
MOST_REPLAYED = 5_000
_is_open = incident.c.state.not_in(list(CLOSED))


def statistics(
    conn: Connection,
    path: Sequence[str],
    cameras: Layer | None,
    *,
    today: date,
    day_start: datetime,
    now: datetime,
) -> Statistics:
    """All counts of a territory; ``today`` is the local day and ``day_start`` its beginning."""
    ages, due = _open(conn, path, now)
    month, month_before, by_hour = _month(conn, path, str(day_start.tzinfo), now)
    return Statistics(
        generated_at=now,
        hours=_hours(conn, path, now),
        days=_days(conn, path, today, day_start, str(day_start.tzinfo)),
        weeks=_weeks(conn, path, now),
        states=_states(conn, path),
        ages=ages,
        due=due,
        by_hour=by_hour,
        month=month,
        month_before=month_before,
        towns=_towns(conn, path, day_start, now),
        grids=_grids(conn, path, now),
        cameras=[] if cameras is None else _cameras(conn, path, cameras, now),
    )


def _hours(conn: Connection, path: Sequence[str], now: datetime) -> list[int]:
    ago = _steps_ago(incident.c.discovered_at, now, 3600)
    found = _counted(
        conn,
        select(ago.label("step"), func.count())
        .where(
            within(path),
            incident.c.discovered_at > now - timedelta(hours=HOURS),
            incident.c.discovered_at <= now,
        )
        .group_by("step"),
    )
    return [found.get(hour, 0) for hour in range(HOURS)]


def _days(
    conn: Connection, path: Sequence[str], today: date, day_start: datetime, zone: str
) -> list[DayFigures]:
    # both are midnights of the zone's own days, of which one may have 23 hours
    since, end = day_start - timedelta(days=DAYS - 1), day_start + timedelta(days=1)

    def ago(at: ColumnElement[Any]) -> ColumnElement[Any]:
        return (literal(today) - cast(func.timezone(zone, at), Date)).label("step")

    reported = _counted(
        conn,
        select(ago(incident.c.discovered_at), func.count())
        .where(within(path), incident.c.discovered_at >= since, incident.c.discovered_at < end)
        .group_by("step"),
    )
    completed = _counted(
        conn,
        select(ago(incident.c.completed_at), func.count()).where(settled(path, since, end)).group_by("step"),
    )
    return [
        DayFigures(today - timedelta(days=ago), reported.get(ago, 0), completed.get(ago, 0))
        for ago in reversed(range(DAYS))
    ]


def _weeks(conn: Connection, path: Sequence[str], now: datetime) -> list[WeekFigures]:
    at = incident.c.completed_at
    was_late = exists().where(
        incident_alert.c.incident_id == incident.c.id,
        incident_alert.c.kind == "overdue",
        incident_alert.c.due_at < at,
    )
    ago = _steps_ago(at, now, 7 * 86_400).label("step")
    took = func.extract("epoch", at - incident.c.discovered_at) / 3600
    rows = conn.execute(
        select(
            ago,
            func.count().label("done"),
            func.count().filter(was_late).label("late"),
            func.count().filter(incident.c.clock_starts_at.is_not(None)).label("timed"),
            cast(func.percentile_cont(0.5).within_group(took), Double).label("median_hours"),
        )
        .where(settled(path, now - timedelta(weeks=WEEKS)), at <= now)
        .group_by("step")
    )
    found = {row.step: WeekFigures(row.done, row.late, row.timed, row.median_hours) for row in rows}
    return [found.get(week, WeekFigures(0, 0, 0)) for week in range(WEEKS)]


def _states(conn: Connection, path: Sequence[str]) -> dict[str, int]:
    query = select(incident.c.state, func.count()).where(within(path), _is_open).group_by(incident.c.state)
    found = {row[0]: row[1] for row in conn.execute(query)}
    return {state.value: found[state.value] for state in IncidentState if state.value in found}


def _open(conn: Connection, path: Sequence[str], now: datetime) -> tuple[list[int], list[int]]:
    """How many are open by age, and by the time that they have left."""

    def classes(hours: ColumnElement[Any], bounds: Sequence[int]) -> list[ColumnElement[int]]:
        ends = zip((None, *bounds), (*bounds, None), strict=True)
        return [
            func.count().filter(
                hours.is_not(None),
                true() if least is None else hours >= least,
                true() if most is None else hours < most,
            )
            for least, most in ends
        ]

    age = func.extract("epoch", literal(now) - incident.c.discovered_at) / 3600
    left = func.extract("epoch", incident.c.due_at - literal(now)) / 3600
    row = conn.execute(
        select(*classes(age, AGES_H), *classes(left, DUE_H)).where(within(path), _is_open)
    ).one()
    return list(row[: len(AGES_H) + 1]), list(row[len(AGES_H) + 1 :])


def _month(conn: Connection, path: Sequence[str], zone: str, now: datetime) -> tuple[int, int, list[int]]:
    """What was reported in ``HEAT_DAYS``, in as many days before, and by local hour of the day."""
    since = now - timedelta(days=HEAT_DAYS)
    hour = cast(func.extract("hour", func.timezone(zone, incident.c.discovered_at)), Integer).label("hour")
    is_now = incident.c.discovered_at > since
    rows = conn.execute(
        select(hour, func.count().filter(is_now), func.count().filter(~is_now))
        .where(
            within(path),
            incident.c.discovered_at > since - timedelta(days=HEAT_DAYS),
            incident.c.discovered_at <= now,
        )
        .group_by("hour")
    ).all()
    by_hour = {row[0]: row[1] for row in rows}
    return sum(by_hour.values()), sum(row[2] for row in rows), [by_hour.get(n, 0) for n in range(24)]


def _towns(conn: Connection, path: Sequence[str], day_start: datetime, now: datetime) -> list[TownFigures]:
    town, at = incident.c.area_path[2], incident.c.discovered_at
    week, heat = now - timedelta(days=7), now - timedelta(days=HEAT_DAYS)
    counts = {
        row.town: row
        for row in conn.execute(
            select(
                town.label("town"),
                func.count().filter(_is_open).label("open"),
                func.count().filter(and_(_is_open, incident.c.is_urgent)).label("urgent"),
                func.count().filter(and_(_is_open, incident.c.due_at < now)).label("overdue"),
                func.count().filter(at >= day_start).label("today"),
                func.count().filter(at > week).label("week"),
                func.count().filter(at <= week, at > week - timedelta(days=7)).label("week_before"),
                func.count().filter(at > heat).label("reported"),
            )
            .where(within(path), _is_open | (at > heat))
            .group_by(town)
        )
    }
    done = {
        row[0]: row[1]
        for row in conn.execute(select(town, func.count()).where(settled(path, day_start)).group_by(town))
    }
    found = []
    for row in conn.execute(_townships(path, now)):
        count = counts.get(row.area_code)
        found.append(
            TownFigures(
                code=row.area_code,
                name=row.area_name,
                bounds=(row.west, row.south, row.east, row.north),
                open=count.open if count else 0,
                urgent=count.urgent if count else 0,
                overdue=count.overdue if count else 0,
                today=count.today if count else 0,
                done_today=done.get(row.area_code, 0),
                week=count.week if count else 0,
                week_before=count.week_before if count else 0,
                reported=count.reported if count else 0,
            )
        )
    return found


def _townships(path: Sequence[str], now: datetime) -> Select[Any]:
    return (
        select(
            area.c.area_code,
            area.c.area_name,
            func.ST_XMin(area.c.geom).label("west"),
            func.ST_YMin(area.c.geom).label("south"),
            func.ST_XMax(area.c.geom).label("east"),
            func.ST_YMax(area.c.geom).label("north"),
        )
        .join(generation, generation.c.id == area.c.generation_id)
        .where(
            _in_force(now),
            area.c.admin_level == "township",
            true() if not path else area.c.path[1 : len(path)] == list(path),
        )
        .order_by(area.c.area_code.collate("C"))
    )


def _grids(conn: Connection, path: Sequence[str], now: datetime) -> list[GridFigures]:
    heat = now - timedelta(days=HEAT_DAYS)
    counts = select(
        incident.c.grid_code,
        func.count().filter(_is_open).label("open"),
        func.count().filter(and_(_is_open, incident.c.due_at < now)).label("overdue"),
        func.count().filter(incident.c.discovered_at >= heat).label("reported"),
    )
    rows = conn.execute(
        counts.where(
            within(path), incident.c.grid_code.is_not(None), _is_open | (incident.c.discovered_at >= heat)
        )
        .group_by(incident.c.grid_code)
        .order_by(incident.c.grid_code.collate("C"))
    )
    return [GridFigures(*row) for row in rows]


def _cameras(conn: Connection, path: Sequence[str], layer: Layer, now: datetime) -> list[CameraFigures]:
    hidden = (
        [] if layer.row_tier is None else [v for v, tier in layer.row_tier.tiers.items() if tier > Tier.HALL]
    )
    # in small pieces, so that a place is looked for in a few corners of a border and not in thousands
    towns = (
        _townships(path, now)
        .order_by(None)
        .with_only_columns(area.c.area_code, func.ST_Subdivide(area.c.geom, 64).label("piece"))
        .cte("towns")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    # of two towns whose border a camera stands on one has it, so that no camera counts twice
    located = (
        select(camera.c.id, func.min(towns.c.area_code).label("town"))
        .select_from(
            camera.join(generation, generation.c.id == camera.c.generation_id).join(
                towns, func.ST_Intersects(towns.c.piece, camera.c.geom)
            )
        )
        .where(_in_force(now))
        .group_by(camera.c.id)
        .cte("located")
    )
    query = (
        select(located.c.town, camera.c.camera_site_class, camera.c.status, func.count())
        .select_from(
            camera.join(generation, generation.c.id == camera.c.generation_id).outerjoin(
                located, located.c.id == camera.c.id
            )
        )
        .where(_in_force(now), camera.c.camera_site_class.not_in(hidden))
        .group_by(located.c.town, camera.c.camera_site_class, camera.c.status)
        .order_by(located.c.town, camera.c.camera_site_class, camera.c.status)
    )
    if path:
        own = (
            select(area.c.geom)
            .join(generation, generation.c.id == area.c.generation_id)
            .where(_in_force(now), area.c.area_code == path[-1])
            .scalar_subquery()
        )
        query = query.where(func.ST_Covers(own, camera.c.geom))
    return [CameraFigures(*row) for row in conn.execute(query)]


def alarms(conn: Connection, path: Sequence[str], since: datetime) -> list[Alarm]:
    """The urgent incidents recorded since ``since``, and of those before the ones that still call, oldest first.

    Each with the time at which it was answered or acknowledged.
    """
    still_calls = and_(
        _is_open, incident.c.state.in_(list(UNANSWERED)), acknowledgement.c.incident_id.is_(None)
    )
    answered = (
        select(func.min(incident_event.c.at))
        .where(
            incident_event.c.incident_id == incident.c.id,
            incident_event.c.to_state.not_in(list(UNANSWERED)),
        )
        .correlate(incident)
        .scalar_subquery()
    )
    query = (
        select(
            incident.c.id,
            incident.c.number,
            func.ST_X(incident.c.geom),
            func.ST_Y(incident.c.geom),
            incident.c.grid_code,
            grid.c.grid_name,
            incident.c.area_path[2],
            incident.c.recorded_at,
            func.least(answered, acknowledgement.c.at),
        )
        .select_from(
            incident.outerjoin(grid, grid.c.id == incident.c.grid_id).outerjoin(
                acknowledgement, acknowledgement.c.incident_id == incident.c.id
            )
        )
        # what was imported has no clock of its own, and is no news
        .where(
            within(path),
            incident.c.is_urgent,
            or_(incident.c.recorded_at >= since, still_calls),
            incident.c.clock_starts_at.is_not(None),
        )
        .order_by(incident.c.recorded_at.desc(), incident.c.id.desc())
        .limit(MOST_ALARMS)
    )
    return [Alarm(*row) for row in conn.execute(query)][::-1]


def replayed(conn: Connection, path: Sequence[str], since: datetime) -> list[Replayed]:
    """The incidents discovered since ``since``, oldest first, with the time at which each was settled."""
    settled = (
        select(func.min(incident_event.c.at))
        .where(incident_event.c.incident_id == incident.c.id, incident_event.c.to_state.in_([*DONE, *CLOSED]))
        .correlate(incident)
        .scalar_subquery()
    )
    query = (
        select(
            func.ST_X(incident.c.geom),
            func.ST_Y(incident.c.geom),
            incident.c.is_urgent,
            incident.c.discovered_at,
            settled,
        )
        .where(within(path), incident.c.discovered_at >= since)
        .order_by(incident.c.discovered_at.desc(), incident.c.id.desc())
        .limit(MOST_REPLAYED)
    )
    return [Replayed(*row) for row in conn.execute(query)][::-1]


def _in_force(at: datetime) -> ColumnElement[bool]:
    return and_(
        generation.c.state == "published",
        generation.c.valid_from <= at,
        or_(generation.c.valid_to.is_(None), generation.c.valid_to > at),
    )


def _steps_ago(at: ColumnElement[Any], now: datetime, seconds: int) -> ColumnElement[Any]:
    return _whole(func.extract("epoch", literal(now) - at) / seconds)


def _whole(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.floor(value), Integer)


def _counted(conn: Connection, query: Select[Any]) -> dict[int, int]:
    return {row[0]: row[1] for row in conn.execute(query)}
