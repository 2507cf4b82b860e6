"""Real polygons made fit for the check: what cannot be used is noted, what can be mended is mended for the rest."""

import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import shapely

from gis_server.core.coverage.edges import Flags, Geometries

_PLACE = re.compile(r"\[(\S+) (\S+)\]")
_POLYGON, _MULTIPOLYGON, _COLLECTION = 3, 6, 7


class Flaw(StrEnum):
    """Why a row's geometry is not a plain valid polygon."""

    EMPTY = "empty"
    NOT_POLYGON = "not_polygon"
    NOT_A_NUMBER = "not_a_number"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Flawed:
    """A row whose geometry is flawed: GEOS's reason, where (a point, if known), and whether mending left anything."""

    row: int
    flaw: Flaw
    reason: str
    place: shapely.Point | None
    mended: bool


@dataclass(frozen=True, slots=True)
class Intake:
    """``polygons``: valid two-dimensional Polygons and MultiPolygons, None where a row has nothing to offer."""

    polygons: Geometries
    flawed: tuple[Flawed, ...]

    @property
    def broken_at(self) -> Geometries:
        """Where rings are broken that were mended."""
        return np.array([f.place for f in self.flawed if f.place is not None and f.mended], dtype=object)

    @property
    def usable(self) -> Flags:
        """Rows that take part in the check."""
        return np.asarray(~shapely.is_missing(self.polygons))


def take_in(geometries: Geometries) -> Intake:
    """Sort out missing, empty, non-polygonal, NaN and invalid geometries; Z and M are dropped."""
    polygons = np.array(geometries, dtype=object)
    flawed: list[Flawed] = []
    if shapely.has_z(polygons).any() or shapely.has_m(polygons).any():
        polygons = shapely.force_2d(polygons)
    nothing = shapely.is_missing(polygons) | shapely.is_empty(polygons)
    for row in map(int, np.flatnonzero(nothing)):
        flawed.append(Flawed(row, Flaw.EMPTY, "", None, False))
        polygons[row] = None
    kind = shapely.get_type_id(polygons)
    for row in map(int, np.flatnonzero(~nothing & (kind != _POLYGON) & (kind != _MULTIPOLYGON))):
        kept = _polygons_in(polygons[row])
        flawed.append(
            Flawed(row, Flaw.NOT_POLYGON, polygons[row].geom_type, _place_of(polygons[row]), kept is not None)
        )
        polygons[row] = kept
    told = {f.row for f in flawed}
    for row in map(int, np.flatnonzero(~shapely.is_valid(polygons) & ~shapely.is_missing(polygons))):
        before = polygons[row]
        flaw, reason, place = Flaw.INVALID, str(shapely.is_valid_reason(before)), None
        if not np.isfinite(shapely.get_coordinates(before)).all():
            flaw, place, before = Flaw.NOT_A_NUMBER, _beside_nan(before), _without_nan(before)
        at = _PLACE.search(reason)
        if at and np.isfinite([float(at[1]), float(at[2])]).all():
            place = shapely.Point(float(at[1]), float(at[2]))
        polygons[row] = _mended(before)
        if row not in told:
            reason = reason.partition("[")[0].strip()
            flawed.append(Flawed(row, flaw, reason, place, polygons[row] is not None))
    return Intake(polygons, tuple(sorted(flawed, key=lambda f: f.row)))


def _mended(geometry: shapely.Geometry | None) -> shapely.Geometry | None:
    if geometry is None or geometry.is_empty:
        return None
    if geometry.is_valid:
        return geometry
    # the default method raises on real county files
    return _polygons_in(shapely.make_valid(geometry, method="structure", keep_collapsed=False))


def _polygons_in(geometry: shapely.Geometry) -> shapely.Geometry | None:
    """The polygons of a collection as one geometry; None if there are none."""
    parts = shapely.get_parts(geometry)
    while (shapely.get_type_id(parts) == _COLLECTION).any():
        parts = shapely.get_parts(parts)
    parts = shapely.get_parts(parts)
    parts = parts[(shapely.get_type_id(parts) == _POLYGON) & ~shapely.is_empty(parts)]
    if len(parts) == 0:
        return None
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)


def _beside_nan(geometry: shapely.Geometry) -> shapely.Point | None:
    """The last vertex before the first one that has no place."""
    xy = shapely.get_coordinates(geometry)
    known = np.isfinite(xy).all(axis=1)
    before = np.flatnonzero(known[: np.argmin(known)])
    near = before[-1] if len(before) else np.argmax(known)
    return shapely.Point(xy[near]) if known.any() else None


def _without_nan(geometry: shapely.Geometry) -> shapely.Geometry | None:
    """The geometry without the vertices that have no place; rings left with fewer than three go."""
    kept = []
    for polygon in shapely.get_parts(geometry):
        rings = []
        for ring in shapely.get_rings(polygon):
            xy = shapely.get_coordinates(ring)
            xy = xy[np.isfinite(xy).all(axis=1)]
            if len(np.unique(xy, axis=0)) >= 3:
                rings.append(shapely.linearrings(xy))
            elif not rings:
                break
        if rings:
            kept.append(shapely.polygons(rings[0], rings[1:] or None))
    if not kept:
        return None
    return kept[0] if len(kept) == 1 else shapely.multipolygons(kept)


def _place_of(geometry: shapely.Geometry) -> shapely.Point | None:
    xy = shapely.get_coordinates(geometry)
    xy = xy[np.isfinite(xy).all(axis=1)]
    return shapely.Point(xy[0]) if len(xy) else None
