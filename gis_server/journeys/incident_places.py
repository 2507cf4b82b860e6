"""Turn the address or the camera that a report names into its coordinates, before it is recorded."""

from collections.abc import Mapping
from datetime import datetime

from gis_server.core.access import Act, Actor
from gis_server.core.errors import AddressUnclear, UnusableInput
from gis_server.core.incident import parse_time
from gis_server.core.incident_place import ADDRESS, NamedPlace, named_place, with_position, without_names
from gis_server.core.message import msg
from gis_server.journeys import addresses
from gis_server.journeys.context import Context
from gis_server.journeys.layers import known_layer, sight_of
from gis_server.store import features, layers

CAMERA_LAYER = "camera"


def located(ctx: Context, actor: Actor, content: object, now: datetime) -> object:
    """The report with coordinates; one that has them already is as it was.

    An address counts as of ``discovered_at``. Raises AddressUnclear, with what was found, unless one address is certain, and
    UnusableInput for a camera that is unknown to this actor.
    """
    named = named_place(content)
    if named is None:
        return without_names(content)
    actor.require(Act.REPORT_INCIDENT)
    assert isinstance(content, Mapping)  # noqa: S101  (it named a place)
    at = parse_time(content.get("discovered_at"), "discovered_at") or now
    find = _address if named.kind == ADDRESS else _camera
    return with_position(content, *find(ctx, actor, named, at))


def _address(ctx: Context, actor: Actor, named: NamedPlace, at: datetime) -> tuple[float, float]:
    answer = addresses.search(ctx, actor, named.name, at=at)
    if answer.the_one is None:
        raise AddressUnclear(answer.message, answer=answer)
    return answer.the_one.address.lon, answer.the_one.address.lat


def _camera(ctx: Context, actor: Actor, named: NamedPlace, at: datetime) -> tuple[float, float]:
    layer = known_layer(ctx, actor, CAMERA_LAYER)
    with ctx.engine.connect() as conn:
        generation = layers.in_force(conn, layer.name, at)
        place = features.point_of(conn, layer, generation, sight_of(conn, actor, at), named.name)
    if place is None:
        raise UnusableInput(
            msg("没有编码为 {code} 的摄像机，请核对设备编码，或给出经纬度。", code=named.name),
            field="camera",
            expected=msg("图层中一台摄像机的设备编码"),
        )
    return place
