"""The API's operations on addresses."""

from gis_server.core.address_match import Verdict
from gis_server.core.address_text import MOST_QUERY, Part
from gis_server.core.message import msg
from gis_server.core.routing import Match
from gis_server.journeys.addresses import MOST_ANSWERED
from gis_server.views import operation as api

ADDRESS: api.Schema = api.obj(
    address_code=api.TEXT,
    standard_address=api.TEXT,
    former_names=api.or_null("string"),
    lon=api.LON,
    lat=api.LAT,
    score={"type": "number", "minimum": 0, "maximum": 1},
    is_exact=api.BOOLEAN,
    why=api.items(api.TEXT),
    differences=api.items(
        api.obj(
            part={"type": "string", "enum": ["name", *Part]},
            asked=api.TEXT,
            found=api.or_null("string"),
        )
    ),
    match={"type": "string", "enum": list(Match)},
    grid_code=api.or_null("string"),
    grid_name=api.or_null("string"),
    sub_grid_code=api.or_null("string"),
    area_path=api.items(api.TEXT),
    area_names=api.items(api.TEXT),
)
"""One found address."""

ADDRESSES: tuple[api.Operation, ...] = (
    api.Operation(
        "get",
        "/api/addresses",
        "addresses",
        msg("按地址查标准地址及其所属网格：最符合的在前，写明哪里不同；不能确定是哪一个时如实说明"),
        (
            api.Parameter(
                "q",
                msg("地址，可简写；也可以是地址编码"),
                {"type": "string", "maxLength": MOST_QUERY},
                required=True,
            ),
            api.Parameter(
                "limit",
                msg("最多几条"),
                {"type": "integer", "minimum": 1, "maximum": MOST_ANSWERED, "default": 5},
            ),
            api.Parameter("at", msg("按这一时刻生效的边界；不给则为现在"), api.TIME),
        ),
        answer=api.obj(
            ("verdict", "message", "addresses"),
            verdict={"type": "string", "enum": list(Verdict)},
            message=api.TEXT,
            addresses=api.items(ADDRESS),
            generation=api.or_null("integer"),
        ),
    ),
)
"""Part of ``operations.OPERATIONS``."""
