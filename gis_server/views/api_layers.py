"""Layers over HTTP: the catalogue, features, imports and generations."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from gis_server.core.access import Act
from gis_server.core.catalogue import Field, Layer, Style
from gis_server.core.datum import Datum
from gis_server.core.errors import UnusableInput
from gis_server.core.incident import parse_datum, parse_time
from gis_server.core.message import Words, msg
from gis_server.journeys import imports, layers, moved_incidents
from gis_server.journeys.base_map import base_map_of
from gis_server.journeys.tiles import Cutting, overview
from gis_server.views.base_map import base_map_json
from gis_server.views.current import (
    actor,
    ctx,
    form_text,
    integer_parameter,
    json_answer,
    known_parameters,
    language,
    now,
    parameter,
    say,
    server,
)
from gis_server.views.generations import generation_json, problem_json
from gis_server.views.moves import moves_geojson, moves_json

blueprint = Blueprint("layers", __name__, url_prefix="/api")

MOST_FILES = 20
_OPTIONS = ("crs", "encoding", "datum", "department", "legal_basis")


@blueprint.get("/catalogue")
def catalogue() -> Response:
    """The layers that the reader may see, in drawing order, titles in the reader's language."""
    known_parameters()
    visible = layers.catalogue_view(ctx(), actor())
    found = overview(ctx(), server().tiles, actor(), now())
    return json_answer(
        {
            "layers": [_layer_json(layer, found.layers.get(layer.name)) for layer in visible],
            "bounds": found.bounds,
            "base_map": base_map_json(base_map_of(actor(), server().base_map)),
        }
    )


@blueprint.get("/layers/<layer>/features")
def features(layer: str) -> Response:
    """Rows in force as GeoJSON: what the reader's tier and territory allow."""
    known_parameters("bbox", "at", "generation")
    body = layers.features(
        ctx(),
        actor(),
        layer,
        at=parse_time(parameter("at"), "at") or now(),
        bbox=_bbox(parameter("bbox")),
        generation_id=integer_parameter("generation"),
    )
    answer = json_answer(body, mimetype="application/geo+json")
    # asked for again after each publication: an unchanged layer costs no transfer
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    return answer.make_conditional(request)  # type: ignore[return-value]


@blueprint.get("/layers/<layer>/generations")
def generations(layer: str) -> Response:
    """The generations of a layer, newest first."""
    known_parameters()
    listed = layers.generations(ctx(), actor(), layer)
    return json_answer({"generations": [generation_json(generation) for generation in listed]})


@blueprint.post("/layers/<layer>/imports")
def start_import(layer: str) -> Response:
    """Take an upload and begin to import it; 202 with the address to ask for its progress."""
    actor().require(Act.OFFER_LAYER)  # before a large body is read
    files = request.files.getlist("file")
    if len(files) > MOST_FILES:
        raise UnusableInput(
            msg("一次最多上传 {most} 个文件。", most=MOST_FILES),
            field="file",
            expected=msg("不超过 {most} 个文件", most=MOST_FILES),
        )
    job = imports.start_import_job(
        ctx(),
        actor(),
        layer,
        [imports.Upload(file.filename or "", file.stream) for file in files],
        crs=_option("crs"),
        encoding=_option("encoding"),
        datum=_datum(_option("datum")),
        mapping=_mapping(),
        department=_option("department"),
        legal_basis=_option("legal_basis"),
        clock=lambda: datetime.now(UTC),
    )
    address = url_for("layers.import_job", job_id=job)
    answer = json_answer({"job": address}, 202)
    answer.headers["Location"] = address
    return answer


@blueprint.get("/imports/<uuid:job_id>")
def import_job(job_id: UUID) -> Response:
    """How far an import is, and what became of it."""
    known_parameters()
    view = imports.import_job(ctx(), actor(), job_id, now())
    job, generation = view.job, view.generation
    return json_answer(
        {
            "id": job.id,
            "layer": job.layer,
            "state": job.state,
            "file": job.file_name,
            "done": job.done,
            "total": job.total,
            "message": None if job.message is None else say(job.message),
            "generation": None if generation is None else generation.id,
            "problems": [problem_json(problem) for problem in view.problems],
            "report": None if generation is None else generation_json(generation),
        }
    )


@blueprint.post("/generations/<id:generation_id>/publish")
def publish(generation_id: int) -> Response:
    """Put a staged generation in force now; 409 with the findings while an error or an open warning stands."""
    generation, moves = moved_incidents.publish(ctx(), actor(), generation_id, now())
    told = {} if moves is None else {"moves": moves_json(moves)}
    return json_answer({"generation": generation_json(generation)} | told)


@blueprint.get("/generations/<id:generation_id>/moves")
def moves(generation_id: int) -> Response:
    """Which open incidents a set of grids would send to another grid, as points, with the counts by pair of grids."""
    known_parameters()
    found = moved_incidents.would_move(ctx(), actor(), generation_id, now())
    return json_answer(moves_geojson(found), mimetype="application/geo+json")


@blueprint.post("/generations/<id:generation_id>/discard")
def discard(generation_id: int) -> Response:
    """Throw a staged generation away."""
    return json_answer({"generation": generation_json(layers.discard(ctx(), actor(), generation_id, now()))})


def _option(name: str) -> str | None:
    return form_text(name).strip() or None


def _datum(given: str | None) -> Datum | None:
    # here a missing datum is not a phone's: the journey asks for it where the file does not tell
    return None if given is None else parse_datum(given)


def _mapping() -> dict[str, str]:
    found = {}
    for name in request.form:
        if name.startswith("map."):
            found[name.removeprefix("map.")] = form_text(name)
        elif name not in (*_OPTIONS, "csrf_token"):
            raise UnusableInput(
                msg("没有名为 {name} 的项；可用的项：{known}。", name=name[:80], known=tuple(_OPTIONS)),
                field=name[:80],
                expected=msg("{known} 之一", known=(*_OPTIONS, "map.<field>")),
            )
    return found


def _bbox(given: str | None) -> tuple[float, float, float, float] | None:
    if given is None:
        return None
    try:
        west, south, east, north = (float(part) for part in given.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # NaN fails too
        raise UnusableInput(
            msg("bbox 应为“西,南,东,北”四个度数。"), field="bbox", expected=msg("西,南,东,北（度）")
        )
    return west, south, east, north


def _words(words: Words) -> str:
    return words.said(language())


def _layer_json(layer: Layer, cutting: Cutting | None) -> dict[str, Any]:
    shown = layer.visible_fields(actor().tier)
    names = {field.name for field in shown}
    return {
        "name": layer.name,
        "title": _words(layer.title),
        "kind": layer.kind,
        "geometry": layer.geometry,
        "key": layer.key,
        "label": layer.label if layer.label in names else None,
        "popup": [name for name in layer.popup if name in names],
        "legend": layer.legend,
        "order": layer.order,
        "fields": [_field_json(field) for field in shown],
        "style": _style_json(layer.style, names),
        "url": url_for("layers.features", layer=layer.name),
        "count": None if cutting is None else cutting.count,
        "tiles": None if cutting is None or not cutting.in_tiles else _tiles_json(layer, cutting),
        "extents_url": None if cutting is None else _extents_url(layer, cutting),
    }


def _tiles_json(layer: Layer, cutting: Cutting) -> dict[str, Any]:
    # written out: url_for would escape the braces that the browser fills
    named = f"generation={cutting.generation}&sight={cutting.sight}"
    return {
        "url": f"/tiles/{layer.name}/{{z}}/{{x}}/{{y}}.mvt?{named}",
        "max_zoom": cutting.max_zoom,
        "bounds": cutting.bounds,
    }


def _extents_url(layer: Layer, cutting: Cutting) -> str:
    return url_for("tiles.extents", layer=layer.name, generation=cutting.generation, sight=cutting.sight)


def _style_json(style: Style, names: set[str]) -> dict[str, Any]:
    # a field that may not be seen does not show by its colours either
    is_classified = style.classify in names
    tells_state = style.state in names
    return {
        "stroke": style.stroke,
        "width": style.width,
        "fill": style.fill,
        "fill_opacity": style.fill_opacity,
        "radius": style.radius,
        "shape": style.shape,
        "min_zoom": style.min_zoom,
        "classify": style.classify if is_classified else None,
        "classes": style.classes if is_classified else {},
        "widths": style.widths if is_classified else {},
        "radii": style.radii if is_classified else {},
        "state": style.state if tells_state else None,
        "state_colour": style.state_colour,
        "marks": style.marks if tells_state else {},
    }


def _field_json(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "type": field.type,
        "title": _words(field.title),
        "required": field.required,
        "choices": {key: _words(words) for key, words in field.choices.items()},
    }
