"""The watch over running clocks: it warns before a breach, marks it, tells the next level, and settles what was provisional.

One process at a time does the work, woken when the next word is due. A row is kept and announced in one transaction
and only once, so that it does not matter how often the watch runs, in how many processes, or where it is killed.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Event

from gis_server.core.access import CONSOLE, Actor
from gis_server.core.deadline import WorkingCalendar
from gis_server.core.errors import Unavailable
from gis_server.core.incident_course import Rules, course_of
from gis_server.core.incident_watch import (
    WATCHED,
    AlertKind,
    WatchRule,
    alerts_due,
    ladder,
    recount,
)
from gis_server.core.vocabulary import AdminLevel
from gis_server.journeys.context import Context
from gis_server.journeys.events import forget_old
from gis_server.journeys.incidents import announce, rules
from gis_server.settings import Settings
from gis_server.store import audit, incident_watch, incidents
from gis_server.store.incident_watch import Rungs

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Incidents told of in one transaction."""

SWEEP_S = 30.0
"""The longest sleep: a clock that began since the last look is at most this late."""

TIDY = timedelta(hours=1)
"""How often what nobody will ask for again is removed from the live stream."""

RETRY_S = 5.0
"""The pause after a database that did not answer."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What one look told, by kind; ``next_at`` is when something is due again. None while another process watches."""

    told: Mapping[AlertKind, int]
    next_at: datetime | None


def watch_rule(settings: Settings) -> WatchRule:
    """The deployment's own numbers for the watch."""
    return WatchRule(settings.warning_pct / 100, timedelta(hours=settings.escalation_hours))


def watch(ctx: Context, now: datetime) -> Watched | None:
    """Tell all that is due by ``now``; None, and nothing done, while another process does."""
    decided, rule = rules(ctx), watch_rule(ctx.settings)
    rungs, told = _rungs(decided), Counter[AlertKind]()
    with incident_watch.alone(ctx.engine) as mine:
        if not mine:
            return None
        while True:
            new, is_all = _tell(ctx, decided, rungs, now)
            told.update(new)
            if is_all:
                break
        with ctx.engine.connect() as conn:
            return Watched(told, incident_watch.next_moment(conn, rule, rungs, now))


def _rungs(decided: Rules) -> Rungs:
    levels: tuple[AdminLevel | None, ...] = (None, *decided.profile.identity.institution_levels.value)
    return {
        (state, level): len(ladder(state, level, decided.profile)) - 1
        for state in WATCHED
        for level in levels
    }


def _tell(ctx: Context, decided: Rules, rungs: Rungs, now: datetime) -> tuple[Counter[AlertKind], bool]:
    """One transaction's worth: what was told, and whether that was all."""
    rule = watch_rule(ctx.settings)
    with ctx.engine.begin() as conn:
        found = incident_watch.waiting(conn, rule, rungs, now, AT_ONCE)
        new = Counter[AlertKind]()
        for incident_id in found:
            incident = incidents.by_id(conn, incident_id)
            assert incident is not None  # noqa: S101  (locked above)
            made = alerts_due(course_of(incident), decided, rule, now)
            kept = [alert.kind for alert in made if incident_watch.add(conn, incident_id, alert)]
            new.update(kept)
            if kept:
                announce(conn, incident, now)
    # what is found and has nothing new to tell would be found for ever
    return new, not new or len(found) < AT_ONCE


def recompute_deadlines(
    ctx: Context, actor: Actor, now: datetime, calendar: WorkingCalendar | None = None
) -> int:
    """Count provisional deadlines again by what the calendar knows now; how many became settled or changed.

    Each has an audit row with the old and the new deadline and both traces. ``calendar`` is the deployment's by default.
    """
    known, changed, after = calendar or rules(ctx).calendar, 0, 0
    while True:
        with ctx.engine.begin() as conn:
            page = incident_watch.provisional(conn, after, AT_ONCE)
            for found in page:
                after = found.id
                incident = incidents.lock(conn, found.id)
                if incident is None or incident.due_at is None:
                    continue
                news = recount(found.trace, incident.due_at, known, now)
                if news is None or news[1].clock_starts_at != incident.clock_starts_at:
                    continue  # nothing learned; or a step made meanwhile has begun another clock
                clock, alert = news
                if not incident_watch.add(conn, found.id, replace(alert, round=found.recounts)):
                    continue
                incident_watch.set_due(conn, found.id, clock.due_at)
                audit.add(
                    conn,
                    actor,
                    "recompute_deadline",
                    now=now,
                    subject=incident.number,
                    detail={
                        "old_due_at": incident.due_at.isoformat(),
                        "new_due_at": clock.due_at.isoformat(),
                        "trace": dict(alert.trace or {}),
                    },
                )
                announce(conn, replace(incident, due_at=clock.due_at), now)
                changed += 1
        if len(page) < AT_ONCE:
            return changed


def watch_until(ctx: Context, stopping: Event) -> None:
    """Watch the clocks until ``stopping`` is set: a server's one thread for it; several servers on one database take turns."""
    is_first = True
    tidied_at = datetime.min.replace(tzinfo=UTC)
    while not stopping.is_set():
        try:
            now = datetime.now(UTC)
            if now - tidied_at >= TIDY:
                forget_old(ctx.engine, now)
                tidied_at = now
            if is_first and (changed := recompute_deadlines(ctx, CONSOLE, now)):
                log.warning("watch: %d provisional deadlines counted again", changed)
            is_first = False
            pause = _pause(watch(ctx, now), datetime.now(UTC))
        except Unavailable as error:
            log.warning("watch: %s, trying again", error.__cause__ or error)
            pause = RETRY_S
        except Exception:  # a thread that dies would leave every clock unwatched, and nobody told
            log.exception("watch: stumbled, going on")
            pause = SWEEP_S
        stopping.wait(pause)


def _pause(watched: Watched | None, now: datetime) -> float:
    """Seconds until something is due, as far as is known."""
    if watched is None or watched.next_at is None:
        return SWEEP_S
    # a hair later than the moment itself, which is still in time
    return min(max((watched.next_at - now).total_seconds() + 0.05, 0.05), SWEEP_S)
