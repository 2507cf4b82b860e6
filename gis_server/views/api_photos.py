"""Photos of incidents over HTTP."""

from flask import Blueprint, Response, request

from gis_server.core.access import Act
from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg
from gis_server.core.photo import MEDIA_TYPE, Photo
from gis_server.journeys import photos
from gis_server.views.current import actor, ctx, json_answer, known_parameters, now, parameter, uploads

blueprint = Blueprint("photos", __name__, url_prefix="/api")

SIZES = ("full", "thumbnail")

_HEADERS = {
    # a picture and nothing else, whatever a browser thinks it sees in it
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}


@blueprint.post("/incidents/<id:incident_id>/photos")
def add(incident_id: int) -> Response:
    """Keep photos with an incident; 201, or 200 when all of them had come before."""
    if not actor().may(Act.MOVE_INCIDENT):
        actor().require(Act.REPORT_INCIDENT)  # before a large body is read
    settings = ctx().settings
    files = uploads("photo", (settings.photo_mb * settings.photos + 1) * 2**20)
    for name in request.form:
        if name not in ("keep_place", "csrf_token"):
            raise UnusableInput(
                msg(
                    "没有名为 {name} 的项；可用的项：{known}。", name=name[:80], known=("photo", "keep_place")
                ),
                field=name[:80],
                expected=msg("{known} 之一", known=("photo", "keep_place")),
            )
    if not files:
        raise UnusableInput(
            msg("请以 multipart/form-data 上传照片，项名为 photo。"),
            field="photo",
            expected=msg("1 到 {most} 张照片", most=settings.photos),
        )
    found = photos.add_photos(
        ctx(),
        actor(),
        incident_id,
        [file.stream.read() for file in files],
        keep_place=_keeps_place(),
        now=now(),
    )
    is_new = any(one.is_new for one in found)
    return json_answer(
        {"photos": [photo_json(incident_id, one.photo) for one in found]}, 201 if is_new else 200
    )


@blueprint.get("/incidents/<id:incident_id>/photos")
def listing(incident_id: int) -> Response:
    """The photos of an incident; none of one whose text is withheld."""
    known_parameters()
    found = photos.listing(ctx(), actor(), incident_id)
    return json_answer({"photos": [photo_json(incident_id, photo) for photo in found]})


@blueprint.get("/incidents/<id:incident_id>/photos/<id:photo_id>")
def one(incident_id: int, photo_id: int) -> Response:
    """The picture itself."""
    known_parameters("size")
    size = parameter("size") or SIZES[0]
    if size not in SIZES:
        raise UnusableInput(
            msg("{name} 不可用，应为{expected}。", name="size", expected=msg("{known} 之一", known=SIZES)),
            field="size",
            expected=msg("{known} 之一", known=SIZES),
        )
    body = photos.pixels(ctx(), actor(), incident_id, photo_id, is_thumbnail=size == "thumbnail", now=now())
    answer = Response(body, mimetype=MEDIA_TYPE)
    answer.headers.update(_HEADERS)
    answer.headers["Content-Disposition"] = f'inline; filename="{incident_id}-{photo_id}.jpg"'
    return answer


def photo_json(incident_id: int, photo: Photo) -> dict[str, object]:
    """A photo as it is told to those who may see it."""
    place = photo.taken_place
    url = f"/api/incidents/{incident_id}/photos/{photo.id}"
    return {
        "id": photo.id,
        "at": photo.at,
        "width": photo.width,
        "height": photo.height,
        "taken_at": photo.taken_at,
        "taken_place": None if place is None else {"lon": place[0], "lat": place[1]},
        "url": url,
        "thumbnail": f"{url}?size=thumbnail",
    }


def _keeps_place() -> bool:
    given = request.form.get("keep_place", "no")
    if given not in ("yes", "no"):
        raise UnusableInput(
            msg("参数 {name} 应为 yes 或 no。", name="keep_place"),
            field="keep_place",
            expected=msg("yes 或 no"),
        )
    return given == "yes"
