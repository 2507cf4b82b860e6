"""Likely duplicates: named to the reporter before a report is sent, and to the desk, which decides and merges nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from gis_server.core.access import Act, Actor, Role, Tier
from gis_server.core.datum import Datum, to_cgcs2000
from gis_server.core.duplicate import (
    MOST_NAMED,
    Nearby,
    Verdict,
    VerdictRequest,
    may_be_same_item,
)
from gis_server.core.errors import NotFound, UnusableInput
from gis_server.core.incident import Incident
from gis_server.core.item import find_item
from gis_server.core.message import msg
from gis_server.core.routing import check_position
from gis_server.journeys import incidents as journey
from gis_server.journeys.context import Context
from gis_server.store import duplicates, incidents


@dataclass(frozen=True, slots=True)
class Seen:
    """A nearby incident as this reader may know it: ``item`` is None where it is withheld."""

    nearby: Nearby
    item: str | None


@dataclass(frozen=True, slots=True)
class Around:
    """What lies around a place: how near and how recent was asked, how many there are, and those that may be named."""

    within_m: int
    hours: int
    count: int
    named: tuple[Seen, ...]
    verdicts: tuple[Verdict, ...] = ()


def around_place(
    ctx: Context,
    actor: Actor,
    lon: float,
    lat: float,
    *,
    datum: Datum = Datum.WGS84,
    item: str | None = None,
    at: datetime,
) -> Around:
    """Open incidents that a report from this place at ``at`` may repeat; those that the actor may not read are counted only."""
    actor.require(Act.REPORT_INCIDENT)
    check_position(lon, lat)
    true_lon, true_lat = to_cgcs2000(np.array([lon]), np.array([lat]), datum)
    with ctx.engine.connect() as conn:
        found = _nearby(ctx, conn, float(true_lon[0]), float(true_lat[0]), at)
    found = [one for one in found if _same_item(ctx, item, one)]
    return _around(ctx, actor, found)


def around_incident(ctx: Context, actor: Actor, incident_id: int) -> Around:
    """Open incidents that may be this one, without those that somebody decided are not; and what was decided."""
    incident = journey.one(ctx, actor, incident_id).incident
    with ctx.engine.connect() as conn:
        verdicts = duplicates.verdicts(conn, incident_id)
        found = _nearby(ctx, conn, incident.lon, incident.lat, incident.discovered_at)
    decided = {incident_id, *(verdict.other_id for verdict in verdicts)}
    item = incident.item_key or incident.item
    likely = [one for one in found if one.id not in decided and _same_item(ctx, item, one)]
    around = _around(ctx, actor, likely)
    return Around(around.within_m, around.hours, around.count, around.named, tuple(verdicts))


def decide(ctx: Context, actor: Actor, incident_id: int, asked: VerdictRequest, now: datetime) -> Around:
    """Keep that two incidents are one and the same, or that they are not; both stay, with their own histories.

    Saying what holds already adds nothing.
    """
    actor.require(Act.MOVE_INCIDENT)
    actor.require(Act.READ_INCIDENTS)
    if asked.other_id == incident_id:
        raise UnusableInput(msg("一起事件不能与自身重复。"), field="other", expected=msg("另一起事件的编号"))
    with ctx.engine.begin() as conn:
        # in one order, so that two who decide at once do not wait for each other
        for each in sorted((incident_id, asked.other_id)):
            _require_own(conn, actor, each)
        holds = {verdict.other_id: verdict.is_duplicate for verdict in duplicates.verdicts(conn, incident_id)}
        if holds.get(asked.other_id) is not asked.is_duplicate:
            duplicates.add_verdict(
                conn, incident_id, asked, actor=actor.name, account_id=actor.account_id, now=now
            )
    return around_incident(ctx, actor, incident_id)


def _nearby(ctx: Context, conn: Connection, lon: float, lat: float, at: datetime) -> list[Nearby]:
    span = timedelta(hours=ctx.settings.duplicate_hours)
    return duplicates.nearby(
        conn, lon, lat, within_m=ctx.settings.duplicate_m, since=at - span, until=at + span
    )


def _same_item(ctx: Context, item: str | None, other: Nearby) -> bool:
    return may_be_same_item(journey.rules(ctx).items, item, other.item_key or other.item)


def _around(ctx: Context, actor: Actor, found: list[Nearby]) -> Around:
    named = [one for one in found if _may_read(actor, one)][:MOST_NAMED]
    return Around(
        ctx.settings.duplicate_m,
        ctx.settings.duplicate_hours,
        len(found),
        tuple(Seen(one, _shown_item(ctx, actor, one)) for one in named),
    )


def _shown_item(ctx: Context, actor: Actor, one: Nearby) -> str | None:
    item = find_item(journey.rules(ctx).items, one.item_key or one.item)
    needed = Tier.INTERNAL if item is None else item.protection.tier
    return one.item if needed <= actor.tier else None


def _may_read(actor: Actor, one: Nearby) -> bool:
    """``incidents.require_own`` for what is only named."""
    if actor.role is Role.HANDLING_UNIT and actor.name not in one.units:
        return False
    is_own = actor.account_id is not None and one.reported_by == actor.account_id
    in_grids = actor.grids is None or one.grid_code in actor.grids
    return actor.territory.holds(one.area_path) and (in_grids or is_own)


def _require_own(conn: Connection, actor: Actor, incident_id: int) -> Incident:
    found = incidents.lock(conn, incident_id)
    if found is None:
        raise NotFound(msg("没有编号为 {id} 的事件。", id=incident_id), field="other")
    journey.require_own(actor, found, Act.MOVE_INCIDENT)
    return found
