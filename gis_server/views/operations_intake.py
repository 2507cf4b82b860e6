"""The operations of intake: photos, likely duplicates, reports by the file, what a phone takes along."""

from gis_server.core.datum import Datum
from gis_server.core.import_job import JobState
from gis_server.core.incident import IncidentState, Source
from gis_server.core.message import msg
from gis_server.core.photo import MEDIA_TYPE
from gis_server.views import operation as api

_INCIDENT = api.in_path("incident_id", msg("事件的编号"), api.INTEGER)
_JOB = api.in_path("job_id", msg("提交时得到的编号"), {"type": "string", "format": "uuid"})
_PHOTO = api.obj(
    id=api.INTEGER,
    at=api.TIME,
    width=api.INTEGER,
    height=api.INTEGER,
    taken_at=api.or_null("string", format="date-time"),
    taken_place={"type": ["object", "null"], "properties": {"lon": api.LON, "lat": api.LAT}},
    url=api.TEXT,
    thumbnail=api.TEXT,
)
_NEAR = {
    "number": api.TEXT,
    "distance_m": api.NUMBER,
    "state": {"type": "string", "enum": list(IncidentState)},
    "item": api.or_null("string"),
    "is_urgent": api.BOOLEAN,
    "discovered_at": api.TIME,
}
_AROUND = api.obj(
    within_m=api.INTEGER, hours=api.INTEGER, count=api.INTEGER, incidents=api.items(api.obj(**_NEAR))
)
_DESK = api.obj(
    within_m=api.INTEGER,
    hours=api.INTEGER,
    count=api.INTEGER,
    incidents=api.items(api.obj(id=api.INTEGER, **_NEAR)),
    decided=api.items(
        api.obj(
            id=api.INTEGER,
            number=api.TEXT,
            is_duplicate=api.BOOLEAN,
            at=api.TIME,
            actor=api.TEXT,
            note=api.or_null("string"),
        )
    ),
)

INTAKE: tuple[api.Operation, ...] = (
    api.Operation(
        "post",
        "/api/incidents/{incident_id}/photos",
        "add_photos",
        msg("为事件添加照片：解码检查后重新编码，只留拍摄时间，经同意才留拍摄位置；同一文件重发不会重复"),
        (_INCIDENT,),
        body=api.obj(
            ("photo",),
            photo=api.items({"type": "string", "format": "binary"}),
            keep_place={"type": "string", "enum": ["yes", "no"], "default": "no"},
        ),
        takes_files=True,
        status=201,
        answer=api.obj(photos=api.items(_PHOTO)),
    ),
    api.Operation(
        "get",
        "/api/incidents/{incident_id}/photos",
        "photos",
        msg("事件的照片；内容受保护而权限不足时为空"),
        (_INCIDENT,),
        answer=api.obj(photos=api.items(_PHOTO)),
    ),
    api.Operation(
        "get",
        "/api/incidents/{incident_id}/photos/{photo_id}",
        "photo",
        msg("一张照片"),
        (
            _INCIDENT,
            api.in_path("photo_id", msg("照片的编号"), api.INTEGER),
            api.Parameter(
                "size", msg("full 原图，thumbnail 缩略图"), {"type": "string", "enum": ["full", "thumbnail"]}
            ),
        ),
        answer={"type": "string", "format": "binary"},
        produces=MEDIA_TYPE,
    ),
    api.Operation(
        "get",
        "/api/incidents/nearby",
        "nearby_incidents",
        msg("上报前查询附近可能重复的未结事件；辖区以外的只计数"),
        (
            api.Parameter("lon", msg("经度（度）"), api.LON, required=True),
            api.Parameter("lat", msg("纬度（度）"), api.LAT, required=True),
            api.Parameter("datum", msg("坐标基准；不给则按手机与浏览器定位的 WGS 84"), api.DATUM),
            api.Parameter("item", msg("事项；不同事项的事件不算重复"), api.TEXT),
            api.Parameter("at", msg("发现时间；不给则为现在"), api.TIME),
        ),
        answer=_AROUND,
    ),
    api.Operation(
        "get",
        "/api/incidents/{incident_id}/duplicates",
        "duplicates",
        msg("可能与这起事件重复的未结事件，以及已作出的判断"),
        (_INCIDENT,),
        answer=_DESK,
    ),
    api.Operation(
        "post",
        "/api/incidents/{incident_id}/duplicates",
        "decide_duplicate",
        msg("判断两起事件是否为同一起；两起都保留，各自的经过不合并"),
        (_INCIDENT,),
        body=api.obj(("other",), other=api.INTEGER, is_duplicate=api.BOOLEAN, note=api.TEXT),
        answer=_DESK,
    ),
    api.Operation(
        "post",
        "/api/incidents/bulk",
        "bulk_report",
        msg(
            "以 CSV 或 XLSX 成批上报：每行定位、登记、起算时限；好的行收下，有问题的行退回改正；同一行重发不会重复"
        ),
        body=api.obj(
            ("file",),
            file={"type": "string", "format": "binary"},
            datum={"type": "string", "enum": list(Datum)},
            source={"type": "string", "enum": list(Source)},
            encoding=api.TEXT,
        ),
        takes_files=True,
        status=202,
        answer=api.obj(job=api.TEXT),
    ),
    api.Operation(
        "get",
        "/api/incidents/bulk/{job_id}",
        "bulk_job",
        msg("成批上报的进度与各行的结果"),
        (_JOB,),
        answer=api.obj(
            id=api.TEXT,
            state={"type": "string", "enum": list(JobState)},
            file=api.TEXT,
            done=api.INTEGER,
            total=api.INTEGER,
            message=api.or_null("string"),
            outcome={
                "type": ["object", "null"],
                "properties": {
                    "added": api.INTEGER,
                    "known": api.INTEGER,
                    "rejected": api.INTEGER,
                    "incidents": api.items(api.obj(row=api.INTEGER, number=api.TEXT)),
                    "known_incidents": api.items(api.obj(row=api.INTEGER, number=api.TEXT)),
                    "faults": api.items(
                        api.obj(
                            row=api.INTEGER,
                            field=api.or_null("string"),
                            title=api.TEXT,
                            message=api.TEXT,
                            expected=api.or_null("string"),
                        )
                    ),
                    "rejected_file": api.or_null("string"),
                },
            },
        ),
    ),
    api.Operation(
        "get",
        "/api/incidents/bulk/{job_id}/rejected",
        "bulk_rejected",
        msg("需要改正的行，附原因，改好后原样再次提交"),
        (_JOB,),
        answer={"type": "string", "format": "binary"},
        produces="text/csv",
    ),
    api.Operation(
        "get",
        "/api/field/bundle",
        "field_bundle",
        msg("手机离线时所带的网格：本辖区及相邻的网格，坐标一位不差"),
        answer=api.obj(
            generation=api.INTEGER,
            is_complete=api.BOOLEAN,
            grids=api.items(
                api.obj(
                    grid_code=api.TEXT,
                    grid_name=api.TEXT,
                    is_own=api.BOOLEAN,
                    polygons=api.items(api.items(api.items({"type": "array", "items": api.NUMBER}))),
                )
            ),
        ),
    ),
)
"""Part of ``operations.OPERATIONS``."""
