"""The API's operations on mending staged boundaries."""

from gis_server.core.coverage.findings import Kind
from gis_server.core.message import msg
from gis_server.views import operation as api

_GENERATION = api.in_path("generation_id", msg("这一代数据的编号"), api.INTEGER)
_FINDING = api.in_path("finding_id", msg("检查所提问题的编号"), api.INTEGER)
_STEP = api.in_path("step_id", msg("一处修补的编号"), api.INTEGER)

_WIDTH: api.Schema = {"type": "number", "minimum": 0, "maximum": 1000}
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
    "priority": api.TEXT,
    "prefer_filed": api.TEXT,
    "exclusive": {"type": "boolean"},
}
_FIELD = api.obj(name=api.TEXT, title=api.TEXT)
_MENDED = api.obj(generation=api.ref("generation"), moves=api.items(api.ref("move")))

MENDING: tuple[api.Operation, ...] = (
    api.Operation(
        "get",
        "/api/generations/{generation_id}/mending",
        "mending",
        msg("哪些问题可以自动修补，怎样修补"),
        (
            _GENERATION,
            api.Parameter("max_gap_width_m", _GAP, _WIDTH),
            api.Parameter("max_overlap_width_m", _OVERLAP, _WIDTH),
            api.Parameter("divide_from_m", _DIVIDE, _WIDTH),
            api.Parameter("priority", _PRIORITY, api.TEXT),
            api.Parameter("prefer_filed", _FILED, api.TEXT),
            api.Parameter("exclusive", _EXCLUSIVE, {"type": "string", "enum": ["yes", "no"]}),
        ),
        answer=api.obj(
            moves=api.items(api.ref("move")),
            preferable=api.obj(priority=api.items(_FIELD), prefer_filed=api.items(_FIELD)),
        ),
    ),
    api.Operation(
        "get",
        "/api/generations/{generation_id}/mending/steps",
        "mending_steps",
        msg("这一代数据作过哪些修补，由谁所作，哪些已撤销"),
        (_GENERATION,),
        answer=api.obj(steps=api.items(api.ref("mending_step"))),
    ),
    api.Operation(
        "post",
        "/api/generations/{generation_id}/mending/{step_id}/undo",
        "undo_mending",
        msg("撤销一处修补：生成新的一代待发布数据，取代这一代；后来的修补建立在它之上时拒绝"),
        (_GENERATION, _STEP),
        status=201,
        answer=_MENDED,
    ),
    api.Operation(
        "post",
        "/api/generations/{generation_id}/findings/{finding_id}/mend",
        "mend_finding",
        msg("修补一处问题：生成新的一代待发布数据，取代这一代"),
        (_GENERATION, _FINDING),
        body=api.obj(move=api.TEXT, **_WISHES),
        status=201,
        answer=_MENDED,
    ),
    api.Operation(
        "post",
        "/api/generations/{generation_id}/findings/mend",
        "mend_findings",
        msg("修补同一类（不给类别则为全部）能够自动修补的问题：生成新的一代待发布数据，取代这一代"),
        (_GENERATION,),
        body=api.obj(kind={"type": "string", "enum": list(Kind)}, **_WISHES),
        status=201,
        answer=_MENDED,
    ),
)
