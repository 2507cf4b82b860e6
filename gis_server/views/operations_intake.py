"""The operations of intake: photos, likely duplicates, reports by the file, what a phone takes along."""

from gis_server.core.message import msg
from gis_server.core.photo import MEDIA_TYPE
from gis_server.views.operation import (
    INTEGER,
    LAT,
    LON,
    TEXT,
    TIME,
    Operation,
    Parameter,
    in_path,
    items,
    obj,
    or_null,
)

_INCIDENT = in_path("incident_id", msg("事件的编号"), INTEGER)
_PHOTO = obj(
    id=INTEGER,
    at=TIME,
    width=INTEGER,
    height=INTEGER,
    taken_at=or_null("string", format="date-time"),
    taken_place={"type": ["object", "null"], "properties": {"lon": LON, "lat": LAT}},
    url=TEXT,
    thumbnail=TEXT,
)

INTAKE: tuple[Operation, ...] = (
    Operation(
        "post",
        "/api/incidents/{incident_id}/photos",
        "add_photos",
        msg("为事件添加照片：解码检查后重新编码，只留拍摄时间，经同意才留拍摄位置；同一文件重发不会重复"),
        (_INCIDENT,),
        body=obj(
            ("photo",),
            photo=items({"type": "string", "format": "binary"}),
            keep_place={"type": "string", "enum": ["yes", "no"], "default": "no"},
        ),
        takes_files=True,
        status=201,
        answer=obj(photos=items(_PHOTO)),
    ),
    Operation(
        "get",
        "/api/incidents/{incident_id}/photos",
        "photos",
        msg("事件的照片；内容受保护而权限不足时为空"),
        (_INCIDENT,),
        answer=obj(photos=items(_PHOTO)),
    ),
    Operation(
        "get",
        "/api/incidents/{incident_id}/photos/{photo_id}",
        "photo",
        msg("一张照片"),
        (
            _INCIDENT,
            in_path("photo_id", msg("照片的编号"), INTEGER),
            Parameter(
                "size", msg("full 原图，thumbnail 缩略图"), {"type": "string", "enum": ["full", "thumbnail"]}
            ),
        ),
        answer={"type": "string", "format": "binary"},
        produces=MEDIA_TYPE,
    ),
)
"""Part of ``operations.OPERATIONS``."""
