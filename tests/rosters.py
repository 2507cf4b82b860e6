"""Rosters for tests: rows as a person would write them, put in force without a file."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gis_server.core.roster import Person, Posting, Roster
from gis_server.journeys.context import Context
from gis_server.store import roster as store

Row = dict[str, Any]


def made_roster(rows: Sequence[Row], began: datetime) -> Roster:
    """Each row is a posting; ``name`` and ``phone`` are its person's, who is the same in every row with that name."""
    people: dict[str, Person] = {}
    postings = []
    for number, given in enumerate(rows, 1):
        row = dict(given)
        name, phone = row.pop("name", f"某{number}"), row.pop("phone", None)
        person = people.setdefault(name, Person(len(people) + 1, name, phone))
        if "stands_in_for" in row:
            row["stands_in_for"] = people[row["stands_in_for"]].id
        postings.append(Posting(**{"id": number, "person_id": person.id, "valid_from": began} | row))
    return Roster(postings, {person.id: person for person in people.values()})


def put_roster(ctx: Context, rows: Sequence[Row], on: datetime) -> int:
    """Put a roster in force from ``on`` on; its generation id."""
    with ctx.engine.begin() as conn:
        return store.replace(conn, made_roster(rows, on), on=on, by="test", now=on, source={})
