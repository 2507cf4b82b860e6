"""What a measured server needs: the program over the sample city, somebody who reports, and reports all over its grids."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson

from gis_server.core.access import CONSOLE, Role
from gis_server.journeys.accounts import NewAccount, add_account, make_token
from gis_server.journeys.boundaries import boundaries_at
from gis_server.journeys.context import Context

REPORTS = 20_000
"""Places thrown over the box around the city; those inside a grid become reports."""


@contextmanager
def serving(city: Context, port: int, *command: str) -> Iterator["subprocess.Popen[bytes]"]:
    """The process of ``command``, a server over the city's database, from when it answers to the end of the block."""
    environ = os.environ | {
        "GIS_DATABASE_URL": city.engine.url.render_as_string(hide_password=False),
        "GIS_VAR": str(city.settings.var),
        "GIS_PORT": str(port),
    }
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # its address, once it answers
        yield process
        process.send_signal(signal.SIGINT)
        process.wait(30)


def token_of(city: Context, login: str) -> str:
    """The bearer token of a new operator."""
    now = datetime.now(UTC)
    add_account(city, CONSOLE, NewAccount(login, login, Role.OPERATOR), None, now)
    return make_token(city, CONSOLE, login, timedelta(days=1), now)


def bodies_of(city: Context, seed: int, **more: object) -> list[bytes]:
    """Bodies of reports all over the city's grids, as phones send them."""
    with city.engine.connect() as conn:
        found = boundaries_at(conn, datetime.now(UTC))
    west, south, east, north = found.index.bounds()
    random = np.random.default_rng(seed)
    lon, lat = random.uniform(west, east, REPORTS), random.uniform(south, north, REPORTS)
    inside = found.index.cover.find_all(lon, lat) >= 0
    said = {"datum": "cgcs2000", "item": "建筑施工噪声", "source": "patrol"}
    return [
        orjson.dumps({"lon": x, "lat": y, **said, **more})
        for x, y in zip(lon[inside].tolist(), lat[inside].tolist(), strict=True)
    ]
