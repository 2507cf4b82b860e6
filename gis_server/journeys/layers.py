"""Layers: import, check, publish, read, export.

An import is staged whole in one transaction, or not at all; what is staged is seen by those who may import, and by
everybody once it is published.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection

from gis_server.core.acceptance import KeptFinding, blocking, written_reason
from gis_server.core.access import ONE_BY_ONE, Act, Actor, Tier
from gis_server.core.catalogue import Layer, LayerKind
from gis_server.core.coverage.findings import Finding, Report
from gis_server.core.datum import Datum
from gis_server.core.errors import Conflict, NotAllowed, NotFound, PublishRefused
from gis_server.core.features import FeatureTable, RowProblem, fit
from gis_server.core.generation import Generation, GenerationState
from gis_server.core.message import Message, msg
from gis_server.core.stream import GENERATION
from gis_server.files.read import read
from gis_server.journeys import departments, past_incidents, staging
from gis_server.journeys.check import rules_for
from gis_server.journeys.context import Context
from gis_server.journeys.datum_check import require_stated_datum
from gis_server.journeys.profiles import profile_in_use
from gis_server.journeys.whole_check import look_again, look_beside, whole_check
from gis_server.store import audit, boundaries, events, layers
from gis_server.store import features as rows
from gis_server.store import findings as found
from gis_server.store.columns import check_columns
from gis_server.store.sight import BBox, Sight

ACCEPT = "accept_finding"
"""The audit trail's word for a warning that was accepted."""


class Stage(StrEnum):
    """What an import is doing."""

    READING = "reading"
    CHECKING = "checking"
    STAGING = "staging"


Progress = Callable[[Stage, int, int], None]
"""Called with the stage, what is done and the total (0 while unknown)."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did.

    ``generation`` is None for a layer of records, whose rows are simply ``added``. ``held_back`` says why a
    generation that should have been published is only staged. ``findings`` are the check's, worst first.
    """

    layer: str
    generation: Generation | None
    added: int
    problems: tuple[RowProblem, ...]
    notes: tuple[Message, ...]
    report: Report | None
    held_back: Message | None = None
    findings: tuple[Finding, ...] = ()


def import_layer(
    ctx: Context,
    actor: Actor,
    layer_name: str,
    path: Path,
    *,
    crs: str | None = None,
    encoding: str | None = None,
    datum: Datum | None = None,
    mapping: Mapping[str, str] | None = None,
    publish: bool = False,
    despite_rejected: bool = False,
    accept_warnings: str | None = None,
    department: str | None = None,
    legal_basis: str | None = None,
    now: datetime,
    progress: Progress | None = None,
) -> ImportResult:
    """Read a file, check it and stage it; with ``publish`` also put it in force, if nothing speaks against it.

    ``crs``, ``encoding`` and ``datum`` go before what the file says; ``mapping`` is field → source column.
    Against publishing speak error findings, warnings unless all are accepted for the reason ``accept_warnings``, and
    rows that could not be used unless ``despite_rejected``. ``department`` says whose division it is, ``legal_basis`` the law
    by which that may be a grid (V12). Whatever is refused leaves the database as it was: UnusableInput and its kin for the
    file, NotAllowed for the actor, DepartmentLayerRefused for a department's division.
    """
    layer, who, flags = importable_layer(ctx, actor, layer_name, department, legal_basis)
    if publish and layer.kind is not LayerKind.RECORD:
        actor.require(Act.PUBLISH_LAYER)
    reason = None if accept_warnings is None else written_reason(accept_warnings)
    say = progress or (lambda _stage, _done, _total: None)
    with ctx.engine.connect() as conn:
        check_columns(conn, ctx.catalogue)
        counties = staging.counties_in_force(conn, ctx.catalogue, now)
    staging.require_whole_deployment(actor, counties)

    say(Stage.READING, 0, 0)
    raw = read(
        path,
        crs=crs,
        encoding=encoding,
        datum=datum,
        names=(layer.name, layer.title.zh, layer.title.en),
        progress=lambda done, total: say(Stage.READING, done, total),
    )
    say(Stage.CHECKING, 0, len(raw.rows))
    table = fit(layer, raw, mapping)
    del raw
    with ctx.engine.connect() as conn:
        require_stated_datum(conn, table, now)
    if layer.kind is LayerKind.RECORD:
        return _add_records(ctx, actor, layer, table, now=now, say=say)

    with ctx.engine.connect() as conn:
        beside = look_beside(conn, ctx.catalogue, layer, now)
        if layer.name == departments.REFERENCE:
            table = departments.beside_other_departments(conn, ctx.catalogue, table, who, now)
    paths = None
    if layer.name == staging.AREA:
        table, paths = staging.with_area_tree(table)
    if layer.kind is not LayerKind.BOUNDARY:
        # an address where no grid is stays, as the finding that it is
        keep_far = layer.name == staging.ADDRESS and beside.grids is not None
        table = staging.place_in_county(table, counties, keep_far=keep_far)
    checked = whole_check(ctx.catalogue, layer, table, beside, profile_in_use(ctx.settings), more=flags)
    kept = layers.Staging(
        report=checked.report,
        findings=checked.findings,
        parent_generation=None if beside.parents is None else beside.parents.generation.id,
        checked_with=beside.generations,
        paths=paths,
    )

    say(Stage.STAGING, 0, len(table.rows))
    with ctx.engine.begin() as conn:
        generation = layers.stage(conn, layer, table, kept, by=actor.name, now=now)
        audit.add(conn, actor, Act.IMPORT_LAYER, now=now, subject=f"generation:{generation.id}")
        held_back = None
        if publish:
            if reason is not None and not generation.errors:
                kept_open = blocking(found.of_generation(conn, generation.id))
                generation = accept_warnings_for(
                    conn, actor, generation.id, kept_open, reason=reason, now=now
                )
            held_back = _reason_to_hold_back(generation, despite_rejected=despite_rejected)
            if held_back is None:
                generation = _put_in_force(conn, actor, layer, generation, now)
    say(Stage.STAGING, len(table.rows), len(table.rows))
    return ImportResult(
        layer.name,
        generation,
        len(table.rows),
        table.problems,
        table.notes,
        checked.report,
        held_back,
        checked.findings,
    )


def importable_layer(
    ctx: Context, actor: Actor, layer_name: str, department: str | None, legal_basis: str | None
) -> tuple[Layer, departments.Bringer, tuple[Finding, ...]]:
    """The layer that the actor may bring a file for, on whose behalf it comes, and what is to be flagged about that.

    Raises DepartmentLayerRefused for a department's own division, NotAllowed for what is not the actor's to bring.
    """
    who = departments.bringer(actor, department, legal_basis)
    if actor.may(Act.IMPORT_LAYER):
        layer = known_layer(ctx, actor, layer_name)
    else:
        actor.require(Act.OFFER_LAYER)
        # a department brings the reference layer although it sees no more of it than the hall does
        layer = ctx.catalogue.layers.get(layer_name) or known_layer(ctx, actor, layer_name)
    return layer, who, departments.require_welcome(actor, layer, who, rules_for(profile_in_use(ctx.settings)))


def _add_records(
    ctx: Context, actor: Actor, layer: Layer, table: FeatureTable, *, now: datetime, say: Progress
) -> ImportResult:
    with ctx.engine.begin() as conn:
        table = past_incidents.add(
            ctx, conn, actor, table, now=now, progress=lambda done, total: say(Stage.STAGING, done, total)
        )
        audit.add(
            conn, actor, Act.IMPORT_LAYER, now=now, subject=layer.name, detail={"added": len(table.rows)}
        )
    return ImportResult(layer.name, None, len(table.rows), table.problems, table.notes, None)


def _reason_to_hold_back(generation: Generation, *, despite_rejected: bool) -> Message | None:
    if refusal := _refusal(generation):
        return refusal
    if generation.rejected and not despite_rejected:
        return msg("有 {n} 行不能使用，没有自动发布。", n=generation.rejected)
    return None


def _refusal(generation: Generation) -> Message | None:
    """What the findings have against publishing."""
    errors, warnings = generation.errors, generation.open_warnings
    if errors and warnings:
        return msg(
            "检查发现 {n} 处错误，改正后才能发布；另有 {m} 处警告要改正，或写明理由予以接受。",
            n=errors,
            m=warnings,
        )
    if errors:
        return msg("检查发现 {n} 处错误，改正后才能发布。", n=errors)
    if warnings:
        return msg("检查有 {n} 处警告，改正或写明理由予以接受后才能发布。", n=warnings)
    return None


def publish(ctx: Context, actor: Actor, generation_id: int, now: datetime) -> Generation:
    """Put a staged generation in force from ``now`` on, and tell the live stream.

    Where addresses or grids that it was checked with have been replaced since, the check is made anew first. Raises
    PublishRefused (with the findings in question) while an error stands or a warning that nobody accepted, Conflict when
    it is not staged any more or was checked against areas that have changed since.
    """
    actor.require(Act.PUBLISH_LAYER)
    with ctx.engine.begin() as conn:
        layer, generation = _staged(ctx, actor, conn, generation_id, now)
        if generation.state is GenerationState.STAGED and has_same_parents(conn, layer, generation, now):
            generation = look_again(conn, ctx, layer, generation, now)
        refusal = _refusal(generation)
        if refusal is None:
            return _put_in_force(conn, actor, layer, generation, now)
        stand = blocking(found.of_generation(conn, generation_id))
    # after the commit: what the check found anew stays to be read
    raise PublishRefused(refusal, findings=stand)


def accept_warnings_for(
    conn: Connection,
    actor: Actor,
    generation_id: int,
    kept: Sequence[KeptFinding],
    *,
    reason: str,
    now: datetime,
) -> Generation:
    """Keep in the caller's transaction that ``actor`` accepts these open warnings of a staged generation."""
    found.accept(conn, kept, actor, reason, now)
    if kept:
        detail = {"findings": len(kept), "kinds": sorted({one.finding.kind.value for one in kept})}
        audit.add(conn, actor, ACCEPT, now=now, subject=f"generation:{generation_id}", detail=detail)
    return layers.one(conn, generation_id)


def has_same_parents(conn: Connection, layer: Layer, generation: Generation, now: datetime) -> bool:
    """Whether the areas that a generation was checked against are still those in force."""
    if layer.parent is None or layer.parent.layer == layer.name:
        return True
    above = layers.in_force(conn, layer.parent.layer, now)
    return (None if above is None else above.id) == generation.parent_generation


def require_same_parents(conn: Connection, layer: Layer, generation: Generation, now: datetime) -> None:
    """Raise Conflict if the areas that a generation was checked against are not those in force any more."""
    if not has_same_parents(conn, layer, generation, now):
        raise Conflict(msg("检查之后，上级图层已有新的数据生效；请重新导入并检查，再发布。"))


def _put_in_force(
    conn: Connection, actor: Actor, layer: Layer, generation: Generation, now: datetime
) -> Generation:
    require_same_parents(conn, layer, generation, now)
    published = layers.publish(conn, layer, generation.id, by=actor.name, now=now)
    audit.add(conn, actor, Act.PUBLISH_LAYER, now=now, subject=f"generation:{published.id}")
    events.emit(
        conn,
        GENERATION,
        tier=layer.tier,
        payload={"layer": layer.name, "generation": published.id, "valid_from": now.isoformat()},
    )
    return published


def discard(ctx: Context, actor: Actor, generation_id: int, now: datetime) -> Generation:
    """Throw a staged generation away; that it was there stays on record."""
    actor.require(Act.IMPORT_LAYER)
    with ctx.engine.begin() as conn:
        layer, _ = _staged(ctx, actor, conn, generation_id, now)
        discarded = layers.discard(conn, layer, generation_id)
        audit.add(
            conn,
            actor,
            Act.IMPORT_LAYER,
            now=now,
            subject=f"generation:{generation_id}",
            detail={"discarded": True},
        )
        return discarded


def _staged(
    ctx: Context, actor: Actor, conn: Connection, generation_id: int, now: datetime
) -> tuple[Layer, Generation]:
    generation = layers.one(conn, generation_id)
    layer = known_layer(ctx, actor, generation.layer)
    staging.require_whole_deployment(actor, staging.counties_in_force(conn, ctx.catalogue, now))
    return layer, generation


def generations(ctx: Context, actor: Actor, layer_name: str) -> list[Generation]:
    """The generations of a layer, newest first; who may not import sees those that were published."""
    actor.require(Act.READ_LAYERS)
    layer = known_layer(ctx, actor, layer_name)
    with ctx.engine.connect() as conn:
        listed = layers.generations(conn, layer.name)
    if actor.may(Act.IMPORT_LAYER):
        return listed
    return [generation for generation in listed if generation.state is GenerationState.PUBLISHED]


def problems(ctx: Context, actor: Actor, generation_id: int) -> tuple[RowProblem, ...]:
    """The rows of a generation's file that were left out or mended (the first thousand of them)."""
    actor.require(Act.IMPORT_LAYER)
    with ctx.engine.connect() as conn:
        known_layer(ctx, actor, layers.one(conn, generation_id).layer)
        return layers.problems(conn, generation_id)


def catalogue_view(ctx: Context, actor: Actor) -> tuple[Layer, ...]:
    """The layers of the catalogue that the actor may see, in drawing order."""
    actor.require(Act.READ_LAYERS)
    return ctx.catalogue.visible(actor.tier)


def features(
    ctx: Context,
    actor: Actor,
    layer_name: str,
    *,
    at: datetime,
    bbox: BBox | None = None,
    generation_id: int | None = None,
) -> bytes:
    """The rows in force at ``at`` (or of one staged generation) as GeoJSON: what tier and territory allow.

    ``bbox`` is west, south, east, north. A reader of the protected tier leaves an audit row (requirements 8.5).
    """
    layer = readable_layer(ctx, actor, layer_name)
    with ctx.engine.begin() as conn:
        generation = chosen_generation(conn, actor, layer, at, generation_id)
        if layer.holds_protected and actor.tier >= Tier.PROTECTED:
            audit.add(conn, actor, "protected_read", subject=layer.name)
        return rows.geojson(conn, layer, generation, sight_of(conn, actor, at), bbox=bbox)


def known_layer(ctx: Context, actor: Actor, name: str) -> Layer:
    """A layer of the catalogue; one above the actor's tier does not exist for him."""
    layer = ctx.catalogue.layers.get(name)
    if layer is None or layer.tier > actor.tier:
        known = tuple(visible.name for visible in ctx.catalogue.visible(actor.tier))
        raise NotFound(
            msg("没有名为 {name} 的图层；现有图层：{known}。", name=name, known=known), field="layer"
        )
    return layer


def readable_layer(ctx: Context, actor: Actor, name: str) -> Layer:
    """A layer that the actor may read."""
    actor.require(Act.READ_LAYERS)
    layer = known_layer(ctx, actor, name)
    if layer.kind is LayerKind.RECORD and actor.tier > Tier.HALL:
        actor.require(Act.READ_INCIDENTS)
        if actor.role in ONE_BY_ONE:
            raise NotAllowed(msg("您的岗位不能进行此项操作。"))
    return layer


def chosen_generation(
    conn: Connection, actor: Actor, layer: Layer, at: datetime, generation_id: int | None
) -> Generation | None:
    """The generation asked for, or the one in force at ``at``; staged ones are for those who may import."""
    if generation_id is None:
        return None if layer.kind is LayerKind.RECORD else layers.in_force(conn, layer.name, at)
    generation = layers.one(conn, generation_id)
    hidden = generation.state is not GenerationState.PUBLISHED and not actor.may(Act.IMPORT_LAYER)
    if generation.layer != layer.name or hidden:
        raise NotFound(msg("没有第 {id} 代数据。", id=generation_id))
    return generation


def sight_of(conn: Connection, actor: Actor, at: datetime) -> Sight:
    """What tier and territory let the actor see at ``at``."""
    if not actor.territory.path:
        return Sight(actor.tier)
    in_force = boundaries.in_force(conn, at)
    return Sight(actor.tier, actor.territory.path, in_force.get("area"), in_force.get("grid"))
