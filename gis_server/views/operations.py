"""The one description of the API's operations."""

from gis_server.core.coverage.findings import Kind
from gis_server.core.datum import Datum
from gis_server.core.incident_query import Order
from gis_server.core.message import msg
from gis_server.core.ranking import PERIODS
from gis_server.core.route_request import MOST_POINTS
from gis_server.views import operation as api
from gis_server.views.operations_addresses import ADDRESSES
from gis_server.views.operations_intake import INTAKE
from gis_server.views.operations_map import MAP
from gis_server.views.operations_mending import MENDING
from gis_server.views.operations_over_time import OVER_TIME
from gis_server.views.operations_places import PLACES
from gis_server.views.operations_roster import ROSTER
from gis_server.views.operations_wall_files import WALL_FILES

_LAYER = api.in_path("layer", msg("图层名，见 /api/catalogue"), api.TEXT)
_GENERATION = api.in_path("generation_id", msg("这一代数据的编号"), api.INTEGER)
_FINDING = api.in_path("finding_id", msg("检查所提问题的编号"), api.INTEGER)
_AT = api.Parameter("at", msg("按这一时刻生效的边界；不给则为现在"), api.TIME)
_LOCATION = (
    api.Parameter("lon", msg("经度（度）"), api.LON, required=True),
    api.Parameter("lat", msg("纬度（度）"), api.LAT, required=True),
    api.Parameter("datum", msg("坐标基准；不给则按手机与浏览器定位的 WGS 84"), api.DATUM),
    api.Parameter("accuracy_m", msg("定位精度：95% 置信半径（米），与浏览器定位接口相同"), api.ACCURACY),
)

_PERIOD = api.Parameter(
    "period", msg("周期；不给则为月"), {"type": "string", "enum": list(PERIODS), "default": "month"}
)
_YES = {"type": "string", "enum": ["yes", "no"]}
INCIDENT_FILTERS = (
    api.Parameter("state", msg("状态，可用逗号隔开几个"), api.TEXT),
    api.Parameter("open", msg("yes：未结；no：已结"), _YES),
    api.Parameter("unit", msg("牵头或责任单位"), api.TEXT),
    api.Parameter("grid", msg("网格编码；none：不在任何网格内"), api.TEXT),
    api.Parameter("area", msg("区划代码：县、乡镇或社区"), api.TEXT),
    api.Parameter("overdue", msg("yes：只要已超期的"), _YES),
    api.Parameter("due_soon", msg("yes：只要临期的"), _YES),
    api.Parameter("urgent", msg("yes：只要紧急的"), _YES),
    api.Parameter("supervised", msg("yes：只要督查事件清单上的"), _YES),
    api.Parameter("q", msg("编号、事项、网格名称或情况中的文字"), api.TEXT),
    api.Parameter("from", msg("自哪一天（或时刻）起发现"), api.TEXT),
    api.Parameter("until", msg("至哪一天（含）或哪一时刻（不含）发现"), api.TEXT),
    api.Parameter("bbox", msg("西,南,东,北（度）"), api.TEXT),
    api.Parameter("number", msg("事件编号，可用逗号隔开几个"), api.TEXT),
    api.Parameter(
        "order", msg("次序：newest 最新在前，due 时限最近在前"), {"type": "string", "enum": list(Order)}
    ),
)

SHEETS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

OPERATIONS: tuple[api.Operation, ...] = (
    api.Operation(
        "get",
        "/api/session",
        "session",
        msg("当前是谁，有何权限，以及修改请求所需的令牌"),
        answer=api.obj(
            name=api.TEXT,
            role=api.TEXT,
            tier=api.TEXT,
            territory=api.items(api.TEXT),
            wall_id=api.TEXT,
            language=api.TEXT,
            csrf_token=api.TEXT,
            account=api.or_null("string"),
            now=api.TIME,
        ),
        is_open=True,
    ),
    api.Operation(
        "get",
        "/api/catalogue",
        "catalogue",
        msg("可见的图层：字段、样式、图例与弹窗"),
        answer=api.obj(
            layers=api.items(api.ANY_OBJECT),
            bounds=api.items(api.NUMBER),
            base_map={"type": ["object", "null"]},
        ),
    ),
    api.Operation(
        "get",
        "/api/layers/{layer}/features",
        "features",
        msg("图层中生效的要素（GeoJSON）"),
        (
            _LAYER,
            api.Parameter("bbox", msg("西,南,东,北（度）"), api.TEXT),
            _AT,
            api.Parameter("generation", msg("某一代数据的编号；待发布的一代只有可导入者能看"), api.INTEGER),
        ),
        answer=api.obj(type=api.TEXT, features=api.items(api.ANY_OBJECT), generation=api.ANY_OBJECT),
        produces=api.GEOJSON,
    ),
    api.Operation(
        "get",
        "/api/layers/{layer}/generations",
        "generations",
        msg("图层的各代数据，新的在前"),
        (_LAYER,),
        answer=api.obj(generations=api.items(api.ref("generation"))),
    ),
    api.Operation(
        "post",
        "/api/layers/{layer}/imports",
        "start_import",
        msg("上传文件并开始导入；随后按返回的地址查询进度"),
        (_LAYER,),
        body=api.obj(
            ("file",),
            file=api.items({"type": "string", "format": "binary"}),
            crs=api.TEXT,
            encoding=api.TEXT,
            datum={"type": "string", "enum": list(Datum)},
            department=api.TEXT,
            legal_basis=api.TEXT,
        ),
        takes_files=True,
        status=202,
        answer=api.obj(job=api.TEXT),
    ),
    api.Operation(
        "get",
        "/api/imports/{job_id}",
        "import_job",
        msg("一次导入的进度与结果"),
        (api.in_path("job_id", msg("导入的编号"), {"type": "string", "format": "uuid"}),),
        answer=api.obj(state=api.TEXT, done=api.INTEGER, total=api.INTEGER, message=api.or_null("string")),
    ),
    api.Operation(
        "get",
        "/api/generations/{generation_id}/findings",
        "findings",
        msg("这一代数据的检查结果，严重的在前"),
        (_GENERATION,),
        answer=api.obj(
            generation=api.ref("generation"), summary=api.ANY_OBJECT, findings=api.items(api.ref("finding"))
        ),
    ),
    api.Operation(
        "get",
        "/api/generations/{generation_id}/findings.geojson",
        "findings_geojson",
        msg("这一代数据的检查结果（GeoJSON）"),
        (_GENERATION,),
        answer=api.obj(type=api.TEXT, features=api.items(api.ANY_OBJECT), validation=api.ANY_OBJECT),
        produces=api.GEOJSON,
    ),
    api.Operation(
        "get",
        "/api/generations/{generation_id}/findings.gpkg",
        "findings_geopackage",
        msg("这一代数据的检查结果（GeoPackage，内含 QGIS 样式）"),
        (_GENERATION,),
        answer={"type": "string", "format": "binary"},
        produces=api.GEOPACKAGE,
    ),
    api.Operation(
        "post",
        "/api/generations/{generation_id}/findings/{finding_id}/accept",
        "accept_finding",
        msg("写明理由，接受一处警告；错误不能接受"),
        (_GENERATION, _FINDING),
        body=api.obj(("reason",), reason=api.REASON),
        answer=api.obj(generation=api.ref("generation")),
    ),
    api.Operation(
        "post",
        "/api/generations/{generation_id}/findings/accept",
        "accept_findings",
        msg("写明理由，接受同一类的全部警告"),
        (_GENERATION,),
        body=api.obj(("kind", "reason"), kind={"type": "string", "enum": list(Kind)}, reason=api.REASON),
        answer=api.obj(generation=api.ref("generation")),
    ),
    *MENDING,
    api.Operation(
        "post",
        "/api/generations/{generation_id}/publish",
        "publish",
        msg("发布这一代数据；还有错误或未接受的警告时拒绝，并一一列出"),
        (_GENERATION,),
        answer=api.obj(generation=api.ref("generation"), moves=api.ref("moves")),
    ),
    *OVER_TIME,
    *MAP,
    api.Operation(
        "post",
        "/api/generations/{generation_id}/discard",
        "discard",
        msg("放弃这一代待发布的数据"),
        (_GENERATION,),
        answer=api.obj(generation=api.ref("generation")),
    ),
    api.Operation(
        "post",
        "/api/incidents",
        "report_incident",
        msg("上报一起事件：定位到网格、登记并通知；同一 Idempotency-Key 重发得到同一答复"),
        (
            api.Parameter(
                "Idempotency-Key", msg("每份报告一个，由发送方取定；网络中断后可放心重发"), api.TEXT, "header"
            ),
        ),
        body=api.ref("incident_report"),
        status=201,
        answer=api.ref("incident"),
    ),
    api.Operation(
        "get",
        "/api/incidents",
        "incidents",
        msg("本辖区的事件，新的在前"),
        (
            *INCIDENT_FILTERS,
            api.Parameter("limit", msg("最多几条"), {"type": "integer", "minimum": 1, "maximum": 500}),
            api.Parameter("before", msg("上一页的 next"), api.INTEGER),
        ),
        answer=api.obj(incidents=api.items(api.ref("incident")), next=api.or_null("integer")),
    ),
    api.Operation(
        "get",
        "/api/incidents/counts",
        "incident_counts",
        msg("每个筛选条件各有多少起事件（其余条件不变）"),
        INCIDENT_FILTERS,
        answer=api.obj(
            total=api.INTEGER,
            rated=api.INTEGER,
            rating=api.or_null("number"),
            flags=api.ANY_OBJECT,
            states=api.ANY_OBJECT,
            units=api.items(api.obj(unit=api.TEXT, count=api.INTEGER)),
            grids=api.items(api.obj(grid_code=api.TEXT, grid_name=api.or_null("string"), count=api.INTEGER)),
        ),
    ),
    api.Operation(
        "get",
        "/api/incidents/places",
        "incident_places",
        msg("筛选所得事件的位置，供地图使用"),
        INCIDENT_FILTERS,
        answer=api.obj(incidents=api.items(api.ANY_OBJECT), more={"type": "boolean"}),
    ),
    *(
        api.Operation(
            "get",
            f"/api/incidents.{form}",
            f"export_incidents_{form}",
            msg("筛选所得事件的表格（CSV 或 XLSX），内容不超出本人权限"),
            INCIDENT_FILTERS,
            answer={"type": "string", "format": "binary"},
            produces=produces,
        )
        for form, produces in SHEETS.items()
    ),
    api.Operation(
        "get",
        "/api/incidents/appraisal",
        "appraisal",
        msg("筛选所得事件的满意度与部门打分，按牵头单位"),
        INCIDENT_FILTERS,
        answer=api.obj(
            units=api.items(
                api.obj(
                    unit=api.or_null("string"),
                    incidents=api.INTEGER,
                    rated=api.INTEGER,
                    rating=api.or_null("number"),
                    satisfied=api.INTEGER,
                    scored=api.INTEGER,
                    scores=api.ANY_OBJECT,
                )
            )
        ),
    ),
    api.Operation(
        "post",
        "/api/incidents/{incident_id}/rating-link",
        "make_rating_link",
        msg("制作一条供当事人评价的链接；地址只显示这一次，原来的链接随即失效"),
        (api.in_path("incident_id", msg("事件的编号"), api.INTEGER),),
        status=201,
        answer=api.obj(url=api.TEXT, expires_at=api.TIME),
    ),
    api.Operation(
        "get",
        "/api/incidents/{incident_id}",
        "incident",
        msg("一起事件及其经过、时限与下一步"),
        (api.in_path("incident_id", msg("事件的编号"), api.INTEGER),),
        answer=api.ref("opened_incident"),
    ),
    api.Operation(
        "post",
        "/api/incidents/{incident_id}/steps",
        "move_incident",
        msg("办理一步：受理、交办、办结等；状态已被他人改变时答 409，并给出现状"),
        (api.in_path("incident_id", msg("事件的编号"), api.INTEGER),),
        body=api.ref("incident_step"),
        answer=api.ref("opened_incident"),
    ),
    api.Operation(
        "get",
        "/api/route",
        "route",
        msg("一个点属于哪个网格（不登记）"),
        (*_LOCATION, _AT),
        answer=api.ref("place"),
    ),
    api.Operation(
        "post",
        "/api/route",
        "route_many",
        msg("一批点各属于哪个网格（不登记），按原来的次序，按同一代边界；不成其为地点的，答以原因"),
        body=api.obj(
            ("points",),
            points={
                **api.items(
                    api.obj(("lon", "lat"), lon=api.NUMBER, lat=api.NUMBER, accuracy_m=api.or_null("number"))
                ),
                "minItems": 1,
                "maxItems": MOST_POINTS,
            },
            datum=api.DATUM,
            at=api.TIME,
        ),
        answer=api.obj(
            results=api.items({"anyOf": [api.ref("place"), api.obj(("problem",), problem=api.TEXT)]})
        ),
    ),
    api.Operation(
        "get",
        "/api/wall/{wall_id}",
        "wall",
        msg("一面大屏此刻所显示的内容"),
        (api.in_path("wall_id", msg("city 或区划代码"), api.TEXT),),
        answer=api.ANY_OBJECT,
    ),
    api.Operation(
        "get",
        "/api/wall/{wall_id}/statistics",
        "wall_statistics",
        msg("一面大屏各面板所用的统计"),
        (api.in_path("wall_id", msg("city 或区划代码"), api.TEXT),),
        answer=api.ANY_OBJECT,
    ),
    api.Operation(
        "get",
        "/api/wall/{wall_id}/replay",
        "wall_replay",
        msg("近 24 小时的事件：何处、何时起止"),
        (api.in_path("wall_id", msg("city 或区划代码"), api.TEXT),),
        answer=api.ANY_OBJECT,
    ),
    api.Operation(
        "get",
        "/api/wall/{wall_id}/ranking",
        "wall_ranking",
        msg("网格按一个周期内办结数的排名；标准不要求排名的为 null"),
        (
            api.in_path("wall_id", msg("city 或区划代码"), api.TEXT),
            _PERIOD,
            api.Parameter("most", msg("只要前几名"), api.INTEGER),
        ),
        answer=api.obj(ranking={"oneOf": [api.ref("ranking"), {"type": "null"}]}),
    ),
    api.Operation(
        "get",
        "/api/worker-ranking",
        "worker_ranking",
        msg("网格员按一个周期内办结数的排名，只在内部公布"),
        (_PERIOD,),
        answer=api.ref("worker_ranking"),
    ),
    api.Operation(
        "get",
        "/api/wall/{wall_id}/tour",
        "wall_tour",
        msg("一面大屏轮播的场景，以及场景可选的内容"),
        (api.in_path("wall_id", msg("city 或区划代码"), api.TEXT),),
        answer=api.ANY_OBJECT,
    ),
    api.Operation(
        "put",
        "/api/wall/{wall_id}/tour",
        "save_wall_tour",
        msg("改变一面大屏轮播的场景；大屏随即跟上"),
        (api.in_path("wall_id", msg("city 或区划代码"), api.TEXT),),
        body=api.ANY_OBJECT,
        answer=api.ANY_OBJECT,
    ),
    api.Operation(
        "delete",
        "/api/wall/{wall_id}/tour",
        "drop_wall_tour",
        msg("恢复软件自带的轮播"),
        (api.in_path("wall_id", msg("city 或区划代码"), api.TEXT),),
        answer=api.ANY_OBJECT,
    ),
    api.Operation(
        "post",
        "/api/wall/{wall_id}/scene",
        "send_wall_scene",
        msg("让大屏把一个场景显示一段时间"),
        (api.in_path("wall_id", msg("city 或区划代码"), api.TEXT),),
        body=api.obj(
            ("scene",),
            scene=api.TEXT,
            seconds=api.INTEGER,
            town=api.or_null("string"),
            grid=api.or_null("string"),
        ),
        status=204,
    ),
    api.Operation(
        "post",
        "/api/incidents/{incident_id}/acknowledgement",
        "acknowledge_incident",
        msg("签收一起紧急事件的告警，大屏不再呼叫"),
        (api.in_path("incident_id", msg("事件的编号"), api.INTEGER),),
        status=204,
    ),
    api.Operation(
        "get",
        "/api/wall-links",
        "wall_links",
        msg("大屏链接"),
        answer=api.obj(links=api.items(api.ref("wall_link"))),
    ),
    api.Operation(
        "post",
        "/api/wall-links",
        "make_wall_link",
        msg("制作一条大屏链接；地址只显示这一次"),
        body=api.obj(("wall_id", "label"), wall_id=api.TEXT, label=api.TEXT, expires_at=api.TIME),
        status=201,
        answer=api.obj(id=api.INTEGER, url=api.TEXT),
    ),
    api.Operation(
        "delete",
        "/api/wall-links/{link_id}",
        "revoke_wall_link",
        msg("撤销一条大屏链接；用它打开的大屏随即退出"),
        (api.in_path("link_id", msg("链接的编号"), api.INTEGER),),
        status=204,
    ),
    api.Operation(
        "get",
        "/api/events",
        "events",
        msg(
            "实时事件流（server-sent events）：incident、generation、acknowledged、scene、tour、counts、heartbeat、reset"
        ),
        (
            api.Parameter("wall", msg("大屏的编号；随后也收到它的各项统计（counts）"), api.TEXT),
            api.Parameter("after", msg("从这一位置之后开始；重连时浏览器改用 Last-Event-ID"), api.INTEGER),
            api.Parameter("Last-Event-ID", msg("收到的最后一个编号"), api.INTEGER, "header"),
        ),
        answer=api.TEXT,
        produces=api.STREAM,
    ),
    *ADDRESSES,
    *INTAKE,
    *PLACES,
    *ROSTER,
    *WALL_FILES,
)
