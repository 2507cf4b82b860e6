"""Find standard addresses by what people write, each with the grid and sub-grid in which it lies."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import Connection, Engine

from gis_server.core.access import Act, Actor
from gis_server.core.address_found import (
    AddressAnswer,
    FoundAddress,
    KnownAddress,
    in_its_areas,
    ranked,
    verdict_of,
)
from gis_server.core.address_index import Commonness
from gis_server.core.address_match import (
    Asked,
    Fit,
    Verdict,
    ask,
    fit_doors,
    name_scores,
    reading,
)
from gis_server.core.address_numbers import likely_doors
from gis_server.core.boundaries import Boundaries, Place
from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg
from gis_server.journeys.boundaries import boundaries_at
from gis_server.journeys.context import Context
from gis_server.journeys.layers import known_layer
from gis_server.store import addresses as store
from gis_server.store.addresses import Name

LAYER = "address"
MOST_ANSWERED = 20

_KEPT = 4
_MOST_NAMES = 40
_LEAST_NAMES = 8
_SPARE_NAMES = 3
_MOST_DOORS = 15_000
_WORSE_NAME = 0.25
_MOST_COMPARED = 60

_known: WeakKeyDictionary[Engine, OrderedDict[int, Commonness]] = WeakKeyDictionary()
_known_lock = Lock()


def search(ctx: Context, actor: Actor, query: str, *, at: datetime, limit: int = 5) -> AddressAnswer:
    """The addresses that fit best, in the actor's territory, with the grids in force at ``at``.

    Addresses are those in force at ``at``, or the first ones ever published. The verdict says whether one of them is
    certainly meant; it is never guessed.
    """
    actor.require(Act.ROUTE)
    known_layer(ctx, actor, LAYER)
    if not 1 <= limit <= MOST_ANSWERED:
        raise UnusableInput(
            msg("limit 应为 1 到 {most} 的整数。", most=MOST_ANSWERED),
            field="limit",
            expected=msg("1 到 {most} 的整数", most=MOST_ANSWERED),
        )
    asked = ask(query)
    with ctx.engine.connect() as conn:
        generation = store.generation_at(conn, at)
        if generation is None:
            return AddressAnswer(asked, Verdict.NONE, (), None)
        common = _commonness(ctx, conn, generation)
        sought = _Search(conn, actor, asked, generation, boundaries_at(conn, at), common)
        return sought.answer(sought.by_code(query) or sought.fits(limit), limit)


def _commonness(ctx: Context, conn: Connection, generation: int) -> Commonness:
    """Kept in memory: an index never changes. A generation without one gets it now."""
    with _known_lock:
        kept = _known.setdefault(ctx.engine, OrderedDict())
        if generation in kept:
            kept.move_to_end(generation)
            return kept[generation]
    common = store.commonness(conn, generation)
    if common is None:
        with ctx.engine.begin() as writing:
            store.make_index(writing, generation)
            common = store.commonness(writing, generation)
        assert common is not None  # noqa: S101  (made above)
    with _known_lock:
        kept[generation] = common
        while len(kept) > _KEPT:
            kept.popitem(last=False)
    return common


@dataclass(frozen=True, slots=True)
class _Search:
    """One question to one generation of addresses and one set of boundaries."""

    conn: Connection
    actor: Actor
    asked: Asked
    generation: int
    boundaries: Boundaries
    common: Commonness

    def by_code(self, query: str) -> list[Fit]:
        """The address of which ``query`` is the code."""
        code = query.strip()
        if not code.isascii() or code not in store.by_codes(self.conn, self.generation, [code]):
            return []
        return [Fit(code, code, is_former=False, score=1.0, differences=(), beyond=(), omitted=0)]

    def fits(self, limit: int) -> list[Fit]:
        """Addresses by score, best first; of equal ones not all of one name before the next name.

        Where a number decides, all names that are about as good are looked at, else hardly more than ``limit``.
        """
        path = self.actor.territory.path
        areas = self.boundaries.generations.get("area", 0)
        bounds = store.bounds_of(self.conn, areas, path[-1]) if path else None
        if path and bounds is None:
            return []
        wanted = reading(self.asked.name, self.common)
        names = store.names_holding(self.conn, self.generation, wanted, bounds)
        scores = name_scores(self.asked.name, [name.name for name in names], self.common)
        chosen = _best(names, scores, _MOST_NAMES if self.asked.numbers else limit + _SPARE_NAMES)
        ranks = [names[row].rank for row in chosen]
        doors = store.doors(self.conn, self.generation, ranks, first_only=not self.asked.numbers)
        ranked: list[tuple[float, int, int, Fit]] = []
        for order, row in enumerate(chosen):
            name = names[row]
            likely = likely_doors(self.asked.numbers, doors[name.rank])
            fitted = fit_doors(self.asked, name.name, float(scores[row]), likely, is_former=name.is_former)
            ranked += [(-fit.score, place, order, fit) for place, fit in enumerate(fitted)]
        ranked.sort(key=lambda one: one[:3])
        return [fit for *_, fit in ranked]

    def answer(self, fits: Sequence[Fit], limit: int) -> AddressAnswer:
        """Judge the best fits, and place those that are shown."""
        near = fits[:_MOST_COMPARED]
        known = store.by_codes(self.conn, self.generation, list({fit.code for fit in near}))
        # where neither territory nor areas matter, only what is shown needs its place
        named = any(difference.part is None for fit in near[:limit] for difference in fit.differences)
        if self.actor.territory.path or named:
            near, known = self._in_sight(near, known)
        told = ranked(self.asked, near, known)
        shown = tuple(
            FoundAddress(one.address, self._place(one.address), one.fit, one.identical)
            for one in told[:limit]
        )
        return AddressAnswer(self.asked, verdict_of(told), shown, self.generation)

    def _in_sight(
        self, fits: Sequence[Fit], known: Mapping[str, KnownAddress]
    ) -> tuple[list[Fit], dict[str, KnownAddress]]:
        """Those in the actor's territory, each judged by the areas in which it lies as well."""
        places = {code: self._place(one) for code, one in known.items()}
        own = {code for code, place in places.items() if self.actor.territory.holds(place.area_path)}
        fitted = [
            in_its_areas(self.asked, fit, places[fit.code], self.common) for fit in fits if fit.code in own
        ]
        return fitted, {code: one for code, one in known.items() if code in own}

    def _place(self, one: KnownAddress) -> Place:
        return self.boundaries.route(one.lon, one.lat)


def _best(names: Sequence[Name], scores: np.ndarray, most: int) -> list[int]:
    """The names whose doors are worth looking at: the best, and after the first few none that is much worse."""
    chosen: list[int] = []
    doors = 0
    for row in np.argsort(-scores, kind="stable").tolist():
        worse = scores[row] < scores[chosen[0]] - _WORSE_NAME if chosen else False
        if len(chosen) >= most or doors > _MOST_DOORS or (worse and len(chosen) >= _LEAST_NAMES):
            break
        chosen.append(row)
        doors += names[row].door_count
    return chosen
