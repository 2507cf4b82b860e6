"""The operations of intake: photos, likely duplicates, reports by the file, what a phone takes along."""

from gis_server.core.datum import Datum
from gis_server.core.import_job import JobState
from gis_server.core.incident import IncidentState, Source
from gis_server.core.message import msg
from gis_server.core.photo import MEDIA_TYPE
from gis_server.views.operation import (
    BOOLEAN,
    DATUM,
    INTEGER,
    LAT,
    LON,
    NUMBER,
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
_JOB = in_path("job_id", msg("提交时得到的编号"), {"type": "string", "format": "uuid"})
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
_NEAR = {
    "number": TEXT,
    "distance_m": NUMBER,
    "state": {"type": "string", "enum": list(IncidentState)},
    "item": or_null("string"),
    "is_urgent": BOOLEAN,
    "discovered_at": TIME,
}
_AROUND = obj(within_m=INTEGER, hours=INTEGER, count=INTEGER, incidents=items(obj(**_NEAR)))
_DESK = obj(
    within_m=INTEGER,
    hours=INTEGER,
    count=INTEGER,
    incidents=items(obj(id=INTEGER, **_NEAR)),
    decided=items(
        obj(id=INTEGER, number=TEXT, is_duplicate=BOOLEAN, at=TIME, actor=TEXT, note=or_null("string"))
    ),
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
    Operation(
        "get",
        "/api/incidents/nearby",
        "nearby_incidents",
        msg("上报前查询附近可能重复的未结事件；辖区以外的只计数"),
        (
            Parameter("lon", msg("经度（度）"), LON, required=True),
            Parameter("lat", msg("纬度（度）"), LAT, required=True),
            Parameter("datum", msg("坐标基准；不给则按手机与浏览器定位的 WGS 84"), DATUM),
            Parameter("item", msg("事项；不同事项的事件不算重复"), TEXT),
            Parameter("at", msg("发现时间；不给则为现在"), TIME),
        ),
        answer=_AROUND,
    ),
    Operation(
        "get",
        "/api/incidents/{incident_id}/duplicates",
        "duplicates",
        msg("可能与这起事件重复的未结事件，以及已作出的判断"),
        (_INCIDENT,),
        answer=_DESK,
    ),
    Operation(
        "post",
        "/api/incidents/{incident_id}/duplicates",
        "decide_duplicate",
        msg("判断两起事件是否为同一起；两起都保留，各自的经过不合并"),
        (_INCIDENT,),
        body=obj(("other",), other=INTEGER, is_duplicate=BOOLEAN, note=TEXT),
        answer=_DESK,
    ),
    Operation(
        "post",
        "/api/incidents/bulk",
        "bulk_report",
        msg(
            "以 CSV 或 XLSX 成批上报：每行定位、登记、起算时限；好的行收下，有问题的行退回改正；同一行重发不会重复"
        ),
        body=obj(
            ("file",),
            file={"type": "string", "format": "binary"},
            datum={"type": "string", "enum": list(Datum)},
            source={"type": "string", "enum": list(Source)},
            encoding=TEXT,
        ),
        takes_files=True,
        status=202,
        answer=obj(job=TEXT),
    ),
    Operation(
        "get",
        "/api/incidents/bulk/{job_id}",
        "bulk_job",
        msg("成批上报的进度与各行的结果"),
        (_JOB,),
        answer=obj(
            id=TEXT,
            state={"type": "string", "enum": list(JobState)},
            file=TEXT,
            done=INTEGER,
            total=INTEGER,
            message=or_null("string"),
            outcome={
                "type": ["object", "null"],
                "properties": {
                    "added": INTEGER,
                    "known": INTEGER,
                    "rejected": INTEGER,
                    "incidents": items(obj(row=INTEGER, number=TEXT)),
                    "known_incidents": items(obj(row=INTEGER, number=TEXT)),
                    "faults": items(
                        obj(
                            row=INTEGER,
                            field=or_null("string"),
                            title=TEXT,
                            message=TEXT,
                            expected=or_null("string"),
                        )
                    ),
                    "rejected_file": or_null("string"),
                },
            },
        ),
    ),
    Operation(
        "get",
        "/api/incidents/bulk/{job_id}/rejected",
        "bulk_rejected",
        msg("需要改正的行，附原因，改好后原样再次提交"),
        (_JOB,),
        answer={"type": "string", "format": "binary"},
        produces="text/csv",
    ),
    Operation(
        "get",
        "/api/field/bundle",
        "field_bundle",
        msg("手机离线时所带的网格：本辖区及相邻的网格，坐标一位不差"),
        answer=obj(
            generation=INTEGER,
            is_complete=BOOLEAN,
            grids=items(
                obj(
                    grid_code=TEXT,
                    grid_name=TEXT,
                    is_own=BOOLEAN,
                    polygons=items(items(items({"type": "array", "items": NUMBER}))),
                )
            ),
        ),
    ),
)
"""Part of ``operations.OPERATIONS``."""
