"""The list of incidents: filtered, counted, as points, and who may see which."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Select,
    and_,
    any_,
    asc,
    cast,
    desc,
    extract,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)

from gis_server.core.incident import CLOSED, Incident
from gis_server.core.incident_query import NO_GRID, Counts, IncidentQuery, Order
from gis_server.store.incidents import incident_of, query_of_incidents, within
from gis_server.store.schema import grid, incident

MOST_FACETS = 40
"""Units and grids named in a count, most incidents first."""

_is_open = incident.c.state.not_in(list(CLOSED))


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose list it is: its territory, and what narrows it further.

    ``unit`` is a department's own name, ``grids`` a worker's own grids (None: all of the territory), ``account_id`` who also sees
    what he reported himself. ``hidden_items`` are keys and titles of items whose texts this reader may not search.
    """

    path: tuple[str, ...]
    unit: str | None = None
    grids: frozenset[str] | None = None
    account_id: int | None = None
    hidden_items: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Present:
    """The moment of the question, and the share of a time limit that is left when a warning comes."""

    now: datetime
    warn_share: float


def _seen_by(reader: Reader) -> ColumnElement[bool]:
    found = within(reader.path)
    if reader.unit is not None:
        found = and_(found, _of_unit(reader.unit))
    if reader.grids is not None:
        own = incident.c.grid_code.in_(reader.grids)
        found = and_(found, or_(own, incident.c.reported_by == reader.account_id))
    return found


def _of_unit(unit: str) -> ColumnElement[bool]:
    return or_(incident.c.lead_unit == unit, incident.c.responsible_unit == unit)


def _overdue(present: Present) -> ColumnElement[bool]:
    return and_(_is_open, incident.c.due_at < present.now)


def _due_soon(present: Present) -> ColumnElement[bool]:
    due, began = incident.c.due_at, incident.c.clock_starts_at
    left = extract("epoch", due - present.now)
    return and_(
        _is_open, due >= present.now, left <= extract("epoch", due - began) * literal(present.warn_share)
    )


def _supervised(present: Present) -> ColumnElement[bool]:
    """On the list of supervised incidents (督查事件清单): received, urged, or overdue."""
    return and_(_is_open, or_(incident.c.supervised_at.is_not(None), incident.c.due_at < present.now))


def _says(text: str, reader: Reader) -> ColumnElement[bool]:
    has = [
        column.icontains(text, autoescape=True)
        for column in (incident.c.number, incident.c.item, grid.c.grid_name)
    ]
    named = func.coalesce(incident.c.item_key, incident.c.item, "")
    readable = named.not_in(reader.hidden_items) if reader.hidden_items else true()
    return or_(*has, and_(readable, incident.c.description.icontains(text, autoescape=True)))


def _flags(present: Present) -> dict[str, ColumnElement[bool]]:
    return {
        "overdue": _overdue(present),
        "due_soon": _due_soon(present),
        "urgent": incident.c.is_urgent,
        "supervised": _supervised(present),
    }


def holds(asked: IncidentQuery, reader: Reader, present: Present) -> ColumnElement[bool]:
    """The condition of a question, in this reader's sight."""
    wanted: list[ColumnElement[bool]] = [_seen_by(reader)]
    if asked.states:
        wanted.append(incident.c.state.in_(asked.states))
    if asked.is_open is not None:
        wanted.append(_is_open if asked.is_open else ~_is_open)
    if asked.unit is not None:
        wanted.append(_of_unit(asked.unit))
    if asked.grid is not None:
        code = incident.c.grid_code
        wanted.append(code.is_(None) if asked.grid == NO_GRID else code == asked.grid)
    if asked.area is not None:
        wanted.append(literal(asked.area) == any_(incident.c.area_path))
    wanted += [condition for name, condition in _flags(present).items() if getattr(asked, name)]
    if asked.text is not None:
        wanted.append(_says(asked.text, reader))
    if asked.since is not None:
        wanted.append(incident.c.discovered_at >= asked.since)
    if asked.until is not None:
        wanted.append(incident.c.discovered_at < asked.until)
    if asked.bounds is not None:
        envelope = func.ST_MakeEnvelope(*asked.bounds, 4490)
        wanted.append(incident.c.geom.op("&&")(envelope))
    if asked.numbers:
        wanted.append(incident.c.number.in_(asked.numbers))
    return and_(*wanted)


_NEVER: ColumnElement[Any] = literal_column("'infinity'::timestamptz")
_due = func.coalesce(incident.c.due_at, _NEVER)


def page(
    conn: Connection,
    asked: IncidentQuery,
    reader: Reader,
    present: Present,
    *,
    before: int | None = None,
    limit: int = 100,
) -> list[Incident]:
    """One page in the order asked for; ``before`` is the id that ended the page before, wherever it stands today."""
    query = query_of_incidents().where(holds(asked, reader, present)).limit(limit)
    if asked.order is Order.DUE:
        query = query.order_by(asc(_due), asc(incident.c.id))
        if before is not None:
            last = incident.alias("last")
            ended = tuple_(func.coalesce(last.c.due_at, _NEVER), last.c.id)
            query = query.join(last, last.c.id == before).where(tuple_(_due, incident.c.id) > ended)
    else:
        query = query.order_by(desc(incident.c.id))
        if before is not None:
            query = query.where(incident.c.id < before)
    return [incident_of(row) for row in conn.execute(query)]


@dataclass(frozen=True, slots=True)
class Dot:
    """An incident as a map needs it."""

    id: int
    number: str
    lon: float
    lat: float
    state: str
    is_urgent: bool
    is_overdue: bool
    due_at: datetime | None
    grid_code: str | None


def dots(conn: Connection, asked: IncidentQuery, reader: Reader, present: Present, limit: int) -> list[Dot]:
    """The incidents of a question as points, newest first."""
    query = (
        _from(
            incident.c.id,
            incident.c.number,
            func.ST_X(incident.c.geom),
            func.ST_Y(incident.c.geom),
            incident.c.state,
            incident.c.is_urgent,
            func.coalesce(_overdue(present), false()),
            incident.c.due_at,
            incident.c.grid_code,
        )
        .where(holds(asked, reader, present))
        .order_by(desc(incident.c.id))
        .limit(limit)
    )
    return [Dot(*row) for row in conn.execute(query)]


def _from(*columns: Any) -> Select[Any]:
    return select(*columns).select_from(incident.outerjoin(grid, grid.c.id == incident.c.grid_id))


def counts(conn: Connection, asked: IncidentQuery, reader: Reader, present: Present) -> Counts:
    """What each filter would leave: counted with all the others as they are, and without itself."""
    flags = _flags(present)
    free = asked.without(*flags)
    # of each flag: all the others that are asked for, and itself
    columns = [
        func.count().filter(
            and_(
                true(),
                condition,
                *(flags[other] for other in flags if other != name and getattr(asked, other)),
            )
        )
        for name, condition in flags.items()
    ]
    asked_for = and_(true(), *(flags[name] for name in flags if getattr(asked, name)))
    total = func.count().filter(asked_for)
    rated = func.count(incident.c.rating).filter(asked_for)
    mean = cast(func.avg(incident.c.rating).filter(asked_for), Double)
    row = conn.execute(_from(total, rated, mean, *columns).where(holds(free, reader, present))).one()
    by_state = _by(conn, incident.c.state, asked.without("states", "is_open"), reader, present)
    by_grid = conn.execute(
        _from(incident.c.grid_code, func.max(grid.c.grid_name), func.count().label("number"))
        .where(holds(asked.without("grid"), reader, present))
        .group_by(incident.c.grid_code)
        # the queue without a grid is never cut off
        .order_by(incident.c.grid_code.is_(None).desc(), desc("number"), incident.c.grid_code)
        .limit(MOST_FACETS)
    )
    return Counts(
        total=row[0],
        rated=row[1],
        rating=row[2],
        flags=dict(zip(flags, row[3:], strict=True)),
        states=by_state,
        units=_by(conn, incident.c.lead_unit, asked.without("unit"), reader, present),
        grids={found[0] or NO_GRID: (found[1], found[2]) for found in by_grid},
    )


def _by(
    conn: Connection, column: ColumnElement[Any], asked: IncidentQuery, reader: Reader, present: Present
) -> Mapping[str, int]:
    query = (
        _from(column, func.count().label("number"))
        .where(holds(asked, reader, present), column.is_not(None))
        .group_by(column)
        .order_by(desc("number"), column)
        .limit(MOST_FACETS)
    )
    return {row[0]: row[1] for row in conn.execute(query)}
