"""Incidents of the past, taken over from another system in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Text,
    any_,
    case,
    func,
    insert,
    literal,
    null,
    select,
    true,
)

from gis_server.core.incident import DONE, IncidentState
from gis_server.store.boundaries import IN_FORCE
from gis_server.store.copying import Values, copy_rows
from gis_server.store.schema import generation, incident, incident_event


def known_numbers(conn: Connection, numbers: Sequence[str]) -> frozenset[str]:
    """Those of ``numbers`` that an incident has already."""
    rows = conn.execute(select(incident.c.number).where(_has_one_of(numbers)))
    return frozenset(row.number for row in rows)


def _has_one_of(numbers: Sequence[str]) -> ColumnElement[bool]:
    # as one value: a statement takes no more than 65,535 of them
    return incident.c.number == any_(literal(list(numbers), ARRAY(Text)))


def add_past(
    conn: Connection,
    columns: Mapping[str, Values],
    numbers: Sequence[str],
    *,
    actor: str,
    account_id: int | None,
) -> None:
    """Add incidents as they stand, each with the history that its times tell.

    Taken over in its state at the time of recording; where the time is known at which it was settled: recorded, then settled.
    """
    copy_rows(conn, incident.name, columns, len(numbers))
    is_settled = incident.c.completed_at.is_not(None)
    recorded = literal(IncidentState.RECORDED.value)
    settled = case((incident.c.state.in_(list(DONE)), incident.c.state), else_=IncidentState.COMPLETED.value)
    steps: tuple[
        tuple[ColumnElement[Any], ColumnElement[Any], ColumnElement[Any], ColumnElement[bool]], ...
    ] = (
        (incident.c.recorded_at, null(), case((is_settled, recorded), else_=incident.c.state), true()),
        (incident.c.completed_at, recorded, settled, is_settled),
        (incident.c.completed_at, settled, incident.c.state, is_settled & (settled != incident.c.state)),
    )
    for at, before, after, applies in steps:
        conn.execute(
            insert(incident_event).from_select(
                ["incident_id", "at", "actor", "account_id", "from_state", "to_state"],
                select(
                    incident.c.id,
                    at,
                    literal(actor),
                    null() if account_id is None else literal(account_id),
                    before,
                    after,
                )
                .where(_has_one_of(numbers), applies)
                .order_by(incident.c.id),
            )
        )


def boundary_days(conn: Connection) -> list[datetime]:
    """The instants at which some boundary or roster came into force, from the first grids on, in order."""
    began = select(generation.c.valid_from).where(generation.c.state == "published")
    first = select(
        func.min(began.where(generation.c.layer == "grid").subquery().c.valid_from)
    ).scalar_subquery()
    query = (
        began.where(generation.c.layer.in_(IN_FORCE), generation.c.valid_from >= first)
        .distinct()
        .order_by(generation.c.valid_from)
    )
    return [row.valid_from for row in conn.execute(query)]
