"""The API's operations on a grid, on what is near a point, and on the walls as the desk steers them."""

from typing import Any

from gis_server.core.camera import Kept, SiteClass
from gis_server.core.message import msg
from gis_server.core.places import LEAST_REACH_M, MOST_REACH_M, REACH_M
from gis_server.core.routing import Match
from gis_server.journeys.places import SEARCHED
from gis_server.views.operation import (
    ANY_OBJECT,
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

_PERSON = or_null(
    "object",
    properties={
        "post": TEXT,
        "title": TEXT,
        "name": or_null("string"),
        "phone": or_null("string"),
        "unit": or_null("string"),
        "stands_in_for": or_null("string"),
        "valid_from": TIME,
        "valid_to": or_null("string", format="date-time"),
    },
)
_ANSWERS: dict[str, Any] = {
    "person": _PERSON,
    "rung": or_null("string"),
    "vacant": items(TEXT),
    "unit": or_null("object", properties={"code": TEXT, "name": TEXT}),
    "managers": items(obj(mode=TEXT, unit=or_null("string"), person=_PERSON)),
}
# the fields of higher tiers are described with the layer, to those who may see them
_CAMERA: dict[str, Any] = {
    "camera_site_class": {"type": "string", "enum": list(SiteClass)},
    "status": or_null("string"),
    "lon": LON,
    "lat": LAT,
    "retention": or_null(
        "object",
        properties={
            "is_compliant": or_null("boolean"),
            "missing": items(
                obj(
                    what={"type": "string", "enum": list(Kept)},
                    kept=or_null("integer"),
                    least=INTEGER,
                    clause=or_null("string"),
                )
            ),
        },
    ),
}
_AREAS = items(obj(code=TEXT, name=TEXT))

PLACES: tuple[Operation, ...] = (
    Operation(
        "get",
        "/api/grids",
        "grids",
        msg("按名称或编码查找网格"),
        (
            Parameter(
                "q",
                msg("名称或编码中的文字"),
                {"type": "string", "minLength": 1, "maxLength": SEARCHED},
                required=True,
            ),
        ),
        answer=obj(grids=items(obj(grid_code=TEXT, grid_name=TEXT, areas=items(TEXT)))),
    ),
    Operation(
        "get",
        "/api/grids/{code}/card",
        "grid_card",
        msg(
            "一个网格的全貌：基本情况、人员与空缺、视频监控、近 30 天；按读者的权限给出，查阅受保护内容留下记录"
        ),
        (in_path("code", msg("网格编码"), TEXT),),
        answer=obj(
            grid=obj(grid_code=TEXT, grid_name=TEXT, grid_kind=TEXT),
            lon=LON,
            lat=LAT,
            bounds=items(NUMBER),
            geometry=ANY_OBJECT,
            areas=_AREAS,
            answers=or_null("object", properties=_ANSWERS),
            roster=or_null("object", properties={"people": items(_PERSON), "findings": items(ANY_OBJECT)}),
            cameras={"type": ["array", "null"], "items": obj(**_CAMERA)},
            month=obj(
                days=items(
                    obj(day={"type": "string", "format": "date"}, opened=INTEGER, closed=INTEGER),
                ),
                length=INTEGER,
                opened=INTEGER,
                closed=INTEGER,
                on_time_pct=or_null("number"),
                open_now=INTEGER,
                overdue_now=INTEGER,
                items=items(obj(item=or_null("string"), count=INTEGER)),
            ),
        ),
    ),
    Operation(
        "get",
        "/api/nearby",
        "nearby",
        msg("一个地点附近的视频监控（由近及远，并说明是否朝向该点）与本网格、相邻网格的负责人员"),
        (
            Parameter("lon", msg("经度（度）"), LON, required=True),
            Parameter("lat", msg("纬度（度）"), LAT, required=True),
            Parameter("datum", msg("坐标基准；不给则按手机与浏览器定位的 WGS 84"), DATUM),
            Parameter(
                "reach_m",
                msg("查找范围（米）"),
                {
                    "type": "number",
                    "minimum": LEAST_REACH_M,
                    "maximum": MOST_REACH_M,
                    "default": REACH_M,
                },
            ),
        ),
        answer=obj(
            lon=LON,
            lat=LAT,
            match={"type": "string", "enum": list(Match)},
            grid_code=or_null("string"),
            grid_name=or_null("string"),
            areas=_AREAS,
            reach_m=NUMBER,
            cameras={
                "type": ["array", "null"],
                "items": obj(
                    **_CAMERA, distance_m=NUMBER, sees=or_null("boolean"), is_by_direction_only=BOOLEAN
                ),
            },
            staff=items(
                obj(
                    grid_code=TEXT, grid_name=TEXT, distance_m=NUMBER, is_own=BOOLEAN, answers=obj(**_ANSWERS)
                )
            ),
        ),
    ),
    Operation(
        "get",
        "/api/walls",
        "walls",
        msg("本辖区内可以调度的大屏"),
        answer=obj(walls=items(obj(id=TEXT, title=TEXT, has_screen=BOOLEAN))),
    ),
    Operation(
        "get",
        "/api/wall/{wall_id}/desk",
        "wall_desk",
        msg("大屏上现在显示什么、可以发送什么：轮播、告警与已发送的场景"),
        (in_path("wall_id", msg("city 或区划代码"), TEXT),),
        answer=obj(
            wall=obj(id=TEXT, title=TEXT),
            generated_at=TIME,
            tour=ANY_OBJECT,
            alarms=items(ANY_OBJECT),
            sent_scene=or_null("object"),
            towns=_AREAS,
        ),
    ),
    Operation(
        "get",
        "/api/alarms",
        "alarms",
        msg("正在告警、尚无人签收的紧急事件，新的在前"),
        answer=obj(
            alarms=items(
                obj(
                    id=INTEGER,
                    number=TEXT,
                    item=or_null("string"),
                    grid_code=or_null("string"),
                    grid_name=or_null("string"),
                    township_code=or_null("string"),
                    raised_at=TIME,
                )
            )
        ),
    ),
)
