"""All history routed again, each incident by the boundaries of its own day: what would now be decided otherwise.

Past decisions stay as they are; where another grid is found, a correction is added beside them with the reason of the run. A run
works page by page, each page and the place it reached in one transaction: cut off at any moment, it goes on from there.
"""

from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from threading import Thread

from sqlalchemy import Connection

from gis_server.core.acceptance import written_reason
from gis_server.core.access import Act, Actor
from gis_server.core.boundaries import Boundaries
from gis_server.core.errors import Conflict, NotFound, UnusableInput
from gis_server.core.message import msg
from gis_server.core.rerouting import PastDecisions, Reroute, reroute
from gis_server.journeys import staging
from gis_server.journeys.boundaries import boundaries_at, of_generations
from gis_server.journeys.check import GRID
from gis_server.journeys.context import Context
from gis_server.store import audit, boundaries, layers, past_incidents, reroutes

PAGE = 20_000
"""Incidents looked at together; some 30 MB, whatever the length of history."""

Progress = Callable[[int, int], None]
Clock = Callable[[], datetime]


def start(
    ctx: Context,
    actor: Actor,
    *,
    since: datetime | None = None,
    dry_run: bool,
    reason: str | None = None,
    generation_id: int | None = None,
    clock: Clock,
) -> Reroute:
    """Begin a run, or find the one of this kind that was cut off; its work is for ``run``.

    ``generation_id`` compares with one set of grids instead of those of each day, and never corrects anything. Raises NotAllowed,
    UnusableInput for a missing reason or a generation that is none of grids.
    """
    actor.require(Act.IMPORT_LAYER if dry_run else Act.PUBLISH_LAYER)
    if generation_id is not None and not dry_run:
        raise UnusableInput(
            msg("与某一代网格比较只能试算，不能更正：历史事件按当时生效的网格认定。"),
            field="dry_run",
            expected=msg("true"),
        )
    written = None if dry_run else written_reason(reason or "")
    now = clock()
    with ctx.engine.begin() as conn:
        staging.require_whole_deployment(actor, staging.counties_in_force(conn, ctx.catalogue, now))
        if generation_id is not None and layers.one(conn, generation_id).layer != GRID:
            raise UnusableInput(
                msg("第 {id} 代数据不是网格。", id=generation_id),
                field="generation_id",
                expected=msg("网格图层的一代数据"),
            )
        # without grids there is nothing to route by, which is said before anything is written
        boundaries_at(conn, now)
        found = reroutes.unfinished(conn, since=since, dry_run=dry_run, generation_id=generation_id)
        if found is not None:
            return found
        begun = reroutes.begin(
            conn,
            actor,
            since=since,
            dry_run=dry_run,
            generation_id=generation_id,
            reason=written,
            now=now,
        )
        audit.add(conn, actor, "reroute", now=now, subject=f"reroute:{begun.id}", detail={"dry_run": dry_run})
        return begun


def run(ctx: Context, begun: Reroute, clock: Clock, progress: Progress | None = None) -> Reroute:
    """Work on a run until it is finished; Conflict while another one is under way."""
    say = progress or (lambda _done, _total: None)
    with reroutes.only_one(ctx.engine) as is_free:
        if not is_free:
            raise Conflict(msg("已有一次历史事件的重新定位正在进行，请等它结束。"))
        with ctx.engine.connect() as conn:
            # as it stands now, not as it stood when it was asked for
            standing = reroutes.one(conn, begun.id)
        assert standing is not None  # noqa: S101  (runs are never removed)
        cursor = standing.cursor
        while True:
            say(standing.tally.done, standing.total)
            with ctx.engine.begin() as conn:
                past = reroutes.page(conn, standing, cursor, PAGE)
                _work(conn, standing, past, clock())
                if len(past):
                    cursor = (past.discovered_at[-1], past.ids[-1])
                is_finished = len(past) < PAGE
                reroutes.advance(conn, standing, cursor, clock(), is_finished=is_finished)
            if is_finished:
                say(standing.tally.done, standing.total)
                return _one(ctx, begun.id)


def begin_in_background(ctx: Context, begun: Reroute, clock: Clock) -> None:
    """Work on a run in a thread of this process; if that dies, whoever asks for the same run goes on with it."""

    def work() -> None:
        with suppress(Conflict):  # somebody works on it already
            run(ctx, begun, clock)

    Thread(target=work, name=f"reroute-{begun.id}", daemon=True).start()


def one(ctx: Context, actor: Actor, reroute_id: int) -> tuple[Reroute, bool]:
    """A run, and whether somebody works on it now."""
    actor.require(Act.IMPORT_LAYER)
    with ctx.engine.connect() as conn:
        return _one(ctx, reroute_id), reroutes.is_at_work(conn)


def _one(ctx: Context, reroute_id: int) -> Reroute:
    with ctx.engine.connect() as conn:
        found = reroutes.one(conn, reroute_id)
    if found is None:
        raise NotFound(msg("没有编号为 {id} 的重新定位。", id=reroute_id))
    return found


def _work(conn: Connection, standing: Reroute, past: PastDecisions, now: datetime) -> None:
    """Route one page span by span: within a span the same boundaries were in force."""
    if not len(past):
        return
    if standing.generation_id is not None:
        in_force = boundaries.in_force(conn, standing.started_at) | {GRID: standing.generation_id}
        in_force.pop("sub_grid", None)
        reroute(past, of_generations(conn, in_force), standing.tally, naming=False)
        return
    starts = past_incidents.boundary_days(conn)
    spans = [max(bisect_right(starts, moment) - 1, 0) for moment in past.discovered_at]
    first = 0
    while first < len(spans):
        end = bisect_right(spans, spans[first], lo=first)
        in_its_day: Boundaries = boundaries_at(conn, starts[spans[first]])
        naming = not standing.dry_run
        corrections = reroute(past, in_its_day, standing.tally, first, end, naming=naming)
        if corrections:
            reroutes.correct(conn, standing, corrections, now)
        first = end
