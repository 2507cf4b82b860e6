"""The boundaries in force at a moment, kept in memory by their generation ids.

The ids are asked of the database in the caller's own transaction each time; so no process ever answers by a generation that is no
longer in force, and two generations are never mixed, whether or not it heard of the publication.
"""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from gis_server.core.boundaries import Boundaries
from gis_server.core.errors import Unavailable, UnusableInput
from gis_server.core.message import msg
from gis_server.store import boundaries as store

KEPT = 4
"""Sets of generations kept at once: today's, and a few past ones for late reports."""


class _Kept:
    """The boundaries of one database, least recently used first."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.sets: OrderedDict[tuple[tuple[str, int], ...], Boundaries] = OrderedDict()


_kept: WeakKeyDictionary[Engine, _Kept] = WeakKeyDictionary()
_kept_lock = Lock()


def boundaries_at(conn: Connection, at: datetime) -> Boundaries:
    """The boundaries in force at ``at``.

    Raises Unavailable when no grids were ever published, UnusableInput (``discovered_at``) when ``at`` is before the
    first generation.
    """
    return boundaries_of(conn, store.in_force(conn, at), at)


def boundaries_of(conn: Connection, generations: dict[str, int], at: datetime) -> Boundaries:
    """``boundaries_at`` where the generations in force at ``at`` were asked for already, in the same transaction."""
    if "grid" not in generations:
        first = store.first_day(conn, "grid")
        if first is None:
            raise Unavailable(msg("还没有发布的网格，不能定位到网格；请先导入并发布网格图层。"))
        raise UnusableInput(
            msg(
                "{at} 尚无生效的网格；最早的网格自 {first} 起生效。",
                at=at.isoformat(),
                first=first.isoformat(),
            ),
            field="discovered_at",
            expected=msg("{first} 或以后的时间", first=first.isoformat()),
        )
    if "area" not in generations and (first_areas := store.first_day(conn, "area")) is not None:
        # areas imported later than the grids still name them
        generations |= {
            layer: number
            for layer, number in store.in_force(conn, max(first_areas, at)).items()
            if layer == "area"
        }
    return of_generations(conn, generations)


def of_generations(conn: Connection, generations: Mapping[str, int]) -> Boundaries:
    """The boundaries of these generations by layer, of today or of the past; what is no boundary layer is left out."""
    with _kept_lock:
        kept = _kept.setdefault(conn.engine, _Kept())
    # another roster moves no border
    generations = {layer: generations[layer] for layer in store.LAYERS if layer in generations}
    key = tuple(sorted(generations.items()))
    with kept.lock:  # the second of two first callers waits, instead of loading it again
        found = kept.sets.get(key)
        if found is None:
            found = store.load(conn, generations)
            kept.sets[key] = found
        kept.sets.move_to_end(key)
        while len(kept.sets) > KEPT:
            kept.sets.popitem(last=False)
        return found
