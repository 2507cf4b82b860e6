"""Operations on routes over time: what a change of boundaries moves, history routed again, returned cases."""

from gis_server.core.message import msg
from gis_server.views import operation as api

OVER_TIME: tuple[api.Operation, ...] = (
    api.Operation(
        "get",
        "/api/generations/{generation_id}/moves",
        "moves",
        msg("发布这一代网格会使哪些未结事件改变网格（GeoJSON），以及各对网格的件数"),
        (api.in_path("generation_id", msg("这一代数据的编号"), api.INTEGER),),
        answer=api.obj(
            type=api.TEXT,
            features=api.items(api.ANY_OBJECT),
            open=api.INTEGER,
            moved=api.INTEGER,
            pairs=api.items(api.ANY_OBJECT),
        ),
        produces=api.GEOJSON,
    ),
    api.Operation(
        "post",
        "/api/reroutes",
        "start_reroute",
        msg("按当日生效的边界重新定位全部历史事件：试算，或写明理由补记更正；中断后再次提交即接着做"),
        body=api.obj(
            since=api.TIME,
            dry_run={"type": "boolean", "default": True},
            reason=api.REASON,
            generation_id=api.or_null("integer"),
        ),
        status=202,
        answer=api.obj(reroute=api.TEXT),
    ),
    api.Operation(
        "get",
        "/api/reroutes/{reroute_id}",
        "reroute",
        msg("重新定位的进度，以及各对网格的件数"),
        (api.in_path("reroute_id", msg("这次重新定位的编号"), api.INTEGER),),
        answer=api.obj(
            id=api.INTEGER,
            state={"type": "string", "enum": ["running", "finished", "interrupted"]},
            done=api.INTEGER,
            total=api.INTEGER,
            changed=api.INTEGER,
            only_sub_grid=api.INTEGER,
            dry_run={"type": "boolean"},
            pairs=api.items(
                api.obj(**{"from": api.or_null("string")}, to=api.or_null("string"), count=api.INTEGER)
            ),
        ),
    ),
    api.Operation(
        "get",
        "/api/returns",
        "returns",
        msg("退单落在哪几段网格边界上（GeoJSON 线），退得多的在前"),
        (
            api.Parameter("since", msg("自哪一时刻起退回；不给则为此前 90 天"), api.TIME),
            api.Parameter("until", msg("至哪一时刻之前；不给则为现在"), api.TIME),
        ),
        answer=api.obj(
            type=api.TEXT, features=api.items(api.ANY_OBJECT), total=api.INTEGER, elsewhere=api.INTEGER
        ),
        produces=api.GEOJSON,
    ),
)
"""Part of ``operations.OPERATIONS``."""
