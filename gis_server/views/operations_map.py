"""Operations for maps: layers in tiles, and the extents of what a layer holds."""

from gis_server.core.message import msg
from gis_server.views.operation import (
    ANY_OBJECT,
    INTEGER,
    NUMBER,
    TEXT,
    VECTOR_TILE,
    Operation,
    Parameter,
    in_path,
    items,
    obj,
    or_null,
)

_LAYER = in_path("layer", msg("图层名，见 /api/catalogue"), TEXT)
_OF = (
    Parameter("generation", msg("某一代数据的编号；待发布的一代只有可导入者能看"), INTEGER),
    Parameter("sight", msg("/api/catalogue 所给地址中的标记；与读者相符时浏览器可长期保存"), TEXT),
)
_PLACE = (
    in_path("z", msg("级别"), {"type": "integer", "minimum": 0}),
    in_path("x", msg("列号，自西向东"), {"type": "integer", "minimum": 0}),
    in_path("y", msg("行号，自北向南"), {"type": "integer", "minimum": 0}),
)

_VERSION = Parameter(
    "version", msg("/api/catalogue 所给地址中的标记；底图更换后旧标记答 404，因此浏览器可长期保存"), TEXT
)

_PICTURE = {"type": "string", "format": "binary"}

MAP: tuple[Operation, ...] = (
    Operation(
        "get",
        "/base/{z}/{x}/{y}",
        "base_tile",
        msg("底图的一块瓦片；没有内容时答 204"),
        (*_PLACE, _VERSION),
        answer=_PICTURE,
        produces="image/*",
    ),
    Operation(
        "get",
        "/base/labels/{z}/{x}/{y}",
        "base_labels_tile",
        msg("底图注记的一块瓦片；没有内容时答 204"),
        (*_PLACE, _VERSION),
        answer=_PICTURE,
        produces="image/*",
    ),
    Operation(
        "get",
        "/tiles/{layer}/{z}/{x}/{y}.mvt",
        "tile",
        msg("图层的一块矢量瓦片（Web 墨卡托）；没有内容时答 204"),
        (_LAYER, *_PLACE, *_OF),
        answer=_PICTURE,
        produces=VECTOR_TILE,
    ),
    Operation(
        "get",
        "/api/layers/{layer}/extents",
        "extents",
        msg("图层中各要素的编码与范围（西、南、东、北，度）"),
        (_LAYER, *_OF, Parameter("fields", msg("另要哪些字段的值，用逗号隔开"), TEXT)),
        answer=obj(
            ("keys", "boxes"),
            keys=items(or_null("string")),
            boxes=items({"type": "array", "items": NUMBER, "minItems": 4, "maxItems": 4}),
            values=ANY_OBJECT,
        ),
    ),
)
