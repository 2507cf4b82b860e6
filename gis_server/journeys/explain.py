"""Explain why an incident was routed where it was, and make the decision again from its record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from gis_server.core.access import Act, Actor, Tier
from gis_server.core.answering import AnswerRules
from gis_server.core.boundaries import Boundaries
from gis_server.core.decision import RULES_VERSION, Ground, asked_of, decide, route
from gis_server.core.errors import Conflict, NotFound
from gis_server.core.explanation import sentences, since_then
from gis_server.core.incident import Incident
from gis_server.core.message import Message, msg
from gis_server.journeys.boundaries import of_generations
from gis_server.journeys.context import Context
from gis_server.journeys.ground import ground_at
from gis_server.journeys.incidents import require_own
from gis_server.journeys.roster_in_force import roster_of
from gis_server.store import incidents, roster


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision as it was recorded and in sentences; what the place belongs to now; whether a replay gave the same.

    ``decision`` is None for incidents from before decisions were recorded, ``replayed`` None where nobody asked.
    """

    decision: Mapping[str, Any] | None
    sentences: tuple[Message, ...]
    now_grid_code: str | None
    now_grid_name: str | None
    replayed: bool | None


def explain(
    ctx: Context, actor: Actor, incident_id: int, now: datetime, *, again: bool = False
) -> Explanation:
    """Why an incident of the actor's territory was routed where it was; ``again`` makes the decision once more."""
    actor.require(Act.READ_INCIDENTS)
    with ctx.engine.connect() as conn:
        incident = incidents.by_id(conn, incident_id)
        if incident is None:
            raise NotFound(msg("没有编号为 {id} 的事件。", id=incident_id))
        require_own(actor, incident, Act.READ_INCIDENTS)
        current = ground_at(ctx, conn, now).boundaries
        place = current.route(incident.lon, incident.lat, incident.accuracy_m)
        text = incidents.decision(conn, incident_id)
        added = since_then(incident.grid_code, place.routed.grid_code)
        told = () if added is None else (added,)
        if text is None:
            before = (msg("这起事件登记时还没有保存判定依据。"),)
            return Explanation(None, before + told, place.routed.grid_code, place.grid_name, None)
        record = orjson.loads(text)
        people = roster.people(conn, _people(record)) if actor.tier >= Tier.INTERNAL else None
        names = _names(of_generations(conn, record["generations"]), incident)
        return Explanation(
            decision=record,
            sentences=sentences(record, names, people, ctx.settings.timezone) + told,
            now_grid_code=place.routed.grid_code,
            now_grid_name=place.grid_name,
            replayed=_again(conn, text) == text if again else None,
        )


def replay(ctx: Context, incident: Incident) -> str:
    """The record of an incident's decision, made again from its stored input and the generations of that time.

    Equal to the stored record byte for byte, whatever boundaries and roster have become. Raises NotFound for an incident without a
    record, Conflict for a record made by other rules than this program's.
    """
    with ctx.engine.connect() as conn:
        text = incidents.decision(conn, incident.id)
        if text is None:
            raise NotFound(msg("这起事件登记时还没有保存判定依据。"))
        return _again(conn, text)


def _again(conn: Connection, text: str) -> str:
    record = orjson.loads(text)
    if record["rules_version"] != RULES_VERSION:
        raise Conflict(
            msg(
                "这一判定按第 {then} 版规则作出，本程序为第 {now} 版，不能重演。",
                then=record["rules_version"],
                now=RULES_VERSION,
            )
        )
    ground = Ground(
        profile=record["profile"],
        rules=AnswerRules.from_json(record["input"]["rules"]),
        boundaries=of_generations(conn, record["generations"]),
        roster=roster_of(conn, record["generations"]),
    )
    asked = asked_of(record)
    return decide(asked, route(asked, ground.boundaries), ground).record


def _people(record: Mapping[str, Any]) -> set[int]:
    postings = [record["staff"]["chosen"], *(manager["posting"] for manager in record["managers"])]
    ids = {p[key] for p in postings if p is not None for key in ("person_id", "stands_in_for")}
    return {number for number in ids if number is not None}


def _names(then: Boundaries, incident: Incident) -> dict[str, str]:
    names = {code: then.name_of(code) for code in incident.area_path}
    if incident.grid_code is not None and incident.grid_name is not None:
        names[incident.grid_code] = incident.grid_name
    return names
