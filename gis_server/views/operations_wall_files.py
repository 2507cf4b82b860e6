"""The operation that prints a wall."""

from gis_server.core.message import msg
from gis_server.core.sheet import Orientation, Paper
from gis_server.views import operation as api

WALL_FILES: tuple[api.Operation, ...] = (
    api.Operation(
        "get",
        "/api/wall-files",
        "wall_file",
        msg(
            "上墙内容的图纸：网格划分图、网格成员图、工作流程图、网格服务联系方式；town、community、grid 给出其一。"
            "多页的 PNG 装在 zip 中；每次输出留有审计记录，大屏链接不能输出"
        ),
        (
            api.Parameter("town", msg("乡镇(街道)的区划代码"), api.TEXT),
            api.Parameter("community", msg("社区(村)的区划代码"), api.TEXT),
            api.Parameter("grid", msg("网格编码"), api.TEXT),
            api.Parameter(
                "format",
                msg("文件格式"),
                {"type": "string", "enum": ["pdf", "png", "html"], "default": "pdf"},
            ),
            api.Parameter(
                "panel",
                msg(
                    "输出哪几图，逗号隔开：map、members、workflow、contacts，或 all；不给则按本地标准的上墙内容"
                ),
                api.TEXT,
            ),
            api.Parameter(
                "paper",
                msg("纸张"),
                {"type": "string", "enum": [one.value for one in Paper], "default": "A3"},
            ),
            api.Parameter(
                "orientation",
                msg("横放或竖放；不给则取地图较大的一种"),
                {"type": "string", "enum": [one.value for one in Orientation]},
            ),
            api.Parameter(
                "board", msg("yes：四图合一张（A2 及以上）"), {"type": "string", "enum": ["yes", "no"]}
            ),
            api.Parameter(
                "tier",
                msg("public：公开图纸；internal：带监控等内部内容的内部图纸"),
                {"type": "string", "enum": ["public", "internal"], "default": "public"},
            ),
        ),
        answer={"type": "string", "format": "binary"},
        produces="application/pdf",
    ),
)
