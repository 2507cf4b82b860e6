"""What the measurements stand on: a private PostGIS as the product starts it, and the sample city in it."""

import gc
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gis_server.cli import GARBAGE
from gis_server.core.access import CONSOLE
from gis_server.journeys.context import Context
from gis_server.journeys.opening import context
from gis_server.journeys.sample import load_sample
from gis_server.postgis import PrivateServer
from gis_server.settings import Settings
from gis_server.store.migrate import upgrade


@pytest.fixture(scope="session", autouse=True)
def as_a_command_runs() -> None:
    """The garbage collector as every command sets it, for all that is measured, the peers included."""
    gc.freeze()
    gc.set_threshold(GARBAGE)


@pytest.fixture(scope="session")
def city() -> Iterator[Context]:
    """The sample city, published, in a durable PostGIS of its own."""
    folder = Path(tempfile.mkdtemp(prefix="gis-bench-"))
    server = PrivateServer(folder / "postgres")
    with server.in_use() as url:
        upgrade(url)
        environ = {"GIS_DATABASE_URL": url, "GIS_VAR": str(folder / "var")}
        ctx = context(Settings.from_environment(environ), url)
        load_sample(ctx, CONSOLE, datetime.now(UTC))
        yield ctx
        ctx.engine.dispose()
    shutil.rmtree(folder)
