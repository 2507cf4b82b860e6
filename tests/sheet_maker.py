"""Prints walls of a place for tests, and puts the people there whom they name."""

from dataclasses import replace
from datetime import UTC, datetime

from city import COMMUNITIES
from sheet_reader import Sheets

from gis_server.core.access import CONSOLE, Actor
from gis_server.core.roster import Post, WorkerKind
from gis_server.core.wall_wish import PANELS, Asked, FileKind, Wish
from gis_server.i18n import translator
from gis_server.journeys.context import Context
from gis_server.journeys.wall_files import print_wall

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ALL = tuple(PANELS.values())
TOWN = "239901001"
CITY_COMMUNITY = "239901001001"
G1 = f"{COMMUNITIES[0]}001"

TEAM = [
    {"name": "程一", "phone": "10400000001", "post": Post.GRID_LEADER, "code": G1},
    {
        "name": "吴二",
        "phone": "10400000002",
        "post": Post.GRID_WORKER,
        "worker_kind": WorkerKind.FULL_TIME,
        "code": G1,
    },
    {
        "name": "郑三",
        "phone": "10400000003",
        "post": Post.GRID_WORKER,
        "worker_kind": WorkerKind.PART_TIME,
        "code": G1,
    },
    {
        "name": "钱四",
        "phone": "10400000004",
        "post": Post.GRID_BUSINESS_INSTRUCTOR,
        "unit": "市住建局",
        "code": G1,
    },
    {"name": "孙五", "phone": "10400000005", "post": Post.GRID_INSTRUCTOR, "code": G1},
    {"name": "李楼长", "phone": "10400000006", "post": Post.BUILDING_LEADER, "code": G1},
]


def profiled(ctx: Context, profile: str, **more: object) -> Context:
    return replace(ctx, settings=replace(ctx.settings, profile=profile, **more))


def printed(
    ctx: Context, asked: Asked, *, actor: Actor = CONSOLE, language: str = "zh", **wish: object
) -> tuple[bytes, ...]:
    kind = wish.pop("kind", FileKind.PDF)
    done = print_wall(
        ctx,
        actor,
        Wish(asked, kind, **wish),  # type: ignore[arg-type]
        language=language,
        translate=translator(language),
        now=NOW,
    )
    return done.parts


def sheets(ctx: Context, asked: Asked, **wish: object) -> Sheets:
    (content,) = printed(ctx, asked, **wish)  # type: ignore[arg-type]
    return Sheets(content)
