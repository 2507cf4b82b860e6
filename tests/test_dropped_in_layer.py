"""A layer that nobody here wrote code for: a file in the catalogue, and nothing else."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import shapely
from click.testing import CliRunner
from county import HOUR, put
from made import (
    NOON,
    place,
    square,
)

from gis_server.cli import main
from gis_server.core.access import Actor, Role
from gis_server.core.errors import CatalogueError
from gis_server.files.catalogue import load
from gis_server.journeys import layers as journey
from gis_server.journeys.context import Context

HYDRANT = """
[layer]
name = "hydrant"
title = { zh = "消火栓", en = "Hydrants" }
kind = "feature"
geometry = "Point"
key = "hydrant_code"
tier = "internal"
order = 65
label = "hydrant_code"
popup = ["hydrant_code", "pressure_kpa", "checked_on"]

[fields.hydrant_code]
type = "text"
title = { zh = "编号", en = "Code" }
tier = "internal"
required = true
aliases = ["XFSBH"]

[fields.pressure_kpa]
type = "number"
title = { zh = "水压(千帕)", en = "Pressure (kPa)" }
tier = "internal"
aliases = ["SY"]

[fields.checked_on]
type = "date"
title = { zh = "检查日期", en = "Checked on" }
tier = "internal"
aliases = ["JCRQ"]

[fields.keeper]
type = "text"
title = { zh = "保管人", en = "Keeper" }
tier = "protected"
aliases = ["BGR"]

[style]
stroke = "--panel"
fill = "#c6401f"
shape = "diamond"
"""


@pytest.fixture
def with_hydrants(county: Context, tmp_path: Path) -> Context:
    folder = tmp_path / "layers"
    folder.mkdir()
    for path in county.settings.layers.glob("*.toml"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "hydrant.toml").write_text(HYDRANT)
    settings = replace(county.settings, layers=folder)
    return Context(county.engine, load(folder), settings)


def hydrant_shapefile(folder: Path) -> Path:
    path = folder / "hydrant.shp"
    columns: list[Any] = [
        np.array(["X1", "X2"], object),
        np.array([310.5, 290.0]),
        np.array(["2026-01-05", None], dtype="datetime64[D]"),
        np.array(["张三", "李四"], object),
    ]
    pyogrio.raw.write(
        path,
        shapely.to_wkb([place(0.5, 0.5), place(2.5, 1.5)]),
        columns,
        fields=["XFSBH", "SY", "JCRQ", "BGR"],
        geometry_type="Point",
        crs="EPSG:4490",
        driver="ESRI Shapefile",
        encoding="GB18030",
    )
    return path


def test_a_dropped_in_layer_imports_shows_and_exports(with_hydrants: Context, tmp_path: Path) -> None:
    ctx = with_hydrants
    result = put(ctx, "hydrant", hydrant_shapefile(tmp_path), crs=None)
    assert result.held_back is None
    analyst = Actor(None, "analyst", Role.ANALYST)
    assert "hydrant" in [layer.name for layer in journey.catalogue_view(ctx, analyst)]
    seen = json.loads(journey.features(ctx, analyst, "hydrant", at=NOON))
    assert [feature["properties"] for feature in seen["features"]] == [
        {"hydrant_code": "X1", "pressure_kpa": 310.5, "checked_on": "2026-01-05"},
        {"hydrant_code": "X2", "pressure_kpa": 290.0, "checked_on": None},
    ]
    west, south, east, north = square(0, 0).bounds
    assert (
        len(
            json.loads(journey.features(ctx, analyst, "hydrant", at=NOON, bbox=(west, south, east, north)))[
                "features"
            ]
        )
        == 1
    )
    environ = {"GIS_LAYERS": str(ctx.settings.layers)}
    for suffix in ("gpkg", "shp.zip", "geojson", "fgb", "csv"):
        out = tmp_path / f"out.{suffix}"
        done = CliRunner().invoke(
            main,
            ["export", "hydrant", "-o", str(out)],
            env=environ | {"GIS_DATABASE_URL": str(ctx.settings.database_url)},
            catch_exceptions=False,
        )
        assert done.exit_code == 0, done.output
        again = put(ctx, "hydrant", out, NOON + HOUR, publish=False)
        assert again.added == 2
        assert again.problems == ()


def test_a_dropped_in_layer_with_a_mistake_is_named(with_hydrants: Context, tmp_path: Path) -> None:
    wrong = HYDRANT.replace('key = "hydrant_code"', 'key = "hydrant_code"\ntable = "grid"')
    (with_hydrants.settings.layers / "hydrant.toml").write_text(wrong)
    ctx = replace(with_hydrants, catalogue=load(with_hydrants.settings.layers))
    with pytest.raises(CatalogueError, match=r"hydrant\.toml：fields\.hydrant_code"):
        put(ctx, "hydrant", hydrant_shapefile(tmp_path), crs=None)
