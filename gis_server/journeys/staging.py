"""What an import does between the file and the store: places rows in the county and builds the tree of areas."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection

from gis_server.core.access import Actor
from gis_server.core.area_tree import area_paths, complete_parents
from gis_server.core.catalogue import Catalogue, Layer
from gis_server.core.coverage.facts import Addresses
from gis_server.core.errors import NotAllowed, UnusableInput
from gis_server.core.features import FeatureTable, RowProblem
from gis_server.core.generation import Generation
from gis_server.core.geometry import STORAGE_CRS, to_metric
from gis_server.core.message import Message, msg
from gis_server.store import features, incidents, layers

AREA = "area"
ADDRESS = "address"
COUNTY = "county"

NEAR_BORDER_M = 100.0
"""A thing this close outside the county's border is kept with a warning: surveys differ, and bridges end beyond it."""


@dataclass(frozen=True, slots=True)
class Parents:
    """The rows of the parent layer in force, and their generation."""

    generation: Generation
    table: FeatureTable


def parents_in_force(conn: Connection, catalogue: Catalogue, layer: Layer, at: datetime) -> Parents | None:
    """The polygons that ``layer`` should lie in at ``at``; None where there are none (or the layer is its own parent)."""
    if layer.parent is None or layer.parent.layer == layer.name:
        return None
    above = catalogue[layer.parent.layer]
    generation = layers.in_force(conn, above.name, at)
    return None if generation is None else Parents(generation, features.read(conn, above, generation))


def counties_in_force(conn: Connection, catalogue: Catalogue, at: datetime) -> FeatureTable | None:
    """The county polygons in force; None if no areas were published."""
    if AREA not in catalogue:
        return None
    generation = layers.in_force(conn, AREA, at)
    if generation is None:
        return None
    table = features.read(conn, catalogue[AREA], generation, fields=("area_code", "admin_level"))
    return keep_rows(table, table.columns["admin_level"] == COUNTY)


def concerned(conn: Connection, catalogue: Catalogue, at: datetime) -> Addresses:
    """Whom findings concern: the addresses in force at ``at`` with who lives there, and the incidents that are open."""
    places, codes, households, people = np.empty((0, 2)), np.empty(0, dtype=object), None, None
    generation = layers.in_force(conn, ADDRESS, at) if ADDRESS in catalogue else None
    if generation is not None:
        wanted = ("address_code", "resident_households", "actual_population")
        table = features.read(conn, catalogue[ADDRESS], generation, fields=wanted)
        places, codes = shapely.get_coordinates(table.geometry), table.columns["address_code"]
        households, people = (_known(table, name) for name in wanted[1:])
    return Addresses(places, codes, households, people, incidents.open_places(conn))


def _known(table: FeatureTable, field: str) -> NDArray[np.object_] | None:
    """A column, or None where no row has a value: then nothing is known, which is not the same as zero."""
    column = table.columns.get(field)
    return None if column is None or all(value is None for value in column) else column


def require_whole_deployment(actor: Actor, counties: FeatureTable | None) -> None:
    """Raise NotAllowed unless the actor's territory is everything: an import replaces a layer everywhere."""
    path = actor.territory.path
    known = [] if counties is None else list(counties.columns["area_code"])
    if path and not (len(path) == 1 and known == [path[0]]):
        raise NotAllowed(msg("导入会替换全域的图层，需要辖区为全域的账号。"))


def keep_rows(table: FeatureTable, keep: NDArray[np.bool_]) -> FeatureTable:
    """The rows of a table for which ``keep`` is true."""
    if keep.all():
        return table
    return replace(
        table,
        geometry=table.geometry[keep],
        columns={name: values[keep] for name, values in table.columns.items()},
        rows=table.rows[keep],
    )


Reasons = dict[int, tuple[str | None, Message]]
"""Why rows are left out, by position in the table: the field, where one is to blame, and the sentence."""


def reject(table: FeatureTable, reasons: Reasons) -> FeatureTable:
    """Leave out the rows at these positions, each with a field and a reason; UnusableInput if none remains."""
    if not reasons:
        return table
    keep = np.ones(len(table.rows), bool)
    keep[list(reasons)] = False
    told = [
        RowProblem(int(table.rows[at]), field, reason, rejected=True)
        for at, (field, reason) in reasons.items()
    ]
    if not keep.any():
        raise UnusableInput(
            msg("{file} 里没有一行可以使用。{problem}", file=table.source.file, problem=told[0].message),
            field=told[0].field,
        )
    problems = sorted((*table.problems, *told), key=lambda problem: problem.row)
    return replace(keep_rows(table, keep), problems=tuple(problems))


def row_message(table: FeatureTable, at: int, problem: Message) -> Message:
    """A sentence that names the row as a person counts it."""
    return msg("第 {n} 行：{problem}。", n=int(table.rows[at]) + table.first_row, problem=problem)


def place_in_county(
    table: FeatureTable, counties: FeatureTable | None, *, keep_far: bool = False
) -> FeatureTable:
    """Leave out what lies outside the county; what lies just outside stays, with a warning.

    With ``keep_far`` single rows far away stay too, to be told by another check. Without a county in force everything
    stays; a file that lies elsewhere as a whole is refused in any case.
    """
    if counties is None or not len(counties.geometry):
        return table
    ground = shapely.union_all(counties.geometry)
    shapely.prepare(ground)
    outside = np.flatnonzero(~shapely.intersects(ground, table.geometry))
    if not len(outside):
        return table
    shapes, _ = to_metric(np.concatenate([[ground], table.geometry[outside]]), STORAGE_CRS)
    distances = shapely.distance(shapes[0], shapes[1:])
    if len(outside) == len(table.geometry) and distances.min() > NEAR_BORDER_M:
        raise UnusableInput(
            msg(
                "{file} 的全部图形都在本地范围之外（最近的也有 {km} 公里），请检查坐标系与坐标基准。",
                file=table.source.file,
                km=f"{distances.min() / 1000:.1f}",
            ),
            field="crs",
        )
    if keep_far:
        return table
    near: list[RowProblem] = []
    far: Reasons = {}
    for at, distance in zip(outside.tolist(), distances.tolist(), strict=True):
        if distance <= NEAR_BORDER_M:
            reason = row_message(table, at, msg("在本地范围外 {m} 米，已保留", m=round(distance)))
            near.append(RowProblem(int(table.rows[at]), None, reason, rejected=False))
        else:
            reason = row_message(table, at, msg("在本地范围外 {m} 米", m=round(distance)))
            far[at] = (None, reason)
    problems = sorted((*table.problems, *near), key=lambda problem: problem.row)
    return reject(replace(table, problems=tuple(problems)), far)


def with_area_tree(table: FeatureTable) -> tuple[FeatureTable, list[tuple[str, ...]]]:
    """Areas with every parent code filled in, and the path of each."""
    codes, levels, parents = (table.columns[name] for name in ("area_code", "admin_level", "parent_code"))
    complete, found = complete_parents(codes, levels, parents, table.geometry)
    notes = table.notes
    if found.any():
        notes = (*notes, msg("有 {n} 个区划没有上级代码，已按位置补上。", n=int(found.sum())))
    completed = replace(table, columns={**table.columns, "parent_code": complete}, notes=notes)
    return completed, area_paths(codes.tolist(), complete.tolist())
