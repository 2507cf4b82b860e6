"""Check grids: plain files for ``validate``, tables of a layer on their way into the store."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.catalogue import Catalogue, Layer
from gis_server.core.columns import match_columns
from gis_server.core.coverage.check import check
from gis_server.core.coverage.document import Input
from gis_server.core.coverage.facts import Addresses, Facts, weigh
from gis_server.core.coverage.findings import Report
from gis_server.core.coverage.layer import Cells, Parents, Plane
from gis_server.core.coverage.rules import DEFAULT_RULES, Rules, rules_of
from gis_server.core.coverage.snap import snap_vertices
from gis_server.core.coverage.tree import check_tree
from gis_server.core.datum import Datum, to_cgcs2000
from gis_server.core.errors import UnknownCrs, UnknownEncoding, UnusableInput
from gis_server.core.features import FeatureTable, RawTable
from gis_server.core.geometry import (
    LOCAL_CRS,
    STORAGE_CRS,
    crs_label,
    is_mercator,
    map_coordinates,
    metric_or_utm,
    middle,
    parse_crs,
    project,
    transform,
)
from gis_server.core.message import msg
from gis_server.core.profile import Profile
from gis_server.core.values import parse_column
from gis_server.files.profile import read_profile
from gis_server.files.read import read

BEND = 3e-8
"""1/m: how far an edge of length L may bow, BEND · L², when a straight line is taken from one CRS to another
(tan φ / 8R at 50° N and some margin: 0.3 mm for 100 m)."""
GRID, SUB_GRID, AREA = "grid", "sub_grid", "area"
"""The boundary layers that files are checked as."""
SAME_PLACE_M = 1e-6
"""Vertices of two files that come this close after a change of CRS were one."""


def rules_for(profile: str | Profile | None) -> Rules:
    """The rules of a profile or of its key; without one, or with "default", the product's own. NotFound if unknown."""
    if isinstance(profile, Profile):
        return rules_of(profile)
    return DEFAULT_RULES if profile in (None, DEFAULT_RULES.profile) else rules_of(read_profile(profile))


def _rules_of_layer(layer: Layer, profile: str | Profile | None) -> Rules:
    rules = rules_for(profile)
    # the 15 digits are a grid's; areas and sub-grids have codes of their own
    return rules if layer.key == "grid_code" else replace(rules, code_digits=None)


@dataclass(frozen=True, slots=True)
class LayerCase:
    """A boundary layer as the check and the repair take it: geometries are longitude/latitude (EPSG:4490)."""

    cells: Cells
    parents: Parents | None
    rules: Rules
    plane: Plane


def layer_case(
    layer: Layer, table: FeatureTable, parents: FeatureTable | None, profile: str | Profile | None
) -> LayerCase:
    """The cells of a layer with the lowest polygons of ``parents``; a layer that is its own parent has none."""
    plane = plane_of(table.geometry, STORAGE_CRS, bend=BEND)
    rules = _rules_of_layer(layer, profile)
    parent_codes = table.columns[layer.parent.field] if layer.parent else None
    kinds = table.columns.get("grid_kind")
    cells = Cells(
        geometry=table.geometry,
        codes=table.columns[layer.key],
        parent_codes=parent_codes,
        exclusive=None if kinds is None else np.asarray(kinds == "exclusive_grid", dtype=bool),
        rows=table.rows,
    )
    above = None if parents is None or layer.parent is None or is_tree(layer) else _lowest(parents)
    return LayerCase(cells, above, rules, plane)


def check_layer(
    layer: Layer,
    table: FeatureTable,
    parents: FeatureTable | None,
    profile: str | Profile | None,
    *,
    addresses: Addresses | None = None,
) -> Report:
    """Check a boundary layer before it is staged; geometries of findings are longitude/latitude (EPSG:4490).

    ``parents`` are the features of ``layer.parent.layer``; a layer that is its own parent (areas) needs none. Grids
    must tile the lowest areas; sub-grids must lie inside their grids without filling them. ``addresses`` (in the same
    degrees) are asked for sizes that the rows do not state, for V11, and for the weight of the findings.
    """
    case = layer_case(layer, table, parents, profile)
    # a column that the file lacked is empty: what is to be in force must state it all the same (V10)
    return _checked(layer, case, _facts(table.columns), addresses=addresses)


def _checked(
    layer: Layer,
    case: LayerCase,
    facts: Facts,
    *,
    addresses: Addresses | None,
    tolerance_m2: float | None = None,
) -> Report:
    """The check that a layer asks for: a tree of areas, grids that tile, sub-grids that need not."""
    if is_tree(layer):
        report = check_tree(case.cells, rules=case.rules, plane=case.plane, tolerance_m2=tolerance_m2)
        if addresses is None:
            return report
        return replace(report, findings=tuple(weigh(report.findings, addresses)))
    return check(
        case.cells,
        case.parents,
        rules=case.rules,
        plane=case.plane,
        tolerance_m2=tolerance_m2,
        inside_only=layer.name == SUB_GRID,
        facts=facts,
        addresses=addresses,
    )


def is_tree(layer: Layer) -> bool:
    """Whether the layer is its own parent, as areas are."""
    return layer.parent is not None and layer.parent.layer == layer.name


def _facts(columns: Mapping[str, NDArray[np.object_]]) -> Facts:
    return Facts(
        households=columns.get("resident_households"),
        population=columns.get("actual_population"),
        settlement=columns.get("settlement_class"),
        host_units=columns.get("host_units"),
        managing_department=columns.get("managing_department"),
    )


def _lowest(parents: FeatureTable) -> Parents:
    """The features that no other of the table names as its parent: communities, grids."""
    code_column = next(iter(parents.columns))
    for candidate in ("area_code", "grid_code"):
        if candidate in parents.columns:
            code_column = candidate
    codes = parents.columns[code_column]
    upper = set(parents.columns.get("parent_code", np.empty(0, object)).tolist())
    lowest = np.array([code not in upper for code in codes], dtype=bool)
    return Parents(parents.geometry[lowest], codes[lowest])


def plane_of(geometries: np.ndarray, crs: str, *, bend: float = 0.0) -> Plane:
    """How coordinates in ``crs`` become planar metres: Gauss–Krüger of their centre for degrees and Web Mercator."""
    if crs == LOCAL_CRS:
        return Plane()
    parsed = parse_crs(crs)
    metres = parsed.is_projected and all(axis.unit_conversion_factor == 1.0 for axis in parsed.axis_info)
    if metres and not is_mercator(crs):
        return Plane(bend=bend)
    centre = middle(geometries)
    if centre is None:
        return Plane(bend=bend)
    lon, lat = project(np.array([centre[0]]), np.array([centre[1]]), crs, STORAGE_CRS)
    target = metric_or_utm(float(lon[0]), float(lat[0]))
    return Plane(lambda xy: np.column_stack(project(xy[:, 0], xy[:, 1], crs, target)), bend)


@dataclass(frozen=True, slots=True)
class Validation:
    """A checked file: the report, what was read, and the polygons with their CRS for maps of it."""

    report: Report
    source: Input
    geometry: NDArray[np.object_]
    crs: str
    within: NDArray[np.object_] | None

    def to_lonlat(self, geometries: NDArray[np.object_]) -> NDArray[np.object_]:
        """Geometries of the findings in longitude/latitude; as they are on a local plane."""
        return geometries if self.crs == LOCAL_CRS else transform(geometries, self.crs, STORAGE_CRS)

    @property
    def stretch(self) -> float:
        """How much shorter a unit of x is than one of y: the cosine of the latitude for degrees, else 1."""
        if self.crs == LOCAL_CRS or parse_crs(self.crs).is_projected:
            return 1.0
        centre = middle(self.geometry)
        return 1.0 if centre is None else float(np.cos(np.radians(centre[1])))


@dataclass(frozen=True, slots=True)
class How:
    """How to read and judge files: what ``validate`` and ``repair`` take as options.

    ``layer`` is the boundary layer that the file is checked as; ``datum`` is that of the addresses.
    """

    crs: str | None = None
    encoding: str | None = None
    datum: Datum | None = None
    profile: str | None = None
    tolerance_m2: float | None = None
    layer: str = GRID


@dataclass(frozen=True, slots=True)
class Checked:
    """A file of grids with its areas (or sub-grids with their grids), ready for the check or the repair."""

    raw: RawTable
    cells: Cells
    parents: Parents | None
    facts: Facts
    rules: Rules
    plane: Plane
    parent_column: str | None


def read_grids(catalogue: Catalogue, grids: Path, within: Path | None, how: How) -> Checked:
    """Read the file of a boundary layer (grids, if ``how`` does not say otherwise), and the areas they lie in.

    Codes, parents, kinds and counts are taken from the columns that the catalogue's names and aliases match; none is
    required. Raises UnusableInput, UnknownCrs or UnknownEncoding where a file cannot be used, NotFound for a profile.
    """
    layer = catalogue[how.layer]
    rules = _rules_of_layer(layer, how.profile)
    if within is not None and is_tree(layer):
        raise UnusableInput(
            msg("行政区划的上下级在同一个文件里，检查时不用 --within；请去掉它。"), field="within"
        )
    raw = read(grids, crs=how.crs, encoding=how.encoding, names=_names(layer))
    if not len(raw.rows):
        raise UnusableInput(msg("{file} 里没有任何要素。", file=raw.source.file))
    if not np.isin(shapely.get_type_id(raw.geometry), (3, 6)).any():
        raise UnusableInput(
            msg("{file} 里没有面，不能作为“{layer}”检查。", file=raw.source.file, layer=layer.title)
        )
    columns = found_columns(layer, raw)
    parent_field = "" if layer.parent is None else layer.parent.field
    kinds = columns.get("grid_kind")
    cells = Cells(
        geometry=raw.geometry,
        codes=columns.get(layer.key),
        parent_codes=columns.get(parent_field),
        exclusive=None if kinds is None else np.asarray(kinds == "exclusive_grid", dtype=bool),
        rows=raw.rows,
    )
    parents, turned = None, False
    if within is not None and layer.parent is not None:
        parents, turned = _areas(catalogue[layer.parent.layer], within, raw, how)
    return Checked(
        raw=raw,
        cells=cells,
        parents=parents,
        facts=_facts(columns),
        rules=rules,
        plane=plane_of(raw.geometry, raw.source.crs, bend=BEND if turned else 0.0),
        parent_column=matched_columns(layer, raw).get(parent_field),
    )


def validate_files(
    catalogue: Catalogue,
    grids: Path,
    within: Path | None = None,
    addresses: Path | None = None,
    how: How = How(),
) -> Validation:
    """Check grids in a file, inside the areas of another, with the addresses of a third; no database.

    ``how.layer`` makes it sub-grids inside grids, or areas inside each other.
    """
    given = read_grids(catalogue, grids, within, how)
    raw, crs = given.raw, given.raw.source.crs
    report = _checked(
        catalogue[how.layer],
        LayerCase(given.cells, given.parents, given.rules, given.plane),
        given.facts,
        addresses=None if addresses is None else read_addresses(catalogue, addresses, crs, how),
        tolerance_m2=how.tolerance_m2,
    )
    source = Input(raw.source.file, raw.source.features, crs, raw.source.encoding, how.layer)
    return Validation(
        report, source, raw.geometry, crs, None if given.parents is None else given.parents.geometry
    )


def _names(layer: Layer) -> tuple[str, ...]:
    """What the layer may be called inside a file that holds several."""
    return layer.name, layer.title.zh, layer.title.en


def matched_columns(layer: Layer, raw: RawTable) -> dict[str, str]:
    """The file's column of each of the layer's fields that has one."""
    anything = replace(layer, fields={n: replace(f, required=False) for n, f in layer.fields.items()})
    matched = match_columns(
        anything, tuple(raw.columns), {}, cut_at=raw.cut_names_at, encoding=raw.source.encoding
    )
    return dict(matched.by_field)


def found_columns(layer: Layer, raw: RawTable) -> dict[str, NDArray[np.object_]]:
    """The layer's fields that the file's columns match, by field; unreadable values are None."""
    return {
        field: parse_column(layer.fields[field], raw.columns[column]).values
        for field, column in matched_columns(layer, raw).items()
    }


def read_beside(path: Path, layer: Layer, how: How, datum: Datum | None = None) -> RawTable:
    """A second file: by its own CRS and encoding if it states them, else by those given for the first."""
    names = _names(layer)
    try:
        return read(path, crs=LOCAL_CRS if how.crs == LOCAL_CRS else None, datum=datum, names=names)
    except UnknownCrs:
        if how.crs is None:
            raise
        return read(path, crs=how.crs, datum=datum, names=names)
    except UnknownEncoding:
        if how.encoding is None:
            raise
        return read(path, crs=how.crs, encoding=how.encoding, datum=datum, names=names)


def _areas(layer: Layer, path: Path, grids: RawTable, how: How) -> tuple[Parents, bool]:
    """The lowest polygons of ``layer`` in a file, in the CRS of the grids, and whether they had to be transformed."""
    raw = read_beside(path, layer, how)
    columns = found_columns(layer, raw)
    codes = columns.get(layer.key)
    polygonal = np.isin(shapely.get_type_id(raw.geometry), (3, 6))
    if not polygonal.any():
        raise UnusableInput(msg("{file} 里没有面，不能作为上级区域。", file=raw.source.file))
    lowest = polygonal
    if codes is not None and is_tree(layer) and layer.parent is not None and layer.parent.field in columns:
        upper = set(columns[layer.parent.field].tolist()) - {None}
        lowest = polygonal & np.array([code not in upper for code in codes], dtype=bool)
    geometry, crs = raw.geometry[lowest], grids.source.crs
    turned = raw.source.crs != crs
    if turned:
        degrees = not parse_crs(crs).is_projected
        geometry = transform(geometry, raw.source.crs, crs)
        geometry = snap_vertices(
            geometry, grids.geometry, SAME_PLACE_M / 111_000 if degrees else SAME_PLACE_M
        )
    _require_same_place(raw, geometry, grids)
    return Parents(geometry, None if codes is None else codes[lowest]), turned


def _require_same_place(areas: RawTable, geometry: NDArray[np.object_], grids: RawTable) -> None:
    """Refuse areas that are farther from the grids than either is large: one of the two has the wrong reference system."""
    here, there = shapely.total_bounds(grids.geometry), shapely.total_bounds(geometry)
    if not (np.isfinite(here).all() and np.isfinite(there).all()):
        return
    apart = np.maximum(np.maximum(here[:2] - there[2:], there[:2] - here[2:]), 0.0)
    large = max(np.hypot(*(box[2:] - box[:2])) for box in (here, there))
    if np.hypot(*apart) > large:
        raise UnusableInput(
            msg(
                "{grids}（{grids_crs}）与 {areas}（{areas_crs}）不在同一个地方；请核对两个文件的坐标系。",
                grids=grids.source.file,
                grids_crs=crs_label(grids.source.crs),
                areas=areas.source.file,
                areas_crs=crs_label(areas.source.crs),
            ),
            field="within",
        )


def read_addresses(catalogue: Catalogue, path: Path, crs: str, how: How) -> Addresses:
    """The addresses of a file, with who lives there, in ``crs``."""
    layer = catalogue["address"]
    raw = read_beside(path, layer, how, how.datum)
    columns = found_columns(layer, raw)
    geometry = raw.geometry
    usable = (shapely.get_type_id(geometry) == 0) & ~shapely.is_empty(geometry)
    if raw.source.datum is not None and not raw.source.datum.is_true:
        datum = raw.source.datum
        geometry = map_coordinates(geometry, lambda lon, lat: to_cgcs2000(lon, lat, datum))
    geometry = transform(geometry[usable], raw.source.crs, crs)
    codes = columns.get("address_code", np.full(len(usable), None, dtype=object))
    households, people = columns.get("resident_households"), columns.get("actual_population")
    return Addresses(
        places=shapely.get_coordinates(geometry),
        codes=codes[usable],
        households=None if households is None else households[usable],
        people=None if people is None else people[usable],
    )
