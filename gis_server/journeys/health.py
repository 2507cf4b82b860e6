"""Whether the server can do its work."""

from datetime import datetime

from gis_server.core.errors import Unavailable
from gis_server.core.message import Message, msg
from gis_server.journeys.context import Context
from gis_server.store import boundaries, migrate


def readiness(ctx: Context, now: datetime) -> dict[str, Message | None]:
    """What is checked and why it fails; None where all is well. Later checks need the earlier ones."""
    try:
        with ctx.engine.connect() as conn:
            if migrate.pending(ctx.engine.url):
                reason = msg("数据库的表结构不是当前版本，请先运行 gis-server db migrate。")
                return {"database": None, "migrations": reason, "generation": reason}
            generations = boundaries.in_force(conn, now)
    except Unavailable as error:
        return dict.fromkeys(("database", "migrations", "generation"), error.message)
    missing = None if "grid" in generations else msg("还没有发布的网格。")
    return {"database": None, "migrations": None, "generation": missing}
