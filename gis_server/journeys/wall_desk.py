"""The walls as the desk steers them: which there are, what stands on one now, and who calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gis_server.core.access import Act, Actor
from gis_server.core.scene import Tour
from gis_server.core.wall import Wall, area_wall, city_wall
from gis_server.core.wall_figures import Alarm
from gis_server.journeys.context import Context
from gis_server.journeys.wall_scenes import calls_since, day_start, sent_scene, tour_of
from gis_server.journeys.walls import open_wall
from gis_server.store import accounts, areas, places, wall_figures
from gis_server.store.places import Calling

MOST_CALLING = 100
"""Calls that the desk lists, newest first."""

MOST_WALLS = 200


@dataclass(frozen=True, slots=True)
class DeskWall:
    """A wall that the desk may steer; ``has_screen`` says that some screen's link opens it."""

    wall: Wall
    has_screen: bool


@dataclass(frozen=True, slots=True)
class DeskState:
    """All that decides what stands on a wall, and what may be sent to it. ``towns`` are codes and names."""

    wall: Wall
    generated_at: datetime
    tour: Tour
    tour_start: datetime
    alarms: Sequence[Alarm]
    sent_scene: object
    towns: Sequence[tuple[str, str]]


def walls_of(ctx: Context, actor: Actor, now: datetime) -> list[DeskWall]:
    """The walls of the actor's territory: the city's, those of the townships, and any other that a screen's link opens."""
    actor.require(Act.STEER_WALL)
    with ctx.engine.connect() as conn:
        linked = {link.wall_id for link in accounts.links(conn) if link.is_live(now)}
        named = [area for level in ("county", "township") for area in areas.of_level(conn, level, now)]
        known = {area.code for area in named}
        named = [area for area in named if area.level == "township" or area.code in linked]
        for wall_id in sorted(linked - known):
            if (area := areas.by_code(conn, wall_id, now)) is not None:
                named.append(area)
    walls = [city_wall(), *(area_wall(area.code, area.name, area.path) for area in named)]
    mine = [wall for wall in walls if actor.territory.holds(wall.territory.path)]
    return [DeskWall(wall, wall.id in linked) for wall in mine[:MOST_WALLS]]


def desk_state(ctx: Context, actor: Actor, wall_id: str, now: datetime) -> DeskState:
    """What decides which scene stands on a wall of the actor's territory; without its map."""
    actor.require(Act.STEER_WALL)
    wall = open_wall(ctx, actor, wall_id, now)
    actor.require(Act.STEER_WALL, wall.territory.path)
    path, today = wall.territory.path, day_start(ctx, now)
    with ctx.engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        towns = [area for area in areas.of_level(conn, "township", now) if wall.territory.holds(area.path)]
        return DeskState(
            wall=wall,
            generated_at=now,
            tour=tour_of(ctx, conn, wall.id),
            tour_start=today,
            alarms=wall_figures.alarms(conn, path, calls_since(ctx, now)),
            sent_scene=sent_scene(conn, wall.id, now),
            towns=[(area.code, area.name) for area in towns],
        )


def calling(ctx: Context, actor: Actor) -> list[Calling]:
    """The urgent incidents of the actor's territory that nobody has answered, newest first."""
    actor.require(Act.STEER_WALL)
    with ctx.engine.connect() as conn:
        return places.calling(conn, actor.territory.path, MOST_CALLING)
