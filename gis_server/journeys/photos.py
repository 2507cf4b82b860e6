"""Photos of an incident: added by its reporter and by those at work on it, seen by those who may read its text."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from gis_server.core.access import Act, Actor, Tier
from gis_server.core.errors import Conflict, NotAllowed, NotFound, UnusableInput
from gis_server.core.incident import Incident
from gis_server.core.item import find_item
from gis_server.core.message import msg
from gis_server.core.photo import NewPhoto, Photo
from gis_server.files.photo import read_photo
from gis_server.journeys import incidents as journey
from gis_server.journeys.context import Context
from gis_server.store import audit, incidents, photos

ADD = "add_photo"
READ = "protected_read"


@dataclass(frozen=True, slots=True)
class Added:
    """A photo that was sent; ``is_new`` is False when the same file had come before."""

    photo: Photo
    is_new: bool


def add_photos(
    ctx: Context,
    actor: Actor,
    incident_id: int,
    contents: Sequence[bytes],
    *,
    keep_place: bool,
    now: datetime,
) -> list[Added]:
    """Check photos by decoding them, strip them, and keep them with their incident: all of them or none.

    The same file sent again is the same photo: an answer that was lost doubles nothing. Raises UnusableInput for what is
    no photo or is too large, Conflict when the incident would have more than it may have.
    """
    with ctx.engine.connect() as conn:  # before the work of decoding
        _require_may_add(conn, actor, incident_id)
        known = {photo.sha256: photo for photo in photos.of_incident(conn, incident_id)}
    hashes = [hashlib.sha256(content).hexdigest() for content in contents]
    fresh = {
        sha256: _read(ctx, content, keep_place=keep_place)
        for sha256, content in zip(hashes, contents, strict=True)
        if sha256 not in known
    }
    added: set[str] = set()
    with ctx.engine.begin() as conn:
        incidents.lock(conn, incident_id)  # two at once would each see room for one more
        known = {photo.sha256: photo for photo in photos.of_incident(conn, incident_id)}
        fresh = {sha256: new for sha256, new in fresh.items() if sha256 not in known}
        if len(known) + len(fresh) > ctx.settings.photos:
            raise Conflict(
                msg("一起事件最多 {most} 张照片，已有 {n} 张。", most=ctx.settings.photos, n=len(known)),
                field="photo",
                expected=msg("不超过 {most} 张", most=ctx.settings.photos),
            )
        for sha256, new in fresh.items():
            known[sha256] = photos.add(conn, incident_id, new, now=now, account_id=actor.account_id)
            added.add(sha256)
        if added:
            detail = {"photos": [known[sha256].id for sha256 in fresh]}
            audit.add(conn, actor, ADD, now=now, subject=f"incident:{incident_id}", detail=detail)
    return [Added(known[sha256], sha256 in added) for sha256 in dict.fromkeys(hashes)]


def _read(ctx: Context, content: bytes, *, keep_place: bool) -> NewPhoto:
    most = ctx.settings.photo_mb
    if len(content) > most * 2**20:
        raise UnusableInput(
            msg("照片超过 {most} MB 的上限，请缩小后再传。", most=most),
            field="photo",
            expected=msg("不超过 {most} MB", most=most),
        )
    return read_photo(content, zone=ctx.settings.timezone, keep_place=keep_place)


def listing(ctx: Context, actor: Actor, incident_id: int) -> list[Photo]:
    """The photos of an incident whose text the actor may read; none of one that is withheld from him."""
    if journey.one(ctx, actor, incident_id).incident.is_withheld:
        return []
    with ctx.engine.connect() as conn:
        return photos.of_incident(conn, incident_id)


def pixels(
    ctx: Context, actor: Actor, incident_id: int, photo_id: int, *, is_thumbnail: bool, now: datetime
) -> bytes:
    """The JPEG of one photo; a protected incident's leaves an audit row each time (requirements 8.5)."""
    opened = journey.one(ctx, actor, incident_id)
    if opened.incident.is_withheld:
        raise NotAllowed(msg("内容受保护，您的权限不能查看。"))
    with ctx.engine.begin() as conn:
        found = photos.pixels(conn, incident_id, photo_id, is_thumbnail=is_thumbnail)
        if found is None:
            raise NotFound(msg("事件 {number} 没有这张照片。", number=opened.incident.number))
        if not is_thumbnail and _is_protected(ctx, opened.incident):
            detail = {"numbers": [opened.incident.number], "photo": photo_id}
            audit.add(conn, actor, READ, now=now, subject="photo", detail=detail)
    return found


def _is_protected(ctx: Context, incident: Incident) -> bool:
    item = find_item(journey.rules(ctx).items, incident.item_key or incident.item)
    return item is not None and item.protection.tier is Tier.PROTECTED


def _require_may_add(conn: Connection, actor: Actor, incident_id: int) -> None:
    if not (actor.may(Act.REPORT_INCIDENT) or actor.may(Act.MOVE_INCIDENT)):
        actor.require(Act.REPORT_INCIDENT)
    incident = incidents.by_id(conn, incident_id)
    if incident is None:
        raise NotFound(msg("没有编号为 {id} 的事件。", id=incident_id))
    is_reporter = actor.account_id is not None and incident.reported_by == actor.account_id
    if is_reporter and actor.may(Act.REPORT_INCIDENT):
        return
    journey.require_own(actor, incident, Act.MOVE_INCIDENT)
