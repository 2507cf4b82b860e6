"""Tables of boundaries as files bring them: whose code is whose parent, and what each row is, even in mixed files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gis_server.core.catalogue import Catalogue
from gis_server.core.coverage.layer import Cells
from gis_server.core.coverage.repair import Nature
from gis_server.core.features import RawTable
from gis_server.journeys.check import AREA, GRID, SUB_GRID, found_columns, matched_columns

NATURE_OF = {AREA: Nature.AREA, GRID: Nature.GRID, SUB_GRID: Nature.SUB_GRID}
LAYER_OF = {nature: layer for layer, nature in NATURE_OF.items()}

Texts = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class BoundaryTable:
    """A file of boundaries: code, parent's code and nature of each row (None: no such column).

    ``parent_column`` is the file's column that names the parent of each row.
    """

    path: Path
    raw: RawTable
    layer: str
    codes: Texts | None
    parent_codes: Texts | None
    natures: NDArray[np.int64]
    exclusive: NDArray[np.bool_] | None
    parent_column: Texts


def boundary_table(catalogue: Catalogue, name: str, raw: RawTable, path: Path) -> BoundaryTable:
    """The table of a file that is taken for the layer ``name``.

    A file of grids may hold their sub-grids too, by columns of their own or by naming a grid of the file as parent;
    one that is plainly a file of areas (its rows name each other, and no community) is given back as that.
    """
    layer = catalogue[name]
    columns, matched = found_columns(layer, raw), matched_columns(layer, raw)
    parent_field = "" if layer.parent is None else layer.parent.field
    codes, above = columns.get(layer.key), columns.get(parent_field)
    parent_column = np.full(len(raw.rows), matched.get(parent_field), dtype=object)
    natures = np.full(len(raw.rows), NATURE_OF[name], dtype=np.int64)
    if name == GRID:
        areas = found_columns(catalogue[AREA], raw)
        if above is None and _name_each_other(areas.get("area_code"), areas.get("parent_code")):
            kinds = areas.get("admin_level")
            if codes is None or (kinds is not None and any(k is not None for k in kinds)):
                return boundary_table(catalogue, AREA, raw, path)
    kinds = columns.get("grid_kind")
    exclusive = None if kinds is None else np.asarray(kinds == "exclusive_grid", dtype=bool)
    table = BoundaryTable(path, raw, name, codes, above, natures, exclusive, parent_column)
    return _with_sub_grids(catalogue, table) if name == GRID else table


def _name_each_other(codes: Texts | None, parents: Texts | None) -> bool:
    if codes is None or parents is None:
        return False
    return bool((set(parents.tolist()) - {None}) & set(codes.tolist()))


def _with_sub_grids(catalogue: Catalogue, table: BoundaryTable) -> BoundaryTable:
    """The table of a file of grids, with the sub-grids in it known as such."""
    codes, raw = table.codes, table.raw
    if codes is None:
        return table
    none = np.full(len(codes), None, dtype=object)
    above = none if table.parent_codes is None else table.parent_codes
    own = found_columns(catalogue[SUB_GRID], raw).get("sub_grid_code", none)
    sub = np.array([code is not None for code in own], dtype=bool)
    if sub.any() and not sub.all():
        column = matched_columns(catalogue[GRID], raw)["grid_code"]
        return replace(
            table,
            codes=np.where(sub, own, codes),
            parent_codes=np.where(sub, codes, above),
            parent_column=np.where(sub, column, table.parent_column),
            natures=np.where(sub, Nature.SUB_GRID, table.natures),
        )
    upper = found_columns(catalogue[AREA], raw).get("parent_code", none)
    known = set(codes.tolist()) - {None}
    sub = np.array([code in known for code in upper], dtype=bool)
    if not sub.any():
        return table
    column = matched_columns(catalogue[AREA], raw)["parent_code"]
    return replace(
        table,
        parent_codes=np.where(sub, upper, above),
        parent_column=np.where(sub, column, table.parent_column),
        natures=np.where(sub, Nature.SUB_GRID, table.natures),
    )


def as_cells(tables: Sequence[BoundaryTable]) -> tuple[Cells, NDArray[np.int64]]:
    """(all rows of some tables as one table of cells, their natures); row numbers are those in their files."""

    def column(name: str) -> Texts | None:
        parts = [getattr(table, name) for table in tables]
        if all(part is None for part in parts):
            return None
        filled = [
            np.full(len(table.raw.rows), None, dtype=object) if part is None else part
            for table, part in zip(tables, parts, strict=True)
        ]
        return np.concatenate(filled)

    exclusive = column("exclusive")
    return (
        Cells(
            geometry=np.concatenate([table.raw.geometry for table in tables]),
            codes=column("codes"),
            parent_codes=column("parent_codes"),
            exclusive=None if exclusive is None else np.array([bool(v) for v in exclusive], dtype=bool),
            rows=np.concatenate([table.raw.rows for table in tables]),
        ),
        np.concatenate([table.natures for table in tables]),
    )
