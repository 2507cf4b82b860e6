"""Vector tiles and extents of layers over HTTP."""

import gzip

from flask import Blueprint, Response, request

from gis_server.core.tile import tile as tile_at
from gis_server.journeys import tiles
from gis_server.views.current import actor, ctx, integer_parameter, known_parameters, now, parameter, server
from gis_server.views.operation import VECTOR_TILE

blueprint = Blueprint("tiles", __name__)


A_YEAR_S = 31_536_000


@blueprint.get("/tiles/<layer>/<int:z>/<int:x>/<int:y>.mvt")
def tile(layer: str, z: int, x: int, y: int) -> Response:
    """One tile of a layer; 204 where nothing is."""
    found = tiles.tile(ctx(), server().tiles, actor(), _asked(layer), tile_at(z, x, y))
    return _answer(found, VECTOR_TILE)


@blueprint.get("/api/layers/<layer>/extents")
def extents(layer: str) -> Response:
    """Keys and boxes of a layer's rows."""
    fields = tuple(dict.fromkeys(filter(None, (parameter("fields") or "").split(","))))
    found = tiles.extents(ctx(), server().tiles, actor(), _asked(layer, "fields"), fields)
    return _answer(found, "application/json")


def _asked(layer: str, *more: str) -> tiles.Asked:
    known_parameters("generation", "sight", *more)
    return tiles.Asked(layer, now(), integer_parameter("generation"), parameter("sight"))


def _answer(found: tiles.Cut, mimetype: str) -> Response:
    answer = Response(mimetype=mimetype)
    takes_gzip = request.accept_encodings.quality("gzip") > 0
    etag = found.etag + ("-gz" if takes_gzip else "")
    answer.set_etag(etag)
    answer.headers["Vary"] = "Accept-Encoding"
    answer.headers["Cache-Control"] = (
        f"private, max-age={A_YEAR_S}, immutable" if found.lasts else "private, no-cache"
    )
    if request.if_none_match.contains_weak(etag):  # a proxy on the way may have made it weak
        answer.status_code = 304
        return answer
    body = found.body()
    if not body:
        answer.status_code = 204
    elif takes_gzip:
        answer.headers["Content-Encoding"] = "gzip"
        answer.set_data(body)
    else:
        answer.set_data(gzip.decompress(body))
    return answer
