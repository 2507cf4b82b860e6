"""Rankings of grids and of workers by what they completed; which there are, the profile says (gansu 三(二)4, 四(二)2)."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import TypeVar

from sqlalchemy import Connection

from gis_server.core.access import Act, Actor, Tier
from gis_server.core.errors import NotAllowed, NotFound
from gis_server.core.message import msg
from gis_server.core.ranking import (
    Ranking,
    Stretch,
    WorkerPlace,
    closed,
    first,
    placed,
    ranked_periods,
    running,
)
from gis_server.core.vocabulary import Period, RankingUnit
from gis_server.core.wall import Wall
from gis_server.journeys.context import Context
from gis_server.journeys.profiles import profile_in_use
from gis_server.store import rankings, roster

Key = TypeVar("Key", str, int)


def of_wall(
    ctx: Context, wall: Wall, period: Period, now: datetime, most: int | None = None
) -> Ranking | None:
    """The ranking of the grids of a wall that the caller was allowed to open; None where the profile wants none.

    It is that of the last closed period; where nothing was completed in it, that of the running one. With ``most`` it ends
    after so many places and whoever shares the last.
    """
    if period not in ranked_periods(profile_in_use(ctx.settings), RankingUnit.GRID):
        return None

    def completed(conn: Connection, since: datetime, until: datetime) -> dict[str, int]:
        return rankings.completed_by_grid(conn, wall.territory.path, since, until)

    with ctx.engine.connect() as conn:
        stretch, counts = _counted(ctx, conn, period, now, completed)
    places = placed(counts)
    return Ranking(stretch, places if most is None else first(places, most))


def worker_periods(ctx: Context, actor: Actor) -> tuple[Period, ...]:
    """The periods by which this reader is shown a ranking of workers, shortest first; none outside the office."""
    if not actor.may(Act.READ_ROSTER) or actor.tier < Tier.INTERNAL:
        return ()
    return ranked_periods(profile_in_use(ctx.settings), RankingUnit.WORKER)


def of_workers(
    ctx: Context, actor: Actor, period: Period, now: datetime
) -> tuple[Stretch, list[WorkerPlace]]:
    """The ranking of the workers of the actor's territory, by name: for those who may read the roster inside.

    Raises NotFound where the profile ranks no workers by this period.
    """
    actor.require(Act.READ_ROSTER)
    if actor.tier < Tier.INTERNAL:
        raise NotAllowed(msg("网格员排名只在内部公布。"))
    if period not in ranked_periods(profile_in_use(ctx.settings), RankingUnit.WORKER):
        raise NotFound(msg("现行标准没有按{period}给网格员排名。", period=period.message), field="period")

    def completed(conn: Connection, since: datetime, until: datetime) -> dict[int, int]:
        return rankings.completed_by_worker(conn, actor.territory.path, since, until)

    with ctx.engine.connect() as conn:
        stretch, counts = _counted(ctx, conn, period, now, completed)
        people = roster.people(conn, counts)
    names = {str(number): person.name for number, person in people.items()}
    # people are told apart by their number: two may bear one name
    places = placed({str(number): completed for number, completed in counts.items()})
    return stretch, [WorkerPlace(one.place, names.get(one.code, ""), one.completed) for one in places]


def _counted(
    ctx: Context,
    conn: Connection,
    period: Period,
    now: datetime,
    count: Callable[[Connection, datetime, datetime], dict[Key, int]],
) -> tuple[Stretch, dict[Key, int]]:
    today = now.astimezone(ctx.settings.timezone).date()
    for stretch in (closed(period, today), running(period, today)):
        counts = count(conn, _midnight(ctx, stretch.since), _midnight(ctx, stretch.until))
        if counts:
            break
    return stretch, counts


def _midnight(ctx: Context, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ctx.settings.timezone)
