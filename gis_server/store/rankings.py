"""How much each grid and each worker completed, for rankings: what was settled, and not taken up again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Connection, Text, column, func, select, true

from gis_server.core.roster import Post
from gis_server.store.incidents import settled
from gis_server.store.schema import incident


def completed_by_grid(
    conn: Connection, path: Sequence[str], since: datetime, until: datetime
) -> dict[str, int]:
    """How many incidents of each grid were settled from ``since`` on and before ``until``."""
    rows = conn.execute(
        select(incident.c.grid_code, func.count())
        .where(settled(path, since, until), incident.c.grid_code.is_not(None))
        .group_by(incident.c.grid_code)
    )
    return {row[0]: row[1] for row in rows}


def completed_by_worker(
    conn: Connection, path: Sequence[str], since: datetime, until: datetime
) -> dict[int, int]:
    """The same by the workers who answered for them when they were reported; ids of people of the roster."""
    person = (
        func.jsonb_to_recordset(incident.c.responsible["people"])
        .table_valued(column("person_id", BigInteger), column("post", Text), column("as", Text))
        .render_derived(name="person", with_types=True)
    )
    rows = conn.execute(
        select(person.c.person_id, func.count(incident.c.id.distinct()))
        .select_from(incident.join(person, true()))
        .where(
            settled(path, since, until),
            person.c.post == Post.GRID_WORKER,
            person.c["as"] == "answers",
            person.c.person_id.is_not(None),
        )
        .group_by(person.c.person_id)
    )
    return {row[0]: row[1] for row in rows}
