"""Report an incident, route a point, read incidents, and move them on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from sqlalchemy import Connection

from gis_server.core.access import Act, Actor, Role, Tier
from gis_server.core.boundaries import Place, too_far
from gis_server.core.datum import Datum
from gis_server.core.deadline import Deadline
from gis_server.core.decision import Asked, decide, route
from gis_server.core.errors import Conflict, GisError, NotAllowed, NotFound, StateChanged, UnusableInput
from gis_server.core.incident import Incident, IncidentReport, Step, incident_number
from gis_server.core.incident_course import LegalStep, Rules, course_of
from gis_server.core.incident_machine import Transition, mover_of
from gis_server.core.incident_moves import legal_steps, opening, refused_steps, running_clock
from gis_server.core.incident_moves import move as make_move
from gis_server.core.incident_place import FoundPlace
from gis_server.core.incident_request import StepRequest
from gis_server.core.incident_watch import Alert
from gis_server.core.item import find_item, require_reportable
from gis_server.core.message import msg
from gis_server.core.responsible import as_told, people_of
from gis_server.core.roster import Person
from gis_server.core.routing import check_accuracy, check_position
from gis_server.core.stream import INCIDENT
from gis_server.core.wall import HallIncident
from gis_server.files.calendar import working_calendar
from gis_server.journeys.context import Context
from gis_server.journeys.events import wake_followers
from gis_server.journeys.ground import ground_at, ground_of
from gis_server.journeys.incident_places import found_for
from gis_server.journeys.profiles import items_in_use, profile_in_use
from gis_server.settings import Settings
from gis_server.store import audit, events, incident_watch, incidents, reports, roster, tours

LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Reported:
    """The incident of a report; ``is_new`` is False when the same report had come before."""

    incident: Incident
    is_new: bool


@dataclass(frozen=True, slots=True)
class Located:
    """A routed point with those who answer for it, as far as this reader may know them."""

    place: Place
    responsible: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Opened:
    """One incident with its history, the clock that runs, what this reader may do next and what not, and why.

    ``alerts`` are the words of the watch: warnings, the breach, who was told, deadlines counted again. ``is_calling``: it is
    urgent, walls call for it, and this reader may acknowledge it. ``found`` is by what its place was found, where he may know that.
    """

    incident: Incident
    history: list[Step]
    clock: Deadline | None
    next_steps: tuple[LegalStep, ...]
    refused_steps: tuple[tuple[Transition, GisError], ...] = ()
    alerts: Sequence[Alert] = ()
    is_calling: bool = False
    found: FoundPlace | None = None


def rules(ctx: Context) -> Rules:
    """What this deployment decides by: profile, items and calendar."""
    return _rules(ctx.settings)


@cache
def _rules(settings: Settings) -> Rules:
    return Rules(profile_in_use(settings), items_in_use(settings), working_calendar(settings.timezone))


def report(
    ctx: Context, actor: Actor, given: IncidentReport, now: datetime, idempotency_key: str | None = None
) -> Reported:
    """Route, record and announce one report, in one transaction.

    The boundaries are those in force at ``discovered_at``. A second report with the same key answers with the first
    one's incident; the key with another content is a Conflict.
    """
    with ctx.engine.connect() as conn:
        # all that is written is one statement, a transaction by itself; around it BEGIN and COMMIT would be two journeys more
        conn.execution_options(isolation_level="AUTOCOMMIT")
        reported = record(ctx, conn, actor, given, now=now, idempotency_key=idempotency_key)
    if reported.is_new:
        wake_followers(ctx.engine)
    return reported


def record(
    ctx: Context,
    conn: Connection,
    actor: Actor,
    given: IncidentReport,
    *,
    now: datetime,
    idempotency_key: str | None = None,
) -> Reported:
    """``report`` in the caller's transaction; the caller wakes the followers once it has committed.

    It writes with one statement and nothing else (``reports.add``), for ``report`` calls it without a transaction.
    """
    actor.require(Act.REPORT_INCIDENT)
    _check_key(idempotency_key)
    at = given.discovered_at or now
    known = reports.look(conn, at, actor.account_id, idempotency_key)
    if idempotency_key is not None and known.earlier_id is not None:
        return _earlier(conn, actor, given, idempotency_key)
    decided = rules(ctx)
    require_reportable(
        decided.items, decided.profile, given.item, now.astimezone(ctx.settings.timezone).date()
    )
    ground = ground_of(ctx, conn, known.generations, at)
    asked = Asked(given.lon, given.lat, given.datum, given.accuracy_m, at)
    place = route(asked, ground.boundaries)
    if (reason := too_far(place)) is not None:
        raise UnusableInput(reason, field="lon", expected=msg("本地范围内的坐标"))
    _require_territory(actor, place)
    decision = decide(asked, place, ground)
    course, records = opening(given, mover_of(actor, decided.profile), now, decided)
    day = now.astimezone(ctx.settings.timezone).strftime("%Y%m%d")
    incident = reports.add(
        conn,
        known.serial,
        day,
        given,
        decision,
        course=course,
        records=records,
        announcement=_announcement(
            HallIncident(
                number=incident_number(day, known.serial),
                lon=place.lon,
                lat=place.lat,
                state=course.state,
                is_urgent=course.is_urgent,
                grid_code=place.routed.grid_code,
                grid_name=place.grid_name,
                township_code=place.area_path[1] if len(place.area_path) > 1 else None,
                discovered_at=course.discovered_at,
                due_at=course.due_at,
                is_overdue=course.due_at is not None and course.due_at < now,
            ),
            place.area_path,
        ),
        now=now,
        generation_id=ground.boundaries.generations["grid"],
        account_id=actor.account_id,
        idempotency_key=idempotency_key,
    )
    if incident is None:  # the same report arrived twice at once, and the other one was first
        return _earlier(conn, actor, given, idempotency_key or "")
    return Reported(_naming(actor, incident, ground.roster.people), is_new=True)


def announce(conn: Connection, incident: Incident, now: datetime) -> None:
    """Tell the walls and desks how an incident stands at ``now``, at the hall tier: no person, no text."""
    seen = HallIncident(
        number=incident.number,
        lon=incident.lon,
        lat=incident.lat,
        state=incident.state,
        is_urgent=incident.is_urgent,
        grid_code=incident.grid_code,
        grid_name=incident.grid_name,
        township_code=incident.township_code,
        discovered_at=incident.discovered_at,
        due_at=incident.due_at,
        is_overdue=incident.is_overdue(now),
    )
    told = _announcement(seen, incident.area_path)
    events.emit(conn, told.kind, tier=told.tier, area_path=told.area_path, payload=told.payload)


def _announcement(seen: HallIncident, area_path: tuple[str, ...]) -> events.Announcement:
    return events.Announcement(INCIDENT, Tier.HALL, area_path, seen.as_json())


def route_point(
    ctx: Context,
    actor: Actor,
    lon: float,
    lat: float,
    *,
    datum: Datum = Datum.WGS84,
    accuracy_m: float | None = None,
    at: datetime,
) -> Located:
    """Where a point belongs at ``at`` and who answers for it, without recording anything."""
    actor.require(Act.ROUTE)
    check_position(lon, lat)
    check_accuracy(accuracy_m)
    asked = Asked(lon, lat, datum, accuracy_m, at)
    with ctx.engine.connect() as conn:
        ground = ground_at(ctx, conn, at)
    decision = decide(asked, route(asked, ground.boundaries), ground)
    return Located(decision.place, told_to(actor, decision.responsible, ground.roster.people))


def one(ctx: Context, actor: Actor, incident_id: int) -> Opened:
    """One incident of the actor's territory with its history."""
    actor.require(Act.READ_INCIDENTS)
    with ctx.engine.begin() as conn:
        incident = incidents.by_id(conn, incident_id)
        if incident is None:
            raise _unknown(incident_id)
        require_own(actor, incident, Act.READ_INCIDENTS)
        return _opened(ctx, conn, actor, incident)


def move(ctx: Context, actor: Actor, incident_id: int, asked: StepRequest, now: datetime) -> Opened:
    """Make one step of an incident of the actor's territory, write its history and announce it, in one transaction.

    Of two steps at once one wins; the other gets StateChanged with the state that the first one made.
    """
    actor.require(Act.MOVE_INCIDENT)
    with ctx.engine.begin() as conn:
        incident = incidents.lock(conn, incident_id)
        if incident is None:
            raise _unknown(incident_id)
        require_own(actor, incident, Act.MOVE_INCIDENT)
        same_level = asked.expected_level in (None, incident.current_level)
        if incident.state is not asked.expected_state or not same_level:
            raise StateChanged(
                msg("事件已由他人办理，现为“{state}”，请按新的状态继续。", state=incident.state.message),
                state=incident.state,
            )
        decided = rules(ctx)
        course, records = make_move(
            course_of(incident),
            asked.step,
            mover_of(actor, decided.profile),
            decided,
            filled=asked.filled,
            now=now,
        )
        incidents.set_course(conn, incident_id, course)
        incidents.add_records(conn, incident_id, records)
        moved = incidents.by_id(conn, incident_id)
        assert moved is not None  # noqa: S101  (locked above)
        announce(conn, moved, now)
        return _opened(ctx, conn, actor, moved)


def shown_to(ctx: Context, conn: Connection, actor: Actor, found: list[Incident]) -> list[Incident]:
    """Leave out the text of what is protected from readers of a lower tier; note who read it (requirements 8.4, 8.5)."""
    items, shown, read = rules(ctx).items, list[Incident](), list[str]()
    # a handling unit, elsewhere at the hall's tier, gets here only what was dispatched to it
    tier = max(actor.tier, Tier.INTERNAL) if actor.role is Role.HANDLING_UNIT else actor.tier
    for incident in found:
        item = find_item(items, incident.item_key or incident.item)
        needed = Tier.INTERNAL if item is None else item.protection.tier
        if needed > tier:
            shown.append(replace(incident, description="", is_withheld=True))
            continue
        shown.append(incident)
        if needed is Tier.PROTECTED:
            read.append(incident.number)
    if read:
        audit.add(conn, actor, "protected_read", subject="incident", detail={"numbers": read})
    return _all_naming(conn, actor, shown)


def _all_naming(conn: Connection, actor: Actor, found: list[Incident]) -> list[Incident]:
    """The incidents with those responsible by name, where this reader may know names (requirements 8.1)."""
    ids = {number for incident in found for number in people_of(incident.responsible)}
    people = roster.people(conn, ids) if actor.tier >= Tier.INTERNAL else {}
    return [_naming(actor, incident, people) for incident in found]


def _naming(actor: Actor, incident: Incident, people: Mapping[int, Person]) -> Incident:
    return replace(incident, responsible=told_to(actor, incident.responsible, people))


def told_to(
    actor: Actor, responsible: Mapping[str, object], people: Mapping[int, Person]
) -> dict[str, object]:
    """Who answers, with names and phones for those who may know them."""
    return as_told(responsible, people if actor.tier >= Tier.INTERNAL else None)


def _opened(ctx: Context, conn: Connection, actor: Actor, incident: Incident) -> Opened:
    decided = rules(ctx)
    history = incidents.history(conn, incident.id)
    (incident,) = shown_to(ctx, conn, actor, [incident])
    if incident.is_withheld:
        history = [replace(step, note=None, filled=None) for step in history]
    course, mover = course_of(incident), mover_of(actor, decided.profile)
    # of what was imported under way nobody knows when its clock began
    clock = None if incident.clock_starts_at is None else running_clock(course, decided)
    alerts = incident_watch.of_incident(conn, incident.id)
    is_calling = actor.may(Act.STEER_WALL) and tours.is_calling(conn, incident)
    found = found_for(ctx, conn, actor, incident)
    if not actor.may(Act.MOVE_INCIDENT):
        return Opened(incident, history, clock, (), alerts=alerts, is_calling=is_calling, found=found)
    steps, refused = legal_steps(course, mover, decided), refused_steps(course, mover, decided)
    return Opened(incident, history, clock, steps, refused, alerts, is_calling, found)


def _unknown(incident_id: int) -> NotFound:
    return NotFound(msg("没有编号为 {id} 的事件。", id=incident_id))


def require_own(actor: Actor, incident: Incident, act: Act) -> None:
    """Raise NotAllowed unless the incident lies in the actor's territory.

    A department must have been given it; a worker with grids of his own sees those, and what he reported himself.
    """
    actor.require(act, incident.area_path)
    if actor.role is Role.HANDLING_UNIT and actor.name not in (incident.lead_unit, incident.responsible_unit):
        raise NotAllowed(msg("本事件没有交由贵单位办理。"))
    is_own = actor.account_id is not None and incident.reported_by == actor.account_id
    if actor.grids is not None and incident.grid_code not in actor.grids and not is_own:
        raise NotAllowed(msg("该地点不在您负责的网格内。"))


def _earlier(conn: Connection, actor: Actor, given: IncidentReport, key: str) -> Reported:
    incident = incidents.by_key(conn, actor.account_id, key)
    assert incident is not None  # noqa: S101  (incidents are never removed)
    if not incident.tells_the_same(given):
        raise Conflict(
            msg(
                "Idempotency-Key“{key}”已用于另一份内容不同的报告（事件 {number}）；新的报告请用新的值。",
                key=key,
                number=incident.number,
            ),
            field="Idempotency-Key",
        )
    (incident,) = _all_naming(conn, actor, [incident])
    return Reported(incident, is_new=False)


def _require_territory(actor: Actor, place: Place) -> None:
    # near a border the neighbour may act too; a point in no area at all is nobody's, and is kept for the county
    paths = place.path_candidates
    if paths and not any(actor.territory.holds(path) for path in paths):
        raise NotAllowed(msg("该地点不在您的辖区内。"))


def _check_key(key: str | None) -> None:
    if key is not None and not (1 <= len(key) <= LONGEST_KEY and key.isprintable()):
        raise UnusableInput(
            msg("Idempotency-Key 应为 1 到 {most} 个可见字符。", most=LONGEST_KEY),
            field="Idempotency-Key",
            expected=msg("1 到 {most} 个可见字符", most=LONGEST_KEY),
        )
