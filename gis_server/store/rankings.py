"""How much each grid and each worker completed, for rankings."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Connection, Text, column, func, select, true

from gis_server.core.roster import Post
from gis_server.store.schema import incident
from gis_server.store.wall_figures import settled_since


def completed_by_grid(
    conn: Connection, path: Sequence[str], since: datetime, until: datetime
) -> dict[str, int]:
    """How many incidents of each grid were settled from ``since`` on and before ``until``."""
    settled = settled_since(path, since).subquery()
    rows = conn.execute(
        select(settled.c.grid_code, func.count())
        .where(settled.c.grid_code.is_not(None), settled.c.at < until)
        .group_by(settled.c.grid_code)
    )
    return {row[0]: row[1] for row in rows}


def completed_by_worker(
    conn: Connection, path: Sequence[str], since: datetime, until: datetime
) -> dict[int, int]:
    """The same by the workers who answered for them when they were reported; ids of people of the roster."""
    settled = settled_since(path, since).subquery()
    person = (
        func.jsonb_to_recordset(incident.c.responsible["people"])
        .table_valued(column("person_id", BigInteger), column("post", Text), column("as", Text))
        .render_derived(name="person", with_types=True)
    )
    rows = conn.execute(
        select(person.c.person_id, func.count(settled.c.incident_id.distinct()))
        .select_from(settled.join(incident, incident.c.id == settled.c.incident_id).join(person, true()))
        .where(
            settled.c.at < until,
            person.c.post == Post.GRID_WORKER,
            person.c["as"] == "answers",
            person.c.person_id.is_not(None),
        )
        .group_by(person.c.person_id)
    )
    return {row[0]: row[1] for row in rows}
