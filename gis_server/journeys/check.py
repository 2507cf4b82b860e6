"""Check grids: plain files for ``validate``, tables of a layer on their way into the store."""

import numpy as np

from gis_server.core.catalogue import Layer
from gis_server.core.coverage.check import check
from gis_server.core.coverage.findings import Report
from gis_server.core.coverage.layer import Cells, Parents, Plane
from gis_server.core.coverage.rules import DEFAULT_RULES, Rules, rules_of
from gis_server.core.coverage.tree import check_tree
from gis_server.core.features import FeatureTable
from gis_server.core.geometry import (
    LOCAL_CRS,
    STORAGE_CRS,
    is_mercator,
    metric_or_utm,
    middle,
    parse_crs,
    project,
)
from gis_server.files.profile import read_profile

BEND = 3e-8
"""1/m: how far an edge of length L may bow, BEND · L², when a straight line is taken from one CRS to another
(tan φ / 8R at 50° N and some margin: 0.3 mm for 100 m)."""


def rules_for(profile: str | None) -> Rules:
    """The rules of a profile by its key; without one, or with "default", the product's own. NotFound if unknown."""
    return DEFAULT_RULES if profile in (None, DEFAULT_RULES.profile) else rules_of(read_profile(profile))


def check_layer(
    layer: Layer, table: FeatureTable, parents: FeatureTable | None, profile: str | None
) -> Report:
    """Check a boundary layer before it is staged; geometries of findings are longitude/latitude (EPSG:4490).

    ``parents`` are the features of ``layer.parent.layer``; a layer that is its own parent (areas) needs none. Grids
    must tile the lowest areas; sub-grids must lie inside their grids without filling them.
    """
    plane = plane_of(table.geometry, STORAGE_CRS, bend=BEND)
    rules = rules_for(profile)
    parent_codes = table.columns[layer.parent.field] if layer.parent else None
    kinds = table.columns.get("grid_kind")
    cells = Cells(
        geometry=table.geometry,
        codes=table.columns[layer.key],
        parent_codes=parent_codes,
        exclusive=None if kinds is None else np.asarray(kinds == "exclusive_grid", dtype=bool),
        rows=table.rows,
    )
    if layer.parent and layer.parent.layer == layer.name:
        return check_tree(cells, rules=rules, plane=plane)
    above = None
    if parents is not None and layer.parent is not None:
        above = _lowest(parents)
    return check(cells, above, rules=rules, plane=plane, inside_only=layer.name == "sub_grid")


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
