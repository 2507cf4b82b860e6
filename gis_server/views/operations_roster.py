"""The API's operations on the roster and on the ground of a routing."""

from gis_server.core.coverage.findings import Severity
from gis_server.core.message import msg
from gis_server.views import operation as api

_ROSTER_FINDING = api.obj(
    kind=api.TEXT,
    rule=api.TEXT,
    severity={"type": "string", "enum": list(Severity)},
    clause=api.TEXT,
    codes=api.items(api.TEXT),
    message=api.obj(zh=api.TEXT, en=api.TEXT),
)
_POSTING = api.obj(
    name=api.or_null("string"),
    post=api.TEXT,
    title=api.TEXT,
    unit=api.or_null("string"),
    community_post=api.or_null("string"),
    certified=api.or_null("boolean"),
    stands_in_for=api.or_null("string"),
    valid_from=api.TIME,
    valid_to=api.or_null("string", format="date-time"),
    phone=api.or_null("string"),
    staff_no=api.or_null("string"),
    declared_on=api.or_null("string", format="date"),
)

ROSTER: tuple[api.Operation, ...] = (
    api.Operation(
        "get",
        "/api/roster",
        "roster",
        msg("花名册：按网格列出，缺人的在前；电话与工号只给受保护一级，并留下查阅记录"),
        (
            api.Parameter("at", msg("按这一时刻的花名册；不给则为现在"), api.TIME),
            api.Parameter("area", msg("只列这个区划（编码）内的网格"), api.TEXT),
            api.Parameter(
                "severity",
                msg("只列最严重的问题属于这一类的网格"),
                {"type": "string", "enum": list(Severity)},
            ),
            api.Parameter("offset", msg("从第几个网格起"), {"type": "integer", "minimum": 0}),
            api.Parameter("limit", msg("每页网格数"), {"type": "integer", "minimum": 1, "maximum": 500}),
        ),
        answer=api.obj(
            generation=api.or_null("integer"),
            at=api.TIME,
            total=api.INTEGER,
            offset=api.INTEGER,
            counts=api.ANY_OBJECT,
            findings=api.items(_ROSTER_FINDING),
            grids=api.items(
                api.obj(
                    grid_code=api.TEXT,
                    grid_name=api.TEXT,
                    grid_kind=api.or_null("string"),
                    areas=api.items(api.TEXT),
                    severity=api.or_null("string"),
                    people=api.items(_POSTING),
                    answers=api.ANY_OBJECT,
                    findings=api.items(_ROSTER_FINDING),
                )
            ),
            areas=api.items(
                api.obj(code=api.TEXT, name=api.TEXT, level=api.TEXT, people=api.items(_POSTING))
            ),
        ),
    ),
    api.Operation(
        "post",
        "/api/roster/imports",
        "import_roster",
        msg("上传花名册（.xlsx 或 .csv），整体替换；有一行不能用就不替换，并逐行说明原因"),
        body=api.obj(("file",), file={"type": "string", "format": "binary"}, on=api.TEXT),
        takes_files=True,
        status=201,
        answer=api.obj(
            generation=api.INTEGER,
            on=api.TIME,
            postings=api.INTEGER,
            people=api.INTEGER,
            findings=api.items(_ROSTER_FINDING),
        ),
    ),
    api.Operation(
        "get",
        "/api/roster/template",
        "roster_template",
        msg("花名册的空白表格"),
        answer={"type": "string", "format": "binary"},
        produces="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    api.Operation(
        "get",
        "/api/incidents/{incident_id}/explanation",
        "incident_explanation",
        msg("事件为何分到这个网格、由谁负责：依据、逐句说明，以及该点现在所属的网格"),
        (
            api.in_path("incident_id", msg("事件的编号"), api.INTEGER),
            api.Parameter(
                "replay",
                msg("是否按当时的数据重新判定并逐字节比对"),
                {"type": "string", "enum": ["yes", "no"]},
            ),
        ),
        answer=api.obj(
            sentences=api.items(api.TEXT),
            decision={"type": ["object", "null"]},
            now=api.obj(grid_code=api.or_null("string"), grid_name=api.or_null("string")),
            is_same_grid_now={"type": "boolean"},
            replayed=api.or_null("boolean"),
        ),
    ),
)
