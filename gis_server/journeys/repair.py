"""Mend boundaries in files: plan, apply, check again, write; the areas above too, if they are to be mended."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.catalogue import Catalogue
from gis_server.core.coverage.document import Input
from gis_server.core.coverage.facts import Addresses
from gis_server.core.coverage.findings import Report
from gis_server.core.coverage.layer import Cells
from gis_server.core.coverage.repair import Level, Limits, Merits, Move, TreeRepair, repair_tree
from gis_server.core.coverage.repair.merits import Preferences, read_merits
from gis_server.core.errors import UnusableInput
from gis_server.core.geometry import LOCAL_CRS, STORAGE_CRS, parse_crs, transform
from gis_server.core.message import msg
from gis_server.files.same import check_writable, write_same
from gis_server.journeys.boundary_tables import BoundaryTable, as_cells, boundary_table
from gis_server.journeys.check import Checked, How, is_tree, read_addresses, read_beside, read_grids

METRES_A_DEGREE = 111_320.0
"""Of latitude: how long a unit of data in degrees is."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How far mending may go and whose border stands; ``addresses`` is a file that tells who is concerned.

    ``out_within`` is where the areas above are written, which are mended then; without it their borders stay.
    """

    limits: Limits = field(default_factory=Limits)
    prefer: Preferences = field(default_factory=Preferences)
    addresses: Path | None = None
    out_within: Path | None = None


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done, level by level, and the check of what came out.

    ``source`` is the file that was mended, ``cells`` all rows before, ``untouched`` how many of them were left to the
    last bit.
    """

    tree: TreeRepair
    before: Report
    after: Report
    source: Input
    cells: Cells
    untouched: int

    @property
    def needs_a_person(self) -> bool:
        """Whether an error stands that only a person can decide."""
        return bool(self.after.errors)

    @property
    def moves(self) -> tuple[tuple[Level, Move], ...]:
        """What was done, from the top."""
        return self.tree.moves

    def to_lonlat(self, geometries: NDArray[np.object_]) -> NDArray[np.object_]:
        """Geometries of moves and findings in longitude/latitude; as they are on a local plane."""
        crs = self.source.crs
        return geometries if crs == LOCAL_CRS else transform(geometries, crs, STORAGE_CRS)


def repair_file(
    catalogue: Catalogue, grids: Path, within: Path | None, out: Path, *, wishes: Wishes, how: How
) -> Repaired:
    """Mend the boundaries of a file and write them to ``out``: all rows, all columns, the same CRS.

    Rows that name a row of the same file as their parent lie in it (areas of several levels, grids with their
    sub-grids), and the file is mended from the top. Raises UnusableInput, UnknownCrs or UnknownEncoding where a file
    cannot be used; nothing is written then.
    """
    for path in (out, *([] if wishes.out_within is None else [wishes.out_within])):
        check_writable(path)
    given = read_grids(catalogue, grids, within, how)
    own = boundary_table(catalogue, how.layer, given.raw, grids)
    if own.layer != how.layer:  # a file of areas
        how = replace(how, layer=own.layer)
        given = read_grids(catalogue, grids, within, how)
    tables, targets = [own], [out]
    if wishes.out_within is not None:
        tables.insert(0, _table_above(catalogue, within, given, how))
        targets.insert(0, wishes.out_within)
    cells, natures = as_cells(tables)
    crs = given.raw.source.crs
    degrees = crs != LOCAL_CRS and not parse_crs(crs).is_projected
    tree = repair_tree(
        cells,
        given.parents if len(tables) == 1 else None,
        limits=wishes.limits,
        policies=wishes.prefer.policies,
        merits=_merits(wishes.prefer, tables),
        rules=given.rules,
        plane=given.plane,
        unit_m=METRES_A_DEGREE if degrees else 1.0,
        addresses=_addresses(catalogue, wishes, crs, how),
        natures=natures,
    )
    begin = 0
    for table, path in zip(tables, targets, strict=True):
        rows = slice(begin, begin + len(table.raw.rows))
        begin = rows.stop
        write_same(
            path, table.raw, tree.cells.geometry[rows], _new_codes(table, tree.cells, rows), table.path
        )
    return _told(cells, tree, given, how)


def _told(cells: Cells, tree: TreeRepair, given: Checked, how: How) -> Repaired:
    source = given.raw.source
    same = sum(
        a is b or (a is not None and b is not None and bool(shapely.equals_exact(a, b)))
        for a, b in zip(cells.geometry, tree.cells.geometry, strict=True)
    )
    read = Input(source.file, source.features, source.crs, source.encoding, how.layer)
    return Repaired(tree, tree.before, tree.after, read, cells, same)


def _table_above(catalogue: Catalogue, within: Path | None, given: Checked, how: How) -> BoundaryTable:
    """The file of the areas above as a table of its own, to be mended with the rest."""
    layer = catalogue[how.layer]
    if within is None or layer.parent is None or is_tree(layer):
        raise UnusableInput(
            msg("要写出修补后的上级区域（--out-within），须用 --within 给出它们。"), field="within"
        )
    above = catalogue[layer.parent.layer]
    raw = read_beside(within, above, how)
    if raw.source.crs != given.raw.source.crs:
        raise UnusableInput(
            msg(
                "{file} 的坐标系是 {one}，{other_file} 的是 {other}；要一并修补，请先统一坐标系。",
                file=raw.source.file,
                one=raw.source.crs,
                other_file=given.raw.source.file,
                other=given.raw.source.crs,
            ),
            field="within",
        )
    return boundary_table(catalogue, above.name, raw, within)


def _addresses(catalogue: Catalogue, wishes: Wishes, crs: str, how: How) -> Addresses | None:
    return None if wishes.addresses is None else read_addresses(catalogue, wishes.addresses, crs, how)


def _merits(wanted: Preferences, tables: Sequence[BoundaryTable]) -> Merits:
    """The merits of all rows; only the last table, the one that is mended, must have the columns."""
    own = tables[-1].raw
    merits = read_merits(wanted, own.columns, first_row=own.first_row)
    for table in reversed(tables[:-1]):
        known = replace(
            wanted,
            priority=wanted.priority if wanted.priority in table.raw.columns else None,
            filed=wanted.filed if wanted.filed in table.raw.columns else None,
        )
        above, count = (
            read_merits(known, table.raw.columns, first_row=table.raw.first_row),
            len(table.raw.rows),
        )
        priority, filed = merits.priority, merits.filed
        if priority is not None:
            first = np.full(count, np.nan) if above.priority is None else above.priority
            priority = np.concatenate([first, priority])
        if filed is not None:
            filed = np.concatenate(
                [np.full(count, None, dtype=object) if above.filed is None else above.filed, filed]
            )
        merits = Merits(priority, filed)
    return merits


def _new_codes(table: BoundaryTable, after: Cells, rows: slice) -> dict[str, NDArray[np.object_]]:
    """The columns of a table in which parents' codes were corrected."""
    before, codes = table.parent_codes, after.parent_codes
    if before is None or codes is None:
        return {}
    changed = np.flatnonzero(codes[rows] != before)
    columns: dict[str, NDArray[np.object_]] = {}
    for row in changed.tolist():
        name = table.parent_column[row]
        if name is not None:
            column = columns.setdefault(name, table.raw.columns[name].astype(object))
            column[row] = codes[rows][row]
    return columns
