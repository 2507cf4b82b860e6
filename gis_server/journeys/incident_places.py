"""Turn the address or the camera that a report names into its coordinates, before it is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from gis_server.core.access import Act, Actor, Role, Tier
from gis_server.core.errors import AddressUnclear, UnusableInput
from gis_server.core.incident import Incident, parse_time
from gis_server.core.incident_place import (
    ADDRESS,
    CAMERA,
    FoundPlace,
    NamedPlace,
    named_place,
    with_position,
    without_names,
)
from gis_server.core.message import msg
from gis_server.journeys import addresses
from gis_server.journeys.context import Context
from gis_server.journeys.layers import known_layer, sight_of
from gis_server.store import features, layers

CAMERA_LAYER = "camera"


@dataclass(frozen=True, slots=True)
class Located:
    """A report with coordinates, and the address or camera that they were taken from."""

    content: object
    found: FoundPlace | None


def located(ctx: Context, actor: Actor, content: object, now: datetime) -> Located:
    """The report with coordinates; one that has them already is as it was.

    An address counts as of ``discovered_at``. Raises AddressUnclear, with what was found, unless one address is certain, and
    UnusableInput for a camera that is unknown to this actor.
    """
    named = named_place(content)
    if named is None:
        return Located(without_names(content), None)
    actor.require(Act.REPORT_INCIDENT)
    assert isinstance(content, Mapping)  # noqa: S101  (it named a place)
    at = parse_time(content.get("discovered_at"), "discovered_at") or now
    find = _address if named.kind == ADDRESS else _camera
    found, lon, lat = find(ctx, actor, named, at)
    return Located(with_position(content, lon, lat), found)


def _address(ctx: Context, actor: Actor, named: NamedPlace, at: datetime) -> tuple[FoundPlace, float, float]:
    answer = addresses.search(ctx, actor, named.name, at=at)
    if answer.the_one is None:
        raise AddressUnclear(answer.message, answer=answer)
    address = answer.the_one.address
    return FoundPlace(ADDRESS, address.code, address.standard_address), address.lon, address.lat


def _camera(ctx: Context, actor: Actor, named: NamedPlace, at: datetime) -> tuple[FoundPlace, float, float]:
    known_layer(ctx, actor, CAMERA_LAYER)
    with ctx.engine.connect() as conn:
        place = _camera_point(ctx, conn, actor, named.name, at)
    if place is None:
        raise UnusableInput(
            msg("没有编码为 {code} 的摄像机，请核对设备编码，或给出经纬度。", code=named.name),
            field="camera",
            expected=msg("图层中一台摄像机的设备编码"),
        )
    return FoundPlace(CAMERA, named.name), *place


def _camera_point(
    ctx: Context, conn: Connection, actor: Actor, code: str, at: datetime
) -> tuple[float, float] | None:
    layer = ctx.catalogue[CAMERA_LAYER]
    generation = layers.in_force(conn, layer.name, at)
    return features.point_of(conn, layer, generation, sight_of(conn, actor, at), code)


def found_for(ctx: Context, conn: Connection, actor: Actor, incident: Incident) -> FoundPlace | None:
    """By what an incident's place was found, as far as this reader may know it.

    That a camera stands there is itself protected at a sensitive site (requirements 8.4), and below the internal tier neither an
    address nor a device code is told; a department is told the address of what was given to it.
    """
    found = incident.found
    if found is None or (actor.tier < Tier.INTERNAL and actor.role is not Role.HANDLING_UNIT):
        return None
    if found.kind == ADDRESS:
        return found
    if CAMERA_LAYER not in ctx.catalogue or actor.tier < Tier.INTERNAL:
        return None
    visible = _camera_point(ctx, conn, actor, found.code, incident.discovered_at)
    return None if visible is None else found
