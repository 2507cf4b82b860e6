"""A staged generation of boundaries as mending takes it: what it lies in, what could be mended, by whose wishes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection

from gis_server.core.acceptance import KeptFinding
from gis_server.core.access import Act, Actor
from gis_server.core.catalogue import FieldType, Layer, LayerKind
from gis_server.core.coverage.findings import Finding, Kind
from gis_server.core.coverage.repair import (
    Level,
    Limits,
    Merits,
    Move,
    Nature,
    TreeRepair,
    apply,
    repair_tree,
)
from gis_server.core.coverage.repair.merits import Preferences, read_merits
from gis_server.core.errors import Conflict, UnusableInput
from gis_server.core.features import FeatureTable
from gis_server.core.generation import Generation, GenerationState
from gis_server.core.mending import KeptStep, ToldChange, ToldMove
from gis_server.core.message import msg
from gis_server.journeys import staging
from gis_server.journeys.boundary_tables import NATURE_OF
from gis_server.journeys.check import LayerCase, layer_case
from gis_server.journeys.context import Context
from gis_server.journeys.layers import known_layer, require_same_parents
from gis_server.journeys.profiles import profile_in_use
from gis_server.journeys.whole_check import Beside, look_beside
from gis_server.store import features, layers, mendings
from gis_server.store import findings as found

IN_FORCE = "in_force"
"""In place of a date field: rows that are as they are in force keep their border."""
METRES_A_DEGREE = 111_320.0
_SAME_PLACE = 5e-8  # degrees, 5 mm: a border that came through a file and back is still the same

_NUMBERS = frozenset({FieldType.INTEGER, FieldType.NUMBER})
_DATES = frozenset({FieldType.DATE, FieldType.TIMESTAMP})


@dataclass(frozen=True, slots=True)
class Wishes:
    """How far mending may go, and whose border stands; ``prefer.filed`` may be IN_FORCE."""

    limits: Limits = field(default_factory=Limits)
    prefer: Preferences = field(default_factory=Preferences)


@dataclass(frozen=True, slots=True)
class Staged:
    """A staged generation of boundaries, what is beside it, what was mended already and what could be.

    ``steps`` are the mendings that led to it, undone ones too, since the generation ``root_id``. In ``tree`` nothing
    is carried out; the plans of its levels tell what could be.
    """

    layer: Layer
    generation: Generation
    table: FeatureTable
    beside: Beside
    findings: tuple[KeptFinding, ...]
    root_id: int
    steps: tuple[KeptStep, ...]


@dataclass(frozen=True, slots=True)
class Proposed:
    """What could be mended of a staged generation as somebody wishes it."""

    staged: Staged
    case: LayerCase
    wishes: Wishes
    merits: Merits
    tree: TreeRepair

    @property
    def moves(self) -> tuple[tuple[Level, Move], ...]:
        """Every move, from the top level down."""
        return tuple((level, move) for level in self.tree.levels for move in level.plan.moves)

    def finding_ids(self) -> Mapping[int, int]:
        """The kept finding's id by the identity of the plans' findings: the same kind of defect at the same place."""
        by_place = {_place(one.finding): one.id for one in self.staged.findings}
        return {
            id(finding): by_place[place]
            for level in self.tree.levels
            for finding in level.plan.before.findings
            if (place := _place(finding)) in by_place
        }

    def carried_out(self, wanted: frozenset[str] | None) -> TreeRepair:
        """The tree with the moves of these keys carried out (None: all of them), and what follows from them."""
        if len(self.tree.levels) > 1:
            is_wanted = None if wanted is None else (lambda move: key_of(move) in wanted)
            return _planned(self.staged, self.case, self.wishes, self.merits, is_wanted)
        (level,) = self.tree.levels
        moves = tuple(m for m in level.plan.moves if wanted is None or key_of(m) in wanted)
        return TreeRepair((replace(level, moves=moves),), apply(self.case.cells, moves))


def read_staged(ctx: Context, actor: Actor, generation_id: int, now: datetime) -> Staged:
    """A generation that may be mended; Conflict where it may not (any more)."""
    actor.require(Act.IMPORT_LAYER)
    with ctx.engine.connect() as conn:
        generation = layers.one(conn, generation_id)
        layer = known_layer(ctx, actor, generation.layer)
        staging.require_whole_deployment(actor, staging.counties_in_force(conn, ctx.catalogue, now))
        require_mendable(conn, layer, generation, now)
        table = replace(
            features.read(conn, layer, generation),
            problems=layers.problems(conn, generation_id),
            notes=generation.notes,
        )
        root = mendings.root_of(conn, generation_id)
        return Staged(
            layer,
            generation,
            table,
            look_beside(conn, ctx.catalogue, layer, now),
            found.of_generation(conn, generation_id),
            root,
            mendings.of_chain(conn, root),
        )


def require_mendable(conn: Connection, layer: Layer, generation: Generation, now: datetime) -> None:
    """Raise Conflict for other layers than boundaries, and for a generation that is not staged any more."""
    if layer.kind is not LayerKind.BOUNDARY:
        raise Conflict(msg("只有区划、网格和子网格可以自动修补。"))
    if generation.state is not GenerationState.STAGED:
        state = layers.STATE_NAMES[generation.state]
        raise Conflict(msg("第 {id} 代已是{state}，不能再修补。", id=generation.id, state=state))
    require_same_parents(conn, layer, generation, now)


def propose(ctx: Context, staged: Staged, wishes: Wishes, now: datetime) -> Proposed:
    """Plan the mending of a staged generation; UnusableInput for a field that cannot be preferred by."""
    above = None if staged.beside.parents is None else staged.beside.parents.table
    case = layer_case(staged.layer, staged.table, above, profile_in_use(ctx.settings))
    merits = _merits(ctx, staged, wishes.prefer, now)
    tree = _planned(staged, case, wishes, merits, lambda _: False)
    return Proposed(staged, case, wishes, merits, tree)


def _planned(
    staged: Staged,
    case: LayerCase,
    wishes: Wishes,
    merits: Merits,
    wanted: Callable[[Move], bool] | None,
) -> TreeRepair:
    nature = NATURE_OF.get(staged.layer.name, Nature.GRID)
    return repair_tree(
        case.cells,
        case.parents,
        limits=wishes.limits,
        policies=wishes.prefer.policies,
        merits=merits,
        rules=case.rules,
        plane=case.plane,
        unit_m=METRES_A_DEGREE,
        addresses=staged.beside.addresses,
        natures=np.full(len(case.cells.geometry), nature, dtype=np.int64),
        wanted=wanted,
    )


def preferable(layer: Layer) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(fields with numbers, fields with dates) of a layer: what a preference can go by."""
    fields = layer.fields.values()
    return (
        tuple(f.name for f in fields if f.type in _NUMBERS),
        tuple(f.name for f in fields if f.type in _DATES),
    )


def _merits(ctx: Context, staged: Staged, wanted: Preferences, now: datetime) -> Merits:
    numbers, dates = preferable(staged.layer)
    for name, known in ((wanted.priority, numbers), (wanted.filed, (IN_FORCE, *dates))):
        if name is not None and name not in known:
            raise UnusableInput(
                msg("不能按“{name}”决定谁的边界优先；可用：{known}。", name=name[:80], known=known),
                field=name[:80],
            )
    if wanted.filed != IN_FORCE:
        return read_merits(wanted, staged.table.columns)
    merits = read_merits(replace(wanted, filed=None), staged.table.columns)
    return Merits(merits.priority, _filed_in_force(ctx, staged, now))


def _filed_in_force(ctx: Context, staged: Staged, now: datetime) -> NDArray[np.object_]:
    """When the border in force was put in force, for the rows that still have it; None for the others."""
    layer, table = staged.layer, staged.table
    filed = np.full(len(table.geometry), None, dtype=object)
    with ctx.engine.connect() as conn:
        generation = layers.in_force(conn, layer.name, now)
        if generation is None or generation.valid_from is None:
            return filed
        old = features.read(conn, layer, generation, fields=(layer.key,))
    place = {code: i for i, code in enumerate(old.columns[layer.key])}
    at = np.array([place.get(code, -1) for code in table.columns[layer.key]], dtype=np.int64)
    rows = np.flatnonzero(at >= 0)
    one, other = table.geometry[rows], old.geometry[at[rows]]
    near = np.abs(shapely.bounds(one) - shapely.bounds(other)).max(axis=1, initial=0.0) <= _SAME_PLACE
    rows, one, other = rows[near], one[near], other[near]
    same = shapely.hausdorff_distance(shapely.boundary(one), shapely.boundary(other)) <= _SAME_PLACE
    filed[rows[same]] = generation.valid_from.isoformat()
    return filed


def key_of(move: Move) -> str:
    """A name for a move that is the same in every plan made of the same rows with the same wishes."""
    shape = b"" if move.polygon is None else shapely.to_wkb(move.polygon)
    said = f"{move.act}|{move.finding.kind}|{move.finding.fids}|{move.finding.codes}|{move.rows}".encode()
    return sha256(said + shape).hexdigest()[:16]


def told(level: Level, move: Move) -> ToldMove:
    """A move as people read it."""

    def code(cell: int | None) -> str | None:
        return None if cell is None else (level.cells.code(cell) or str(level.cells.row(cell) + 1))

    return ToldMove(
        key=key_of(move),
        act=move.act.value,
        kind=move.finding.kind.value,
        message=move.message,
        confidence=move.confidence,
        area_m2=move.area_m2,
        width_m=move.width_m,
        addresses=move.addresses,
        households=move.households,
        changes=tuple(ToldChange(code(c.source), code(c.target), c.area_m2) for c in move.changes),
        ground=move.polygon if move.changes else None,
    )


def _place(finding: Finding) -> tuple[Kind, tuple[str, ...], bytes | None]:
    shape = finding.geometry
    return finding.kind, finding.codes, None if shape is None else shapely.to_wkb(shape)
