"""People, their postings, and the rosters in which they stand.

A roster is a generation filed under ``roster``: in force for its time, never changed, replaced whole.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, text, update

from gis_server.core.errors import Conflict
from gis_server.core.generation import GenerationState
from gis_server.core.message import msg
from gis_server.core.roster import LeaderLevel, Person, Post, Posting, Roster, WorkerKind, WorkerLevel
from gis_server.core.vocabulary import InstructorSource, LeaderPost
from gis_server.store.boundaries import ROSTER
from gis_server.store.copying import Constant, Values, copy_rows
from gis_server.store.schema import generation, posting

_COLUMNS = tuple(column for column in posting.c if column is not posting.c.generation_id)
_TERMS = ("post", "leader_level", "worker_kind", "worker_level", "community_post", "source")
_PLAIN = ("code", "unit", "certified", "declared_on", "valid_from", "valid_to")
_LOCK = 20_170


def load(conn: Connection, generation_id: int) -> Roster:
    """One roster whole, with its people."""
    query = select(*_COLUMNS).where(posting.c.generation_id == generation_id).order_by(posting.c.id)
    postings = [_posting(row) for row in conn.execute(query)]
    ids = {p.person_id for p in postings} | {p.stands_in_for for p in postings if p.stands_in_for is not None}
    return Roster(postings, people(conn, ids), generation_id)


def _posting(row: Any) -> Posting:
    return Posting(
        id=row.id,
        person_id=row.person_id,
        post=Post(row.post),
        code=row.code,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        leader_level=None if row.leader_level is None else LeaderLevel(row.leader_level),
        worker_kind=None if row.worker_kind is None else WorkerKind(row.worker_kind),
        worker_level=None if row.worker_level is None else WorkerLevel(row.worker_level),
        community_post=None if row.community_post is None else LeaderPost(row.community_post),
        source=None if row.source is None else InstructorSource(row.source),
        unit=row.unit,
        certified=row.certified,
        declared_on=row.declared_on,
        stands_in_for=row.stands_in_for,
    )


def people(conn: Connection, ids: Iterable[int]) -> dict[int, Person]:
    """These people by id."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    found = conn.execute(
        text("SELECT id, name, phone, staff_no FROM person WHERE id = ANY (:ids)"), {"ids": wanted}
    )
    return {row.id: Person(*row) for row in found}


def replace(
    conn: Connection, roster: Roster, *, on: datetime, by: str, now: datetime, source: Mapping[str, object]
) -> int:
    """Put a roster in force from ``on`` on, in place of the one before, in the caller's transaction; its generation id.

    The ids of ``roster`` are its own: people and postings get new ones. Raises Conflict if a roster is in force, or planned, from
    ``on`` or later.
    """
    conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    is_roster = (generation.c.layer == ROSTER) & (generation.c.state == GenerationState.PUBLISHED.value)
    last = conn.scalar(select(func.max(generation.c.valid_from)).where(is_roster))
    if last is not None and last >= on:
        raise Conflict(
            msg("已有自 {last} 起的花名册；新的花名册须自更晚的时刻起生效。", last=last.isoformat()),
            field="on",
        )
    conn.execute(update(generation).where(is_roster, generation.c.valid_to.is_(None)).values(valid_to=on))
    generation_id: int = conn.execute(
        insert(generation)
        .values(
            layer=ROSTER,
            state=GenerationState.PUBLISHED.value,
            valid_from=on,
            feature_count=len(roster.postings),
            source=dict(source),
            created_at=now,
            created_by=by,
            published_at=now,
            published_by=by,
        )
        .returning(generation.c.id)
    ).scalar_one()
    ids = _ids_of(conn, roster.people)
    copy_rows(conn, posting.name, _rows(roster, ids, generation_id), len(roster.postings))
    return generation_id


def _rows(roster: Roster, ids: Mapping[int, int], generation_id: int) -> dict[str, Values]:
    held = roster.postings
    terms: dict[str, Values] = {
        name: [None if (term := getattr(p, name)) is None else str(term.value) for p in held]
        for name in _TERMS
    }
    plain: dict[str, Values] = {name: [getattr(p, name) for p in held] for name in _PLAIN}
    return {
        "generation_id": Constant(generation_id),
        "person_id": [ids[p.person_id] for p in held],
        "stands_in_for": [None if p.stands_in_for is None else ids[p.stands_in_for] for p in held],
        **terms,
        **plain,
    }


_KNOWN = """
SELECT given.n, person.id
FROM unnest(CAST(:staff_no AS text[]), CAST(:name AS text[]), CAST(:phone AS text[])) WITH ORDINALITY
     AS given (staff_no, name, phone, n)
JOIN person ON coalesce(person.staff_no, '') = coalesce(given.staff_no, '') AND person.name = given.name
           AND coalesce(person.phone, '') = coalesce(given.phone, '')
"""
_NEW = """
INSERT INTO person (staff_no, name, phone)
SELECT DISTINCT * FROM unnest(CAST(:staff_no AS text[]), CAST(:name AS text[]), CAST(:phone AS text[]))
ON CONFLICT DO NOTHING
"""


def _ids_of(conn: Connection, given: Mapping[int, Person]) -> dict[int, int]:
    """The kept id of each person; who is not known like this yet is added."""
    columns = {
        "staff_no": [one.staff_no for one in given.values()],
        "name": [one.name for one in given.values()],
        "phone": [one.phone for one in given.values()],
    }
    conn.execute(text(_NEW), columns)
    known = {row.n: row.id for row in conn.execute(text(_KNOWN), columns)}
    return {local: known[n] for n, local in enumerate(given, 1)}


def in_force(conn: Connection, at: datetime) -> int | None:
    """The generation id of the roster in force at ``at``; None if there is none."""
    query = select(generation.c.id).where(
        generation.c.layer == ROSTER,
        generation.c.state == GenerationState.PUBLISHED.value,
        generation.c.valid_from <= at,
        func.coalesce(generation.c.valid_to > at, True),
    )
    found: int | None = conn.scalar(query)
    return found
