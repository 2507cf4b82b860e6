"""Findings of a generation over HTTP: read, taken to other tools, accepted with a reason; mending is beside."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response

from gis_server.core.access import Act
from gis_server.core.coverage.document import as_geojson
from gis_server.core.errors import UnusableInput
from gis_server.core.generation import Generation
from gis_server.core.message import msg
from gis_server.journeys import findings as journey
from gis_server.journeys import layers
from gis_server.views.api_mending import blueprint as mending
from gis_server.views.api_mending import kind_named
from gis_server.views.current import (
    actor,
    attachment,
    ctx,
    json_answer,
    json_body,
    known_parameters,
    languages,
    now,
    translate,
)
from gis_server.views.generations import generation_json, kept_json, problem_json
from gis_server.views.operation import GEOJSON, GEOPACKAGE

blueprint = Blueprint("findings", __name__, url_prefix="/api/generations/<id:generation_id>")
blueprint.register_blueprint(mending)


@blueprint.get("/findings")
def findings(generation_id: int) -> Response:
    """What the check of a generation found, worst first, as ``validate --format json`` says it."""
    known_parameters()
    generation, kept = journey.findings(ctx(), actor(), generation_id)
    problems = layers.problems(ctx(), actor(), generation_id)
    return json_answer(
        {
            "generation": generation_json(generation),
            "summary": generation.summary,
            "problems": [problem_json(problem) for problem in problems],
            "findings": kept_json(kept),
        }
    )


@blueprint.get("/findings.geojson")
def geojson(generation_id: int) -> Response:
    """The findings as GeoJSON, as ``validate --format geojson`` says them, each with who accepted it."""
    known_parameters()
    generation, kept = journey.findings(ctx(), actor(), generation_id)
    document = {
        "generation": generation_json(generation),
        "findings": [_flat(one) for one in kept_json(kept)],
    }
    answer = json_answer(as_geojson(document), mimetype=GEOJSON)
    return _download(answer, generation, "geojson")


def _flat(finding: dict[str, Any]) -> dict[str, Any]:
    """An acceptance as three properties, which every GIS can read."""
    accepted = finding["acceptance"] or {}
    rest = {name: value for name, value in finding.items() if name != "acceptance"}
    return rest | {
        "accepted_by": accepted.get("who"),
        "accepted_at": accepted.get("at"),
        "reason": accepted.get("reason"),
    }


@blueprint.get("/findings.gpkg")
def geopackage(generation_id: int) -> Response:
    """The findings as a GeoPackage that QGIS opens in the colours of the page."""
    known_parameters()
    generation, content = journey.geopackage(ctx(), actor(), generation_id, translate(), languages())
    return _download(json_answer(content, mimetype=GEOPACKAGE), generation, "gpkg")


def _download(answer: Response, generation: Generation, suffix: str) -> Response:
    name = f"{generation.layer}-{generation.id}-findings.{suffix}"
    answer.headers["Content-Disposition"] = attachment(name)
    return answer


@blueprint.post("/findings/<id:finding_id>/accept")
def accept(generation_id: int, finding_id: int) -> Response:
    """Accept one warning with a written reason; 409 for an error and for what was accepted before."""
    actor().require(Act.IMPORT_LAYER)
    (reason,) = _texts("reason")
    generation = journey.accept_one(ctx(), actor(), generation_id, finding_id, reason=reason, now=now())
    return json_answer({"generation": generation_json(generation)})


@blueprint.post("/findings/accept")
def accept_kind(generation_id: int) -> Response:
    """Accept all open warnings of one kind with one reason; 409 where there is none."""
    actor().require(Act.IMPORT_LAYER)
    kind, reason = _texts("kind", "reason")
    generation = journey.accept_kind(
        ctx(), actor(), generation_id, kind_named(kind), reason=reason, now=now()
    )
    return json_answer({"generation": generation_json(generation)})


def _texts(*names: str) -> Sequence[str]:
    """The texts of a JSON object that has exactly these members."""
    body = json_body()
    if not isinstance(body, dict):
        raise UnusableInput(msg("内容应为一个 JSON 对象。"), expected=msg("JSON 对象"))
    for key in body:
        if key not in names:
            raise UnusableInput(msg("没有名为 {name} 的项。", name=str(key)[:80]), field=str(key)[:80])
    for name in names:
        if not isinstance(body.get(name), str):
            raise UnusableInput(msg("缺少 {name}。", name=name), field=name, expected=msg("文字"))
    return [body[name] for name in names]
