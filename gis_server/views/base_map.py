"""The base map over HTTP: browsers ask this server for every tile, whoever it comes from."""

import gzip
import hashlib

from flask import Blueprint, Response, request

from gis_server.core.base_map import BaseMap
from gis_server.journeys.base_map import Place, base_tile
from gis_server.views.current import actor, known_parameters, parameter, server

blueprint = Blueprint("base_map", __name__, url_prefix="/base")

UNNAMED_S = 3_600.0
"""For how long a tile may be kept by who does not say of which version."""


@blueprint.get("/<int:z>/<int:x>/<int:y>")
def tile(z: int, x: int, y: int) -> Response:
    """One tile of the base map; 204 where it has none."""
    return _answer(z, x, y, labels=False)


@blueprint.get("/labels/<int:z>/<int:x>/<int:y>")
def labels(z: int, x: int, y: int) -> Response:
    """One tile of the names that lie over the base map."""
    return _answer(z, x, y, labels=True)


def base_map_json(chosen: tuple[BaseMap, str] | None) -> dict[str, object] | None:
    """What a browser must know to lay the base map; None without one."""
    if chosen is None:
        return None
    about, version = chosen
    return {
        "kind": about.kind,
        "url": f"/base/{{z}}/{{x}}/{{y}}?version={version}",
        "labels_url": None if about.labels is None else f"/base/labels/{{z}}/{{x}}/{{y}}?version={version}",
        "min_zoom": about.min_zoom,
        "max_zoom": about.max_zoom,
        "tile_size": about.tile_size,
        "datum": about.datum,
        "matrix": about.matrix,
        "tone": about.tone,
        "attribution": about.attribution,
    }


def _answer(z: int, x: int, y: int, *, labels: bool) -> Response:
    known_parameters("version")
    version = parameter("version")
    picture = base_tile(actor(), server().base_map, Place(z, x, y, labels, version))
    answer = Response(picture.body)
    # without a version the address stays the same when the map is another
    kept_s = picture.fresh_s if version else min(picture.fresh_s, UNNAMED_S)
    answer.headers["Cache-Control"] = f"private, max-age={int(kept_s)}"
    if not picture.body:
        answer.status_code = 204
        return answer
    answer.mimetype = picture.media_type
    etag = hashlib.blake2b(picture.body, digest_size=16).hexdigest()
    if picture.is_gzip:
        answer.headers["Vary"] = "Accept-Encoding"
        if request.accept_encodings.quality("gzip") > 0:
            answer.headers["Content-Encoding"] = "gzip"
        else:
            answer.set_data(gzip.decompress(picture.body))
            etag += "-plain"
    answer.set_etag(etag)
    return answer.make_conditional(request)  # type: ignore[return-value]
