"""What a worker's phone takes along before it leaves the network."""

from datetime import datetime

from gis_server.core.access import Act, Actor
from gis_server.core.field_bundle import FieldBundle, bundle_of
from gis_server.journeys.boundaries import boundaries_at
from gis_server.journeys.context import Context


def bundle(ctx: Context, actor: Actor, now: datetime) -> FieldBundle:
    """The grids of the actor's territory that are in force, with those beside them."""
    actor.require(Act.REPORT_INCIDENT)
    with ctx.engine.connect() as conn:
        return bundle_of(boundaries_at(conn, now), actor.territory)
