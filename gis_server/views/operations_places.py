"""The API's operations on a grid, on what is near a point, and on the walls as the desk steers them."""

from typing import Any

from gis_server.core.camera import Kept, SiteClass
from gis_server.core.message import msg
from gis_server.core.places import LEAST_REACH_M, MOST_REACH_M, REACH_M
from gis_server.core.routing import Match
from gis_server.journeys.places import SEARCHED
from gis_server.views import operation as api

_PERSON = api.or_null(
    "object",
    properties={
        "post": api.TEXT,
        "title": api.TEXT,
        "name": api.or_null("string"),
        "phone": api.or_null("string"),
        "unit": api.or_null("string"),
        "stands_in_for": api.or_null("string"),
        "valid_from": api.TIME,
        "valid_to": api.or_null("string", format="date-time"),
    },
)
_ANSWERS: dict[str, Any] = {
    "person": _PERSON,
    "rung": api.or_null("string"),
    "vacant": api.items(api.TEXT),
    "unit": api.or_null("object", properties={"code": api.TEXT, "name": api.TEXT}),
    "managers": api.items(api.obj(mode=api.TEXT, unit=api.or_null("string"), person=_PERSON)),
}
# the fields of higher tiers are described with the layer, to those who may see them
_CAMERA: dict[str, Any] = {
    "camera_site_class": {"type": "string", "enum": list(SiteClass)},
    "status": api.or_null("string"),
    "lon": api.LON,
    "lat": api.LAT,
    "retention": api.or_null(
        "object",
        properties={
            "is_compliant": api.or_null("boolean"),
            "missing": api.items(
                api.obj(
                    what={"type": "string", "enum": list(Kept)},
                    kept=api.or_null("integer"),
                    least=api.INTEGER,
                    clause=api.or_null("string"),
                )
            ),
        },
    ),
}
_AREAS = api.items(api.obj(code=api.TEXT, name=api.TEXT))

PLACES: tuple[api.Operation, ...] = (
    api.Operation(
        "get",
        "/api/grids",
        "grids",
        msg("按名称或编码查找网格"),
        (
            api.Parameter(
                "q",
                msg("名称或编码中的文字"),
                {"type": "string", "minLength": 1, "maxLength": SEARCHED},
                required=True,
            ),
        ),
        answer=api.obj(
            grids=api.items(api.obj(grid_code=api.TEXT, grid_name=api.TEXT, areas=api.items(api.TEXT)))
        ),
    ),
    api.Operation(
        "get",
        "/api/grids/{code}/card",
        "grid_card",
        msg(
            "一个网格的全貌：基本情况、人员与空缺、视频监控、近 30 天；按读者的权限给出，查阅受保护内容留下记录"
        ),
        (api.in_path("code", msg("网格编码"), api.TEXT),),
        answer=api.obj(
            grid=api.obj(grid_code=api.TEXT, grid_name=api.TEXT, grid_kind=api.TEXT),
            lon=api.LON,
            lat=api.LAT,
            bounds=api.items(api.NUMBER),
            geometry=api.ANY_OBJECT,
            areas=_AREAS,
            answers=api.or_null("object", properties=_ANSWERS),
            roster=api.or_null(
                "object", properties={"people": api.items(_PERSON), "findings": api.items(api.ANY_OBJECT)}
            ),
            cameras={"type": ["array", "null"], "items": api.obj(**_CAMERA)},
            month=api.obj(
                days=api.items(
                    api.obj(day={"type": "string", "format": "date"}, opened=api.INTEGER, closed=api.INTEGER),
                ),
                length=api.INTEGER,
                opened=api.INTEGER,
                closed=api.INTEGER,
                on_time_pct=api.or_null("number"),
                open_now=api.INTEGER,
                overdue_now=api.INTEGER,
                items=api.items(api.obj(item=api.or_null("string"), count=api.INTEGER)),
            ),
        ),
    ),
    api.Operation(
        "get",
        "/api/nearby",
        "nearby",
        msg("一个地点附近的视频监控（由近及远，并说明是否朝向该点）与本网格、相邻网格的负责人员"),
        (
            api.Parameter("lon", msg("经度（度）"), api.LON, required=True),
            api.Parameter("lat", msg("纬度（度）"), api.LAT, required=True),
            api.Parameter("datum", msg("坐标基准；不给则按手机与浏览器定位的 WGS 84"), api.DATUM),
            api.Parameter(
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
        answer=api.obj(
            lon=api.LON,
            lat=api.LAT,
            match={"type": "string", "enum": list(Match)},
            grid_code=api.or_null("string"),
            grid_name=api.or_null("string"),
            areas=_AREAS,
            reach_m=api.NUMBER,
            cameras={
                "type": ["array", "null"],
                "items": api.obj(
                    **_CAMERA,
                    distance_m=api.NUMBER,
                    sees=api.or_null("boolean"),
                    is_by_direction_only=api.BOOLEAN,
                ),
            },
            staff=api.items(
                api.obj(
                    grid_code=api.TEXT,
                    grid_name=api.TEXT,
                    distance_m=api.NUMBER,
                    is_own=api.BOOLEAN,
                    answers=api.obj(**_ANSWERS),
                )
            ),
        ),
    ),
    api.Operation(
        "get",
        "/api/walls",
        "walls",
        msg("本辖区内可以调度的大屏"),
        answer=api.obj(walls=api.items(api.obj(id=api.TEXT, title=api.TEXT, has_screen=api.BOOLEAN))),
    ),
    api.Operation(
        "get",
        "/api/wall/{wall_id}/desk",
        "wall_desk",
        msg("大屏上现在显示什么、可以发送什么：轮播、告警与已发送的场景"),
        (api.in_path("wall_id", msg("city 或区划代码"), api.TEXT),),
        answer=api.obj(
            wall=api.obj(id=api.TEXT, title=api.TEXT),
            generated_at=api.TIME,
            tour=api.ANY_OBJECT,
            alarms=api.items(api.ANY_OBJECT),
            sent_scene=api.or_null("object"),
            towns=_AREAS,
        ),
    ),
    api.Operation(
        "get",
        "/api/alarms",
        "alarms",
        msg("正在告警、尚无人签收的紧急事件，新的在前"),
        answer=api.obj(
            alarms=api.items(
                api.obj(
                    id=api.INTEGER,
                    number=api.TEXT,
                    item=api.or_null("string"),
                    grid_code=api.or_null("string"),
                    grid_name=api.or_null("string"),
                    township_code=api.or_null("string"),
                    raised_at=api.TIME,
                )
            )
        ),
    ),
)
