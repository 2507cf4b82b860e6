"""What the desk asks of a place: the card of one grid, and who and what is near a point."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

import shapely
from sqlalchemy import Connection

from gis_server.core.access import Act, Actor, Tier
from gis_server.core.answering import Answer, answering
from gis_server.core.boundaries import LEVELS, Boundaries, Place, too_far
from gis_server.core.camera import FieldOfView, Retention, SiteClass, retention
from gis_server.core.coverage.findings import Finding
from gis_server.core.datum import Datum
from gis_server.core.decision import Asked, Ground, route
from gis_server.core.errors import NotAllowed, NotFound, UnusableInput
from gis_server.core.message import msg
from gis_server.core.places import (
    LEAST_REACH_M,
    MOST_REACH_M,
    REACH_M,
    MonthOfGrid,
    NearCamera,
    grids_near,
)
from gis_server.core.roster import Person, Posting
from gis_server.core.roster_rules import roster_findings
from gis_server.core.routing import check_position
from gis_server.journeys.context import Context
from gis_server.journeys.ground import ground_at
from gis_server.journeys.incident_listing import present, reader_of
from gis_server.journeys.layers import sight_of
from gis_server.journeys.profiles import profile_in_use
from gis_server.store import audit, features, layers
from gis_server.store import places as store
from gis_server.store.places import GridRow

CAMERA_LAYER = "camera"
GRID_LAYER = "grid"

MOST_NEAR = 12
"""Cameras and grids named around a point."""

MOST_FOUND = 12
"""Grids named by a search."""

SEARCHED = 60
"""Characters of a text to look for."""


@dataclass(frozen=True, slots=True)
class CameraSeen:
    """A camera as its reader may see it: ``properties`` are the fields of his tier.

    ``retention`` is None where he may not know it or the profile asks for nothing; ``distance_m`` and ``sees`` (whether the
    camera looks at the place) only for cameras near a point.
    """

    lon: float
    lat: float
    properties: Mapping[str, object]
    retention: Retention | None
    distance_m: float | None = None
    sees: bool | None = None
    is_by_direction_only: bool = False


@dataclass(frozen=True, slots=True)
class GridCard:
    """All that the desk shows of one grid, of one moment.

    ``hidden`` are the fields of the grid above the reader's tier. ``postings`` and ``findings`` are None for those who may not
    read the roster, ``answer`` for those below the internal tier. ``people`` are those of postings and answer; phones are those of
    duty, and all of them for the protected tier (requirements 8.2). ``cameras`` is None without a camera layer.
    """

    grid: GridRow
    hidden: frozenset[str]
    areas: Sequence[tuple[str, str, str]]
    answer: Answer | None
    postings: Sequence[Posting] | None
    findings: Sequence[Finding]
    people: Mapping[int, Person]
    cameras: Sequence[CameraSeen] | None
    month: MonthOfGrid


def grid_card(ctx: Context, actor: Actor, code: str, now: datetime) -> GridCard:
    """The grid of the actor's territory with this code: its facts, its people, its cameras, its last 30 days.

    A reader of the protected tier leaves an audit row that says how many people and which cameras of sensitive sites he saw.
    """
    actor.require(Act.READ_INCIDENTS)
    with ctx.engine.begin() as conn:
        ground = ground_at(ctx, conn, now)
        found = ground.boundaries
        row = found.row_of(code)
        if row is None:
            raise NotFound(msg("没有编码为 {code} 的网格。", code=code[:SEARCHED]))
        staffed = found.staffed(row)
        actor.require(Act.READ_INCIDENTS, staffed.path)
        if actor.grids is not None and code not in actor.grids:
            raise NotAllowed(msg("该地点不在您负责的网格内。"))
        grid = store.grid_row(conn, found.generations[GRID_LAYER], code)
        assert grid is not None  # noqa: S101  (it is among the boundaries of this generation)
        answer = answering(ground.rules, staffed, staffed.path, ground.roster, now)
        may_read_roster = actor.may(Act.READ_ROSTER) and actor.tier >= Tier.INTERNAL
        postings = ground.roster.of(code, now) if may_read_roster else ()
        profile = profile_in_use(ctx.settings)
        card = GridCard(
            grid=grid,
            hidden=_above(ctx, actor),
            areas=[
                (area, found.name_of(area), level)
                for area, level in zip(staffed.path, reversed(LEVELS), strict=False)
            ],
            answer=answer if actor.tier >= Tier.INTERNAL else None,
            postings=postings if may_read_roster else None,
            findings=roster_findings(profile, [staffed], ground.roster, now) if may_read_roster else (),
            people=_people(ground, actor, postings, [answer]),
            cameras=_cameras_in(ctx, conn, actor, found, grid, now=now),
            month=_month(ctx, conn, actor, code, now),
        )
        if actor.tier >= Tier.PROTECTED:
            seen = {"people": len(card.people), "cameras": _sensitive(card.cameras or ())}
            audit.add(conn, actor, "protected_read", now=now, subject=f"grid:{code}", detail=seen)
        return card


@dataclass(frozen=True, slots=True)
class StaffedNear:
    """Who answers for a grid near a point, and how far the point is from that grid (0 inside)."""

    code: str
    name: str
    distance_m: float
    is_own: bool
    answer: Answer
    areas: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Nearby:
    """What is near a place: cameras by distance, and the staff of its grid and of those around it."""

    place: Place
    reach_m: float
    cameras: Sequence[CameraSeen] | None
    staff: Sequence[StaffedNear]
    people: Mapping[int, Person]


def nearby(
    ctx: Context,
    actor: Actor,
    lon: float,
    lat: float,
    *,
    datum: Datum = Datum.WGS84,
    reach_m: float | None = None,
    now: datetime,
) -> Nearby:
    """The nearest cameras within ``reach_m`` of a point of the actor's territory, and who answers for the grids around it.

    Of grids beyond the territory nothing is told. A reader of the protected tier leaves an audit row.
    """
    actor.require(Act.ROUTE)
    check_position(lon, lat)
    reach = _checked(reach_m)
    with ctx.engine.begin() as conn:
        ground = ground_at(ctx, conn, now)
        found = ground.boundaries
        place = route(Asked(lon, lat, datum, None, now), found)
        _require_near(actor, place)
        own = place.routed.row
        staff = []
        for near in grids_near(found, place.lon, place.lat, own, reach):
            staffed = found.staffed(near.row)
            if not actor.territory.holds(staffed.path):
                continue
            answer = answering(ground.rules, staffed, staffed.path, ground.roster, now)
            areas = {code: found.name_of(code) for code in staffed.path}
            name = found.grids.names[near.row]
            staff.append(StaffedNear(staffed.code, name, near.distance_m, near.is_own, answer, areas))
        staff = staff[:MOST_NEAR]
        cameras = _cameras_near(ctx, conn, actor, place, reach, now=now)
        if actor.tier >= Tier.PROTECTED:
            seen = {"at": [place.lon, place.lat], "cameras": _sensitive(cameras or ())}
            audit.add(conn, actor, "protected_read", now=now, subject="nearby", detail=seen)
    people = _people(ground, actor, (), [one.answer for one in staff])
    return Nearby(place, reach, cameras, staff, people)


@dataclass(frozen=True, slots=True)
class GridFound:
    """A grid that a search found."""

    code: str
    name: str
    areas: Sequence[str]


def find_grids(ctx: Context, actor: Actor, text: str, now: datetime) -> list[GridFound]:
    """Grids of the actor's territory whose name or code holds ``text``, those that begin with it first."""
    actor.require(Act.READ_LAYERS)
    wanted = text.strip().casefold()
    if not 1 <= len(wanted) <= SEARCHED:
        expected = msg("1 到 {most} 个字的文字", most=SEARCHED)
        raise UnusableInput(
            msg("{name} 不可用，应为{expected}。", name="q", expected=expected), field="q", expected=expected
        )
    with ctx.engine.connect() as conn:
        found = ground_at(ctx, conn, now).boundaries
    matched = []
    for row, (code, name) in enumerate(zip(found.grids.codes, found.grids.names, strict=True)):
        said = (name.casefold(), code)
        if any(wanted in one for one in said):
            path = found.path_of(found.grids.community_codes[row])
            if actor.territory.holds(path) and (actor.grids is None or code in actor.grids):
                is_start = any(one.startswith(wanted) for one in said)
                matched.append((not is_start, code, name, path))
    return [
        GridFound(code, name, [found.name_of(area) for area in path])
        for _, code, name, path in sorted(matched)[:MOST_FOUND]
    ]


def _checked(reach_m: float | None) -> float:
    if reach_m is None:
        return REACH_M
    if not LEAST_REACH_M <= reach_m <= MOST_REACH_M:
        expected = msg("{least} 到 {most} 米", least=int(LEAST_REACH_M), most=int(MOST_REACH_M))
        raise UnusableInput(
            msg("{name} 不可用，应为{expected}。", name="reach_m", expected=expected),
            field="reach_m",
            expected=expected,
        )
    return reach_m


def _require_near(actor: Actor, place: Place) -> None:
    if (reason := too_far(place)) is not None:
        raise UnusableInput(reason, field="lon", expected=msg("本地范围内的坐标"))
    paths = place.path_candidates
    if paths and not any(actor.territory.holds(path) for path in paths):
        raise NotAllowed(msg("该地点不在您的辖区内。"))


def _above(ctx: Context, actor: Actor) -> frozenset[str]:
    fields = ctx.catalogue[GRID_LAYER].fields.values()
    return frozenset(field.name for field in fields if field.tier > actor.tier)


def _people(
    ground: Ground, actor: Actor, postings: Sequence[Posting], answers: Iterable[Answer]
) -> dict[int, Person]:
    """Those of the postings and answers by id; a phone is told of who is on duty, or to the protected tier."""
    if actor.tier < Tier.INTERNAL:
        return {}
    on_duty = [
        posting
        for answer in answers
        for posting in (answer.chosen, *(manager.posting for manager in answer.managers))
        if posting is not None
    ]
    with_phone = {posting.person_id for posting in on_duty}
    told = {}
    for posting in (*postings, *on_duty):
        for number in (posting.person_id, posting.stands_in_for):
            if number is not None and (person := ground.roster.people.get(number)) is not None:
                is_told = actor.tier >= Tier.PROTECTED or number in with_phone
                told[number] = person if is_told else Person(person.id, person.name)
    return told


def _month(ctx: Context, conn: Connection, actor: Actor, code: str, now: datetime) -> MonthOfGrid:
    zone = ctx.settings.timezone
    today = now.astimezone(zone).date()
    return store.month_of_grid(
        conn,
        code,
        reader_of(ctx, actor),
        present(ctx, now),
        today=today,
        zone=zone,
        day_start=datetime.combine(today, time(), tzinfo=zone),
    )


def _cameras_in(
    ctx: Context, conn: Connection, actor: Actor, found: Boundaries, grid: GridRow, *, now: datetime
) -> list[CameraSeen] | None:
    """The cameras of a grid that the actor may see, by code; one on a common border is the lower code's, as a report is."""
    layer = ctx.catalogue.layers.get(CAMERA_LAYER)
    if layer is None or layer.tier > actor.tier:
        return None
    generation = layers.in_force(conn, layer.name, now)
    table = features.read(conn, layer, generation, sight_of(conn, actor, now), bbox=grid.bounds)
    seen = []
    for at, point in enumerate(table.geometry):
        lon, lat = float(shapely.get_x(point)), float(shapely.get_y(point))
        if found.index.find(lon, lat) == grid.grid_code:
            properties = {name: column[at] for name, column in table.columns.items()}
            seen.append(CameraSeen(lon, lat, properties, _retention(ctx, properties)))
    return sorted(seen, key=lambda one: (str(one.properties.get(layer.key, "")), one.lon, one.lat))


def _cameras_near(
    ctx: Context, conn: Connection, actor: Actor, place: Place, reach_m: float, *, now: datetime
) -> list[CameraSeen] | None:
    layer = ctx.catalogue.layers.get(CAMERA_LAYER)
    if layer is None or layer.tier > actor.tier:
        return None
    generation = layers.in_force(conn, layer.name, now)
    sight = sight_of(conn, actor, now)
    point = (place.lon, place.lat)
    near = store.cameras_near(conn, layer, generation, sight, point, reach_m=reach_m, limit=MOST_NEAR)
    return [_seen_from(ctx, camera) for camera in near]


def _seen_from(ctx: Context, camera: NearCamera) -> CameraSeen:
    known = camera.properties
    view = FieldOfView(
        None if (said := known.get("direction")) is None else str(said),
        _number(known.get("field_angle")),
        _number(known.get("view_distance_m")),
    )
    sees = view.sees(camera.bearing, camera.distance_m)
    return CameraSeen(
        camera.lon,
        camera.lat,
        known,
        _retention(ctx, known),
        camera.distance_m,
        sees,
        is_by_direction_only=sees is not None and view.angle is None and view.view_distance_m is None,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _retention(ctx: Context, known: Mapping[str, object]) -> Retention | None:
    if "image_months" not in known or "video_months" not in known:  # above the reader's tier
        return None
    images, video = known["image_months"], known["video_months"]
    return retention(
        profile_in_use(ctx.settings),
        str(known.get("camera_site_class") or ""),
        images if isinstance(images, int) else None,
        video if isinstance(video, int) else None,
    )


def _sensitive(cameras: Sequence[CameraSeen]) -> list[str]:
    return [
        str(camera.properties.get("camera_code"))
        for camera in cameras
        if camera.properties.get("camera_site_class") == SiteClass.SENSITIVE
    ]
