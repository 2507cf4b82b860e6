"""Which open incidents would a staged set of grids move? Asked before it is published, and told when it is."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from gis_server.core.access import Act, Actor
from gis_server.core.errors import Conflict, UnusableInput
from gis_server.core.generation import Generation, GenerationState
from gis_server.core.message import msg
from gis_server.core.moved import Moves, moves
from gis_server.journeys import layers as journey
from gis_server.journeys.boundaries import of_generations
from gis_server.journeys.check import GRID
from gis_server.journeys.context import Context
from gis_server.store import boundaries, incident_places, layers


def would_move(ctx: Context, actor: Actor, generation_id: int, now: datetime) -> Moves:
    """Route the open incidents of the actor's territory by the grids in force and by those of a generation.

    Of a published one it tells what its publication moved among those still open. UnusableInput for a layer other than grids,
    Conflict for a discarded generation.
    """
    actor.require(Act.IMPORT_LAYER)
    actor.require(Act.READ_INCIDENTS)
    with ctx.engine.connect() as conn:
        generation = layers.one(conn, generation_id)
        journey.known_layer(ctx, actor, generation.layer)
        if generation.layer != GRID:
            raise UnusableInput(
                msg("只有网格图层的数据才会改变事件所属的网格。"),
                field="generation_id",
                expected=msg("网格图层的一代数据"),
            )
        if generation.state is GenerationState.DISCARDED:
            raise Conflict(msg("这一代数据已放弃。"))
        return _moves(conn, actor, generation, now)


def publish(ctx: Context, actor: Actor, generation_id: int, now: datetime) -> tuple[Generation, Moves | None]:
    """``layers.publish``, and which open incidents that moved; None for layers that move none."""
    actor.require(Act.PUBLISH_LAYER)
    generation = journey.publish(ctx, actor, generation_id, now)
    if generation.layer != GRID:
        return generation, None
    with ctx.engine.connect() as conn:
        return generation, _moves(conn, actor, generation, now)


def _moves(conn: Connection, actor: Actor, generation: Generation, now: datetime) -> Moves:
    at = now if generation.valid_from is None else generation.valid_from - timedelta(microseconds=1)
    in_force = boundaries.in_force(conn, at)
    before = of_generations(conn, in_force) if GRID in in_force else None
    # the sub-grids in force belong to other grids, and move nothing
    proposed = {layer: number for layer, number in in_force.items() if layer != "sub_grid"}
    after = of_generations(conn, proposed | {GRID: generation.id})
    return moves(incident_places.open_spots(conn, actor.territory.path), before, after)
