"""Operations on routes over time: what a change of boundaries moves, history routed again, returned cases."""

from gis_server.core.message import msg
from gis_server.views.operation import (
    ANY_OBJECT,
    GEOJSON,
    INTEGER,
    TEXT,
    Operation,
    in_path,
    items,
    obj,
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
)
"""Part of ``operations.OPERATIONS``."""
