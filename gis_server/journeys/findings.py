"""Findings of a generation: read, accepted with a reason, given out for other tools."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from gis_server.core.acceptance import KeptFinding, written_reason
from gis_server.core.access import Act, Actor
from gis_server.core.coverage.findings import Kind, Severity
from gis_server.core.errors import Conflict, NotFound
from gis_server.core.generation import Generation, GenerationState
from gis_server.core.message import Translate, msg
from gis_server.files.findings import write_findings
from gis_server.journeys import staging
from gis_server.journeys.context import Context
from gis_server.journeys.layers import accept_warnings_for, known_layer
from gis_server.store import findings as found
from gis_server.store import layers


def findings(ctx: Context, actor: Actor, generation_id: int) -> tuple[Generation, tuple[KeptFinding, ...]]:
    """A generation and what its check found, worst first; geometries in EPSG:4490."""
    actor.require(Act.IMPORT_LAYER)
    with ctx.engine.connect() as conn:
        generation = layers.one(conn, generation_id)
        known_layer(ctx, actor, generation.layer)
        return generation, found.of_generation(conn, generation_id)


def geopackage(
    ctx: Context, actor: Actor, generation_id: int, words: Translate, languages: Mapping[str, Translate]
) -> tuple[Generation, bytes]:
    """A generation and its findings as a GeoPackage with its QGIS styles; titles in the language of ``words``."""
    generation, kept = findings(ctx, actor, generation_id)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "findings.gpkg"
        write_findings(path, kept, words, languages)
        return generation, path.read_bytes()


def accept_one(
    ctx: Context, actor: Actor, generation_id: int, finding_id: int, *, reason: str, now: datetime
) -> Generation:
    """Accept one warning of a staged generation with a written reason.

    Raises Conflict for an error (it must be mended), for what was accepted before, and for a generation that is not
    staged any more.
    """
    actor.require(Act.IMPORT_LAYER)
    reason = written_reason(reason)
    with ctx.engine.begin() as conn:
        _hold_staged(ctx, actor, conn, generation_id, now)
        kept = next((one for one in found.of_generation(conn, generation_id) if one.id == finding_id), None)
        if kept is None:
            raise NotFound(
                msg("第 {generation} 代数据没有编号为 {id} 的问题。", generation=generation_id, id=finding_id)
            )
        if kept.finding.severity is Severity.ERROR:
            raise Conflict(msg("这是错误，须改正，不能以理由接受。"))
        if kept.finding.severity is not Severity.WARNING:
            raise Conflict(msg("这只是提示，不必接受。"))
        if kept.acceptance is not None:
            raise Conflict(
                msg("已由{who}接受，理由：{reason}", who=kept.acceptance.who, reason=kept.acceptance.reason)
            )
        return accept_warnings_for(conn, actor, generation_id, [kept], reason=reason, now=now)


def accept_kind(
    ctx: Context, actor: Actor, generation_id: int, kind: Kind, *, reason: str, now: datetime
) -> Generation:
    """Accept all open warnings of one kind with one reason; Conflict where there is none."""
    actor.require(Act.IMPORT_LAYER)
    reason = written_reason(reason)
    with ctx.engine.begin() as conn:
        _hold_staged(ctx, actor, conn, generation_id, now)
        kept = [
            one
            for one in found.of_generation(conn, generation_id)
            if one.finding.kind is kind and one.finding.severity is Severity.WARNING and one.is_blocking
        ]
        if not kept:
            raise Conflict(msg("第 {id} 代数据没有这一类待接受的警告。", id=generation_id))
        return accept_warnings_for(conn, actor, generation_id, kept, reason=reason, now=now)


def _hold_staged(ctx: Context, actor: Actor, conn: Connection, generation_id: int, now: datetime) -> None:
    generation = layers.held(conn, generation_id)
    known_layer(ctx, actor, generation.layer)
    staging.require_whole_deployment(actor, staging.counties_in_force(conn, ctx.catalogue, now))
    if generation.state is not GenerationState.STAGED:
        raise Conflict(
            msg(
                "第 {id} 代已是{state}，其中的警告不能再接受。",
                id=generation_id,
                state=layers.STATE_NAMES[generation.state],
            )
        )
