"""Opening what a command works on: the settings, the database and the context of the journeys."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from gis_server.journeys import database
from gis_server.journeys.context import Context
from gis_server.journeys.opening import context
from gis_server.journeys.profiles import require_rules
from gis_server.postgis import PrivateServer
from gis_server.settings import Settings


def read_settings() -> Settings:
    """The settings of this process's environment; the profile that they name, and the operator's files, can be used."""
    settings = Settings.from_environment(os.environ)
    require_rules(settings)
    return settings


def private_server(settings: Settings) -> PrivateServer:
    """The private PostGIS of this deployment."""
    return PrivateServer(settings.var / "postgres")


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """The URL of the deployment's database; the private server is up for as long as the block lasts."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    with private_server(settings).in_use() as url:
        yield url


@contextmanager
def opened(settings: Settings) -> Iterator[Context]:
    """The context for a command that needs the database; its schema must be current."""
    with database_url(settings) as url:
        database.check(url)
        database.require_current(url)
        ctx = context(settings, url)
        try:
            yield ctx
        finally:
            ctx.engine.dispose()
