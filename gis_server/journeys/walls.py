"""Walls: what a big screen shows, and the links that open one without an account."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from gis_server.core.access import Act, Actor
from gis_server.core.account import WallLink
from gis_server.core.errors import NotAllowed, NotFound, SignInRequired, UnusableInput
from gis_server.core.message import msg
from gis_server.core.wall import CITY, Wall, WallState, area_wall, city_wall, display, layers_on_wall
from gis_server.journeys.context import Context
from gis_server.journeys.wall_scenes import calls_since, day_start, sent_scene, tour_of
from gis_server.store import accounts, areas, audit, events, incidents, wall_figures

MOST_ON_WALL = 3_000
"""So many of the newest incidents are drawn, and the longest overdue of those before; the counts count all of them."""


def wall_state(ctx: Context, actor: Actor, wall_id: str, now: datetime) -> WallState:
    """All a wall shows, of one moment, with the position in the stream from which its changes follow."""
    with ctx.engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        wall = _wall(conn, actor, wall_id, now)
        path = wall.territory.path
        today = day_start(ctx, now)
        shown, complete_since = incidents.on_wall(conn, path, today, MOST_ON_WALL, now)
        return WallState(
            wall=wall,
            generated_at=now,
            position=events.last_position(conn),
            bounds=areas.bounds(conn, wall.territory.code, now),
            figures=incidents.figures(conn, path, since=today, now=now),
            incidents=shown,
            complete_since=complete_since,
            open_by_grid=incidents.open_by_grid(conn, path),
            layers=layers_on_wall(ctx.catalogue),
            tour=tour_of(ctx, conn, wall.id),
            tour_start=today,
            alarms=wall_figures.alarms(conn, path, calls_since(ctx, now)),
            sent_scene=sent_scene(conn, wall.id, now),
        )


def open_wall(ctx: Context, actor: Actor, wall_id: str, now: datetime) -> Wall:
    """The wall itself, for its page; refuses what ``wall_state`` would refuse."""
    with ctx.engine.connect() as conn:
        return _wall(conn, actor, wall_id, now)


def wall_ground(
    ctx: Context, actor: Actor, wall_id: str, now: datetime
) -> tuple[Wall, tuple[float, float, float, float] | None]:
    """The wall with the box of its area, degrees (EPSG:4490; None: nothing published yet): what its map begins with."""
    with ctx.engine.connect() as conn:
        wall = _wall(conn, actor, wall_id, now)
        return wall, areas.bounds(conn, wall.territory.code, now)


def _wall(conn: Connection, actor: Actor, wall_id: str, now: datetime) -> Wall:
    actor.require(Act.SHOW_WALL)
    if actor.wall_id not in (None, wall_id):
        raise NotAllowed(msg("此链接只能打开它所属的大屏。"))
    wall = _find(conn, wall_id, now)
    actor.require(Act.SHOW_WALL, wall.territory.path)
    return wall


def _find(conn: Connection, wall_id: str, now: datetime) -> Wall:
    if wall_id == CITY:
        return city_wall()
    area = areas.by_code(conn, wall_id, now)
    if area is None:
        raise NotFound(msg("没有名为 {wall} 的大屏；可用 city 或已发布的区划代码。", wall=wall_id[:60]))
    return area_wall(area.code, area.name, area.path)


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link just made. ``token`` is told once and kept nowhere."""

    id: int
    token: str


def _hash(token: str) -> str:
    # a token is 256 random bits: no slow hash is needed to keep it from being guessed
    return hashlib.sha256(token.encode()).hexdigest()


def make_link(
    ctx: Context,
    actor: Actor,
    wall_id: str,
    *,
    label: str,
    expires_at: datetime | None = None,
    now: datetime,
) -> NewLink:
    """Make a link to a wall of the actor's territory."""
    actor.require(Act.MANAGE_WALL_LINKS)
    label = label.strip()
    if not 1 <= len(label) <= 80 or not label.isprintable():
        raise UnusableInput(
            msg("请给链接起一个 1 到 80 个字的名称，例如“大厅主屏”。"),
            field="label",
            expected=msg("1 到 80 个字的文字"),
        )
    if expires_at is not None and expires_at <= now:
        raise UnusableInput(msg("到期时间已经过去。"), field="expires_at", expected=msg("晚于现在的时间"))
    token = secrets.token_urlsafe(32)
    with ctx.engine.begin() as conn:
        wall = _find(conn, wall_id, now)
        actor.require(Act.MANAGE_WALL_LINKS, wall.territory.path)
        link_id = accounts.add_link(
            conn,
            wall_id,
            label,
            _hash(token),
            created_by=actor.account_id,
            now=now,
            expires_at=expires_at,
        )
        audit.add(conn, actor, "wall_link_make", now=now, subject=f"{wall_id}#{link_id}")
    return NewLink(link_id, token)


def links(ctx: Context, actor: Actor, now: datetime) -> list[WallLink]:
    """The links to walls of the actor's territory, newest first, revoked and expired ones included."""
    actor.require(Act.MANAGE_WALL_LINKS)
    with ctx.engine.connect() as conn:
        return [link for link in accounts.links(conn) if _may_manage(conn, actor, link, now)]


def _may_manage(conn: Connection, actor: Actor, link: WallLink, now: datetime) -> bool:
    if link.wall_id == CITY or not actor.territory.path:
        return not actor.territory.path
    area = areas.by_code(conn, link.wall_id, now)
    return area is not None and actor.territory.holds(area.path)


def revoke_link(ctx: Context, actor: Actor, link_id: int, now: datetime) -> None:
    """Revoke a link: its screens are signed out, and their streams end within seconds."""
    actor.require(Act.MANAGE_WALL_LINKS)
    with ctx.engine.begin() as conn:
        link = accounts.link_by_id(conn, link_id)
        if link is None or not _may_manage(conn, actor, link, now):
            raise NotFound(msg("没有编号为 {id} 的大屏链接。", id=link_id))
        accounts.revoke_link(conn, link_id, now)
        audit.add(conn, actor, "wall_link_revoke", now=now, subject=f"{link.wall_id}#{link_id}")


def open_link(ctx: Context, token: str, wall_id: str, now: datetime) -> int:
    """The id of the live link that this token belongs to; SignInRequired for any other token or wall."""
    with ctx.engine.begin() as conn:
        link = accounts.link_by_hash(conn, _hash(token))
        if link is None or link.wall_id != wall_id or not link.is_live(now):
            raise SignInRequired(msg("大屏链接无效、已到期或已撤销，请向管理员索取新的链接。"))
        wall = _find(conn, wall_id, now)
        audit.add(conn, display(wall, link.label), "wall_link_open", now=now, subject=f"{wall_id}#{link.id}")
        return link.id


def link_actor(ctx: Context, link_id: int, now: datetime) -> Actor | None:
    """On whose behalf a screen's session runs; None once the link expired or was revoked."""
    with ctx.engine.connect() as conn:
        link = accounts.link_by_id(conn, link_id)
        if link is None or not link.is_live(now):
            return None
        try:
            return display(_find(conn, link.wall_id, now), link.label)
        except NotFound:  # its area is no more
            return None
