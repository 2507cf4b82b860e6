"""A report in two statements: one look at all that it needs to know, one that keeps all that it leaves.

Every round trip to the database costs a report as much as its own INSERT; a dispatch desk at its busiest hour has none to spare.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace

import orjson
from sqlalchemy import Connection

from gis_server.core.decision import Decision
from gis_server.core.incident import Incident, IncidentReport, incident_number
from gis_server.core.incident_course import Course, Record
from gis_server.store.boundaries import IN_FORCE
from gis_server.store.events import Announcement
from gis_server.store.incidents import course_columns, incident_of, record_rows
from gis_server.store.schema import SRID
from gis_server.store.schema import incident as incident_table


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known before a report: the id of its earlier self, the generations in force by layer, an id for the new one."""

    earlier_id: int | None
    generations: dict[str, int]
    serial: int


_LOOK = """
SELECT (SELECT id FROM incident
         WHERE coalesce(reported_by, 0) = coalesce(%(account)s::bigint, 0) AND idempotency_key = %(key)s) AS earlier_id,
       (SELECT jsonb_object_agg(layer, id) FROM generation
         WHERE state = 'published' AND layer = ANY (%(layers)s) AND valid_from <= %(at)s
           AND (valid_to IS NULL OR valid_to > %(at)s)) AS generations,
       nextval(pg_get_serial_sequence('incident', 'id')) AS serial
"""


def look(conn: Connection, at: datetime, account_id: int | None, idempotency_key: str | None) -> Outlook:
    """What a report of this account under this key should know, by the boundaries in force at ``at``."""
    given = {"account": account_id, "key": idempotency_key, "layers": list(IN_FORCE), "at": at}
    row = conn.exec_driver_sql(_LOOK, given).one()
    return Outlook(row.earlier_id, row.generations or {}, row.serial)


_KEEP = """
WITH added AS (
  INSERT INTO incident ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::incident, %(incident)s::jsonb)
  ON CONFLICT (coalesce(reported_by, 0), idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
  RETURNING *
), recorded AS (
  INSERT INTO incident_event ({of_history})
  SELECT {of_history} FROM jsonb_populate_recordset(NULL::incident_event, %(history)s::jsonb)
   WHERE EXISTS (SELECT FROM added)
), announced AS (
  INSERT INTO event ({of_event}) SELECT {of_event} FROM jsonb_populate_record(NULL::event, %(event)s::jsonb)
   WHERE EXISTS (SELECT FROM added)
)
SELECT count(*) FROM added
"""


@cache
def _keep(columns: tuple[str, ...], of_history: tuple[str, ...], of_event: tuple[str, ...]) -> str:
    """The statement for rows of these columns: names of our own tables, nothing that anybody sent."""
    return _KEEP.format(
        columns=", ".join(columns), of_history=", ".join(of_history), of_event=", ".join(of_event)
    )


def add(
    conn: Connection,
    serial: int,
    day: str,
    report: IncidentReport,
    decision: Decision,
    *,
    course: Course,
    records: Sequence[Record],
    announcement: Announcement,
    now: datetime,
    generation_id: int | None,
    account_id: int | None,
    idempotency_key: str | None,
) -> Incident | None:
    """Keep a report with its history and its announcement; None, and nothing kept, if this reporter's key is taken.

    ``serial`` comes from ``look``, ``day`` (``20240531``) is the local day of recording. Followers are not woken: that is for
    after the commit (``events.wake``).
    """
    place = decision.place
    routed = place.routed
    incident: dict[str, object] = {
        "id": serial,
        "number": incident_number(day, serial),
        "description": report.description,
        "source": report.source,
        **course_columns(course),
        "is_urgent": course.is_urgent,
        "discovered_at": course.discovered_at,
        "recorded_at": now,
        "reported_by": account_id,
        "given_lon": report.lon,
        "given_lat": report.lat,
        "datum": report.datum,
        "accuracy_m": report.accuracy_m,
        "geom": f"SRID={SRID};POINT({place.lon!r} {place.lat!r})",
        "match": routed.match,
        "distance_m": routed.distance_m,
        "candidates": [{"grid_code": c.grid_code, "share": c.share} for c in routed.candidates],
        "grid_id": place.grid_id,
        "grid_generation_id": generation_id if place.grid_id is not None else None,
        "grid_code": routed.grid_code,
        "sub_grid_code": routed.sub_grid_code,
        "area_path": list(place.area_path),
        "responsible": decision.responsible,
        "decision": decision.record,
        "idempotency_key": idempotency_key,
    }
    if (found := report.found) is not None:
        incident |= {"found_by": found.kind, "found_code": found.code, "found_text": found.text}
    # the database speaks UTC
    times = {name: value.astimezone(UTC) for name, value in incident.items() if isinstance(value, datetime)}
    incident |= times
    history = record_rows(serial, records, (place.lon, place.lat))
    event = announcement.columns()
    statement = _keep(tuple(incident), tuple(history[0]), tuple(event))
    given = {
        "incident": orjson.dumps(incident).decode(),
        "history": orjson.dumps(history).decode(),
        "event": orjson.dumps(event).decode(),
    }
    if not conn.exec_driver_sql(statement, given).scalar_one():
        return None
    # as it would be read back, without reading it back: forty columns cost as much as the INSERT
    seen = {"lon": place.lon, "lat": place.lat, "grid_name": place.grid_name}
    return incident_of(SimpleNamespace(**(_UNSET | incident | seen)))


_UNSET: dict[str, object] = dict.fromkeys(incident_table.c.keys())
