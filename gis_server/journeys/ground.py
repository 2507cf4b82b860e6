"""By what a place is decided at a moment: the profile, the boundaries and the roster in force together."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache

from sqlalchemy import Connection

from gis_server.core.answering import AnswerRules, answer_rules
from gis_server.core.decision import Ground
from gis_server.journeys.boundaries import boundaries_of
from gis_server.journeys.context import Context
from gis_server.journeys.profiles import profile_in_use
from gis_server.journeys.roster_in_force import roster_of
from gis_server.settings import Settings
from gis_server.store import boundaries as store


def ground_at(ctx: Context, conn: Connection, at: datetime) -> Ground:
    """What decides at ``at``; the errors are those of ``boundaries_at``."""
    return ground_of(ctx, conn, store.in_force(conn, at), at)


def ground_of(ctx: Context, conn: Connection, generations: Mapping[str, int], at: datetime) -> Ground:
    """``ground_at`` where the generations in force at ``at`` were asked for already, in the same transaction."""
    found = boundaries_of(conn, dict(generations), at)
    return Ground(ctx.settings.profile, _answer_rules(ctx.settings), found, roster_of(conn, generations))


@cache
def _answer_rules(settings: Settings) -> AnswerRules:
    return answer_rules(profile_in_use(settings))
