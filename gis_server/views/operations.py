"""The one description of the API's operations."""

from dataclasses import dataclass
from typing import Any

from gis_server.core.acceptance import LEAST_REASON, MOST_REASON
from gis_server.core.coverage.findings import Kind, Severity
from gis_server.core.datum import Datum
from gis_server.core.incident import MOST_DESCRIPTION, MOST_ITEM, IncidentState, Source
from gis_server.core.incident_machine import StepKind
from gis_server.core.incident_request import MOST_RATING, MOST_SCORE
from gis_server.core.message import Message, msg
from gis_server.core.route_request import MOST_POINTS
from gis_server.core.routing import MAX_ACCURACY_M, Match
from gis_server.core.vocabulary import AdminLevel

Schema = dict[str, Any]

MULTIPART = "multipart/form-data"
STREAM = "text/event-stream"
GEOJSON = "application/geo+json"
GEOPACKAGE = "application/geopackage+sqlite3"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation; ``place`` is path, query or header."""

    name: str
    meaning: Message
    schema: Schema
    place: str = "query"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. ``answer`` is the schema of its success, None without content."""

    method: str
    path: str
    name: str
    summary: Message
    parameters: tuple[Parameter, ...] = ()
    body: Schema | None = None
    takes_files: bool = False
    status: int = 200
    answer: Schema | None = None
    produces: str = "application/json"
    is_open: bool = False


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: tuple[str, ...] = (), /, **properties: Any) -> Schema:
    described: Schema = {"type": "object", "properties": properties}
    return described | ({"required": list(required)} if required else {})


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _or_null(kind: str, **more: object) -> Schema:
    return {"type": [kind, "null"], **more}


TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
ANY_OBJECT: Schema = {"type": "object"}
DATUM: Schema = {"type": "string", "enum": list(Datum), "default": Datum.WGS84.value}
ACCURACY: Schema = {"type": "number", "minimum": 0, "maximum": MAX_ACCURACY_M}
REASON: Schema = {"type": "string", "minLength": LEAST_REASON, "maxLength": MOST_REASON}
LON: Schema = {"type": "number", "minimum": -180, "maximum": 180}
LAT: Schema = {"type": "number", "minimum": -90, "maximum": 90}

_GRID: dict[str, Any] = {
    "grid": {"type": ["object", "null"], "properties": {"grid_code": TEXT, "grid_name": _or_null("string")}},
    "sub_grid": {"type": ["object", "null"], "properties": {"sub_grid_code": TEXT}},
    "grid_code": _or_null("string"),
    "grid_name": _or_null("string"),
    "sub_grid_code": _or_null("string"),
    "match": {"type": "string", "enum": list(Match)},
    "distance_m": _or_null("number"),
    "candidates": _list(_object(grid_code=TEXT, share={"type": "number", "minimum": 0, "maximum": 1})),
    "area_path": _list(TEXT),
    "responsible": _object(grid_name=_or_null("string"), areas=_list(_object(code=TEXT, name=TEXT))),
}

SCHEMAS: dict[str, Schema] = {
    "problem": _object(
        ("type", "title", "status", "detail"),
        type=TEXT,
        title=TEXT,
        status=INTEGER,
        detail=TEXT,
        field=TEXT,
        expected=TEXT,
    ),
    "incident_report": {
        **_object(
            ("lon", "lat", "description", "source"),
            lon=LON,
            lat=LAT,
            datum=DATUM,
            accuracy_m=ACCURACY,
            item={"type": "string", "maxLength": MOST_ITEM},
            description={"type": "string", "minLength": 1, "maxLength": MOST_DESCRIPTION},
            source={"type": "string", "enum": list(Source)},
            urgent={"type": "boolean", "default": False},
            discovered_at=TIME,
        ),
        "additionalProperties": False,
    },
    "place": _object(lon=LON, lat=LAT, stable_within_m=_or_null("number"), **_GRID),
    "incident": _object(
        id=INTEGER,
        number=TEXT,
        state={"type": "string", "enum": list(IncidentState)},
        item=_or_null("string"),
        description=_or_null("string"),
        source=TEXT,
        is_urgent=BOOLEAN,
        discovered_at=TIME,
        recorded_at=TIME,
        lon=LON,
        lat=LAT,
        given={"type": ["object", "null"], "properties": {"lon": NUMBER, "lat": NUMBER, "datum": TEXT}},
        accuracy_m=_or_null("number"),
        due_at=_or_null("string", format="date-time"),
        is_overdue=BOOLEAN,
        **_GRID,
    ),
    "incident_step": {
        **_object(
            ("step", "expected_state"),
            step={"type": "string", "enum": list(StepKind)},
            expected_state={"type": "string", "enum": list(IncidentState)},
            expected_level={"type": "string", "enum": list(AdminLevel)},
            note=TEXT,
            reason=TEXT,
            result=TEXT,
            item=TEXT,
            lead_unit=TEXT,
            responsible_unit=TEXT,
            unit_level={"type": "string", "enum": list(AdminLevel)},
            person_in_charge=TEXT,
            place={"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2},
            rating={"type": "integer", "minimum": 1, "maximum": MOST_RATING},
            scores={
                "type": "object",
                "additionalProperties": {"type": "integer", "minimum": 0, "maximum": MOST_SCORE},
            },
        ),
        "additionalProperties": False,
    },
    "opened_incident": {
        "allOf": [
            _ref("incident"),
            _object(
                current_level=_or_null("string", enum=[*AdminLevel, None]),
                lead_unit=_or_null("string"),
                responsible_unit=_or_null("string"),
                person_in_charge=_or_null("string"),
                first_contact=_or_null("string"),
                clock=_or_null("object"),
                history=_list(ANY_OBJECT),
                next_steps=_list(
                    _object(step=TEXT, title=ANY_OBJECT, to_state=TEXT, clause=_or_null("string"))
                ),
            ),
        ]
    },
    "generation": _object(
        id=INTEGER,
        layer=TEXT,
        state={"type": "string", "enum": ["staged", "published", "discarded"]},
        feature_count=INTEGER,
        valid_from=_or_null("string", format="date-time"),
        valid_to=_or_null("string", format="date-time"),
        created_at=TIME,
        created_by=TEXT,
        summary=ANY_OBJECT,
        certificate={"type": ["object", "null"]},
        proof=_or_null("string"),
        errors=INTEGER,
        warnings=INTEGER,
        open_warnings=INTEGER,
    ),
    "finding": _object(
        ("id", "kind", "rule", "severity", "clause", "message"),
        id=INTEGER,
        kind={"type": "string", "enum": list(Kind)},
        rule=TEXT,
        severity={"type": "string", "enum": list(Severity)},
        clause=TEXT,
        fids=_list(INTEGER),
        codes=_list(TEXT),
        area_m2=NUMBER,
        width_m=NUMBER,
        message=_object(zh=TEXT, en=TEXT),
        geometry={"type": ["object", "null"]},
        weight=ANY_OBJECT,
        acceptance={"type": ["object", "null"], "properties": {"who": TEXT, "at": TIME, "reason": TEXT}},
    ),
    "wall_link": _object(
        id=INTEGER,
        wall_id=TEXT,
        label=TEXT,
        created_at=TIME,
        expires_at=_or_null("string", format="date-time"),
        revoked_at=_or_null("string", format="date-time"),
        live=BOOLEAN,
    ),
}


def _in_path(name: str, meaning: Message, schema: Schema) -> Parameter:
    return Parameter(name, meaning, schema, "path", required=True)


_LAYER = _in_path("layer", msg("图层名，见 /api/catalogue"), TEXT)
_GENERATION = _in_path("generation_id", msg("这一代数据的编号"), INTEGER)
_AT = Parameter("at", msg("按这一时刻生效的边界；不给则为现在"), TIME)
_LOCATION = (
    Parameter("lon", msg("经度（度）"), LON, required=True),
    Parameter("lat", msg("纬度（度）"), LAT, required=True),
    Parameter("datum", msg("坐标基准；不给则按手机与浏览器定位的 WGS 84"), DATUM),
    Parameter("accuracy_m", msg("定位精度：95% 置信半径（米），与浏览器定位接口相同"), ACCURACY),
)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "get",
        "/api/session",
        "session",
        msg("当前是谁，有何权限，以及修改请求所需的令牌"),
        answer=_object(
            name=TEXT,
            role=TEXT,
            tier=TEXT,
            territory=_list(TEXT),
            wall_id=TEXT,
            language=TEXT,
            csrf_token=TEXT,
        ),
        is_open=True,
    ),
    Operation(
        "get",
        "/api/catalogue",
        "catalogue",
        msg("可见的图层：字段、样式、图例与弹窗"),
        answer=_object(layers=_list(ANY_OBJECT)),
    ),
    Operation(
        "get",
        "/api/layers/{layer}/features",
        "features",
        msg("图层中生效的要素（GeoJSON）"),
        (
            _LAYER,
            Parameter("bbox", msg("西,南,东,北（度）"), TEXT),
            _AT,
            Parameter("generation", msg("某一代数据的编号；待发布的一代只有可导入者能看"), INTEGER),
        ),
        answer=_object(type=TEXT, features=_list(ANY_OBJECT), generation=ANY_OBJECT),
        produces=GEOJSON,
    ),
    Operation(
        "get",
        "/api/layers/{layer}/generations",
        "generations",
        msg("图层的各代数据，新的在前"),
        (_LAYER,),
        answer=_object(generations=_list(_ref("generation"))),
    ),
    Operation(
        "post",
        "/api/layers/{layer}/imports",
        "start_import",
        msg("上传文件并开始导入；随后按返回的地址查询进度"),
        (_LAYER,),
        body=_object(
            ("file",),
            file=_list({"type": "string", "format": "binary"}),
            crs=TEXT,
            encoding=TEXT,
            datum={"type": "string", "enum": list(Datum)},
        ),
        takes_files=True,
        status=202,
        answer=_object(job=TEXT),
    ),
    Operation(
        "get",
        "/api/imports/{job_id}",
        "import_job",
        msg("一次导入的进度与结果"),
        (_in_path("job_id", msg("导入的编号"), {"type": "string", "format": "uuid"}),),
        answer=_object(state=TEXT, done=INTEGER, total=INTEGER, message=_or_null("string")),
    ),
    Operation(
        "get",
        "/api/generations/{generation_id}/findings",
        "findings",
        msg("这一代数据的检查结果，严重的在前"),
        (_GENERATION,),
        answer=_object(generation=_ref("generation"), summary=ANY_OBJECT, findings=_list(_ref("finding"))),
    ),
    Operation(
        "get",
        "/api/generations/{generation_id}/findings.geojson",
        "findings_geojson",
        msg("这一代数据的检查结果（GeoJSON）"),
        (_GENERATION,),
        answer=_object(type=TEXT, features=_list(ANY_OBJECT), validation=ANY_OBJECT),
        produces=GEOJSON,
    ),
    Operation(
        "get",
        "/api/generations/{generation_id}/findings.gpkg",
        "findings_geopackage",
        msg("这一代数据的检查结果（GeoPackage，内含 QGIS 样式）"),
        (_GENERATION,),
        answer={"type": "string", "format": "binary"},
        produces=GEOPACKAGE,
    ),
    Operation(
        "post",
        "/api/generations/{generation_id}/findings/{finding_id}/accept",
        "accept_finding",
        msg("写明理由，接受一处提醒；错误不能接受"),
        (_GENERATION, _in_path("finding_id", msg("检查所提问题的编号"), INTEGER)),
        body=_object(("reason",), reason=REASON),
        answer=_object(generation=_ref("generation")),
    ),
    Operation(
        "post",
        "/api/generations/{generation_id}/findings/accept",
        "accept_findings",
        msg("写明理由，接受同一类的全部提醒"),
        (_GENERATION,),
        body=_object(("kind", "reason"), kind={"type": "string", "enum": list(Kind)}, reason=REASON),
        answer=_object(generation=_ref("generation")),
    ),
    Operation(
        "post",
        "/api/generations/{generation_id}/publish",
        "publish",
        msg("发布这一代数据；还有错误或未接受的提醒时拒绝，并一一列出"),
        (_GENERATION,),
        answer=_object(generation=_ref("generation")),
    ),
    Operation(
        "post",
        "/api/generations/{generation_id}/discard",
        "discard",
        msg("放弃这一代待发布的数据"),
        (_GENERATION,),
        answer=_object(generation=_ref("generation")),
    ),
    Operation(
        "post",
        "/api/incidents",
        "report_incident",
        msg("上报一起事件：定位到网格、登记并通知；同一 Idempotency-Key 重发得到同一答复"),
        (
            Parameter(
                "Idempotency-Key", msg("每份报告一个，由发送方取定；网络中断后可放心重发"), TEXT, "header"
            ),
        ),
        body=_ref("incident_report"),
        status=201,
        answer=_ref("incident"),
    ),
    Operation(
        "get",
        "/api/incidents",
        "incidents",
        msg("本辖区的事件，新的在前"),
        (
            Parameter("state", msg("状态，可用逗号隔开几个"), TEXT),
            Parameter("grid", msg("网格编码"), TEXT),
            Parameter("overdue", msg("yes：只要已超期的"), {"type": "string", "enum": ["yes", "no"]}),
            Parameter("limit", msg("最多几条"), {"type": "integer", "minimum": 1, "maximum": 500}),
            Parameter("before", msg("上一页的 next"), INTEGER),
        ),
        answer=_object(incidents=_list(_ref("incident")), next=_or_null("integer")),
    ),
    Operation(
        "get",
        "/api/incidents/{incident_id}",
        "incident",
        msg("一起事件及其经过、时限与下一步"),
        (_in_path("incident_id", msg("事件的编号"), INTEGER),),
        answer=_ref("opened_incident"),
    ),
    Operation(
        "post",
        "/api/incidents/{incident_id}/steps",
        "move_incident",
        msg("办理一步：受理、交办、办结等；状态已被他人改变时答 409，并给出现状"),
        (_in_path("incident_id", msg("事件的编号"), INTEGER),),
        body=_ref("incident_step"),
        answer=_ref("opened_incident"),
    ),
    Operation(
        "get",
        "/api/route",
        "route",
        msg("一个点属于哪个网格（不登记）"),
        (*_LOCATION, _AT),
        answer=_ref("place"),
    ),
    Operation(
        "post",
        "/api/route",
        "route_many",
        msg("一批点各属于哪个网格（不登记），按原来的次序，按同一代边界；不成其为地点的，答以原因"),
        body=_object(
            ("points",),
            points={
                **_list(_object(("lon", "lat"), lon=NUMBER, lat=NUMBER, accuracy_m=_or_null("number"))),
                "minItems": 1,
                "maxItems": MOST_POINTS,
            },
            datum=DATUM,
            at=TIME,
        ),
        answer=_object(results=_list({"anyOf": [_ref("place"), _object(("problem",), problem=TEXT)]})),
    ),
    Operation(
        "get",
        "/api/wall/{wall_id}",
        "wall",
        msg("一面大屏此刻所显示的内容"),
        (_in_path("wall_id", msg("city 或区划代码"), TEXT),),
        answer=ANY_OBJECT,
    ),
    Operation(
        "get",
        "/api/wall-links",
        "wall_links",
        msg("大屏链接"),
        answer=_object(links=_list(_ref("wall_link"))),
    ),
    Operation(
        "post",
        "/api/wall-links",
        "make_wall_link",
        msg("制作一条大屏链接；地址只显示这一次"),
        body=_object(("wall_id", "label"), wall_id=TEXT, label=TEXT, expires_at=TIME),
        status=201,
        answer=_object(id=INTEGER, url=TEXT),
    ),
    Operation(
        "delete",
        "/api/wall-links/{link_id}",
        "revoke_wall_link",
        msg("撤销一条大屏链接；用它打开的大屏随即退出"),
        (_in_path("link_id", msg("链接的编号"), INTEGER),),
        status=204,
    ),
    Operation(
        "get",
        "/api/events",
        "events",
        msg("实时事件流（server-sent events）：incident、generation、heartbeat、reset"),
        (
            Parameter("after", msg("从这一位置之后开始；重连时浏览器改用 Last-Event-ID"), INTEGER),
            Parameter("Last-Event-ID", msg("收到的最后一个编号"), INTEGER, "header"),
        ),
        answer=TEXT,
        produces=STREAM,
    ),
)
