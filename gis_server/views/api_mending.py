"""Mending over HTTP: what could be mended and how, done move by move, and undone step by step."""

from collections.abc import Callable, Mapping
from typing import Any

import shapely
from flask import Blueprint, Response, request

from gis_server.core.access import Act
from gis_server.core.catalogue import Layer
from gis_server.core.coverage.findings import Kind
from gis_server.core.coverage.repair import Limits
from gis_server.core.coverage.repair.merits import Preferences
from gis_server.core.errors import UnusableInput
from gis_server.core.mending import KeptStep, ToldMove
from gis_server.core.message import msg
from gis_server.journeys import mending
from gis_server.journeys.mending import Choice
from gis_server.journeys.mending_case import IN_FORCE, Wishes, preferable
from gis_server.views.current import (
    actor,
    ctx,
    json_answer,
    json_body,
    known_parameters,
    now,
    number_parameter,
    parameter,
    say,
)
from gis_server.views.generations import generation_json

blueprint = Blueprint("mending", __name__)
"""Part of the findings of a generation."""

MOST_WIDTH_M = 1000.0
_WIDTHS = {
    "max_gap_width_m": Limits().max_gap_width,
    "max_overlap_width_m": Limits().max_overlap_width,
    "divide_from_m": Limits().divide_from,
}
_FIELDS = ("priority", "prefer_filed")
WISHES = (*_WIDTHS, *_FIELDS, "exclusive")
"""How far mending goes and whose border stands: parameters of the query, members of a body."""


@blueprint.get("/mending")
def proposals(generation_id: int) -> Response:
    """What could be mended without a person's decision, move by move, and what a preference can go by."""
    known_parameters(*WISHES)
    exclusive = parameter("exclusive")
    if exclusive not in (None, "yes", "no"):
        raise UnusableInput(
            msg("参数 {name} 应为 yes 或 no。", name="exclusive"),
            field="exclusive",
            expected=msg("yes 或 no"),
        )
    wishes = _wishes(number_parameter, parameter, exclusive=exclusive != "no")
    layer, proposed = mending.proposals(ctx(), actor(), generation_id, now(), wishes)
    return json_answer(
        {
            "moves": [{"finding": one.finding_id, **move_json(one.move)} for one in proposed],
            "preferable": _preferable(layer),
        }
    )


def _preferable(layer: Layer) -> dict[str, Any]:
    numbers, dates = preferable(layer)
    titles = {name: say(msg("{title}", title=layer.fields[name].title)) for name in (*numbers, *dates)}
    in_force = {"name": IN_FORCE, "title": say(msg("与现行一代相同的边界"))}
    return {
        "priority": [{"name": name, "title": titles[name]} for name in numbers],
        "prefer_filed": [in_force, *({"name": name, "title": titles[name]} for name in dates)],
    }


@blueprint.get("/mending/steps")
def steps(generation_id: int) -> Response:
    """What was mended to make this generation, who did it, and what of it was undone."""
    known_parameters()
    actor().require(Act.IMPORT_LAYER)
    return json_answer({"steps": [_step_json(step) for step in mending.steps(ctx(), actor(), generation_id)]})


@blueprint.post("/mending/<id:step_id>/undo")
def undo(generation_id: int, step_id: int) -> Response:
    """Undo one step: 201 with a new staged generation in place of this one; 409 where something was built on it."""
    return _mended(mending.undo(ctx(), actor(), generation_id, step_id, now()))


@blueprint.post("/findings/<id:finding_id>/mend")
def mend(generation_id: int, finding_id: int) -> Response:
    """Mend one finding, or one move of it: 201 with a new staged generation in place of this one."""
    actor().require(Act.IMPORT_LAYER)
    body = _body("move")
    choice = Choice(key=_text(body, "move"), finding_id=finding_id)
    return _mended(mending.mend(ctx(), actor(), generation_id, choice, now(), wishes=_wishes_of(body)))


@blueprint.post("/findings/mend")
def mend_many(generation_id: int) -> Response:
    """Mend all of one kind that can be, or all of every kind: 201 with a new staged generation in place of this one."""
    actor().require(Act.IMPORT_LAYER)
    body = _body("kind")
    kind = _text(body, "kind")
    choice = Choice(kind=None if kind is None else kind_named(kind))
    return _mended(mending.mend(ctx(), actor(), generation_id, choice, now(), wishes=_wishes_of(body)))


def _mended(done: mending.Mended) -> Response:
    moves = [move_json(move) for move in done.moves]
    return json_answer({"generation": generation_json(done.generation), "moves": moves}, 201)


def move_json(move: ToldMove) -> dict[str, Any]:
    """A move as people read it."""
    return {
        "key": move.key,
        "act": move.act,
        "kind": move.kind,
        "message": say(move.message),
        "confidence": move.confidence,
        "area_m2": move.area_m2,
        "width_m": move.width_m,
        "addresses": move.addresses,
        "households": move.households,
        "changes": [{"from": c.source, "to": c.target, "area_m2": c.area_m2} for c in move.changes],
        "geometry": None if move.ground is None else _geometry_json(move.ground),
    }


def _geometry_json(ground: shapely.Geometry) -> Mapping[str, Any]:
    shape: Mapping[str, Any] = shapely.geometry.mapping(shapely.orient_polygons(ground))
    return shape


def _step_json(step: KeptStep) -> dict[str, Any]:
    undone = step.undone
    return {
        "id": step.id,
        "generation": step.generation_id,
        "who": step.who,
        "at": step.at,
        "moves": [move_json(move) for move in step.told],
        "undone": None if undone is None else {"who": undone.who, "at": undone.at},
    }


def kind_named(given: str) -> Kind:
    """The kind of finding with this name."""
    if given not in set(Kind):
        raise UnusableInput(
            msg("没有名为 {name} 的问题类别。", name=given[:80]),
            field="kind",
            expected=msg("{known} 之一", known="、".join(Kind)),
        )
    return Kind(given)


def _body(*names: str) -> Mapping[str, Any]:
    """A JSON object that may have these members and WISHES; none at all is an empty one."""
    body = json_body() if request.content_length else {}
    if not isinstance(body, dict):
        raise UnusableInput(msg("内容应为一个 JSON 对象。"), expected=msg("JSON 对象"))
    for key in body:
        if key not in (*names, *WISHES):
            raise UnusableInput(msg("没有名为 {name} 的项。", name=str(key)[:80]), field=str(key)[:80])
    return body


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise UnusableInput(msg("{name} 应为文字。", name=name), field=name, expected=msg("文字"))
    return value or None


def _wishes_of(body: Mapping[str, Any]) -> Wishes:
    def number(name: str) -> float | None:
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise UnusableInput(msg("{name} 应为数。", name=name), field=name, expected=msg("有限的数"))
        return None if value is None else float(value)

    exclusive = body.get("exclusive", True)
    if not isinstance(exclusive, bool):
        raise UnusableInput(
            msg("{name} 应为 true 或 false。", name="exclusive"),
            field="exclusive",
            expected=msg("true 或 false"),
        )
    return _wishes(number, lambda name: _text(body, name), exclusive=exclusive)


def _wishes(
    number: Callable[[str], float | None], text: Callable[[str], str | None], *, exclusive: bool
) -> Wishes:
    widths = []
    for name, default in _WIDTHS.items():
        width = number(name)
        width = default if width is None else width
        if not 0 <= width <= MOST_WIDTH_M:
            raise UnusableInput(
                msg("{name} 应在 0 与 {most} 米之间。", name=name, most=int(MOST_WIDTH_M)),
                field=name,
                expected=msg("0–{most}", most=int(MOST_WIDTH_M)),
            )
        widths.append(width)
    priority, filed = (text(name) for name in _FIELDS)
    return Wishes(Limits(*widths), Preferences(priority, filed, exclusive))
