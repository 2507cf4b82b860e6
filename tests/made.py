"""A small county, made to order: tables that fit the layers, files of them, and a context to import them into."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import shapely

COUNTY, TOWN_A, TOWN_B = "230881", "230881001", "230881002"
COMMUNITIES = ("230881001001", "230881001002", "230881002001")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

_WEST, _SOUTH, _STEP = 132.50, 47.64, 0.01


def square(column: float, row: float, width: float = 1.0, height: float = 1.0) -> shapely.Polygon:
    """A rectangle of hundredths of a degree in the county's corner."""
    west, south = _WEST + column * _STEP, _SOUTH + row * _STEP
    return shapely.box(west, south, west + width * _STEP, south + height * _STEP)


def place(column: float, row: float) -> shapely.Point:
    """A point at hundredths of a degree from the county's corner."""
    return shapely.Point(_WEST + column * _STEP, _SOUTH + row * _STEP)


def geojson(path: Path, geometries: Sequence[object], rows: Sequence[Mapping[str, object]]) -> Path:
    """Write features as GeoJSON (longitude, latitude)."""
    features = [
        {
            "type": "Feature",
            "properties": dict(row),
            "geometry": None if geometry is None else json.loads(shapely.to_geojson(geometry)),
        }
        for geometry, row in zip(geometries, rows, strict=True)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False))
    return path


def areas(folder: Path) -> Path:
    """A county of 4 × 2, two townships of 2 × 2; the first has two communities side by side, the second one."""
    shapes = [
        square(0, 0, 4, 2),
        square(0, 0, 2, 2),
        square(2, 0, 2, 2),
        square(0, 0, 1, 2),
        square(1, 0, 1, 2),
        square(2, 0, 2, 2),
    ]
    codes = [COUNTY, TOWN_A, TOWN_B, *COMMUNITIES]
    levels = ["county", "township", "township", "community", "community", "community"]
    parents = [None, COUNTY, COUNTY, TOWN_A, TOWN_A, TOWN_B]
    rows = [
        {"area_code": code, "area_name": f"区划{code}", "admin_level": level, "parent_code": parent}
        for code, level, parent in zip(codes, levels, parents, strict=True)
    ]
    return geojson(folder / "area.geojson", shapes, rows)


def grid_rows() -> tuple[list[shapely.Polygon], list[dict[str, object]]]:
    """One grid a community in its lower half and one in its upper: six that tile the county."""
    shapes, rows = [], []
    for community, (column, width) in zip(COMMUNITIES, ((0, 1), (1, 1), (2, 2)), strict=True):
        for row in (0, 1):
            shapes.append(square(column, row, width, 1))
            rows.append(
                {
                    "grid_code": f"{community}{row + 1:03}",
                    "grid_name": f"{community[-3:]}社区第{row + 1}网格",
                    "community_code": community,
                    "grid_kind": "resident_grid",
                    "resident_households": 200 + row,
                }
            )
    return shapes, rows


def grids(folder: Path, name: str = "grid.geojson") -> Path:
    """The six grids."""
    return geojson(folder / name, *grid_rows())


def sub_grids(folder: Path) -> Path:
    """Two sub-grids in the first grid."""
    rows = [
        {
            "sub_grid_code": f"{COMMUNITIES[0]}001{n:02}",
            "sub_grid_name": f"子网格{n}",
            "grid_code": f"{COMMUNITIES[0]}001",
            "subdivision_kind": "sub_grid",
            "resident_households": 40 + n,
        }
        for n in (1, 2)
    ]
    return geojson(folder / "sub_grid.geojson", [square(0, 0, 0.5), square(0.5, 0, 0.5)], rows)


def cameras(folder: Path) -> Path:
    """An ordinary camera in township A, a sensitive one beside it, an ordinary one in township B."""
    places = [place(0.5, 0.5), place(0.6, 0.5), place(3, 0.5)]
    classes = ["ordinary_site", "sensitive_site", "ordinary_site"]
    rows = [
        {"camera_code": f"2308810000131{n:07}", "camera_name": f"监控{n}", "camera_site_class": kind}
        for n, kind in enumerate(classes, start=1)
    ]
    return geojson(folder / "camera.geojson", places, rows)


def incidents(folder: Path, days: Sequence[str], places: Sequence[shapely.Point], first: int = 1) -> Path:
    """Past incidents at these places, discovered at these times (RFC 3339)."""
    rows = [
        {
            "number": f"LS{n:05}",
            "state": "archived",
            "is_urgent": "否",
            "discovered_at": day,
            "description": "路灯不亮",
            "source": "patrol",
            "item": "市政设施",
        }
        for n, day in enumerate(days, start=first)
    ]
    return geojson(folder / "incident.geojson", places, rows)


def objects(*values: object) -> np.ndarray:
    """An object array."""
    array = np.empty(len(values), object)
    array[:] = values
    return array
