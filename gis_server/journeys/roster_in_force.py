"""Rosters kept in memory by their generation ids, as the boundaries are."""

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from gis_server.core.roster import Roster
from gis_server.store import roster as store
from gis_server.store.boundaries import ROSTER

KEPT = 4
"""Rosters kept at once: today's, and a few past ones for late reports."""

EMPTY = Roster(())
"""Where nobody is known."""

_kept: WeakKeyDictionary[Engine, OrderedDict[int, Roster]] = WeakKeyDictionary()
_lock = Lock()


def roster_of(conn: Connection, generations: Mapping[str, int]) -> Roster:
    """The roster among these generations by layer; an empty one if there is none."""
    return _of_generation(conn, generations[ROSTER]) if ROSTER in generations else EMPTY


def _of_generation(conn: Connection, generation_id: int) -> Roster:
    with _lock:
        kept = _kept.setdefault(conn.engine, OrderedDict())
        if (found := kept.get(generation_id)) is not None:
            kept.move_to_end(generation_id)
            return found
    found = store.load(conn, generation_id)
    with _lock:
        kept[generation_id] = found
        while len(kept) > KEPT:
            kept.popitem(last=False)
    return found
