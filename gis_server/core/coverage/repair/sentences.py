"""What each move says (zh-CN originals; the translations are keyed by them)."""

from collections.abc import Sequence

from gis_server.core.coverage.repair.moves import Policy
from gis_server.core.coverage.sentences import Name, figure, names
from gis_server.core.message import Message, msg

_BECAUSE = {
    Policy.EXCLUSIVE: msg("专属网格优先"),
    Policy.PRIORITY: msg("优先级较高"),
    Policy.FILED: msg("边界备案在先"),
    Policy.LONGEST_EDGE: msg("共用边界最长"),
}


def because(policy: Policy) -> Message:
    """Why a cell got the ground."""
    return _BECAUSE[policy]


def filled(cell: Name, area: float, width: float, why: Message) -> Message:
    """A gap given to one cell."""
    return msg(
        "缝隙 {area} 平方米（宽 {width} 米）划给 {cell}：{why}。",
        cell=cell,
        area=figure(area),
        width=figure(width),
        why=why,
    )


def divided(cells: Sequence[Name], area: float, width: float) -> Message:
    """A gap divided between its neighbours."""
    return msg(
        "狭长缝隙 {area} 平方米（宽 {width} 米）沿中线分给 {cells}。",
        cells=names(cells),
        area=figure(area),
        width=figure(width),
    )


def kept(winner: Name, losers: Sequence[Name], area: float, width: float, why: Message) -> Message:
    """An overlap left to one of the cells."""
    return msg(
        "重叠 {area} 平方米（宽 {width} 米）归 {winner}，{losers} 退让：{why}。",
        winner=winner,
        losers=names(losers),
        area=figure(area),
        width=figure(width),
        why=why,
    )


def clipped(cell: Name, parent: Name | None, area: float, width: float) -> Message:
    """Ground outside the parent taken off."""
    return msg(
        "{cell} 退回到 {parent} 的边界以内，让出 {area} 平方米（宽 {width} 米）。",
        cell=cell,
        parent=parent or msg("上级区域"),
        area=figure(area),
        width=figure(width),
    )


def aligned(cells: Sequence[Name]) -> Message:
    """Vertices brought together."""
    return msg("{cells} 的公共边界顶点已对齐，逐位吻合。", cells=names(cells))


def redrawn(cell: Name) -> Message:
    """An invalid ring mended."""
    return msg("{cell} 的图形已修复为有效的面。", cell=cell)


def corrected(cell: Name, stated: str | None, actual: str) -> Message:
    """A parent code corrected."""
    return msg(
        "{cell} 的上级由 {stated} 更正为 {actual}：图形完全在其内。",
        cell=cell,
        stated=stated or msg("（空）"),
        actual=actual,
    )


def beside(cell: Name) -> Message:
    """The border of a cell stands and its neighbour is brought to it."""
    return msg("以 {cell} 的边界为准", cell=cell)


def meeting() -> Message:
    """The border that ends at a vertex of the parent's stands."""
    return msg("其边界在上级边界的顶点上相接")


def joined(cell: Name, target: Name, area: float, width: float) -> Message:
    """A crumb of one cell joined to another."""
    return msg(
        "{cell} 的零星飞块 {area} 平方米（宽 {width} 米）并入相邻的 {target}。",
        cell=cell,
        target=target,
        area=figure(area),
        width=figure(width),
    )
