"""A small made city for tests of routing, incidents and HTTP: one county, two towns, four communities, eight grids.

Everything lies on a lattice of 0.005°, about 380 m by 556 m, west to east from 127.00°, south to north from 47.00°::

    town 230881001            town 230881002
    K1 …001     K2 …002       K3 …001     K4 …002
    g1 | g2     g1 | g2       g1 | g2     g1 | g2      each grid has two sub-grids, south and north
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gis_server.core.access import CONSOLE, Role, Tier
from gis_server.core.datum import Datum
from gis_server.journeys import accounts, layers
from gis_server.journeys.accounts import NewAccount
from gis_server.journeys.context import Context

STEP = 0.005
WEST, SOUTH = 127.0, 47.0
COLUMNS, ROWS = 8, 2
COUNTY = "230881"
TOWNS = ("230881001", "230881002")
COMMUNITIES = ("230881001001", "230881001002", "230881002001", "230881002002")
PUBLISHED = datetime.now(UTC) - timedelta(days=10)
SECRET = "绝密字样"
"""Stands in every text that the hall must never see."""


def ring(left: int, right: int, bottom: int, top: int) -> list[list[float]]:
    """A rectangle of the lattice with a vertex at every node, so that neighbours share theirs."""
    south = [(column, bottom) for column in range(left, right)]
    east = [(right, row) for row in range(bottom, top)]
    north = [(column, top) for column in range(right, left, -1)]
    west = [(left, row) for row in range(top, bottom, -1)]
    return [
        [round(WEST + c * STEP, 6), round(SOUTH + r * STEP, 6)]
        for c, r in [*south, *east, *north, *west, (left, bottom)]
    ]


def feature(properties: dict[str, object], *box: int) -> dict[str, object]:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [ring(*box)]},
    }


def point(properties: dict[str, object], lon: float, lat: float) -> dict[str, object]:
    geometry = {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def areas() -> Iterator[dict[str, object]]:
    def area(
        code: str, name: str, level: str, parent: str | None, left: int, right: int
    ) -> dict[str, object]:
        properties = {"area_code": code, "area_name": name, "admin_level": level, "parent_code": parent}
        return feature(properties, left, right, 0, ROWS)

    yield area(COUNTY, "试验市", "county", None, 0, 8)
    for n, town in enumerate(TOWNS):
        yield area(town, f"{'西东'[n]}镇", "township", COUNTY, 4 * n, 4 * n + 4)
    for n, community in enumerate(COMMUNITIES):
        yield area(community, f"第{n + 1}社区", "community", TOWNS[n // 2], 2 * n, 2 * n + 2)


def grids() -> Iterator[dict[str, object]]:
    for column in range(COLUMNS):
        community = COMMUNITIES[column // 2]
        properties = {
            "grid_code": f"{community}00{column % 2 + 1}",
            "grid_name": f"{column + 1}号网格",
            "community_code": community,
            "grid_kind": "resident_grid",
            "resident_households": 200,
        }
        yield feature(properties, column, column + 1, 0, ROWS)


def sub_grids() -> Iterator[dict[str, object]]:
    for column in range(COLUMNS):
        grid = f"{COMMUNITIES[column // 2]}00{column % 2 + 1}"
        for row in range(ROWS):
            properties = {
                "sub_grid_code": f"{grid}0{row + 1}",
                "sub_grid_name": f"{column + 1}-{row + 1}",
                "grid_code": grid,
                "subdivision_kind": "sub_grid",
                "resident_households": 60,
            }
            yield feature(properties, column, column + 1, row, row + 1)


def cameras() -> Iterator[dict[str, object]]:
    for number, site in enumerate(("important_site", "sensitive_site", "ordinary_site")):
        properties = {
            "camera_code": f"2308810000131000{number + 1:04d}",
            "camera_name": SECRET if site == "sensitive_site" else f"{number + 1}号摄像机",
            "camera_site_class": site,
        }
        yield point(properties, WEST + 0.002 + 0.01 * number, SOUTH + 0.002)


LAYERS = {"area": areas, "grid": grids, "sub_grid": sub_grids, "camera": cameras}


def publish_city(ctx: Context, folder: Path, names: tuple[str, ...] = tuple(LAYERS)) -> None:
    """Import and publish the city's layers, in force since ``PUBLISHED``."""
    for name in names:
        path = folder / f"{name}.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": list(LAYERS[name]())}))
        result = layers.import_layer(
            ctx, CONSOLE, name, path, datum=Datum.CGCS2000, publish=True, now=PUBLISHED
        )
        assert result.held_back is None, (result.held_back, result.report, result.problems)


PEOPLE = {
    "admin": NewAccount("admin", "管理员", Role.ADMIN, tier=Tier.PROTECTED),
    "approver": NewAccount("approver", "审批人", Role.APPROVER),
    "planner": NewAccount("planner", "规划员", Role.PLANNER),
    "analyst": NewAccount("analyst", "分析员", Role.ANALYST),
    "operator": NewAccount("operator", "值班员", Role.OPERATOR),
    "west": NewAccount("west", "西镇值班员", Role.OPERATOR, TOWNS[0]),
    "east": NewAccount("east", "东镇值班员", Role.OPERATOR, TOWNS[1]),
    "worker": NewAccount("worker", "网格员", Role.GRID_WORKER, COMMUNITIES[0]),
    "display": NewAccount("display", "大屏", Role.DISPLAY),
}
PASSWORD = "correct horse battery"


def add_people(ctx: Context) -> None:
    for new in PEOPLE.values():
        accounts.add_account(ctx, CONSOLE, new, PASSWORD, PUBLISHED)


def inside(column: int, row: int = 0) -> dict[str, float]:
    """A point in the middle of a grid's southern (row 0) or northern sub-grid."""
    return {"lon": round(WEST + (column + 0.5) * STEP, 6), "lat": round(SOUTH + (row + 0.5) * STEP, 6)}
