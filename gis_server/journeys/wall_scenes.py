"""Scenes of a wall: the tour and who edits it, what the desk sends to a wall, acknowledged calls, and the counts."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from gis_server.core.access import Act, Actor, Tier
from gis_server.core.errors import CatalogueError, Conflict, NotFound, UnusableInput
from gis_server.core.message import msg
from gis_server.core.ranking import ranked_periods
from gis_server.core.scene import LONGEST_S, SHORTEST_S, Tour, for_periods, parse_tour
from gis_server.core.stream import ACKNOWLEDGED, SCENE, TOUR
from gis_server.core.vocabulary import Period, RankingUnit
from gis_server.core.wall import Wall
from gis_server.core.wall_figures import Replayed, Statistics
from gis_server.files.tour import default_tour
from gis_server.journeys.context import Context
from gis_server.journeys.profiles import profile_in_use
from gis_server.store import areas, audit, boundaries, events, incidents, places, tours, wall_figures


def tour_of(ctx: Context, conn: Connection, wall_id: str) -> Tour:
    """The tour of a wall: its own, or that of the package; without rankings that the profile does not want."""
    saved = tours.latest(conn, wall_id)
    return for_periods(parse_tour(saved, wall_id) if saved else default_tour(), grid_periods(ctx))


def grid_periods(ctx: Context) -> tuple[Period, ...]:
    """The periods by which this deployment ranks its grids."""
    return ranked_periods(profile_in_use(ctx.settings), RankingUnit.GRID)


def day_start(ctx: Context, now: datetime) -> datetime:
    """When the local day began."""
    zone = ctx.settings.timezone
    return datetime.combine(now.astimezone(zone).date(), time(), tzinfo=zone)


def calls_since(ctx: Context, now: datetime) -> datetime:
    """From when on the calls of a wall decide what stands on it: one of the last evening may hold it beyond midnight."""
    return day_start(ctx, now) - timedelta(seconds=LONGEST_S)


def save_tour(ctx: Context, actor: Actor, wall: Wall, content: object, now: datetime) -> Tour:
    """Give a wall another tour; ``content`` None goes back to that of the package. Its screens follow at once."""
    actor.require(Act.MANAGE_WALL_LINKS, wall.territory.path)
    tour = None
    if content is not None:
        try:
            tour = parse_tour(content, wall.id)
        except CatalogueError as error:
            raise UnusableInput(error.message, field=error.field) from error
    with ctx.engine.begin() as conn:
        tours.save(conn, wall.id, tour, account_id=actor.account_id, now=now)
        events.emit(conn, TOUR, tier=Tier.HALL, area_path=wall.territory.path, payload={"wall_id": wall.id})
        audit.add(conn, actor, "wall_tour_save", now=now, subject=wall.id)
    return for_periods(tour or default_tour(), grid_periods(ctx))


def send_scene(
    ctx: Context,
    actor: Actor,
    wall: Wall,
    key: str,
    *,
    seconds: int,
    town: str | None = None,
    grid: str | None = None,
    now: datetime,
) -> None:
    """Show a scene of the wall's tour for ``seconds``; then the tour goes on where it would be.

    ``town`` is the township and ``grid`` the grid that the map goes to: its code, name and extent are public (requirements 8.2).
    """
    actor.require(Act.STEER_WALL, wall.territory.path)
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise UnusableInput(
            msg("seconds 应为 {least} 到 {most} 的整数。", least=SHORTEST_S, most=LONGEST_S),
            field="seconds",
            expected=msg("{least} 到 {most} 的整数", least=SHORTEST_S, most=LONGEST_S),
        )
    with ctx.engine.begin() as conn:
        known = tuple(scene.key for scene in tour_of(ctx, conn, wall.id).scenes)
        if key not in known:
            raise UnusableInput(
                msg("这面大屏没有名为 {name} 的场景；可用：{known}。", name=key[:60], known=known),
                field="scene",
                expected=msg("{known} 之一", known=known),
            )
        focus = None if grid is None else _focus(conn, wall, grid, now)
        if town is not None:
            _require_town(conn, wall, town, now)
        payload = {"wall_id": wall.id, "scene": key, "seconds": seconds, "town": town, "focus": focus}
        events.emit(conn, SCENE, tier=Tier.HALL, area_path=wall.territory.path, payload=payload)
        audit.add(conn, actor, "wall_scene_send", now=now, subject=wall.id, detail={"scene": key})


def _require_town(conn: Connection, wall: Wall, code: str, now: datetime) -> None:
    # every screen of the wall is told it: no other text goes out to a hall than a code that is known there
    area = areas.by_code(conn, code, now)
    if area is None or area.level != "township" or not wall.territory.holds(area.path):
        raise UnusableInput(
            msg("大屏 {wall} 的范围内没有代码为 {code} 的乡镇(街道)。", wall=wall.id, code=code[:60]),
            field="town",
            expected=msg("这面大屏范围内的乡镇(街道)代码"),
        )


def _focus(conn: Connection, wall: Wall, code: str, now: datetime) -> dict[str, object]:
    generation = boundaries.in_force(conn, now).get("grid")
    row = None if generation is None else places.grid_row(conn, generation, code)
    community = None if row is None else areas.by_code(conn, row.community_code, now)
    if row is None or community is None or not wall.territory.holds(community.path):
        raise UnusableInput(
            msg("大屏 {wall} 的范围内没有编码为 {code} 的网格。", wall=wall.id, code=code[:60]),
            field="grid",
            expected=msg("这面大屏范围内的网格编码"),
        )
    return {"grid_code": row.grid_code, "grid_name": row.grid_name, "bounds": list(row.bounds)}


def acknowledge(ctx: Context, actor: Actor, incident_id: int, now: datetime) -> None:
    """Take notice of an urgent incident: it stops calling the hall. Twice does no harm."""
    actor.require(Act.STEER_WALL)
    with ctx.engine.begin() as conn:
        incident = incidents.by_id(conn, incident_id)
        if incident is None:
            raise NotFound(msg("没有编号为 {id} 的事件。", id=incident_id))
        actor.require(Act.STEER_WALL, incident.area_path)
        if not incident.is_urgent:
            raise Conflict(msg("事件 {number} 不是紧急事件，大屏没有为它告警。", number=incident.number))
        if tours.acknowledge(conn, incident_id, account_id=actor.account_id, now=now):
            events.emit(
                conn,
                ACKNOWLEDGED,
                tier=Tier.HALL,
                area_path=incident.area_path,
                payload={"number": incident.number},
            )
            audit.add(conn, actor, "alarm_acknowledge", now=now, subject=incident.number)


def statistics(ctx: Context, wall: Wall, now: datetime) -> Statistics:
    """The counts of a wall that the caller was allowed to open."""
    begun = day_start(ctx, now)
    cameras = ctx.catalogue.layers.get("camera")
    with ctx.engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        return wall_figures.statistics(
            conn, wall.territory.path, cameras, today=begun.date(), day_start=begun, now=now
        )


def replay(ctx: Context, wall: Wall, now: datetime) -> list[Replayed]:
    """The last 24 hours of a wall that the caller was allowed to open."""
    with ctx.engine.connect() as conn:
        return wall_figures.replayed(conn, wall.territory.path, now - timedelta(days=1))


def sent_scene(conn: Connection, wall_id: str, now: datetime) -> Mapping[str, Any] | None:
    """What was last sent to a wall, if it may still stand."""
    return tours.sent_scene(conn, wall_id, now)
