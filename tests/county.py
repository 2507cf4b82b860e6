"""The made county of ``made`` as a published city of the test's own."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Databases
from made import (
    NOON,
    areas,
    cameras,
    grids,
    sub_grids,
)
from sqlalchemy import Connection, Engine, make_url, text

from gis_server.core.access import CONSOLE
from gis_server.core.datum import Datum
from gis_server.files.catalogue import load
from gis_server.journeys import layers as journey
from gis_server.journeys.context import Context
from gis_server.settings import Settings
from gis_server.store.engine import make_engine

HOUR = timedelta(hours=1)


def put(ctx: Context, layer: str, path: Path, now: datetime = NOON, **rest: Any) -> journey.ImportResult:
    rest = {"crs": "EPSG:4490", "datum": Datum.CGCS2000, "publish": True} | rest
    return journey.import_layer(ctx, CONSOLE, layer, path, now=now, **rest)


def fingerprint(conn: Connection) -> dict[str, tuple[int, str]]:
    """Number of rows and checksum of every table, partitions included."""
    names = conn.scalars(
        text(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND relname NOT IN ('spatial_ref_sys')"
        )
    ).all()
    return {
        name: conn.execute(
            text(f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \"{name}\" t")
        ).one()
        for name in names
    }


def state_of(engine: Engine) -> dict[str, tuple[int, str]]:
    with engine.connect() as conn:
        return fingerprint(conn)


@pytest.fixture(scope="module")
def county_url(
    databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A database with the made county published, for this module."""
    folder = tmp_path_factory.mktemp("county")
    with databases.cloned(template) as url:
        engine = make_engine(url)
        settings = Settings.from_environment({"GIS_DATABASE_URL": url, "GIS_VAR": str(folder / "var")})
        ctx = Context(engine, load(settings.layers), settings)
        for layer, make in (("area", areas), ("grid", grids), ("sub_grid", sub_grids), ("camera", cameras)):
            assert put(ctx, layer, make(folder)).held_back is None
        engine.dispose()
        yield url


@pytest.fixture
def county(databases: Databases, county_url: str, tmp_path: Path) -> Iterator[Context]:
    """A county of the test's own."""
    with databases.cloned(_name(county_url)) as url:
        engine = make_engine(url)
        settings = Settings.from_environment({"GIS_DATABASE_URL": url, "GIS_VAR": str(tmp_path / "var")})
        yield Context(engine, load(settings.layers), settings)
        engine.dispose()


@pytest.fixture(scope="module")
def untouched(
    databases: Databases, county_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Context]:
    """A county for all imports of the module that must leave it as it is."""
    with databases.cloned(_name(county_url)) as url:
        engine = make_engine(url)
        var = tmp_path_factory.mktemp("var")
        settings = Settings.from_environment({"GIS_DATABASE_URL": url, "GIS_VAR": str(var)})
        before = state_of(engine)
        yield Context(engine, load(settings.layers), settings)
        assert state_of(engine) == before
        engine.dispose()


def _name(url: str) -> str:
    name = make_url(url).database
    assert name is not None
    return name
