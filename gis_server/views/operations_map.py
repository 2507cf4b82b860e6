"""Operations for maps: layers in tiles, and the extents of what a layer holds."""

from gis_server.core.message import msg
from gis_server.views import operation as api

_LAYER = api.in_path("layer", msg("图层名，见 /api/catalogue"), api.TEXT)
_OF = (
    api.Parameter("generation", msg("某一代数据的编号；待发布的一代只有可导入者能看"), api.INTEGER),
    api.Parameter("sight", msg("/api/catalogue 所给地址中的标记；与读者相符时浏览器可长期保存"), api.TEXT),
)
_PLACE = (
    api.in_path("z", msg("级别"), {"type": "integer", "minimum": 0}),
    api.in_path("x", msg("列号，自西向东"), {"type": "integer", "minimum": 0}),
    api.in_path("y", msg("行号，自北向南"), {"type": "integer", "minimum": 0}),
)

_VERSION = api.Parameter(
    "version", msg("/api/catalogue 所给地址中的标记；底图更换后旧标记答 404，因此浏览器可长期保存"), api.TEXT
)

_PICTURE = {"type": "string", "format": "binary"}

MAP: tuple[api.Operation, ...] = (
    api.Operation(
        "get",
        "/base/{z}/{x}/{y}",
        "base_tile",
        msg("底图的一块瓦片；没有内容时答 204"),
        (*_PLACE, _VERSION),
        answer=_PICTURE,
        produces="image/*",
    ),
    api.Operation(
        "get",
        "/base/labels/{z}/{x}/{y}",
        "base_labels_tile",
        msg("底图注记的一块瓦片；没有内容时答 204"),
        (*_PLACE, _VERSION),
        answer=_PICTURE,
        produces="image/*",
    ),
    api.Operation(
        "get",
        "/tiles/{layer}/{z}/{x}/{y}.mvt",
        "tile",
        msg("图层的一块矢量瓦片（Web 墨卡托）；没有内容时答 204"),
        (_LAYER, *_PLACE, *_OF),
        answer=_PICTURE,
        produces=api.VECTOR_TILE,
    ),
    api.Operation(
        "get",
        "/api/layers/{layer}/extents",
        "extents",
        msg("图层中各要素的编码与范围（西、南、东、北，度）"),
        (_LAYER, *_OF, api.Parameter("fields", msg("另要哪些字段的值，用逗号隔开"), api.TEXT)),
        answer=api.obj(
            ("keys", "boxes"),
            keys=api.items(api.or_null("string")),
            boxes=api.items({"type": "array", "items": api.NUMBER, "minItems": 4, "maxItems": 4}),
            values=api.ANY_OBJECT,
        ),
    ),
)
