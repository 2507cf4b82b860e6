"""Mending staged grids: what could be mended and how, and a new staged generation with some of it done.

Rows of a generation are never changed, so mending makes another one and discards the first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import shapely
from sqlalchemy import Connection

from gis_server.core.acceptance import KeptFinding
from gis_server.core.access import Act, Actor
from gis_server.core.catalogue import Layer
from gis_server.core.coverage.findings import Finding, Kind
from gis_server.core.coverage.repair import Move, RepairPlan, apply, plan_repair
from gis_server.core.errors import Conflict
from gis_server.core.features import FeatureTable
from gis_server.core.generation import Generation, GenerationState
from gis_server.core.message import msg
from gis_server.journeys import staging
from gis_server.journeys.check import LayerCase, check_layer, layer_case
from gis_server.journeys.context import Context
from gis_server.journeys.layers import known_layer, require_same_parents
from gis_server.journeys.profiles import profile_in_use
from gis_server.store import audit, features, layers
from gis_server.store import findings as found

MEND = "mend_generation"
"""The audit trail's word for a generation made by mending another."""

_METRES_A_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class Mended:
    """The new staged generation, and what was done to make it."""

    generation: Generation
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class _Staged:
    """A staged generation of grids with what it was checked against, and the plan of its mending."""

    layer: Layer
    generation: Generation
    table: FeatureTable
    parents: FeatureTable | None
    kept: tuple[KeptFinding, ...]
    case: LayerCase
    plan: RepairPlan


def proposals(
    ctx: Context, actor: Actor, generation_id: int, now: datetime
) -> Mapping[int, tuple[Move, ...]]:
    """The moves that would mend a finding, by the finding's id; findings that a person must decide are not there.

    Raises Conflict for a generation that is not staged, and for layers other than grids: areas are the law that
    grids are mended by, and sub-grids need not tile.
    """
    staged = _read(ctx, actor, generation_id, now)
    ids = {id(finding): kept.id for kept, finding in _same(staged.kept, staged.plan)}
    proposed: dict[int, tuple[Move, ...]] = {}
    for move in staged.plan.moves:
        if (number := ids.get(id(move.finding))) is not None:
            proposed[number] = (*proposed.get(number, ()), move)
    return proposed


def mend_one(ctx: Context, actor: Actor, generation_id: int, finding_id: int, now: datetime) -> Mended:
    """Make a new staged generation in which one finding is mended; Conflict where a person must decide."""
    staged = _read(ctx, actor, generation_id, now)
    wanted = {id(finding) for kept, finding in _same(staged.kept, staged.plan) if kept.id == finding_id}
    return _mend(ctx, actor, staged, lambda move: id(move.finding) in wanted, now)


def mend_kind(ctx: Context, actor: Actor, generation_id: int, kind: Kind, now: datetime) -> Mended:
    """Make a new staged generation in which all of one kind is mended that can be."""
    staged = _read(ctx, actor, generation_id, now)
    return _mend(ctx, actor, staged, lambda move: move.finding.kind is kind, now)


def _read(ctx: Context, actor: Actor, generation_id: int, now: datetime) -> _Staged:
    actor.require(Act.IMPORT_LAYER)
    with ctx.engine.connect() as conn:
        generation = layers.one(conn, generation_id)
        layer = known_layer(ctx, actor, generation.layer)
        staging.require_whole_deployment(actor, staging.counties_in_force(conn, ctx.catalogue, now))
        _require_mendable(conn, layer, generation, now)
        above = staging.parents_in_force(conn, ctx.catalogue, layer, now)
        parents = None if above is None else above.table
        table = replace(
            features.read(conn, layer, generation),
            problems=layers.problems(conn, generation_id),
            notes=generation.notes,
        )
        kept = found.of_generation(conn, generation_id)
    case = layer_case(layer, table, parents, profile_in_use(ctx.settings))
    plan = plan_repair(case.cells, case.parents, rules=case.rules, plane=case.plane, unit_m=_METRES_A_DEGREE)
    return _Staged(layer, generation, table, parents, kept, case, plan)


def _require_mendable(conn: Connection, layer: Layer, generation: Generation, now: datetime) -> None:
    if layer.name != "grid":
        raise Conflict(msg("只有网格图层可以自动修补。"))
    if generation.state is not GenerationState.STAGED:
        state = layers.STATE_NAMES[generation.state]
        raise Conflict(msg("第 {id} 代已是{state}，不能再修补。", id=generation.id, state=state))
    require_same_parents(conn, layer, generation, now)


def _same(kept: Sequence[KeptFinding], plan: RepairPlan) -> list[tuple[KeptFinding, Finding]]:
    """The kept findings beside those of the plan's own check: the same kind of defect at the same place."""
    by_place = {_place(one.finding): one for one in kept}
    return [
        (by_place[place], finding)
        for finding in plan.before.findings
        if (place := _place(finding)) in by_place
    ]


def _place(finding: Finding) -> tuple[Kind, tuple[str, ...], bytes | None]:
    shape = finding.geometry
    return finding.kind, finding.codes, None if shape is None else shapely.to_wkb(shape)


def _mend(
    ctx: Context, actor: Actor, staged: _Staged, is_wanted: Callable[[Move], bool], now: datetime
) -> Mended:
    moves = tuple(move for move in staged.plan.moves if is_wanted(move))
    if not moves:
        raise Conflict(msg("这超出了自动修补的范围，须由人决定。"))
    layer, old = staged.layer, staged.generation
    table = _mended(staged, moves)
    report = check_layer(layer, table, staged.parents, profile_in_use(ctx.settings))
    with ctx.engine.begin() as conn:
        # while the plan was made, somebody may have published or discarded it
        held = layers.held(conn, old.id)
        _require_mendable(conn, layer, held, now)
        kept = layers.Staging(report=report, parent_generation=held.parent_generation)
        generation = layers.stage(conn, layer, table, kept, by=actor.name, now=now)
        layers.discard(conn, layer, old.id)
        detail = {"from": old.id, "moves": len(moves)}
        audit.add(conn, actor, MEND, now=now, subject=f"generation:{generation.id}", detail=detail)
    return Mended(generation, moves)


def _mended(staged: _Staged, moves: tuple[Move, ...]) -> FeatureTable:
    """The table after the moves, each of which is told in its notes."""
    table, cells = staged.table, apply(staged.case.cells, moves)
    geometry = table.geometry.copy()
    for at, (before, after) in enumerate(zip(table.geometry, cells.geometry, strict=True)):
        if before is not after:
            geometry[at] = shapely.multipolygons(shapely.get_parts(after))
    columns = dict(table.columns)
    if staged.layer.parent is not None and cells.parent_codes is not None:
        columns[staged.layer.parent.field] = cells.parent_codes
    made = msg("由第 {id} 代修补 {n} 处而成：", id=staged.generation.id, n=len(moves))
    notes = (*table.notes, made, *(move.message for move in moves))
    return replace(table, geometry=geometry, columns=columns, notes=notes)
