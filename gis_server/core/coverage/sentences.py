"""The sentence of each finding: what, where, how much, what to do."""

from collections.abc import Sequence

from gis_server.core.coverage.intake import Flaw, Flawed
from gis_server.core.coverage.rules import BRIEF
from gis_server.core.message import Message, msg

Name = str | Message


def name(code: str | None, row: int) -> Name:
    """A cell as people call it: its code, else its place in the file."""
    return code if code else msg("第 {n} 个图形", n=row + 1)


def figure(value: float) -> str:
    """A measure with three significant digits at least, and no more decimals than make sense."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 1:
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value:.3g}"


def names(all_names: Sequence[Name], most: int = 6) -> Name:
    """Names in a row; beyond ``most`` only their number."""
    shown: Name = all_names[0]
    for another in all_names[1:most]:
        shown = msg("{names}、{name}", names=shown, name=another)
    if len(all_names) <= most:
        return shown
    return msg("{names} 等 {count} 个", names=shown, count=len(all_names))


def clause(text: str) -> Name:
    """The clause as people read it; the product's own rules say that no document has them."""
    return msg("产品约定，文件未规定") if text == BRIEF else text


def gap(kind: str, parent: str | None, around: Sequence[Name], area: float, width: float) -> Message:
    """A gap, bay or missing cell."""
    if not around:
        return msg(
            "{where} 内有 {area} 平方米没有网格，旁边也没有任何网格；请补画网格，或核对上级区域。",
            where=parent or msg("上级区域"),
            area=figure(area),
        )
    places = {
        "where": parent or msg("覆盖范围"),
        "around": names(around),
        "area": figure(area),
        "width": figure(width),
    }
    if kind == "missing_cell":
        return msg("{where} 内有一整块没有网格：{area} 平方米，四周为 {around}；请补上缺少的网格。", **places)
    if kind == "bay":
        return msg(
            "{where} 边界处有缺口伸入网格之间：{area} 平方米，平均宽 {width} 米，相邻网格 {around}；请把它划给相邻网格。",
            **places,
        )
    return msg(
        "{where} 内有缝隙没有网格覆盖：{area} 平方米，平均宽 {width} 米，相邻网格 {around}；请把它划给相邻网格。",
        **places,
    )


def overlap(one: Name, other: Name, area: float, width: float) -> Message:
    """Two cells on one piece of ground."""
    return msg(
        "{one} 与 {other} 重叠 {area} 平方米，平均宽 {width} 米；请确定这块地归谁。",
        one=one,
        other=other,
        area=figure(area),
        width=figure(width),
    )


def other_parent_overlap(one: Name, other: Name, theirs: str | None, area: float) -> Message:
    """Two cells of different parents on one piece of ground."""
    return msg(
        "{one} 与 {parent} 的 {other} 重叠 {area} 平方米；请以上级边界为准。",
        one=one,
        other=other,
        parent=theirs or msg("另一上级区域"),
        area=figure(area),
    )


def contained(inner: Name, outer: Name, area: float, exclusive: bool) -> Message:
    """A cell wholly on another."""
    if exclusive:
        return msg(
            "专属网格 {inner} 压在 {outer} 上（{area} 平方米），应从后者中挖出。",
            inner=inner,
            outer=outer,
            area=figure(area),
        )
    return msg(
        "{inner} 完全落在 {outer} 之内（{area} 平方米）；请删去其一，或从后者中挖出。",
        inner=inner,
        outer=outer,
        area=figure(area),
    )


def duplicate(rows: Sequence[Name], area: float) -> Message:
    """The same polygon in several rows."""
    return msg("{rows} 的图形相同（{area} 平方米）；请只保留一个。", rows=names(rows), area=figure(area))


def outside(cell: Name, parent: str | None, area: float, width: float) -> Message:
    """A part beyond the parent."""
    return msg(
        "{cell} 超出 {parent} 的边界 {area} 平方米，平均宽 {width} 米；请退回到边界以内。",
        cell=cell,
        parent=parent or msg("上级区域"),
        area=figure(area),
        width=figure(width),
    )


def wrong_parent(cell: Name, stated: str | None, actual: str | None) -> Message:
    """The parent by code and the parent by place differ."""
    return msg(
        "{cell} 填报的上级是 {stated}，图形却在 {actual} 内；请更正上级代码或图形。",
        cell=cell,
        stated=stated or msg("（空）"),
        actual=actual or msg("另一区域"),
    )


def unknown_parent(cell: Name, stated: str) -> Message:
    """A parent code that no area has."""
    return msg("{cell} 填报的上级 {stated} 不在上级图层中；请更正代码。", cell=cell, stated=stated)


def near_miss(cells: Sequence[Name], width: float, area: float) -> Message:
    """Edges that should be one."""
    if len(cells) > 1:
        return msg(
            "{cells} 的公共边界没有完全重合：相差约 {width} 米，共 {area} 平方米，低于容差；请对齐顶点。",
            cells=names(cells),
            width=figure(width),
            area=figure(area),
        )
    return msg(
        "{cells} 的边与上级边界没有完全重合：相差约 {width} 米，共 {area} 平方米，低于容差；请对齐顶点。",
        cells=names(cells),
        width=figure(width),
        area=figure(area),
    )


def hair(cells: Sequence[Name]) -> Message:
    """Vertices without a counterpart, nothing measurable between the edges."""
    return msg(
        "{cells} 的公共边界上有顶点没有一一对应，相差不超过坐标精度；可对齐顶点以便逐位吻合。",
        cells=names(cells),
    )


def multipart(cell: Name, parts: int) -> Message:
    """Several separate pieces."""
    return msg("{cell} 由 {parts} 块互不相连的部分组成；若非飞地，请改为一块。", cell=cell, parts=parts)


_REASONS = {
    "Self-intersection": msg("边界自相交"),
    "Ring Self-intersection": msg("边界自相接"),
    "Hole lies outside shell": msg("孔在外环之外"),
    "Holes are nested": msg("孔相互嵌套"),
    "Nested shells": msg("外环相互嵌套"),
    "Interior is disconnected": msg("内部不连通"),
    "Duplicate Rings": msg("有重复的环"),
    "Too few points in geometry component": msg("环的顶点太少"),
}


def flawed(cell: Name, flaw: Flawed) -> Message:
    """A geometry that is empty, no polygon, not a number or invalid."""
    if flaw.flaw is Flaw.EMPTY:
        return msg("{cell} 没有图形；请补画或删去这一行。", cell=cell)
    rest = msg("其余检查按修复后的图形进行") if flaw.mended else msg("其余检查未包括它")
    if flaw.flaw is Flaw.NOT_POLYGON:
        return msg("{cell} 不是面（{type}）；{rest}。", cell=cell, type=flaw.reason, rest=rest)
    if flaw.flaw is Flaw.NOT_A_NUMBER:
        return msg("{cell} 有坐标不是数；{rest}。", cell=cell, rest=rest)
    reason: Name = _REASONS.get(flaw.reason, flaw.reason)
    if flaw.place is None:
        return msg("{cell} 的图形无效：{reason}；{rest}。", cell=cell, reason=reason, rest=rest)
    return msg(
        "{cell} 的图形无效：{reason}，位于（{x}，{y}）；{rest}。",
        cell=cell,
        reason=reason,
        x=f"{flaw.place.x:.10g}",
        y=f"{flaw.place.y:.10g}",
        rest=rest,
    )
