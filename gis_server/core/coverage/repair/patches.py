"""Faces of one nature that touch along an edge, gathered into the patches that a person would call one defect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from gis_server.core.coverage.findings import Finding, Kind
from gis_server.core.coverage.layer import Plane
from gis_server.core.coverage.repair.border import Border, Edge, Point, Tangled, edges_of, polygon_of
from gis_server.core.coverage.repair.survey import Face
from gis_server.core.coverage.residual import resolution, strip_width

_NATURE: dict[str, frozenset[Kind]] = {
    "gap": frozenset({Kind.GAP, Kind.BAY, Kind.MISSING_CELL, Kind.NEAR_MISS, Kind.INVALID_GEOMETRY}),
    "overlap": frozenset(
        {
            Kind.OVERLAP,
            Kind.CONTAINED,
            Kind.DUPLICATE_GEOMETRY,
            Kind.NEAR_MISS,
            Kind.INVALID_GEOMETRY,
            Kind.SUB_GRID_OUTSIDE,
        }
    ),
    "outside": frozenset(
        {
            Kind.OUTSIDE,
            Kind.OTHER_PARENT_OVERLAP,
            Kind.OVERLAP,
            Kind.NEAR_MISS,
            Kind.INVALID_GEOMETRY,
            Kind.SUB_GRID_OUTSIDE,
        }
    ),
    "crumb": frozenset({Kind.MULTIPART}),
}


@dataclass(frozen=True, slots=True)
class Patch:
    """Ground of one nature; ``rings`` have it on their left, area and width are planar m² and m."""

    nature: str  # gap, overlap, outside, crumb
    group: int
    cells: tuple[int, ...]
    polygon: shapely.Geometry
    rings: list[list[Point]]
    area: float
    width: float
    length: float  # half the outline

    @property
    def edges(self) -> list[Edge]:
        """Its outline."""
        return [edge for ring in self.rings for edge in edges_of(ring)]


def gather(faces: Sequence[Face], plane: Plane) -> list[Patch]:
    """The patches, in the order of their first faces."""
    home = list(range(len(faces)))

    def find(i: int) -> int:
        while home[i] != i:
            home[i] = home[home[i]]
            i = home[i]
        return i

    left: dict[tuple[int, Edge], int] = {}
    for i, face in enumerate(faces):
        for ring in face.rings:
            for edge in edges_of(ring):
                left[face.group, edge] = i
    for (group, (a, b)), i in left.items():
        j = left.get((group, (b, a)))
        if j is not None and _kind_of(faces[i]) == _kind_of(faces[j]):
            one, other = sorted((find(i), find(j)))
            home[other] = one
    members: dict[int, list[int]] = {}
    for i in range(len(faces)):
        members.setdefault(find(i), []).append(i)
    drawn: list[tuple[Face, list[list[Point]], shapely.Geometry]] = []
    for first, them in members.items():
        rings = faces[first].rings
        polygon: shapely.Geometry | None = faces[first].polygon
        if len(them) > 1:
            border = Border(e for i in them for ring in faces[i].rings for e in edges_of(ring))
            try:
                rings = border.rings({})
                polygon = polygon_of(rings)
            except Tangled:
                polygon = None
        if polygon is not None:
            drawn.append((faces[first], rings, polygon))
    if not drawn:
        return []
    flat = plane.project(np.array([polygon for _, _, polygon in drawn], dtype=object))
    area, outline = shapely.area(flat), shapely.length(flat)
    width = strip_width(area, outline)
    return [
        Patch(_nature(face), face.group, face.cells, polygon, rings, float(a), float(w), float(o) / 2)
        for (face, rings, polygon), a, w, o in zip(drawn, area, width, outline, strict=True)
    ]


def _nature(face: Face) -> str:
    if face.crumb:
        return "crumb"
    if not face.inside:
        return "outside"
    return "overlap" if face.cells else "gap"


def _kind_of(face: Face) -> tuple[bool, bool, tuple[int, ...]]:
    return face.crumb, face.inside, face.cells


def findings_of(
    patches: Sequence[Patch], findings: Sequence[Finding], index_of: Mapping[int, int]
) -> list[list[int]]:
    """For each patch the findings (by number) that tell it, the closest kin first."""
    told: list[list[int]] = [[] for _ in patches]
    placed = [i for i, f in enumerate(findings) if f.geometry is not None]
    if not patches or not placed:
        return told
    shapes = np.array([findings[i].geometry for i in placed], dtype=object)
    inner = shapely.point_on_surface(np.array([p.polygon for p in patches], dtype=object))
    reach = 4 * resolution(shapely.total_bounds(shapes))
    at, found = shapely.STRtree(shapes).query(inner, predicate="dwithin", distance=reach)
    for patch, which in zip(at.tolist(), found.tolist(), strict=True):
        finding = findings[placed[which]]
        if finding.kind not in _NATURE[patches[patch].nature]:
            continue
        concerned = {index_of.get(fid, -1) for fid in finding.fids}
        mine = set(patches[patch].cells)
        if mine and not concerned & mine:
            continue
        told[patch].append(placed[which])
    order = {kind: i for i, kind in enumerate(Kind)}
    for patch, numbers in enumerate(told):
        numbers.sort(
            key=lambda n: (abs(findings[n].area_m2 - patches[patch].area), order[findings[n].kind], n)
        )
    return told
