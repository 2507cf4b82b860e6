"""The list of incidents as a reader may see it: a page of it, its counts, its places, and as a file."""

from datetime import datetime
from pathlib import Path

from gis_server.core.access import Act, Actor, Role, Tier
from gis_server.core.errors import UnusableInput
from gis_server.core.incident import Incident
from gis_server.core.incident_query import MOST_LISTED, Counts, IncidentQuery
from gis_server.core.incident_sheet import COLUMNS, row_of
from gis_server.core.item import ItemCatalogue
from gis_server.core.message import Translate, msg
from gis_server.files.sheet import write_sheet
from gis_server.journeys.context import Context
from gis_server.journeys.incidents import rules, shown_to
from gis_server.store import audit, incident_listing
from gis_server.store.incident_listing import Dot, Present, Reader

MOST_DOTS = 10_000
"""Points of a map; beyond that the newest."""

MOST_EXPORTED = 50_000
"""Rows of one file."""


def reader_of(ctx: Context, actor: Actor) -> Reader:
    """What narrows this actor's sight: a department's own orders, a worker's own grids, protected texts."""
    tier = max(actor.tier, Tier.INTERNAL) if actor.role is Role.HANDLING_UNIT else actor.tier
    return Reader(
        actor.territory.path,
        unit=actor.name if actor.role is Role.HANDLING_UNIT else None,
        grids=actor.grids,
        account_id=actor.account_id,
        hidden_items=_hidden(rules(ctx).items, tier),
    )


def _hidden(items: ItemCatalogue, tier: Tier) -> frozenset[str]:
    hidden = [item for item in items.items.values() if item.protection.tier > tier]
    return frozenset(name for item in hidden for name in (item.key, item.title.zh, item.title.en))


def present(ctx: Context, now: datetime) -> Present:
    """The moment of a question, with the deployment's share for warnings."""
    return Present(now, ctx.settings.warning_pct / 100)


def listing(
    ctx: Context,
    actor: Actor,
    asked: IncidentQuery,
    *,
    now: datetime,
    before: int | None = None,
    limit: int = 100,
) -> list[Incident]:
    """A page of what the actor may see; ``before`` is the id that ended the page before."""
    actor.require(Act.READ_INCIDENTS)
    if not 1 <= limit <= MOST_LISTED:
        raise UnusableInput(
            msg("limit 应为 1 到 {most} 的整数。", most=MOST_LISTED),
            field="limit",
            expected=msg("1 到 {most} 的整数", most=MOST_LISTED),
        )
    with ctx.engine.begin() as conn:
        reader = reader_of(ctx, actor)
        found = incident_listing.page(conn, asked, reader, present(ctx, now), before=before, limit=limit)
        return shown_to(ctx, conn, actor, found)


def counts(ctx: Context, actor: Actor, asked: IncidentQuery, now: datetime) -> Counts:
    """What each filter would leave of the list."""
    actor.require(Act.READ_INCIDENTS)
    with ctx.engine.connect() as conn:
        return incident_listing.counts(conn, asked, reader_of(ctx, actor), present(ctx, now))


def dots(ctx: Context, actor: Actor, asked: IncidentQuery, now: datetime) -> list[Dot]:
    """The list as points: all of it up to ``MOST_DOTS``, newest first."""
    actor.require(Act.READ_INCIDENTS)
    with ctx.engine.connect() as conn:
        reader = reader_of(ctx, actor)
        return incident_listing.dots(conn, asked, reader, present(ctx, now), MOST_DOTS)


def export(
    ctx: Context, actor: Actor, asked: IncidentQuery, out: Path, *, say: Translate, now: datetime
) -> int:
    """Write the list to a .csv or .xlsx file, column heads and words in the reader's language; how many rows.

    A text that the reader may not read is left empty, and who read protected ones is noted, as in the list. An audit row says
    who took how many.
    """
    actor.require(Act.READ_INCIDENTS)
    zone = ctx.settings.timezone
    with ctx.engine.begin() as conn:
        reader = reader_of(ctx, actor)
        found = incident_listing.page(conn, asked, reader, present(ctx, now), limit=MOST_EXPORTED)
        shown = shown_to(ctx, conn, actor, found)
        heads = [title.render(say) for title in COLUMNS.values()]
        write_sheet(out, heads, (row_of(incident, say, zone, now) for incident in shown))
        audit.add(
            conn, actor, "export_incidents", now=now, subject=out.suffix[1:], detail={"rows": len(shown)}
        )
    return len(shown)
