"""Who is responsible for an incident, as it is kept (people by id) and as a reader may see it (people by name)."""

from collections.abc import Mapping, Sequence
from typing import Any

from gis_server.core.answering import UnitReason
from gis_server.core.parameter import plain
from gis_server.core.roster import LeaderLevel, Person, Post, WorkerKind


def people_of(responsible: Mapping[str, Any]) -> set[int]:
    """Ids of all people who are named, and of those they stand in for."""
    listed: Sequence[Mapping[str, Any]] = responsible.get("people", ())
    ids = {one[key] for one in listed for key in ("person_id", "stands_in_for")}
    return {number for number in ids if number is not None}


def as_told(responsible: Mapping[str, Any], people: Mapping[int, Person] | None) -> dict[str, object]:
    """What a reader is told: with ``people`` (the internal tier) names and the phones of duty, without it posts only.

    An incident from before there was a roster has areas and nothing else.
    """
    return {
        **responsible,
        "people": [_person(one, people) for one in responsible.get("people", ())],
        "units": [_unit(one) for one in responsible.get("units", ())],
    }


def _person(kept: Mapping[str, Any], people: Mapping[int, Person] | None) -> dict[str, object]:
    told: dict[str, object] = {
        "as": kept["as"],
        "rung": kept["rung"],
        "post": kept["post"],
        "title": plain(title_of(kept).words),
        "code": kept["code"],
        "unit": kept["unit"],
        "is_stand_in": kept["stands_in_for"] is not None,
    }
    if people is not None:
        person, other = people.get(kept["person_id"]), people.get(kept["stands_in_for"])
        told |= {
            "name": None if person is None else person.name,
            "phone": None if person is None else person.phone,
            "stands_in_for": None if other is None else other.name,
        }
    return told


def title_of(kept: Mapping[str, Any]) -> WorkerKind | LeaderLevel | Post:
    """What a kept posting is called: the worker's kind and the leader's level where they are known."""
    if kept["worker_kind"] is not None:
        return WorkerKind(kept["worker_kind"])
    return LeaderLevel(kept["leader_level"]) if kept["leader_level"] is not None else Post(kept["post"])


def _unit(kept: Mapping[str, Any]) -> dict[str, object]:
    reason = kept["reason"]
    return {**kept, "why": None if reason is None else plain(UnitReason(reason).words)}
