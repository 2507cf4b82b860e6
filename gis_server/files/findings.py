"""Findings as a GeoPackage that QGIS opens in colours: areas, lines and points, each with its style inside."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.acceptance import KeptFinding
from gis_server.core.finding_look import look_of
from gis_server.core.geometry import STORAGE_CRS
from gis_server.core.message import Message, Translate, msg
from gis_server.files.gdal import pyogrio
from gis_server.files.qgis_style import Shape, qml


@dataclass(frozen=True, slots=True)
class _Layer:
    name: str
    title: Message
    shape: Shape
    geometry: str
    types: tuple[int, ...]  # shapely's numbers of the single parts


_LAYERS = (
    _Layer("finding_area", msg("检查发现的问题（面）"), Shape.FILL, "MultiPolygon", (3,)),
    _Layer("finding_line", msg("检查发现的问题（线）"), Shape.LINE, "MultiLineString", (1, 2)),
    _Layer("finding_point", msg("检查发现的问题（点）"), Shape.MARKER, "MultiPoint", (0,)),
)

_STYLES = """
    CREATE TABLE layer_styles (
        id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT, f_table_schema TEXT, f_table_name TEXT,
        f_geometry_column TEXT, styleName TEXT, styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
        owner TEXT, ui TEXT, update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    )
"""
_STYLE = """
    INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML,
                              styleSLD, useAsDefault, description, owner)
    VALUES ('', '', ?, 'geom', ?, ?, '', 1, ?, '')
"""
_CONTENTS = "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('layer_styles', 'attributes', 'layer_styles')"


def write_findings(
    path: Path, kept: Sequence[KeptFinding], words: Translate, languages: Mapping[str, Translate]
) -> None:
    """Write findings (EPSG:4490) to ``path``, a .gpkg; titles and legends are in the language of ``words``.

    What has no place stands in the layer of areas without a geometry. A layer without rows is left out, but areas.
    """
    shapes = [one.finding.geometry for one in kept]
    columns = _columns(kept, languages)
    with TemporaryDirectory(prefix=".gis-server-", dir=path.parent) as folder:
        unfinished = Path(folder) / "findings.gpkg"
        written = [layer for layer in _LAYERS if _write(unfinished, layer, shapes, columns, words)]
        with closing(sqlite3.connect(unfinished)) as database, database:
            database.execute(_STYLES)
            database.execute(_CONTENTS)
            for layer in written:
                title = layer.title.render(words)
                database.execute(_STYLE, (layer.name, title, qml(layer.shape, words), title))
        unfinished.replace(path)


def _write(
    path: Path,
    layer: _Layer,
    shapes: Sequence[shapely.Geometry | None],
    columns: Mapping[str, NDArray[np.generic]],
    words: Translate,
) -> bool:
    parts = [_parts(shape, layer.types) for shape in shapes]
    is_first = layer is _LAYERS[0]
    rows = [at for at, part in enumerate(parts) if part or (is_first and shapes[at] is None)]
    if not rows and not is_first:
        return False
    geometry = np.empty(len(rows), dtype=object)
    geometry[:] = [_collected(parts[at], layer.shape) for at in rows]
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(geometry),
        field_data=[column[rows] for column in columns.values()],
        fields=list(columns),
        layer=layer.name,
        driver="GPKG",
        geometry_type=layer.geometry,
        crs=STORAGE_CRS,
        append=path.exists(),
        layer_options={"IDENTIFIER": layer.title.render(words)},
    )
    return True


def _parts(shape: shapely.Geometry | None, types: tuple[int, ...]) -> list[shapely.Geometry]:
    if shape is None:
        return []
    singles = shapely.get_parts(shapely.get_parts(np.array([shape], dtype=object)))
    return [one for one in singles if shapely.get_type_id(one) in types and not one.is_empty]


def _collected(parts: list[shapely.Geometry], shape: Shape) -> shapely.Geometry | None:
    if not parts:
        return None
    collect = {
        Shape.FILL: shapely.multipolygons,
        Shape.LINE: shapely.multilinestrings,
        Shape.MARKER: shapely.multipoints,
    }
    return collect[shape](parts)


def _columns(
    kept: Sequence[KeptFinding], languages: Mapping[str, Translate]
) -> dict[str, NDArray[np.generic]]:
    found = [one.finding for one in kept]
    accepted = [one.acceptance for one in kept]
    texts: dict[str, list[str | None]] = {
        "kind": [f.kind.value for f in found],
        "look": [look_of(f.kind).key for f in found],
        "rule": [f.rule for f in found],
        "severity": [f.severity.value for f in found],
        "clause": [f.clause for f in found],
        "codes": [",".join(f.codes) for f in found],
        **{f"message_{name}": [f.message.render(words) for f in found] for name, words in languages.items()},
        "accepted_by": [None if a is None else a.who for a in accepted],
        "accepted_at": [None if a is None else a.at.isoformat(timespec="seconds") for a in accepted],
        "reason": [None if a is None else a.reason for a in accepted],
    }
    numbers = {
        "finding_id": np.array([one.id for one in kept], dtype=np.int64),
        "area_m2": np.array([f.area_m2 for f in found], dtype=np.float64),
        "width_m": np.array([f.width_m for f in found], dtype=np.float64),
    }
    return numbers | {name: _objects(values) for name, values in texts.items()}


def _objects(values: Sequence[str | None]) -> NDArray[np.object_]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
