"""Walls on paper and file over HTTP."""

from enum import StrEnum
from typing import TypeVar

from flask import Blueprint, Response

from gis_server.core.access import Act, Tier
from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg
from gis_server.core.sheet import Orientation, Paper
from gis_server.core.vocabulary import WallPanel
from gis_server.core.wall_wish import ALL, PANELS, TIERS, Asked, FileKind, Wish
from gis_server.views.current import (
    actor,
    attachment,
    ctx,
    known_parameters,
    language,
    now,
    parameter,
    translate,
)
from gis_server.views.security import limiter

blueprint = Blueprint("wall_files", __name__, url_prefix="/api")

MIME = {
    ".html": "text/html; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".zip": "application/zip",
}
SHEETS_A_MINUTE = "30 per minute"

E = TypeVar("E", bound=StrEnum)


@blueprint.get("/wall-files")
@limiter.limit(SHEETS_A_MINUTE)
def wall_file() -> Response:
    """The panels of a place as one file; several pictures come in a zip."""
    known_parameters("town", "community", "grid", "format", "panel", "paper", "orientation", "board", "tier")
    actor().require(Act.SHOW_WALL)
    from gis_server.journeys.wall_files import print_wall  # noqa: PLC0415  (Folium is slow to import)

    wish = Wish(
        asked=Asked(parameter("town"), parameter("community"), parameter("grid")),
        kind=_one_of("format", FileKind) or FileKind.PDF,
        panels=_panels(),
        paper=_one_of("paper", Paper) or Paper.A3,
        orientation=_one_of("orientation", Orientation),
        board=_flag("board"),
        tier=_tier(),
    )
    printed = print_wall(ctx(), actor(), wish, language=language(), translate=translate(), now=now())
    body, suffix = printed.in_one()
    answer = Response(body, content_type=MIME[suffix])
    answer.headers["Content-Disposition"] = attachment(f"{printed.name}{suffix}")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _tier() -> Tier:
    given = parameter("tier")
    known = {tier.key: tier for tier in TIERS}
    if given is None:
        return Tier.PUBLIC
    if given not in known:
        raise UnusableInput(
            msg("{name} 应为 {known} 之一。", name="tier", known=tuple(known)),
            field="tier",
            expected=msg("{known} 之一", known=tuple(known)),
        )
    return known[given]


def _one_of(name: str, kind: type[E]) -> E | None:
    given = parameter(name)
    if given is None:
        return None
    known = tuple(kind)
    for one in known:
        if one.value.lower() == given.lower():
            return one
    raise UnusableInput(
        msg("{name} 应为 {known} 之一。", name=name, known=known),
        field=name,
        expected=msg("{known} 之一", known=known),
    )


def _panels() -> tuple[WallPanel, ...] | None:
    given = parameter("panel")
    if given is None:
        return None
    names = [name.strip() for name in given.split(",")]
    if names == [ALL]:
        return tuple(PANELS.values())
    if unknown := [name for name in names if name not in PANELS]:
        known = (*PANELS, ALL)
        raise UnusableInput(
            msg("没有名为 {name} 的图；可用：{known}。", name=unknown[0][:40], known=known),
            field="panel",
            expected=msg("{known} 之一", known=known),
        )
    return tuple(PANELS[name] for name in names)


def _flag(name: str) -> bool:
    given = parameter(name)
    if given not in (None, "yes", "no"):
        raise UnusableInput(
            msg("参数 {name} 应为 yes 或 no。", name=name), field=name, expected=msg("yes 或 no")
        )
    return given == "yes"
