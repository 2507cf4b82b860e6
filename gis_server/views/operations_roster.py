"""The API's operations on the roster and on the ground of a routing."""

from gis_server.core.coverage.findings import Severity
from gis_server.core.message import msg
from gis_server.views.operation import (
    ANY_OBJECT,
    INTEGER,
    TEXT,
    TIME,
    Operation,
    Parameter,
    in_path,
    items,
    obj,
    or_null,
)

_ROSTER_FINDING = obj(
    kind=TEXT,
    rule=TEXT,
    severity={"type": "string", "enum": list(Severity)},
    clause=TEXT,
    codes=items(TEXT),
    message=obj(zh=TEXT, en=TEXT),
)
_POSTING = obj(
    name=or_null("string"),
    post=TEXT,
    title=TEXT,
    unit=or_null("string"),
    community_post=or_null("string"),
    certified=or_null("boolean"),
    stands_in_for=or_null("string"),
    valid_from=TIME,
    valid_to=or_null("string", format="date-time"),
    phone=or_null("string"),
    staff_no=or_null("string"),
    declared_on=or_null("string", format="date"),
)

ROSTER: tuple[Operation, ...] = (
    Operation(
        "get",
        "/api/roster",
        "roster",
        msg("花名册：按网格列出，缺人的在前；电话与工号只给受保护一级，并留下查阅记录"),
        (
            Parameter("at", msg("按这一时刻的花名册；不给则为现在"), TIME),
            Parameter("area", msg("只列这个区划（编码）内的网格"), TEXT),
            Parameter(
                "severity",
                msg("只列最严重的问题属于这一类的网格"),
                {"type": "string", "enum": list(Severity)},
            ),
            Parameter("offset", msg("从第几个网格起"), {"type": "integer", "minimum": 0}),
            Parameter("limit", msg("每页网格数"), {"type": "integer", "minimum": 1, "maximum": 500}),
        ),
        answer=obj(
            generation=or_null("integer"),
            at=TIME,
            total=INTEGER,
            offset=INTEGER,
            counts=ANY_OBJECT,
            findings=items(_ROSTER_FINDING),
            grids=items(
                obj(
                    grid_code=TEXT,
                    grid_name=TEXT,
                    grid_kind=or_null("string"),
                    areas=items(TEXT),
                    severity=or_null("string"),
                    people=items(_POSTING),
                    answers=ANY_OBJECT,
                    findings=items(_ROSTER_FINDING),
                )
            ),
            areas=items(obj(code=TEXT, name=TEXT, level=TEXT, people=items(_POSTING))),
        ),
    ),
    Operation(
        "post",
        "/api/roster/imports",
        "import_roster",
        msg("上传花名册（.xlsx 或 .csv），整体替换；有一行不能用就不替换，并逐行说明原因"),
        body=obj(("file",), file={"type": "string", "format": "binary"}, on=TEXT),
        takes_files=True,
        status=201,
        answer=obj(
            generation=INTEGER, on=TIME, postings=INTEGER, people=INTEGER, findings=items(_ROSTER_FINDING)
        ),
    ),
    Operation(
        "get",
        "/api/roster/template",
        "roster_template",
        msg("花名册的空白表格"),
        answer={"type": "string", "format": "binary"},
        produces="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
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
