"""The API's operations on addresses."""

from gis_server.core.address_match import Verdict
from gis_server.core.address_text import MOST_QUERY, Part
from gis_server.core.message import msg
from gis_server.core.routing import Match
from gis_server.journeys.addresses import MOST_ANSWERED
from gis_server.views.operation import (
    BOOLEAN,
    LAT,
    LON,
    TEXT,
    TIME,
    Operation,
    Parameter,
    Schema,
    items,
    obj,
    or_null,
)

ADDRESS: Schema = obj(
    address_code=TEXT,
    standard_address=TEXT,
    former_names=or_null("string"),
    lon=LON,
    lat=LAT,
    score={"type": "number", "minimum": 0, "maximum": 1},
    is_exact=BOOLEAN,
    why=items(TEXT),
    differences=items(
        obj(
            part={"type": "string", "enum": ["name", *Part]},
            asked=TEXT,
            found=or_null("string"),
        )
    ),
    match={"type": "string", "enum": list(Match)},
    grid_code=or_null("string"),
    grid_name=or_null("string"),
    sub_grid_code=or_null("string"),
    area_path=items(TEXT),
    area_names=items(TEXT),
)
"""One found address."""

ADDRESSES: tuple[Operation, ...] = (
    Operation(
        "get",
        "/api/addresses",
        "addresses",
        msg("按地址查标准地址及其所属网格：最符合的在前，写明哪里不同；不能确定是哪一个时如实说明"),
        (
            Parameter(
                "q",
                msg("地址，可简写；也可以是地址编码"),
                {"type": "string", "maxLength": MOST_QUERY},
                required=True,
            ),
            Parameter(
                "limit",
                msg("最多几条"),
                {"type": "integer", "minimum": 1, "maximum": MOST_ANSWERED, "default": 5},
            ),
            Parameter("at", msg("按这一时刻生效的边界；不给则为现在"), TIME),
        ),
        answer=obj(
            ("verdict", "message", "addresses"),
            verdict={"type": "string", "enum": list(Verdict)},
            message=TEXT,
            addresses=items(ADDRESS),
            generation=or_null("integer"),
        ),
    ),
)
"""Part of ``operations.OPERATIONS``."""
