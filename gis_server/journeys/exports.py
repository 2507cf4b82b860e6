"""Layers out to files."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gis_server.core.access import Act, Actor
from gis_server.core.catalogue import LayerKind
from gis_server.core.errors import NotFound
from gis_server.core.message import Message, msg
from gis_server.files.write import write
from gis_server.journeys.context import Context
from gis_server.journeys.layers import chosen_generation, readable_layer, sight_of
from gis_server.store import audit, features


@dataclass(frozen=True, slots=True)
class Exported:
    """How many rows were written, and what the format could not keep."""

    rows: int
    notes: tuple[Message, ...]


def export_layer(
    ctx: Context, actor: Actor, layer_name: str, out: Path, *, at: datetime, now: datetime
) -> Exported:
    """Write what the actor may see of a layer at ``at`` to a file, by its suffix."""
    actor.require(Act.EXPORT_LAYER)
    layer = readable_layer(ctx, actor, layer_name)
    with ctx.engine.begin() as conn:
        generation = chosen_generation(conn, actor, layer, at, None)
        if generation is None and layer.kind is not LayerKind.RECORD:
            raise NotFound(
                msg(
                    "图层“{layer}”在 {at} 没有生效的数据。",
                    layer=layer.title,
                    at=at.isoformat(timespec="minutes"),
                )
            )
        table = features.read(conn, layer, generation, sight_of(conn, actor, at))
        notes = write(out, layer, table)
        audit.add(
            conn, actor, Act.EXPORT_LAYER, now=now, subject=layer.name, detail={"rows": len(table.rows)}
        )
    return Exported(len(table.rows), notes)
