"""The one way to a database connection pool."""

import psycopg
from sqlalchemy import (
    URL,
    Engine,
    ExceptionContext,
    PoolProxiedConnection,
    QueuePool,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import TimeoutError

from gis_server.core.errors import Unavailable
from gis_server.core.message import msg


def driver_url(url: str | URL) -> URL:
    """The URL with psycopg 3 as its driver, whatever form it was given in (``postgres://``, ``postgresql://``)."""
    parsed = make_url(str(url).replace("postgres://", "postgresql://", 1) if isinstance(url, str) else url)
    if parsed.drivername == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def make_engine(url: str | URL, *, pool_size: int = 16) -> Engine:
    """An engine on ``url``: connections are tested before use, so that a restarted server is not an error.

    A database that does not answer, or gives up in mid-work, raises Unavailable.

    Sessions speak UTC; the deployment's zone is for display only.
    """
    engine = create_engine(
        driver_url(url),
        poolclass=_Pool,
        pool_size=pool_size,
        # a connection beyond the pool would be opened and closed again for every busy moment
        max_overflow=0,
        pool_pre_ping=True,
        # an error's text goes into the log: no name, phone or description of anybody may stand in it
        hide_parameters=True,
        connect_args={"options": "-c timezone=UTC", "application_name": "gis-server", "connect_timeout": 10},
    )
    event.listen(engine, "handle_error", _say_unavailable)
    return engine


class _Pool(QueuePool):
    """A pool whose exhaustion is told like any other database that does not answer."""

    def connect(self) -> PoolProxiedConnection:
        try:
            return super().connect()
        except TimeoutError as error:
            raise Unavailable(msg("数据库繁忙，请稍后再试。")) from error


def _say_unavailable(context: ExceptionContext) -> None:
    # a pre-ping that fails is the pool's own affair: it reconnects
    if isinstance(context.original_exception, psycopg.OperationalError) and not context.is_pre_ping:
        raise Unavailable(msg("数据库暂时没有应答，请稍后再试。")) from context.original_exception
