"""Findings for other tools: GeoJSON and a GeoPackage that brings its QGIS style, in the page's visual language."""

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pyogrio.raw
import pytest
import shapely
from city import COMMUNITIES
from client import token_client
from flask import Flask
from test_findings import REASON, upload_sizes

from gis_server.core.acceptance import Acceptance, KeptFinding
from gis_server.core.coverage.findings import Finding, Kind, Severity
from gis_server.core.finding_look import LOOKS, look_of
from gis_server.core.message import msg
from gis_server.files.findings import write_findings
from gis_server.files.qgis_style import Shape, qml
from gis_server.i18n import translator
from gis_server.journeys.context import Context
from gis_server.settings import PROJECT_FOLDER

BOX = shapely.box(131, 47, 131.01, 47.01)
ACCEPTED = Acceptance("planner", 1, datetime(2026, 3, 1, 12, tzinfo=UTC), REASON)


def finding(
    number: int, kind: Kind, shape: shapely.Geometry | None, *, accepted: bool = False
) -> KeptFinding:
    found = Finding(
        kind, "V1", Severity.WARNING, "product brief", (0,), ("1", "2"), 2.5, 0.5, msg("已登录。"), shape
    )
    return KeptFinding(number, found, ACCEPTED if accepted else None)


def written(folder: Path, *kept: KeptFinding, language: str = "zh") -> Path:
    path = folder / "findings.gpkg"
    languages = {name: translator(name) for name in ("zh", "en")}
    write_findings(path, kept, languages[language], languages)
    return path


def rows(path: Path, layer: str) -> list[dict[str, object]]:
    meta, _, geometry, fields = pyogrio.raw.read(path, layer=layer)
    shapes = shapely.from_wkb(geometry)
    return [
        dict(zip(meta["fields"], values, strict=True)) | {"geometry": shape}
        for *values, shape in zip(*fields, shapes, strict=True)
    ]


def test_each_part_of_a_finding_goes_to_the_layer_of_its_shape(tmp_path: Path) -> None:
    both = shapely.GeometryCollection([BOX, shapely.LineString([(131, 47), (131.02, 47)])])
    path = written(
        tmp_path,
        finding(1, Kind.GAP, BOX),
        finding(2, Kind.NEAR_MISS, both, accepted=True),
        finding(3, Kind.INVALID_GEOMETRY, shapely.Point(131, 47)),
        finding(4, Kind.CODE_GAP, None),
    )
    layers = {name: kind for name, kind in pyogrio.list_layers(path).tolist() if name != "layer_styles"}
    assert layers == {
        "finding_area": "MultiPolygon",
        "finding_line": "MultiLineString",
        "finding_point": "MultiPoint",
    }
    areas, lines, points = (rows(path, name) for name in layers)
    assert [row["finding_id"] for row in areas] == [1, 2, 4]
    assert [row["finding_id"] for row in lines] == [2]
    assert [row["finding_id"] for row in points] == [3]
    assert areas[0]["geometry"].equals(shapely.MultiPolygon([BOX]))  # type: ignore[attr-defined]
    assert areas[2]["geometry"] is None
    assert areas[0] | {"geometry": None} == {
        "finding_id": 1, "area_m2": 2.5, "width_m": 0.5, "kind": "gap", "look": "gap", "rule": "V1",
        "severity": "warning", "clause": "product brief", "codes": "1,2", "message_zh": "已登录。",
        "message_en": translator("en")("已登录。"), "accepted_by": None, "accepted_at": None, "reason": None,
        "geometry": None,
    }  # fmt: skip
    assert (lines[0]["accepted_by"], lines[0]["accepted_at"], lines[0]["reason"]) == (
        "planner",
        "2026-03-01T12:00:00+00:00",
        REASON,
    )


def test_nothing_found_is_still_a_file(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert rows(path, "finding_area") == []
    assert sorted(name for name, _ in pyogrio.list_layers(path).tolist()) == ["finding_area", "layer_styles"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_style_is_inside_and_the_default(tmp_path: Path, language: str) -> None:
    point = finding(2, Kind.INVALID_GEOMETRY, shapely.Point(131, 47))
    path = written(tmp_path, finding(1, Kind.GAP, BOX), point, language=language)
    with closing(sqlite3.connect(path)) as database:
        kept = database.execute(
            "SELECT f_table_name, f_geometry_column, useAsDefault, styleQML FROM layer_styles ORDER BY id"
        ).fetchall()
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert [row[:3] for row in kept] == [("finding_area", "geom", 1), ("finding_point", "geom", 1)]
    assert kept[0][3] == qml(Shape.FILL, translator(language))


@pytest.mark.parametrize("shape", Shape)
def test_every_look_has_its_symbol(shape: Shape) -> None:
    style = ET.fromstring(qml(shape, str))
    categories = {one.get("value"): one for one in style.iter("category")}
    assert set(categories) == {look.key for look in LOOKS}
    symbols = {one.get("name"): one for one in style.findall("./renderer-v2/symbols/symbol")}
    for look in LOOKS:
        symbol = symbols[categories[look.key].get("symbol")]
        assert symbol.get("type") == shape.value
        text = ET.tostring(symbol, "unicode")
        rgb = ",".join(str(int(look.colour[at : at + 2], 16)) for at in (1, 3, 5))
        assert f'"{rgb},255"' in text
        hatches = {"gap": 1, "overlap": 2}.get(look.key, 0) if shape is Shape.FILL else 0
        assert text.count("LinePatternFill") == hatches
        assert ('value="dot"' in text) == (look.key == "near-miss" and shape is not Shape.MARKER)


def test_the_page_and_other_tools_speak_one_visual_language() -> None:
    script = (PROJECT_FOLDER / "web" / "core" / "style.js").read_text("utf-8")
    told = re.findall(r'^  (\w+): \{ token: "--([\w-]+)", pattern: "(\w+)" \},$', script, re.MULTILINE)
    assert told
    on_page = {kind: (token, pattern) for kind, token, pattern in told}
    for kind in Kind:
        look = look_of(kind)
        assert on_page.get(kind.value, ("other-finding", "line")) == (look.key, look.pattern.value), kind
    light = (PROJECT_FOLDER / "web" / "styles" / "tokens.css").read_text("utf-8").split("[data-theme")[0]
    for look in LOOKS:
        assert f"--{look.key}: {look.colour};" in light


def test_findings_are_taken_away_over_http(app: Flask, city_ctx: Context, tmp_path: Path) -> None:
    planner = token_client(app, city_ctx, "planner")
    generation = upload_sizes(planner, hole=True)
    base = f"/api/generations/{generation}/findings"
    planner.post(f"{base}/accept", {"kind": "size", "reason": REASON})
    found = planner.get(base).json["findings"]

    answer = planner.get(f"{base}.geojson")
    assert answer.mimetype == "application/geo+json"
    assert f"grid-{generation}-findings.geojson" in answer.headers["Content-Disposition"]
    collection = json.loads(answer.data)
    assert collection["type"] == "FeatureCollection"
    assert collection["validation"]["generation"]["id"] == generation
    assert [one["properties"]["id"] for one in collection["features"]] == [one["id"] for one in found]
    size = next(one["properties"] for one in collection["features"] if one["properties"]["kind"] == "size")
    assert (size["accepted_by"], size["reason"]) == ("planner", REASON)
    assert size["message_en"]

    answer = planner.get(f"{base}.gpkg")
    assert answer.mimetype == "application/geopackage+sqlite3"
    path = tmp_path / "taken.gpkg"
    path.write_bytes(answer.data)
    areas = rows(path, "finding_area")
    assert len(areas) == len(found)
    missing = next(row for row in areas if row["severity"] == "error" and row["geometry"] is not None)
    assert f"{COMMUNITIES[3]}001" in str(missing["codes"])
    assert planner.get(f"{base}.gpkg", at="x").status_code == 422
    operator = token_client(app, city_ctx, "operator")
    for suffix in ("gpkg", "geojson"):
        assert operator.get(f"{base}.{suffix}").status_code == 403
        assert planner.get(f"/api/generations/999999/findings.{suffix}").status_code == 404
