"""Why an incident was routed where it was: one canonical record, made of what was given and of what was in force.

The record holds its own input, so that the same decision can be made again from it and compared byte for byte.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from gis_server.core.answering import Answer, AnswerRules, Manager, answering
from gis_server.core.boundaries import Boundaries, Place
from gis_server.core.coverage.rules import BRIEF
from gis_server.core.datum import Datum, to_cgcs2000
from gis_server.core.roster import Posting, Roster, StaffedGrid
from gis_server.core.routing import REACH_M, Match
from gis_server.core.vocabulary import Term

SCHEMA = "gis-server/decision/1"

RULES_VERSION = 1
"""Version of the program's rules of routing and answering; raised when the same input gets another answer."""

_ROUTING_CLAUSE = {"zhenjiang": "zhenjiang 9(2)", "gansu": "gansu 一(一)"}
_EXCLUSIVE_CLAUSE = {"heihe": "heihe 11(7)", "zhenjiang": "zhenjiang 9(2)"}


class RouteRule(Term):
    """Which rule gave a point its grid."""

    INSIDE = "inside", "在网格内", "inside the grid"
    BORDER = "border", "在网格内，临近边界", "inside the grid, near its border"
    LOWER_CODE = "lower_code", "在公共边界上，归编码较小的网格", "on a common border: the lower code"
    NEAR = "near", "在网格外，归最近的网格", "outside, within reach of the nearest grid"
    OUTSIDE = "outside", "不在任何网格内", "outside every grid"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was given: degrees of ``datum``, the 95 % radius if stated, and the time whose boundaries and roster count."""

    lon: float
    lat: float
    datum: Datum
    accuracy_m: float | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Ground:
    """By what a place is decided: the profile's key and rules of answering, the boundaries, the roster."""

    profile: str
    rules: AnswerRules
    boundaries: Boundaries
    roster: Roster

    @property
    def generations(self) -> dict[str, int]:
        """The generations that decide, by layer."""
        found = dict(self.boundaries.generations)
        return found if self.roster.generation_id is None else found | {"roster": self.roster.generation_id}


@dataclass(frozen=True, slots=True)
class Decision:
    """A routed place, who answers for it, and the record of why."""

    place: Place
    answer: Answer
    record: str
    responsible: Mapping[str, object]
    generations: Mapping[str, int]


def route(asked: Asked, boundaries: Boundaries) -> Place:
    """Where the point asked for belongs within ``boundaries``."""
    lon, lat = to_cgcs2000(np.array([asked.lon]), np.array([asked.lat]), asked.datum)
    return boundaries.route(float(lon[0]), float(lat[0]), asked.accuracy_m)


def decide(asked: Asked, place: Place, ground: Ground) -> Decision:
    """Who answers for ``place``, which is where ``asked`` was routed on ``ground``."""
    answer = answering(ground.rules, place.staffed, place.area_path, ground.roster, asked.at)
    return Decision(
        place,
        answer,
        canonical(_record(asked, place, ground, answer)),
        _responsible(place, answer, ground),
        ground.generations,
    )


def responsible_for(place: Place, ground: Ground, at: datetime) -> dict[str, object]:
    """Who answers for ``place`` at ``at``, without the record of why: what ``decide`` gives as ``responsible``."""
    answer = answering(ground.rules, place.staffed, place.area_path, ground.roster, at)
    return _responsible(place, answer, ground)


def canonical(record: Mapping[str, object]) -> str:
    """The one text of a record: keys in order, no blanks, numbers as the shortest that give the same value."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def rule_of(place: Place) -> RouteRule:
    """Which rule gave the place its grid."""
    if place.shared_by:
        return RouteRule.LOWER_CODE
    return {
        Match.INSIDE: RouteRule.INSIDE,
        Match.BORDER: RouteRule.BORDER,
        Match.NEAR: RouteRule.NEAR,
        Match.OUTSIDE: RouteRule.OUTSIDE,
    }[place.routed.match]


def clause_of(profile: str, grid: StaffedGrid | None) -> str:
    """The clause from which routing to a grid's own staff is read; "product brief" where a document gives none."""
    if grid is not None and grid.is_exclusive and profile in _EXCLUSIVE_CLAUSE:
        return _EXCLUSIVE_CLAUSE[profile]
    return _ROUTING_CLAUSE.get(profile, BRIEF)


def asked_of(record: Mapping[str, Any]) -> Asked:
    """What was given, from a record."""
    given = record["input"]
    return Asked(
        given["lon"],
        given["lat"],
        Datum(given["datum"]),
        given["accuracy_m"],
        datetime.fromisoformat(given["at"]),
    )


def _record(asked: Asked, place: Place, ground: Ground, answer: Answer) -> dict[str, object]:
    routed = place.routed
    return {
        "schema": SCHEMA,
        "rules_version": RULES_VERSION,
        "profile": ground.profile,
        "clause": clause_of(ground.profile, place.staffed),
        "input": {
            "lon": asked.lon,
            "lat": asked.lat,
            "datum": asked.datum.value,
            "accuracy_m": asked.accuracy_m,
            "at": asked.at.isoformat(),
            "rules": ground.rules.as_json(),
        },
        "generations": ground.generations,
        "route": {
            "rule": rule_of(place).value,
            "match": routed.match.value,
            "lon": place.lon,
            "lat": place.lat,
            "distance_m": routed.distance_m,
            "stable_within_m": routed.stable_within_m,
            "reach_m": REACH_M,
            "candidates": [{"grid_code": c.grid_code, "share": c.share} for c in routed.candidates],
            "shared_by": list(place.shared_by),
            "grid_id": place.grid_id,
            "grid_code": routed.grid_code,
            "sub_grid_code": routed.sub_grid_code,
            "area_path": list(place.area_path),
        },
        "staff": {
            "chosen": None if answer.chosen is None else _posting_json(answer.chosen),
            "rung": None if answer.rung is None else answer.rung.value,
            "vacant": [rung.value for rung in answer.vacant],
        },
        "unit": {
            "level": answer.unit.level.value,
            "code": answer.unit.code,
            "reason": answer.unit.reason.value,
        },
        "managers": [_manager_json(manager) for manager in answer.managers],
    }


def _posting_json(posting: Posting) -> dict[str, object]:
    """A posting by its ids: no name, no phone."""
    return {
        "posting_id": posting.id,
        "person_id": posting.person_id,
        "post": posting.post.value,
        "leader_level": None if posting.leader_level is None else posting.leader_level.value,
        "worker_kind": None if posting.worker_kind is None else posting.worker_kind.value,
        "code": posting.code,
        "unit": posting.unit,
        "stands_in_for": posting.stands_in_for,
    }


def _manager_json(manager: Manager) -> dict[str, object]:
    return {
        "mode": manager.mode,
        "unit": manager.unit,
        "code": manager.code,
        "posting": None if manager.posting is None else _posting_json(manager.posting),
    }


def _responsible(place: Place, answer: Answer, ground: Ground) -> dict[str, object]:
    """What is kept with the incident: names of areas and units, people by their ids."""
    unit = answer.unit
    name = None if unit.code is None else ground.boundaries.name_of(unit.code)
    units: list[dict[str, object]] = [
        {
            "as": "answers",
            "level": unit.level.value,
            "code": unit.code,
            "name": name,
            "reason": unit.reason.value,
        }
    ]
    people: list[dict[str, object]] = []
    if answer.chosen is not None and answer.rung is not None:
        people.append({"as": "answers", "rung": answer.rung.value, **_posting_json(answer.chosen)})
    for manager in answer.managers:
        code = manager.code
        named = manager.unit if code is None else ground.boundaries.name_of(code)
        units.append({"as": manager.mode, "level": None, "code": code, "name": named, "reason": None})
        if manager.posting is not None:
            people.append({"as": manager.mode, "rung": None, **_posting_json(manager.posting)})
    return {**place.responsible, "people": people, "units": units}
