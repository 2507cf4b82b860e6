"""One case of boundaries, checked in the three ways there are: by the core, by ``validate`` and by an import.

Shapes are metres on the plane of the acceptance scenarios: K1 is the square (0, 0)–(1000, 1000). An import has no plane of its own, so there the
same metres are laid into a Gauss–Krüger zone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from click.testing import CliRunner
from coverages import write_layer
from made import NOON, geojson
from shapely import Polygon, box

from gis_server.cli import main
from gis_server.core.access import CONSOLE
from gis_server.core.coverage.check import check
from gis_server.core.coverage.facts import Addresses, Facts
from gis_server.core.coverage.layer import Cells, Parents
from gis_server.core.coverage.rules import rules_of
from gis_server.core.datum import Datum
from gis_server.core.generation import Generation
from gis_server.core.geometry import STORAGE_CRS, transform
from gis_server.files.catalogue import load
from gis_server.files.profile import read_profile
from gis_server.journeys import layers as journey
from gis_server.journeys.context import Context
from gis_server.settings import Settings
from gis_server.store.engine import make_engine

COUNTY, TOWN, K1, K2 = "230881", "230881001", "230881001001", "230881001002"
GROUND = {K1: box(0, 0, 1000, 1000), K2: box(1000, 0, 2000, 1000)}
ZONE, EAST, NORTH = "EPSG:4553", 500_000.0, 5_280_000.0
"""Where an import lies: the zone of 132° E, near Tongjiang."""

WAYS = ("core", "validate", "staging")


@dataclass(frozen=True)
class Told:
    """One finding as every way tells it; ``geometry`` is on the plane again."""

    kind: str
    rule: str
    severity: str
    clause: str
    fids: tuple[int, ...]
    codes: tuple[str, ...]
    area_m2: float
    width_m: float
    sentence: str
    geometry: Any
    weight: tuple[int, int] | None


@dataclass(frozen=True)
class Case:
    """Grids (or sub-grids) with what their table says of them, the communities they lie in, and the addresses."""

    grids: Sequence[Any]
    profile: str
    communities: Sequence[str] = (K1,)
    codes: Sequence[str] | None = None
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    addresses: Mapping[str, Any] | None = None  # code → (x, y, households, people)

    def code(self, row: int) -> str:
        return f"{K1}{row + 1:03d}" if self.codes is None else self.codes[row]

    def column(self, name: str) -> np.ndarray | None:
        if name not in self.columns:
            return None
        values = np.empty(len(self.grids), dtype=object)
        values[:] = self.columns[name]
        return values

    @property
    def kinds(self) -> list[str]:
        return list(self.columns.get("grid_kind", ["resident_grid"] * len(self.grids)))

    @property
    def parents(self) -> list[str]:
        """The community that each grid says it lies in: by default the one its code begins with."""
        if "community_code" in self.columns:
            return list(self.columns["community_code"])
        return [self.code(i)[:12] if self.code(i)[:12] in GROUND else K1 for i in range(len(self.grids))]


def with_corners(shape: Polygon, grids: Sequence[Any]) -> Polygon:
    """The polygon with a vertex wherever a grid has one on its outline: in degrees straight lines are others."""
    corners = shapely.multipoints(shapely.get_coordinates([g for g in grids if g is not None]))
    return shapely.snap(shape, corners, 1e-9)


def objects(values: Sequence[Any]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


# -- core ------------------------------------------------------------------------------------------------------


def by_core(case: Case) -> tuple[list[Told], Any]:
    exclusive = np.array([kind == "exclusive_grid" for kind in case.kinds])
    cells = Cells(
        objects(case.grids),
        codes=objects([case.code(i) for i in range(len(case.grids))]),
        parent_codes=objects(case.parents),
        exclusive=exclusive,
    )
    parents = Parents(objects([GROUND[c] for c in case.communities]), objects(list(case.communities)))
    facts = Facts(
        case.column("resident_households"),
        case.column("actual_population"),
        case.column("settlement_class"),
        case.column("host_units"),
        case.column("managing_department"),
    )
    addresses = None
    if case.addresses is not None:
        xy, households, people = _columns_of(case.addresses)
        addresses = Addresses(xy, objects(list(case.addresses)), households, people)
    report = check(
        cells, parents, rules=rules_of(read_profile(case.profile)), facts=facts, addresses=addresses
    )
    return [told(f, f.geometry) for f in report.findings], report.summary


def _columns_of(addresses: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = list(addresses.values())
    return np.array([row[:2] for row in rows]), objects([r[2] for r in rows]), objects([r[3] for r in rows])


def told(finding: Any, geometry: Any) -> Told:
    """A finding of the product as the tests compare it."""
    weight = finding.weight
    return Told(
        finding.kind.value,
        finding.rule,
        finding.severity.value,
        finding.clause,
        finding.fids,
        finding.codes,
        finding.area_m2,
        finding.width_m,
        str(finding.message),
        geometry,
        None if weight is None else (weight.addresses, weight.people),
    )


# -- validate ---------------------------------------------------------------------------------------------------


def by_validate(case: Case, folder: Path) -> tuple[list[Told], Any]:
    grids = write_layer(
        folder / "grids.gpkg",
        case.grids,
        grid_code=[case.code(i) for i in range(len(case.grids))],
        community_code=case.parents,
        grid_kind=case.kinds,
        **_plain(case.columns),
    )
    areas = write_layer(
        folder / "areas.gpkg", [GROUND[c] for c in case.communities], area_code=list(case.communities)
    )
    more: list[str] = []
    if case.addresses is not None:
        xy, households, people = _columns_of(case.addresses)
        path = write_layer(
            folder / "addresses.gpkg",
            shapely.points(xy),
            address_code=list(case.addresses),
            resident_households=households.astype(np.int64),
            actual_population=people.astype(np.int64),
        )
        more = ["--addresses", str(path)]
    return run_validate(grids, "--within", str(areas), "--profile", case.profile, "--crs", "local", *more)


def _plain(columns: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Columns as a file holds them: numbers that are missing are not 0."""
    kept: dict[str, Any] = {}
    for name, values in columns.items():
        if name in ("grid_kind", "community_code"):
            continue
        is_text = any(isinstance(v, str) for v in values) or all(v is None for v in values)
        kept[name] = (
            objects(list(values)) if is_text else np.array([np.nan if v is None else v for v in values])
        )
    return kept


def run_validate(*arguments: object) -> tuple[list[Told], Any]:
    """The findings and the summary of ``gis-server validate``, whose exit code must agree."""
    result = CliRunner().invoke(main, ["validate", *map(str, arguments), "--format", "json"])
    assert result.exit_code in (0, 1), result.output + result.stderr
    document = json.loads(result.stdout)
    assert (result.exit_code == 1) == bool(document["summary"]["errors"])
    found = [
        Told(
            one["kind"],
            one["rule"],
            one["severity"],
            one["clause"],
            tuple(one["fids"]),
            tuple(one["codes"]),
            one["area_m2"],
            one["width_m"],
            one["message"]["zh"],
            None if one["geometry"] is None else shapely.from_geojson(json.dumps(one["geometry"])),
            (one["weight"]["addresses"], one["weight"]["people"]) if one.get("weight") else None,
        )
        for one in document["findings"]
    ]
    return found, document["summary"]


# -- staging -----------------------------------------------------------------------------------------------------


def laid(shapes: Sequence[Any]) -> np.ndarray:
    """Shapes of the plane in longitude and latitude."""
    moved = shapely.transform(objects(list(shapes)), lambda xy: xy + np.array([EAST, NORTH]))
    return transform(moved, ZONE, STORAGE_CRS)


def on_plane(shape: Any) -> Any:
    """A shape in longitude and latitude back on the plane."""
    if shape is None:
        return None
    moved = transform(objects([shape]), STORAGE_CRS, ZONE)[0]
    return shapely.transform(moved, lambda xy: xy - np.array([EAST, NORTH]))


def context_of(url: str, profile: str, folder: Path) -> Context:
    settings = Settings.from_environment(
        {"GIS_DATABASE_URL": url, "GIS_VAR": str(folder / "var"), "GIS_PROFILE": profile}
    )
    return Context(make_engine(url), load(settings.layers), settings)


def put(ctx: Context, layer: str, path: Path, **rest: Any) -> journey.ImportResult:
    given: dict[str, Any] = {"crs": STORAGE_CRS, "datum": Datum.CGCS2000, "now": NOON, "publish": True} | rest
    return journey.import_layer(ctx, CONSOLE, layer, path, **given)


def put_areas(ctx: Context, case: Case, folder: Path, **rest: Any) -> journey.ImportResult:
    whole = shapely.union_all([GROUND[c] for c in case.communities])
    shapes = [whole, whole, *(GROUND[c] for c in case.communities)]
    rows = [
        {"area_code": code, "area_name": code, "admin_level": level, "parent_code": parent}
        for code, level, parent in (
            (COUNTY, "county", None),
            (TOWN, "township", COUNTY),
            *((code, "community", TOWN) for code in case.communities),
        )
    ]
    return put(
        ctx,
        "area",
        geojson(folder / "area.geojson", laid([with_corners(s, case.grids) for s in shapes]), rows),
        **rest,
    )


def put_addresses(
    ctx: Context, addresses: Mapping[str, Any], folder: Path, **rest: Any
) -> journey.ImportResult:
    xy, households, people = _columns_of(addresses)
    rows = [
        {"address_code": code, "standard_address": code, "resident_households": h, "actual_population": p}
        for code, h, p in zip(addresses, households, people, strict=True)
    ]
    return put(ctx, "address", geojson(folder / "address.geojson", laid(shapely.points(xy)), rows), **rest)


def put_grids(ctx: Context, case: Case, folder: Path, **rest: Any) -> journey.ImportResult:
    rows = [
        {
            "grid_code": case.code(i),
            "grid_name": f"网格{i + 1}",
            "community_code": case.parents[i],
            "grid_kind": case.kinds[i],
            **{
                name: values[i]
                for name, values in case.columns.items()
                if name not in ("grid_kind", "community_code")
            },
        }
        for i in range(len(case.grids))
    ]
    return put(ctx, "grid", geojson(folder / "grid.geojson", laid(case.grids), rows), **rest)


@dataclass(frozen=True)
class Staged:
    """A case in a store of its own: the generation, and what publishing said."""

    ctx: Context
    generation: Generation
    result: journey.ImportResult


def stage(case: Case, url: str, folder: Path) -> Staged:
    ctx = context_of(url, case.profile, folder)
    put_areas(ctx, case, folder)
    if case.addresses is not None:
        put_addresses(ctx, case.addresses, folder)
    result = put_grids(ctx, case, folder)
    assert result.generation is not None
    return Staged(ctx, result.generation, result)


def told_by(result: journey.ImportResult) -> list[Told]:
    """The findings of an import, on the plane."""
    return [told(f, on_plane(f.geometry)) for f in result.findings]
