"""The API's operations on mending staged boundaries."""

from gis_server.core.coverage.findings import Kind
from gis_server.core.message import msg
from gis_server.views.operation import (
    INTEGER,
    TEXT,
    Operation,
    Parameter,
    Schema,
    in_path,
    items,
    obj,
    ref,
)

_GENERATION = in_path("generation_id", msg("这一代数据的编号"), INTEGER)
_FINDING = in_path("finding_id", msg("检查所提问题的编号"), INTEGER)
_STEP = in_path("step_id", msg("一处修补的编号"), INTEGER)

_WIDTH: Schema = {"type": "number", "minimum": 0, "maximum": 1000}
_GAP = msg("不问人就填补的缝隙最大宽度（米）。")
_OVERLAP = msg("不问人就消除的重叠最大宽度（米）。")
_DIVIDE = msg("狭长缝隙宽达此值（米）时沿中线分给两侧，更窄的整条划给一侧。")
_PRIORITY = msg("数值字段：数值大的网格保留边界。")
_FILED = msg("日期字段：备案早的网格保留边界；in_force 表示与现行一代相同的边界优先")
_EXCLUSIVE = msg("专属网格是否优先保留边界。")
_WISHES = {
    "max_gap_width_m": _WIDTH,
    "max_overlap_width_m": _WIDTH,
    "divide_from_m": _WIDTH,
    "priority": TEXT,
    "prefer_filed": TEXT,
    "exclusive": {"type": "boolean"},
}
_FIELD = obj(name=TEXT, title=TEXT)
_MENDED = obj(generation=ref("generation"), moves=items(ref("move")))

MENDING: tuple[Operation, ...] = (
    Operation(
        "get",
        "/api/generations/{generation_id}/mending",
        "mending",
        msg("哪些问题可以自动修补，怎样修补"),
        (
            _GENERATION,
            Parameter("max_gap_width_m", _GAP, _WIDTH),
            Parameter("max_overlap_width_m", _OVERLAP, _WIDTH),
            Parameter("divide_from_m", _DIVIDE, _WIDTH),
            Parameter("priority", _PRIORITY, TEXT),
            Parameter("prefer_filed", _FILED, TEXT),
            Parameter("exclusive", _EXCLUSIVE, {"type": "string", "enum": ["yes", "no"]}),
        ),
        answer=obj(
            moves=items(ref("move")), preferable=obj(priority=items(_FIELD), prefer_filed=items(_FIELD))
        ),
    ),
    Operation(
        "get",
        "/api/generations/{generation_id}/mending/steps",
        "mending_steps",
        msg("这一代数据作过哪些修补，由谁所作，哪些已撤销"),
        (_GENERATION,),
        answer=obj(steps=items(ref("mending_step"))),
    ),
    Operation(
        "post",
        "/api/generations/{generation_id}/mending/{step_id}/undo",
        "undo_mending",
        msg("撤销一处修补：生成新的一代待发布数据，取代这一代；后来的修补建立在它之上时拒绝"),
        (_GENERATION, _STEP),
        status=201,
        answer=_MENDED,
    ),
    Operation(
        "post",
        "/api/generations/{generation_id}/findings/{finding_id}/mend",
        "mend_finding",
        msg("修补一处问题：生成新的一代待发布数据，取代这一代"),
        (_GENERATION, _FINDING),
        body=obj(move=TEXT, **_WISHES),
        status=201,
        answer=_MENDED,
    ),
    Operation(
        "post",
        "/api/generations/{generation_id}/findings/mend",
        "mend_findings",
        msg("修补同一类（不给类别则为全部）能够自动修补的问题：生成新的一代待发布数据，取代这一代"),
        (_GENERATION,),
        body=obj(kind={"type": "string", "enum": list(Kind)}, **_WISHES),
        status=201,
        answer=_MENDED,
    ),
)
