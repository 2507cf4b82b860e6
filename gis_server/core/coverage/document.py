"""A report as other programs read it: the JSON and GeoJSON of ``validate`` (schema gis-server/validation/1)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import shapely

from gis_server.core.coverage.certificate import as_dict
from gis_server.core.coverage.edges import Geometries
from gis_server.core.coverage.findings import Finding, Report
from gis_server.core.message import Translate

SCHEMA = "gis-server/validation/1"


@dataclass(frozen=True, slots=True)
class Input:
    """What was checked: file name, number of rows, CRS and text encoding as read, and the layer it was checked as."""

    file: str
    features: int
    crs: str
    encoding: str | None
    layer: str = "grid"


def as_json(
    report: Report,
    source: Input,
    languages: Mapping[str, Translate],
    to_lonlat: Callable[[Geometries], Geometries] | None = None,
) -> dict[str, Any]:
    """The contract's document; ``to_lonlat`` is None where coordinates are given out as they came (``--crs local``)."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "profile": report.profile,
        "input": asdict(source),
        "tolerance_m2": report.tolerance_m2,
        "summary": asdict(report.summary),
        "findings": findings_json(report.findings, languages, to_lonlat),
    }
    if report.certificate is not None:
        document["certificate"] = dict(as_dict(report.certificate))
    return document


def findings_json(
    findings: Sequence[Finding],
    languages: Mapping[str, Translate],
    to_lonlat: Callable[[Geometries], Geometries] | None = None,
) -> list[dict[str, Any]]:
    """Findings as plain data, geometry after RFC 7946 (shells anticlockwise)."""
    shapes = np.array([f.geometry for f in findings], dtype=object)
    if to_lonlat is not None and len(shapes):
        shapes = to_lonlat(shapes)
    return [_finding_json(finding, shape, languages) for finding, shape in zip(findings, shapes, strict=True)]


def as_geojson(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document of ``as_json`` as a FeatureCollection: one feature a finding, the rest as a foreign member."""
    features = []
    for finding in document["findings"]:
        properties = {k: v for k, v in finding.items() if k not in ("geometry", "message")}
        properties |= {f"message_{language}": text for language, text in finding["message"].items()}
        features.append({"type": "Feature", "properties": properties, "geometry": finding["geometry"]})
    rest = {k: v for k, v in document.items() if k != "findings"}
    return {"type": "FeatureCollection", "features": features, "validation": rest}


def _finding_json(
    finding: Finding, shape: shapely.Geometry | None, languages: Mapping[str, Translate]
) -> dict[str, Any]:
    content: dict[str, Any] = {
        "kind": finding.kind.value,
        "rule": finding.rule,
        "severity": finding.severity.value,
        "clause": finding.clause,
        "fids": list(finding.fids),
        "codes": list(finding.codes),
        "area_m2": finding.area_m2,
        "width_m": finding.width_m,
        "message": {name: finding.message.render(words) for name, words in languages.items()},
        "geometry": None if shape is None else shapely.geometry.mapping(shapely.orient_polygons(shape)),
    }
    if finding.weight is not None:
        content["weight"] = asdict(finding.weight)
    return content
