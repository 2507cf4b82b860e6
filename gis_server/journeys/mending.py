"""Mending staged boundaries: what could be mended and how, done in a new staged generation, and undone in another.

Rows of a generation are never changed, so mending makes another one and discards the first. Every step is kept with
the rows before and after, so that it can be undone as long as nothing was built on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import shapely

from gis_server.core.access import Actor
from gis_server.core.catalogue import Layer
from gis_server.core.coverage.findings import Kind
from gis_server.core.coverage.repair import Move
from gis_server.core.errors import Conflict, NotFound
from gis_server.core.features import FeatureTable
from gis_server.core.generation import Generation
from gis_server.core.mending import KeptStep, RowChange, Step, ToldMove, built_on, steps_of
from gis_server.core.message import Message, msg
from gis_server.journeys import staging
from gis_server.journeys.context import Context
from gis_server.journeys.layers import known_layer
from gis_server.journeys.mending_case import (
    Proposed,
    Staged,
    Wishes,
    key_of,
    propose,
    read_staged,
    require_mendable,
    told,
)
from gis_server.journeys.profiles import profile_in_use
from gis_server.journeys.whole_check import whole_check
from gis_server.store import audit, layers, mendings

MEND = "mend_generation"
"""The audit trail's word for a generation made by mending another."""
UNDO = "undo_mending"
"""The audit trail's word for a generation made by undoing a step of mending."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A move that could be carried out, and the finding that it mends (None: ground told as part of another)."""

    finding_id: int | None
    move: ToldMove


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be mended: one move by its key, one finding, one kind; nothing of these is everything."""

    key: str | None = None
    finding_id: int | None = None
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Mended:
    """The new staged generation, and what was done to make it."""

    generation: Generation
    moves: tuple[ToldMove, ...]


def proposals(
    ctx: Context, actor: Actor, generation_id: int, now: datetime, wishes: Wishes | None = None
) -> tuple[Layer, tuple[Proposal, ...]]:
    """The layer, and the moves that would mend its findings; what a person must decide is not there.

    Raises Conflict for a generation that is not staged, and for layers that are no boundaries.
    """
    staged = read_staged(ctx, actor, generation_id, now)
    proposed = propose(ctx, staged, wishes or Wishes(), now)
    ids = proposed.finding_ids()
    return staged.layer, tuple(
        Proposal(ids.get(id(move.finding)), told(level, move)) for level, move in proposed.moves
    )


def steps(ctx: Context, actor: Actor, generation_id: int) -> tuple[KeptStep, ...]:
    """The mendings that led to a generation, the first one first, with what of it was undone."""
    with ctx.engine.connect() as conn:
        known_layer(ctx, actor, layers.one(conn, generation_id).layer)
        return mendings.of_chain(conn, mendings.root_of(conn, generation_id))


def mend(
    ctx: Context,
    actor: Actor,
    generation_id: int,
    choice: Choice,
    now: datetime,
    *,
    wishes: Wishes | None = None,
) -> Mended:
    """Make a new staged generation in which what was chosen is mended; Conflict where a person must decide."""
    staged = read_staged(ctx, actor, generation_id, now)
    proposed = propose(ctx, staged, wishes or Wishes(), now)
    wanted = _keys(proposed, choice)
    if not wanted:
        raise Conflict(msg("这超出了自动修补的范围，须由人决定。"))
    whole = frozenset(key_of(move) for _, move in proposed.moves)
    done = proposed.carried_out(None if wanted == whole and choice == Choice() else wanted)
    made = steps_of(proposed.case.cells, done)
    if not made:
        raise Conflict(msg("这一处修补不能单独进行，请修补整类，或先修补相邻的问题。"))
    moves = tuple(told(level, move) for step in made for level, move in step.moves)
    note = msg("由第 {id} 代修补 {n} 处而成：", id=staged.generation.id, n=len(moves))
    table = _with_rows(
        staged,
        [change for step in made for change in step.rows],
        (note, *(move.message for move in moves)),
    )
    generation = _staged_anew(ctx, actor, staged, table, now, made=made)
    return Mended(generation, moves)


def undo(ctx: Context, actor: Actor, generation_id: int, step_id: int, now: datetime) -> Mended:
    """Make a new staged generation in which one step of mending is undone, to the last bit.

    Raises Conflict when the generation is not staged any more, when the step was undone before, or when a later one
    changed the same rows.
    """
    staged = read_staged(ctx, actor, generation_id, now)
    step = next((one for one in staged.steps if one.id == step_id), None)
    if step is None:
        raise NotFound(
            msg("第 {generation} 代数据没有编号为 {id} 的修补。", generation=generation_id, id=step_id)
        )
    if step.undone is not None:
        raise Conflict(msg("这一处修补已由{who}撤销。", who=step.undone.who))
    later = built_on(staged.steps, step)
    if later is not None:
        raise Conflict(
            msg("后来的修补建立在它之上，请先撤销那一处：{sentence}", sentence=later.told[0].message)
        )
    back = [
        RowChange(change.row, change.after, change.before, change.parent_after, change.parent_before)
        for change in step.rows
    ]
    note = msg("由第 {id} 代撤销 {n} 处修补而成：", id=staged.generation.id, n=len(step.told))
    table = _with_rows(staged, back, (note, *(move.message for move in step.told)))
    return Mended(_staged_anew(ctx, actor, staged, table, now, undone=step), step.told)


def _keys(proposed: Proposed, choice: Choice) -> frozenset[str]:
    ids = proposed.finding_ids()

    def is_chosen(move: Move) -> bool:
        if choice.finding_id is not None and ids.get(id(move.finding)) != choice.finding_id:
            return False
        if choice.kind is not None and move.finding.kind is not choice.kind:
            return False
        return choice.key is None or key_of(move) == choice.key

    return frozenset(key_of(move) for _, move in proposed.moves if is_chosen(move))


def _staged_anew(
    ctx: Context,
    actor: Actor,
    staged: Staged,
    table: FeatureTable,
    now: datetime,
    *,
    made: Sequence[Step] = (),
    undone: KeptStep | None = None,
) -> Generation:
    """Stage the table in place of the generation it comes from, checked and weighed anew, and keep what was done."""
    layer, old = staged.layer, staged.generation
    more = [one.finding for one in staged.findings if one.finding.kind is Kind.DEPARTMENT_LAYER]
    paths = None
    if layer.name == staging.AREA:
        table, paths = staging.with_area_tree(table)
    checked = whole_check(ctx.catalogue, layer, table, staged.beside, profile_in_use(ctx.settings), more=more)
    with ctx.engine.begin() as conn:
        # while the plan was made, somebody may have published or discarded it
        held = layers.held(conn, old.id)
        require_mendable(conn, layer, held, now)
        kept = layers.Staging(
            report=checked.report,
            findings=checked.findings,
            parent_generation=held.parent_generation,
            checked_with=staged.beside.generations,
            paths=paths,
        )
        generation = layers.stage(conn, layer, table, kept, by=actor.name, now=now)
        layers.discard(conn, layer, old.id)
        detail: dict[str, object] = {"from": old.id}
        if undone is None:
            mendings.add(
                conn,
                [([told(level, move) for level, move in step.moves], step.rows) for step in made],
                root_id=staged.root_id,
                generation_id=generation.id,
                actor=actor,
                now=now,
            )
            detail["moves"] = sum(len(step.moves) for step in made)
        else:
            mendings.undo(conn, undone, generation.id, actor, now)
            detail |= {"moves": len(undone.told), "step": undone.id}
        act = MEND if undone is None else UNDO
        audit.add(conn, actor, act, now=now, subject=f"generation:{generation.id}", detail=detail)
    return generation


def _with_rows(staged: Staged, changes: Sequence[RowChange], notes: Sequence[Message]) -> FeatureTable:
    """The table with some rows as they became (of several changes of a row the last one), and what to tell of that."""
    table = staged.table
    geometry, columns = table.geometry.copy(), dict(table.columns)
    parent = staged.layer.parent
    codes = None if parent is None else columns[parent.field].copy()
    for change in changes:
        geometry[change.row] = shapely.multipolygons(shapely.get_parts(change.after))
        if codes is not None and change.parent_before != change.parent_after:
            codes[change.row] = change.parent_after
    if parent is not None and codes is not None:
        columns[parent.field] = codes
    return replace(table, geometry=geometry, columns=columns, notes=(*table.notes, *notes))
