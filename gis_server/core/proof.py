"""The certificate of a generation in words."""

from gis_server.core.coverage.findings import Certificate
from gis_server.core.coverage.sentences import figure
from gis_server.core.generation import Generation
from gis_server.core.message import Message, msg


def proof_of(generation: Generation) -> Message | None:
    """What is proven of a generation; None where nothing was to be proven, or errors stand in the way."""
    proof = generation.certificate
    if proof is None or not proof.cells:
        return None
    cells = cells_of(generation.layer, proof.cells)
    if proof.exact:
        return msg("逐位精确：{cells}，{edges} 条边。", cells=cells, edges=f"{proof.edges:,}")
    if generation.errors:
        return None
    if generation.layer == "sub_grid":  # they lie inside their grids and need not fill them (V8)
        return msg(
            "{cells}都在所属网格之内；{grids} 个网格中有 {filled} 个逐位铺满，不要求全部铺满。",
            cells=cells,
            grids=f"{proof.parents:,}",
            filled=f"{proof.parents - len(proof.open_parents):,}",
        )
    return _within_tolerance(generation, proof, cells)


def _within_tolerance(generation: Generation, proof: Certificate, cells: Message) -> Message:
    areas = {name: _area(generation.summary.get(f"{name}_area_m2")) for name in ("gap", "overlap", "outside")}
    return msg(
        "在容差（{tolerance} 平方米）之内，但不是逐位精确：{cells}，{open} 个上级区域未逐位吻合；"
        "缝隙共 {gap}、重叠共 {overlap}、越界共 {outside} 平方米。",
        tolerance=figure(generation.tolerance_m2 or 0.0),
        cells=cells,
        open=f"{len(proof.open_parents):,}",
        **areas,
    )


def _area(measured: object) -> str | Message:
    area = measured if isinstance(measured, float | int) else 0.0
    return msg("不到 0.01") if 0 < area < 0.01 else figure(area)


def cells_of(layer: str, count: int) -> Message:
    """So many of what a layer holds."""
    number = f"{count:,}"
    if layer == "grid":
        return msg("{n} 个网格", n=number)
    if layer == "sub_grid":
        return msg("{n} 个子网格", n=number)
    if layer == "area":
        return msg("{n} 个区划", n=number)
    return msg("{n} 个面", n=number)
