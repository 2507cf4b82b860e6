"""What was mended in staged generations, and what of it was undone; rows are only ever added."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
import shapely
from sqlalchemy import Connection, Row, insert, select

from gis_server.core.access import Actor
from gis_server.core.mending import KeptStep, RowChange, ToldChange, ToldMove, Undone
from gis_server.store.messages import message_from, message_json
from gis_server.store.schema import mending, mending_undo


def root_of(conn: Connection, generation_id: int) -> int:
    """The generation that a chain of mendings began with: itself where nothing was mended."""
    made = select(mending.c.root_id).where(mending.c.generation_id == generation_id)
    unmade = (
        select(mending.c.root_id)
        .join(mending_undo, mending_undo.c.mending_id == mending.c.id)
        .where(mending_undo.c.generation_id == generation_id)
    )
    root = conn.scalar(made.limit(1)) or conn.scalar(unmade.limit(1))
    return generation_id if root is None else int(root)


def add(
    conn: Connection,
    steps: Sequence[tuple[Sequence[ToldMove], Sequence[RowChange]]],
    *,
    root_id: int,
    generation_id: int,
    actor: Actor,
    now: datetime,
) -> None:
    """Keep the steps that made a generation out of others that began with ``root_id``, in the caller's transaction."""
    for told, rows in steps:
        has_parents = any(r.parent_before != r.parent_after for r in rows)
        conn.execute(
            insert(mending).values(
                root_id=root_id,
                generation_id=generation_id,
                content=[_told_json(move) for move in told],
                rows=[r.row for r in rows],
                before=[shapely.to_wkb(r.before) for r in rows],
                after=[shapely.to_wkb(r.after) for r in rows],
                parents_before=[r.parent_before for r in rows] if has_parents else None,
                parents_after=[r.parent_after for r in rows] if has_parents else None,
                who=actor.name,
                account_id=actor.account_id,
                at=now,
            )
        )


def of_chain(conn: Connection, root_id: int) -> tuple[KeptStep, ...]:
    """Every step of a chain of generations, the first one first, those that were undone too."""
    query = (
        select(mending, mending_undo.c.who.label("undone_by"), mending_undo.c.at.label("undone_at"))
        .outerjoin(mending_undo, mending_undo.c.mending_id == mending.c.id)
        .where(mending.c.root_id == root_id)
        .order_by(mending.c.id)
    )
    return tuple(_kept(row) for row in conn.execute(query))


def undo(conn: Connection, step: KeptStep, generation_id: int, actor: Actor, now: datetime) -> None:
    """Keep that a step was undone, which made a generation."""
    conn.execute(
        insert(mending_undo).values(
            mending_id=step.id,
            generation_id=generation_id,
            who=actor.name,
            account_id=actor.account_id,
            at=now,
        )
    )


def _kept(row: Row[Any]) -> KeptStep:
    count = len(row.rows)
    before, after = ([shapely.from_wkb(bytes(w)) for w in wkbs] for wkbs in (row.before, row.after))
    parents = row.parents_before or [None] * count, row.parents_after or [None] * count
    changes = zip(row.rows, before, after, *parents, strict=True)
    return KeptStep(
        id=row.id,
        generation_id=row.generation_id,
        told=tuple(_told_from(move) for move in row.content),
        rows=tuple(RowChange(*change) for change in changes),
        who=row.who,
        at=row.at,
        undone=None if row.undone_by is None else Undone(row.undone_by, row.undone_at),
    )


def _told_json(move: ToldMove) -> dict[str, Any]:
    return {
        "key": move.key,
        "act": move.act,
        "kind": move.kind,
        "message": message_json(move.message),
        "confidence": move.confidence,
        "area_m2": move.area_m2,
        "width_m": move.width_m,
        "addresses": move.addresses,
        "households": move.households,
        "changes": [[c.source, c.target, c.area_m2] for c in move.changes],
        "ground": None if move.ground is None else orjson.loads(shapely.to_geojson(move.ground)),
    }


def _told_from(content: dict[str, Any]) -> ToldMove:
    ground = content["ground"]
    return ToldMove(
        **{
            **content,
            "message": message_from(content["message"]),
            "changes": tuple(ToldChange(*change) for change in content["changes"]),
            "ground": None if ground is None else shapely.from_geojson(orjson.dumps(ground)),
        }
    )
