"""The whole check of a layer on its way into the store: its own soundness, and how it fits what is in force beside it.

Boundaries are checked inside the layer above, with the addresses that lie in them; areas also say which grids in force
would no longer fit; addresses are checked against the grids in force; new grids need their people on the roster, where a
roster is kept. A staged generation remembers which generations it
was checked with, so that publishing looks again when one of them has been replaced since.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import numpy as np
import shapely
from sqlalchemy import Connection

from gis_server.core.catalogue import Catalogue, Layer, LayerKind
from gis_server.core.coverage.check import worst_first
from gis_server.core.coverage.facts import Addresses
from gis_server.core.coverage.findings import Finding, Kind, Report
from gis_server.core.coverage.join import joined, no_longer_fitting, on_the_ground
from gis_server.core.coverage.layer import Cells
from gis_server.core.coverage.placing import check_placing
from gis_server.core.features import FeatureTable
from gis_server.core.generation import Generation
from gis_server.core.profile import Profile
from gis_server.core.roster import Roster, StaffedGrid
from gis_server.core.roster_rules import roster_findings
from gis_server.core.vocabulary import GridKind, SettlementClass
from gis_server.journeys import staging
from gis_server.journeys.check import check_layer, rules_for
from gis_server.journeys.context import Context
from gis_server.journeys.profiles import profile_in_use
from gis_server.journeys.roster_in_force import roster_of
from gis_server.store import features, layers
from gis_server.store import findings as found
from gis_server.store.boundaries import ROSTER

GRID = "grid"

_NOT_OF_PLACE = frozenset({Kind.DEPARTMENT_LAYER})
"""Findings that say who brought the rows: nothing in force beside them changes that."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Staffed:
    """The roster in force, the moment that it is asked for, and the codes of the grids that are in force already."""

    roster: Roster
    at: datetime
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class Beside:
    """What is in force beside a layer at one moment: the layer above, the grids that lie in it, and who lives there.

    ``generations`` are the ids of what the check looks at, by layer; None stands for a layer that has none in force.
    ``staffed`` are for a check of grids the people on duty at ``at``, None where no roster is kept.
    """

    parents: staging.Parents | None
    grids: FeatureTable | None
    addresses: Addresses
    generations: Mapping[str, int | None]
    staffed: Staffed | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check of a layer found, worst first; ``report`` for boundaries only."""

    report: Report | None
    findings: tuple[Finding, ...]
    beside: Beside


def generations_beside(
    conn: Connection, catalogue: Catalogue, layer: Layer, at: datetime
) -> dict[str, int | None]:
    """Which generations in force at ``at`` have a say in the check of ``layer``."""
    found: dict[str, int | None] = {}
    for name in _layers_beside(catalogue, layer):
        generation = layers.in_force(conn, name, at)
        found[name] = None if generation is None else generation.id
    return found


def _layers_beside(catalogue: Catalogue, layer: Layer) -> list[str]:
    names = []
    if layer.kind is LayerKind.BOUNDARY:
        names.append(staging.ADDRESS)
        if layer.parent is not None and layer.parent.layer != layer.name:
            names.append(layer.parent.layer)
    if layer.name in (staging.AREA, staging.ADDRESS):
        names.append(GRID)
    if layer.name == GRID:
        names.append(ROSTER)
    return [name for name in names if name in catalogue or name == ROSTER]


def look_beside(conn: Connection, catalogue: Catalogue, layer: Layer, at: datetime) -> Beside:
    """Read what the check of ``layer`` needs of what is in force at ``at``."""
    generations = generations_beside(conn, catalogue, layer, at)
    grids = generations.get(GRID) if layer.name in (staging.AREA, staging.ADDRESS) else None
    if layer.kind is LayerKind.BOUNDARY:
        addresses = staging.concerned(conn, catalogue, at)
    else:
        addresses = Addresses(np.empty((0, 2)), np.empty(0, dtype=object))
    return Beside(
        parents=staging.parents_in_force(conn, catalogue, layer, at),
        grids=None if grids is None else features.read(conn, catalogue[GRID], layers.one(conn, grids)),
        addresses=addresses,
        generations=generations,
        staffed=_staffed(conn, catalogue, generations.get(ROSTER), at),
    )


def _staffed(conn: Connection, catalogue: Catalogue, roster: int | None, at: datetime) -> Staffed | None:
    if roster is None:
        return None
    generation = layers.in_force(conn, GRID, at)
    known = features.read(conn, catalogue[GRID], generation, fields=("grid_code",)).columns["grid_code"]
    return Staffed(roster_of(conn, {ROSTER: roster}), at, frozenset(known.tolist()))


def whole_check(
    catalogue: Catalogue,
    layer: Layer,
    table: FeatureTable,
    beside: Beside,
    profile: str | Profile | None,
    *,
    more: Sequence[Finding] = (),
) -> Checked:
    """Check a table of ``layer`` beside what is in force; geometries of findings are longitude/latitude (EPSG:4490).

    ``more`` are findings of other rules about the same rows (the roster's, a department's layer); they join the report.
    """
    if layer.kind is LayerKind.BOUNDARY:
        above = None if beside.parents is None else beside.parents.table
        report = check_layer(layer, table, above, profile, addresses=beside.addresses)
        ground = dict(zip(table.columns[layer.key], table.geometry, strict=True))
        unstaffed = _of_roster(table, beside.staffed, profile)
        report = joined(report, on_the_ground((*more, *unstaffed), ground))
        if layer.name == staging.AREA and beside.grids is not None:
            report = joined(report, _of_grids_in_force(catalogue, table, beside, profile))
        return Checked(report, report.findings, beside)
    misplaced: tuple[Finding, ...] = ()
    if layer.name == staging.ADDRESS and beside.grids is not None:
        misplaced = _of_addresses(table, beside.grids, profile)
    return Checked(None, worst_first((*misplaced, *more)), beside)


def _of_roster(
    table: FeatureTable, staffed: Staffed | None, profile: str | Profile | None
) -> tuple[Finding, ...]:
    """What the roster lacks for the new grids (V14): each must have its people before it is in force.

    Grids that are in force already are the roster's own affair. Without a roster in force nothing is asked.
    """
    if staffed is None or not isinstance(profile, Profile):
        return ()
    columns, count = table.columns, len(table.geometry)
    kinds, settlements, departments = (
        columns.get(name, np.full(count, None))
        for name in ("grid_kind", "settlement_class", "managing_department")
    )
    grids = [
        StaffedGrid(
            fid=int(table.rows[i]),
            code=code,
            kind=GridKind(kinds[i]) if kinds[i] in set(GridKind) else None,
            settlement_class=(
                SettlementClass(settlements[i]) if settlements[i] in set(SettlementClass) else None
            ),
            managing_department=departments[i],
        )
        for i, code in enumerate(columns["grid_code"])
        if code not in staffed.known
    ]
    return roster_findings(profile, grids, staffed.roster, staffed.at)


def _of_grids_in_force(
    catalogue: Catalogue, areas: FeatureTable, beside: Beside, profile: str | Profile | None
) -> tuple[Finding, ...]:
    """What of the grids in force would no longer fit the new ``areas``."""
    if beside.grids is None:
        return ()
    report = check_layer(catalogue[GRID], beside.grids, areas, profile, addresses=beside.addresses)
    return no_longer_fitting(report)


def _of_addresses(
    table: FeatureTable, grids: FeatureTable, profile: str | Profile | None
) -> tuple[Finding, ...]:
    addresses = Addresses(shapely.get_coordinates(table.geometry), table.columns["address_code"])
    cells = Cells(grids.geometry, grids.columns["grid_code"])
    return check_placing(addresses, cells, rules=rules_for(profile), rows=table.rows)


def look_again(
    conn: Connection, ctx: Context, layer: Layer, generation: Generation, at: datetime
) -> Generation:
    """Check a staged generation anew, in the caller's transaction, if something it was checked with is in force no more.

    Its rows are as they were staged; only what is beside them can have changed. A finding that still holds keeps its
    acceptance; one that holds no longer goes; a new one is added, and waits for its reason.
    """
    generation = layers.held(conn, generation.id)
    beside = generations_beside(conn, ctx.catalogue, layer, at)
    if beside == dict(generation.checked_with):
        return generation
    table = features.read(conn, layer, generation)
    around = look_beside(conn, ctx.catalogue, layer, at)
    checked = whole_check(ctx.catalogue, layer, table, around, profile_in_use(ctx.settings))
    kept = [one for one in found.of_generation(conn, generation.id) if one.finding.kind not in _NOT_OF_PLACE]
    missing = Counter(map(_same, checked.findings)) - Counter(_same(one.finding) for one in kept)
    gone = Counter(_same(one.finding) for one in kept) - Counter(map(_same, checked.findings))
    found.remove(conn, _taken(kept, gone, lambda one: _same(one.finding)))
    found.add(conn, generation.id, _taken(checked.findings, missing, _same))
    return layers.looked_again(conn, generation.id, beside)


Place = tuple[Kind, tuple[str, ...], bytes | None]


def _same(finding: Finding) -> Place:
    """What makes two findings of two checks the same one."""
    shape = finding.geometry
    return finding.kind, finding.codes, None if shape is None else shapely.to_wkb(shape)


def _taken(those: Iterable[T], count: Counter[Place], key: Callable[[T], Place]) -> list[T]:
    """As many of ``those`` as ``count`` says, by ``key``."""
    left, taken = Counter(count), []
    for one in those:
        if left[key(one)] > 0:
            left[key(one)] -= 1
            taken.append(one)
    return taken
