"""Operations on routes over time: what a change of boundaries moves, history routed again, returned cases."""

from gis_server.core.message import msg
from gis_server.views.operation import (
    ANY_OBJECT,
    GEOJSON,
    INTEGER,
    REASON,
    TEXT,
    TIME,
    Operation,
    Parameter,
    in_path,
    items,
    obj,
    or_null,
)

OVER_TIME: tuple[Operation, ...] = (
    Operation(
        "get",
        "/api/generations/{generation_id}/moves",
        "moves",
        msg("发布这一代网格会使哪些未结事件改变网格（GeoJSON），以及各对网格的件数"),
        (in_path("generation_id", msg("这一代数据的编号"), INTEGER),),
        answer=obj(
            type=TEXT, features=items(ANY_OBJECT), open=INTEGER, moved=INTEGER, pairs=items(ANY_OBJECT)
        ),
        produces=GEOJSON,
    ),
    Operation(
        "post",
        "/api/reroutes",
        "start_reroute",
        msg("按当日生效的边界重新定位全部历史事件：试算，或写明理由补记更正；中断后再次提交即接着做"),
        body=obj(
            since=TIME,
            dry_run={"type": "boolean", "default": True},
            reason=REASON,
            generation_id=or_null("integer"),
        ),
        status=202,
        answer=obj(reroute=TEXT),
    ),
    Operation(
        "get",
        "/api/reroutes/{reroute_id}",
        "reroute",
        msg("重新定位的进度，以及各对网格的件数"),
        (in_path("reroute_id", msg("这次重新定位的编号"), INTEGER),),
        answer=obj(
            id=INTEGER,
            state={"type": "string", "enum": ["running", "finished", "interrupted"]},
            done=INTEGER,
            total=INTEGER,
            changed=INTEGER,
            only_sub_grid=INTEGER,
            dry_run={"type": "boolean"},
            pairs=items(obj(**{"from": or_null("string")}, to=or_null("string"), count=INTEGER)),
        ),
    ),
    Operation(
        "get",
        "/api/returns",
        "returns",
        msg("退单落在哪几段网格边界上（GeoJSON 线），退得多的在前"),
        (
            Parameter("since", msg("自哪一时刻起退回；不给则为此前 90 天"), TIME),
            Parameter("until", msg("至哪一时刻之前；不给则为现在"), TIME),
        ),
        answer=obj(type=TEXT, features=items(ANY_OBJECT), total=INTEGER, elsewhere=INTEGER),
        produces=GEOJSON,
    ),
)
"""Part of ``operations.OPERATIONS``."""
