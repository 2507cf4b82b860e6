"""Find everything that is wrong with a coverage: hashes say where to look, geometry says what is there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import shapely

from gis_server.core.coverage import sentences
from gis_server.core.coverage.case import Case
from gis_server.core.coverage.certificate import certificate, open_groups
from gis_server.core.coverage.codes import check_codes
from gis_server.core.coverage.cover import Ground, locate, locate_by_share
from gis_server.core.coverage.edges import DEFAULT_SALT, Flags, Geometries, Indices, Rings, flatten
from gis_server.core.coverage.facts import Addresses, Facts, check_addresses, check_facts, weigh, with_counts
from gis_server.core.coverage.findings import (
    Certificate,
    Finding,
    Kind,
    Report,
    Severity,
    Summary,
    count_by_kind,
)
from gis_server.core.coverage.intake import Intake, take_in
from gis_server.core.coverage.judge import judge
from gis_server.core.coverage.junctions import LooseEnds, loose_ends
from gis_server.core.coverage.layer import Cells, Parents, Plane
from gis_server.core.coverage.near_misses import hairs
from gis_server.core.coverage.patches import Ruled, residual_faces, rule
from gis_server.core.coverage.residual import resolution, strip_width, unmatched
from gis_server.core.coverage.rules import DEFAULT_RULES, Rules

LOOSE_ENDS_TOLD = 200_000
"""Edges without a partner beyond which layers were digitised apart: then no vertex has a counterpart, and telling
where would help nobody."""

_ORDER = {kind: place for place, kind in enumerate(Kind)}
_FORCE = {severity: place for place, severity in enumerate(Severity)}


def check(
    cells: Cells,
    parents: Parents | None = None,
    *,
    rules: Rules = DEFAULT_RULES,
    tolerance_m2: float | None = None,
    plane: Plane = Plane(),  # noqa: B008  (frozen: planar metres)
    salt: int = DEFAULT_SALT,
    inside_only: bool = False,
    facts: Facts | None = None,
    addresses: Addresses | None = None,
) -> Report:
    """Check that ``cells`` tile ``parents`` without gap or overlap, and that each cell is sound in itself.

    Coordinates are planar metres, or whatever ``plane`` turns into metres. A patch of ground above ``tolerance_m2``
    (by default the profile's) is an error, a smaller one a near miss; nothing is left out. Cells whose parent code no
    parent has, and all cells where no codes are given, belong to the parent they lie in. Without parents, gaps are
    the holes inside the union. ``inside_only`` is for sub-grids, which lie inside their grids but need not fill them
    (V8). ``facts`` and ``addresses`` bring the rules on sizes, hosts and addresses in. The findings come worst first, their geometry in the data's coordinates.
    """
    terms = Terms(rules, tolerance_m2, plane, salt, inside_only, facts, addresses)
    return examine(cells, parents, terms).report


@dataclass(frozen=True, slots=True)
class Terms:
    """What a check goes by besides the layers, as ``check`` takes it."""

    rules: Rules = DEFAULT_RULES
    tolerance_m2: float | None = None
    plane: Plane = Plane()  # noqa: RUF009  (frozen)
    salt: int = DEFAULT_SALT
    inside_only: bool = False
    facts: Facts | None = None
    addresses: Addresses | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """A report with what it rests on, for whoever goes on from there."""

    report: Report
    case: Case
    ruled: Ruled
    intake: Intake


def examine(cells: Cells, parents: Parents | None = None, terms: Terms = Terms()) -> Examination:
    """``check``, with the patches of ground behind the findings."""
    rules, plane, inside_only = terms.rules, terms.plane, terms.inside_only
    tolerance = rules.tolerance_m2 if terms.tolerance_m2 is None else terms.tolerance_m2
    intake = take_in(cells.geometry)
    above = None if parents is None else Parents(_sound(parents), parents.codes)
    ground = Ground(intake.polygons)
    rings = flatten(intake.polygons, terms.salt)
    copies = _copies(rings, intake.usable)
    active = intake.usable.copy()
    for rows in copies:
        active[rows[1:]] = False
    case = Case(
        cells,
        above,
        intake.polygons,
        ground,
        active,
        rules,
        tolerance,
        plane,
        inside_only,
        not intake.flawed and not copies,
    )

    findings = [*_flawed(case, intake), *_multiparts(case, intake)]
    findings += _duplicates(case, copies)
    if above is None:
        parent_of = np.full(len(intake.polygons), -1, dtype=np.int64)
        tested = _without_parents(case, rings)
        ruled = tested.ruled
        within = ruled.ground_m2 + ruled.gap_m2
    else:
        stated = _linked(case, above)
        parent_of = stated.parent_of
        findings += stated.findings
        tested = _with_parents(case, rings, above, stated, terms.salt)
        ruled = tested.ruled
        parent_of = ruled.parent_of
        within = float(plane.area(above.geometry).sum())
    findings = _absorbed(findings, list(judge(case, ruled, intake.broken_at)), intake)
    # taken from one CRS to another, no vertex keeps its last bits: that says nothing about the data
    if tested.loose is not None and not inside_only and plane.bend == 0:
        told = np.concatenate([ruled.polygons(), intake.polygons[ruled.misplaced]])
        findings += hairs(case, tested.loose, told)
    on_ground = tuple(findings)
    findings += check_codes(case, parent_of)
    facts, addresses = terms.facts, terms.addresses
    if addresses is not None:
        facts = with_counts(facts or Facts(), case, addresses)
        findings += check_addresses(case, addresses, on_ground)
    if facts is not None:
        findings += check_facts(case, facts, parent_of)
    if addresses is not None:
        findings = weigh(findings, addresses)
    copied = sum(float(plane.area(intake.polygons[rows[:1]])[0]) for rows in copies)
    report = _report(case, findings, ruled, proof=tested.proof, within=within, copied=copied)
    return Examination(report, case, ruled, intake)


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by severity, kind and area."""
    by_kind: dict[tuple[Severity, Kind], list[Finding]] = {}
    for one in findings:
        by_kind.setdefault((one.severity, one.kind), []).append(one)
    ordered: list[Finding] = []
    for sort in sorted(by_kind, key=lambda sort: (_FORCE[sort[0]], _ORDER[sort[1]])):
        ordered += sorted(by_kind[sort], key=lambda one: (-one.area_m2, one.fids))
    return tuple(ordered)


def _sound(parents: Parents) -> Geometries:
    """Parents without what cannot be a polygon (nothing is asked of those) and without the declared holes."""
    sound = [shapely.Polygon() if p is None else p for p in take_in(parents.geometry).polygons]
    polygons = np.array(sound, dtype=object)
    holes = parents.declared_holes
    if holes is not None and len(holes):
        tree = shapely.STRtree(polygons)
        for at in np.unique(tree.query(holes, predicate="intersects")[1]):
            polygons[at] = shapely.difference(polygons[at], shapely.union_all(holes))
    return polygons


def _copies(rings: Rings, usable: Flags) -> list[list[int]]:
    """Rows with the same polygon to the last bit, each set ascending."""
    order = np.lexsort((rings.sums[:, 1], rings.sums[:, 0]))
    order = order[usable[order]]
    sums = rings.sums[order]
    again = (sums[1:] == sums[:-1]).all(axis=1)
    sets: dict[int, list[int]] = {}
    first = 0
    for place in np.flatnonzero(again):
        if place == 0 or not again[place - 1]:
            first = int(order[place])
            sets[first] = [first]
        sets[first].append(int(order[place + 1]))
    return [sorted(rows) for rows in sets.values()]


def _flawed(case: Case, intake: Intake) -> Iterator[Finding]:
    for flaw in intake.flawed:
        kind = Kind.EMPTY_GEOMETRY if flaw.flaw == "empty" else Kind.INVALID_GEOMETRY
        yield case.finding(
            kind,
            [flaw.row],
            sentences.flawed(case.name(flaw.row), flaw),
            geometry=flaw.place if flaw.place is not None else intake.polygons[flaw.row],
        )


def _absorbed(told: list[Finding], ground: list[Finding], intake: Intake) -> list[Finding]:
    """A patch of ground that hangs on the place where a cell's ring is broken is that defect, not another one."""
    for flaw in intake.flawed:
        if flaw.place is None or not flaw.mended:
            continue
        index = next(i for i, f in enumerate(told) if f.geometry is flaw.place)
        (row,) = told[index].fids
        reach = 4 * resolution(np.array(flaw.place.bounds))
        mine = [
            f
            for f in ground
            if row in f.fids and f.geometry is not None and shapely.dwithin(flaw.place, f.geometry, reach)
        ]
        ground = [f for f in ground if f not in mine]
        told[index] = replace(
            told[index],
            area_m2=sum(f.area_m2 for f in mine),
            width_m=max((f.width_m for f in mine), default=0.0),
        )
    return [*told, *ground]


def _multiparts(case: Case, intake: Intake) -> Iterator[Finding]:
    """Cells of several pieces (V6), measured by all but the largest; those that mending took apart are told as invalid already."""
    parts = shapely.get_num_geometries(intake.polygons)
    mended = {f.row for f in intake.flawed}
    for row in (r for r in map(int, np.flatnonzero(parts > 1)) if r not in mended):
        pieces = case.plane.project(shapely.get_parts(intake.polygons[row]))
        lesser = np.argsort(shapely.area(pieces))[:-1]
        area, outline = shapely.area(pieces[lesser]), shapely.length(pieces[lesser])
        yield case.finding(
            Kind.MULTIPART,
            [row],
            sentences.multipart(case.name(row), int(parts[row])),
            geometry=intake.polygons[row],
            area=float(area.sum()),
            width=float(strip_width(area, outline).max()),
        )


def _duplicates(case: Case, copies: list[list[int]]) -> Iterator[Finding]:
    for rows in copies:
        flat = case.plane.project(case.polygons[rows[:1]])
        area = shapely.area(flat)
        yield case.finding(
            Kind.DUPLICATE_GEOMETRY,
            rows,
            sentences.duplicate([case.name(r) for r in rows], float(area[0])),
            geometry=case.polygons[rows[0]],
            area=float(area[0]),
            width=float(strip_width(area, shapely.length(flat))[0]),
        )


@dataclass(frozen=True, slots=True)
class _Linked:
    """The parent's index of each cell, and what is wrong with the codes that say so."""

    parent_of: Indices
    findings: tuple[Finding, ...]


def _linked(case: Case, above: Parents) -> _Linked:
    """Parents by code where the codes are known, by place for the rest."""
    count = len(case.polygons)
    parent_of = np.full(count, -1, dtype=np.int64)
    findings: list[Finding] = []
    codes = case.cells.parent_codes
    by_code = {} if above.codes is None else {c: i for i, c in enumerate(above.codes) if c}
    if codes is not None:
        parent_of = np.array([by_code.get(c, -1) for c in codes], dtype=np.int64)
    linked = bool((parent_of >= 0).any())
    unplaced = (parent_of < 0) & case.active
    if unplaced.any():
        ground = Ground(above.geometry)
        parent_of = np.where(unplaced, locate(ground, case.polygons, unplaced), parent_of)
        stray = unplaced & (parent_of < 0)
        if stray.any():
            parent_of = np.where(stray, locate_by_share(ground, case.polygons, stray), parent_of)
        if codes is not None and linked:
            findings = [
                _unknown_parent(case, r, codes[r]) for r in map(int, np.flatnonzero(unplaced)) if codes[r]
            ]
    return _Linked(parent_of, tuple(findings))


def _unknown_parent(case: Case, row: int, stated: str) -> Finding:
    return case.finding(
        Kind.WRONG_PARENT,
        [row],
        sentences.unknown_parent(case.name(row), stated),
        geometry=case.polygons[row],
        area=float(case.plane.area(case.polygons[row : row + 1])[0]),
    )


@dataclass(frozen=True, slots=True)
class _Tested:
    """What the hashes and the faces say: patches, the certificate, and edges off by a rounding."""

    ruled: Ruled
    proof: Certificate | None
    loose: LooseEnds | None


def _with_parents(case: Case, rings: Rings, above: Parents, linked: _Linked, salt: int) -> _Tested:
    parent_rings = flatten(above.geometry, salt)
    parent_of = np.where(case.active, linked.parent_of, -1)
    still_open = open_groups(rings, parent_of, parent_rings)
    edges, parent_edges = unmatched(rings, parent_of, parent_rings, still_open, case.active)
    found = residual_faces(rings, edges, parent_rings, parent_edges, case.plane)
    ruled = rule(case, found, Ground(above.geometry), linked.parent_of, rings=rings, unmatched=edges)
    loose = None
    if 0 < len(edges) + len(parent_edges) <= LOOSE_ENDS_TOLD:
        known = _open_for_sure(ruled, linked.parent_of, len(still_open))
        elsewhere = shapely.get_coordinates(case.polygons[ruled.misplaced])
        told = np.concatenate([ruled.corners[0], elsewhere])
        loose = loose_ends((rings, edges), parent_of, (parent_rings, parent_edges), told, known, salt=salt)
        still_open = loose.open_groups(known)
    proof = certificate(rings, linked.parent_of, parent_rings, still_open, salt=salt, sound=case.sound)
    return _Tested(ruled, proof, loose)


def _open_for_sure(ruled: Ruled, parent_of: Indices, parents: int) -> Flags:
    """The parents that some patch proves not to be tiled; ``parent_of`` is what the cells state."""
    known = np.zeros(parents + 1, dtype=bool)  # the last is for cells without a parent
    known[ruled.gaps.first] = True
    beyond = ruled.outside.first
    known[parent_of[beyond[parent_of[beyond] == ruled.parent_of[beyond]]]] = True
    one, other = parent_of[ruled.overlaps.first], parent_of[ruled.overlaps.second]
    known[one[one == other]] = True
    return known[:-1]


def _without_parents(case: Case, rings: Rings) -> _Tested:
    parent_of = np.full(len(case.polygons), -1, dtype=np.int64)
    edges, none = unmatched(rings, parent_of, None, None, case.active)
    found = residual_faces(rings, edges, None, none, case.plane)
    return _Tested(rule(case, found, None, parent_of, rings=rings, unmatched=edges), None, None)


def _report(
    case: Case,
    findings: list[Finding],
    ruled: Ruled,
    *,
    proof: Certificate | None,
    within: float,
    copied: float,
) -> Report:
    order = worst_first(findings)
    summary = Summary(
        coverage_pct=100.0 * (1.0 - ruled.gap_m2 / within) if within > 0 else 0.0,
        within_area_m2=within,
        gap_area_m2=ruled.gap_m2,
        overlap_area_m2=ruled.overlap_m2 + copied,
        outside_area_m2=ruled.outside_m2,
        errors=sum(f.severity is Severity.ERROR for f in order),
        warnings=sum(f.severity is Severity.WARNING for f in order),
        by_kind=count_by_kind(order),
    )
    return Report(order, summary, case.tolerance_m2, case.rules.profile, proof)
