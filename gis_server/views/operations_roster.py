"""The API's operations on the roster and on the ground of a routing."""

from gis_server.core.message import msg
from gis_server.views.operation import (
    INTEGER,
    TEXT,
    Operation,
    Parameter,
    in_path,
    items,
    obj,
    or_null,
)

ROSTER: tuple[Operation, ...] = (
    Operation(
        "get",
        "/api/incidents/{incident_id}/explanation",
        "incident_explanation",
        msg("事件为何分到这个网格、由谁负责：依据、逐句说明，以及该点现在所属的网格"),
        (
            in_path("incident_id", msg("事件的编号"), INTEGER),
            Parameter(
                "replay",
                msg("是否按当时的数据重新判定并逐字节比对"),
                {"type": "string", "enum": ["yes", "no"]},
            ),
        ),
        answer=obj(
            sentences=items(TEXT),
            decision={"type": ["object", "null"]},
            now=obj(grid_code=or_null("string"), grid_name=or_null("string")),
            is_same_grid_now={"type": "boolean"},
            replayed=or_null("boolean"),
        ),
    ),
)
