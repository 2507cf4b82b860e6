"""The sample city as files: what the command writes, and what ``defects.csv`` says of it, measured again."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
import shapely
from click.testing import CliRunner

from gis_server.cli.sample import sample
from gis_server.core.datum import Datum
from gis_server.core.features import RawTable
from gis_server.core.geometry import transform
from gis_server.files.read import read
from gis_server.journeys.sample_files import FOLDER, sample_file
from gis_server.sample.city import LAYERS, City, make_city
from gis_server.sample.dirt import RULES, make_dirty, strip_width
from gis_server.sample.tables import Table

METRIC = "EPSG:4553"


@pytest.fixture(scope="module")
def city() -> City:
    return make_city()


@pytest.fixture(scope="module")
def small() -> City:
    return make_city(seed=3, towns=1, communities_per_town=4, grids_per_community=4)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("city") / "out"
    result = CliRunner().invoke(sample, [str(out)])
    assert result.exit_code == 0, result.output
    return out


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_command_writes_the_same_bytes_again(written: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(sample, [str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert files(tmp_path) == files(written)


def test_the_committed_files_are_what_the_command_writes(written: Path) -> None:
    kept = files(FOLDER)
    del kept["README.md"]
    fresh = files(written)
    assert fresh.keys() == kept.keys()
    assert sum(map(len, kept.values())) < 12e6
    # another processor may round a sine otherwise: what is read counts here, not bytes (see the next test)
    for name, content in kept.items():
        assert abs(len(content) - len(fresh[name])) <= 0.02 * len(content), name


def test_an_existing_city_is_not_overwritten(written: Path) -> None:
    before = files(written)
    result = CliRunner().invoke(sample, [str(written), "--seed", "5", "--towns", "1", "--communities", "2"])
    assert result.exit_code != 0
    assert files(written) == before


def clean_table(layer: str) -> RawTable:
    datum = Datum.CGCS2000 if layer in ("address", "camera", "incident") else None
    return read(sample_file(FOLDER, layer), names=(layer,), datum=datum)


@pytest.mark.parametrize("layer", LAYERS)
def test_clean_files_hold_the_city(city: City, layer: str) -> None:
    raw = clean_table(layer)
    assert raw.source.crs == "EPSG:4490"
    assert len(raw.rows) == len(city[layer])
    back = transform(raw.geometry, "EPSG:4490", METRIC)
    assert shapely.hausdorff_distance(back, city[layer].geometry).max() < 0.03
    first = next(iter(city[layer].columns))
    assert raw.columns[first[:10] if raw.cut_names_at else first].tolist() == city[layer][first].tolist()


def test_clean_coverage_stays_exact_in_degrees() -> None:
    for layer in ("grid", "sub_grid"):
        assert shapely.coverage_is_valid(clean_table(layer).geometry)


def test_addresses_as_received_are_gcj02() -> None:
    path = FOLDER / "as_received" / "addresses.csv"
    with path.open(encoding="gbk", newline="") as file:
        rows = list(csv.DictReader(file))
    given = transform(
        shapely.points([float(r["经度"]) for r in rows], [float(r["纬度"]) for r in rows]),
        "EPSG:4490",
        METRIC,
    )
    true = transform(clean_table("address").geometry, "EPSG:4490", METRIC)
    assert 200 < np.median(shapely.distance(given, true)) < 800
    raw = read(path, datum=Datum.GCJ02)
    assert raw.columns["地址编码"][0] == rows[0]["地址编码"]
    assert len(rows[0]["地址编码"]) == 18


def test_cameras_as_received_keep_all_twenty_digits(city: City) -> None:
    raw = read(FOLDER / "as_received" / "cameras.xlsx", datum=Datum.WGS84)
    assert raw.columns["设备编码"].tolist() == city["camera"]["camera_code"].tolist()


def test_archive_names_are_gbk_without_a_mark() -> None:
    data = (FOLDER / "as_received" / "areas.zip").read_bytes()
    assert "区划数据/行政区划.shp".encode("gbk") in data
    assert "行政".encode() not in data
    assert len(read(FOLDER / "as_received" / "areas.zip").rows) == 28


def test_dbf_as_received_says_nothing_of_its_encoding(city: City) -> None:
    folder = FOLDER / "as_received"
    assert not list(folder.glob("*.cpg"))
    content = (folder / "grids.dbf").read_bytes()
    assert content[29] == 0
    assert (folder / "sub_grids.dbf").read_bytes()[29] == 0x57
    names = [content[32 + 32 * k : 42 + 32 * k] for k in range(len(city["grid"].columns))]
    with pytest.raises(UnicodeDecodeError):
        names[2].decode("gbk")  # 所属社区(村) cut in mid-character
    assert city["grid"]["grid_name"][0].encode("gbk") in content


# -- defects, measured again from the files ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def defects() -> list[dict[str, str]]:
    with (FOLDER / "as_received" / "defects.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def received() -> dict[str, RawTable]:
    folder = FOLDER / "as_received"
    return {
        "grid": read(folder / "grids.shp"),
        "sub_grid": read(folder / "sub_grids.shp"),
        "address": read(folder / "addresses.csv", datum=Datum.GCJ02),
    }


def key_column(raw: RawTable) -> np.ndarray:
    return raw.columns[next(iter(raw.columns))]


def of_kind(defects: list[dict[str, str]], kind: str) -> list[dict[str, str]]:
    found = [d for d in defects if d["kind"] == kind]
    assert found
    return found


def fids(defect: dict[str, str]) -> list[int]:
    return [int(f) for f in defect["fids"].split()]


def place(defect: dict[str, str]) -> shapely.Point:
    return transform(
        np.array([shapely.Point(float(defect["lon"]), float(defect["lat"]))]), "EPSG:4490", METRIC
    )[0]


def test_every_kind_is_there_with_its_rule(defects: list[dict[str, str]]) -> None:
    assert {d["kind"] for d in defects} == set(RULES)
    assert all(d["rule"] == RULES[d["kind"]] for d in defects)
    assert len({d["id"] for d in defects}) == len(defects)


def test_codes_of_defects_are_those_of_the_rows(
    defects: list[dict[str, str]], received: dict[str, RawTable]
) -> None:
    for defect in defects:
        codes = key_column(received[defect["layer"]])[fids(defect)]
        assert sorted(codes) == sorted(defect["codes"].split()), defect["id"]


def test_no_two_defects_share_a_grid_that_they_spoil(defects: list[dict[str, str]]) -> None:
    spoilt = [
        f
        for d in defects
        if d["layer"] == "grid" and d["kind"] not in ("missing_cell", "code_gap")
        for f in fids(d)
    ]
    assert len(spoilt) == len(set(spoilt))


def changed(city: City, received: dict[str, RawTable], fid: int) -> object:
    """What the received grid has more or less than the clean one at the same place."""
    grid = received["grid"].geometry[fid]
    clean = city["grid"].geometry
    match = clean[np.argmax(shapely.area(shapely.intersection(clean, shapely.make_valid(grid))))]
    return shapely.symmetric_difference(grid, match)


@pytest.mark.parametrize(
    ("kind", "gains"),
    [
        ("gap", False),
        ("bay", False),
        ("overlap", True),
        ("outside", True),
        ("other_parent_overlap", True),
        ("near_miss", None),
    ],
)
def test_bent_borders_measure_what_is_said(
    city: City, defects: list[dict[str, str]], received: dict[str, RawTable], kind: str, gains: bool | None
) -> None:
    county = city["area"].geometry[0]
    for defect in of_kind(defects, kind):
        changes = [changed(city, received, f) for f in fids(defect)]
        change = max(changes, key=lambda c: c.area)
        assert sorted(c.area > 1e-6 for c in changes)[-1]
        assert sum(c.area > 1e-6 for c in changes) == 1, "only one of the two was moved"
        assert change.area == pytest.approx(float(defect["area_m2"]), abs=1e-3)
        assert strip_width(change) == pytest.approx(float(defect["width_m"]), abs=1e-3)
        assert shapely.distance(change, place(defect)) < 0.01
        covering = shapely.contains(received["grid"].geometry[fids(defect)], place(defect))
        if gains is True:
            assert covering.all() if kind != "outside" else covering.sum() == 1
        elif gains is False:
            assert not covering.any()
        assert shapely.contains(county, place(defect)) == (kind != "outside")
        if kind == "near_miss":
            assert change.area < 1.0
        if kind in ("bay", "outside"):
            assert shapely.length(shapely.intersection(change.exterior, county.exterior)) > 10
    if kind in ("gap", "overlap"):
        widths = sorted(float(d["width_m"]) for d in of_kind(defects, kind))
        assert widths[0] == pytest.approx(0.2, abs=0.01)
        assert widths[-1] > 5


def test_missing_cell(city: City, defects: list[dict[str, str]], received: dict[str, RawTable]) -> None:
    (defect,) = of_kind(defects, "missing_cell")
    (at,) = np.flatnonzero(shapely.contains(city["grid"].geometry, place(defect)))
    hole = city["grid"].geometry[at]
    assert city["grid"]["grid_code"][at] not in key_column(received["grid"])
    assert hole.area == pytest.approx(float(defect["area_m2"]), abs=1e-3)
    present = received["grid"].geometry
    around = [
        i
        for i, g in enumerate(present)
        if g is not None and shapely.length(shapely.intersection(shapely.boundary(g), hole.exterior)) > 0.1
    ]
    assert around == fids(defect)
    assert shapely.intersection(shapely.make_valid(present[around]), hole).tolist() != []
    assert shapely.area(shapely.intersection(present[around], hole)).max() < 1e-6


def test_grids_too_many(defects: list[dict[str, str]], received: dict[str, RawTable]) -> None:
    shapes = received["grid"].geometry
    (defect,) = of_kind(defects, "contained")
    outer, inner = fids(defect)
    assert shapely.contains_properly(shapes[outer], shapes[inner])
    assert shapes[inner].area == pytest.approx(float(defect["area_m2"]), abs=1e-3)
    (defect,) = of_kind(defects, "duplicate_geometry")
    one, other = fids(defect)
    assert shapely.equals_exact(shapes[one], shapes[other])
    (defect,) = of_kind(defects, "empty_geometry")
    assert shapes[fids(defect)[0]] is None


def test_broken_and_split_shapes(
    city: City, defects: list[dict[str, str]], received: dict[str, RawTable]
) -> None:
    shapes = received["grid"].geometry
    invalid = [i for i, g in enumerate(shapes) if g is not None and not g.is_valid]
    (defect,) = of_kind(defects, "invalid_geometry")
    assert invalid == fids(defect)
    mended = shapely.make_valid(shapes[invalid[0]], method="structure", keep_collapsed=False)
    code = defect["codes"]
    assert shapely.equals(mended, city["grid"].geometry[city["grid"]["grid_code"] == code][0])
    parts = [i for i, g in enumerate(shapes) if g is not None and shapely.get_num_geometries(g) > 1]
    (defect,) = of_kind(defects, "multipart")
    assert parts == fids(defect)
    assert min(p.area for p in shapes[parts[0]].geoms) == pytest.approx(float(defect["area_m2"]), abs=1e-3)


def test_codes_are_wrong_where_said_and_nowhere_else(
    city: City, defects: list[dict[str, str]], received: dict[str, RawTable]
) -> None:
    raw = received["grid"]
    codes = key_column(raw).tolist()
    community = raw.columns[list(raw.columns)[2]].tolist()
    bad = [i for i, c in enumerate(codes) if not re.fullmatch(r"[0-9]{15}", c)]
    assert bad == sorted(f for d in of_kind(defects, "bad_code") for f in fids(d))
    double = [i for i, c in enumerate(codes) if codes.count(c) > 1]
    assert double == fids(of_kind(defects, "duplicate_code")[0])
    wrong_prefix = [i for i, c in enumerate(codes) if i not in bad and c[:12] != community[i]]
    said = of_kind(defects, "code_prefix") + of_kind(defects, "wrong_parent")
    assert wrong_prefix == sorted(f for d in said for f in fids(d))
    areas = city["area"]
    for defect, column_is_true in ((said[0], True), (said[1], False)):
        (fid,) = fids(defect)
        (at,) = np.flatnonzero(
            (areas["admin_level"] == "community") & shapely.contains(areas.geometry, place(defect))
        )
        assert (areas["area_code"][at] == community[fid]) == column_is_true
    gaps = set()
    for name in set(community):
        numbers = sorted(
            int(codes[i][12:])
            for i in range(len(codes))
            if community[i] == name and i not in bad and i not in wrong_prefix
        )
        if len(set(numbers)) == len(numbers) and numbers != list(range(1, len(numbers) + 1)):
            gaps.add(name)
    (defect,) = of_kind(defects, "code_gap")
    assert gaps == {community[fids(defect)[0]]}
    hosts = raw.columns[list(raw.columns)[7]]
    kinds = raw.columns[list(raw.columns)[3]]
    without = [i for i in range(len(codes)) if kinds[i] == "专属网格" and not hosts[i]]
    assert without == fids(of_kind(defects, "exclusive_host")[0])


def test_sub_grids_and_addresses(
    city: City, defects: list[dict[str, str]], received: dict[str, RawTable]
) -> None:
    raw = received["sub_grid"]
    households = np.asarray(raw.columns["常住户数"], dtype=float)
    assert np.flatnonzero(households < 10).tolist() == fids(of_kind(defects, "sub_grid_size")[0])
    grids = dict(zip(city["grid"]["grid_code"], city["grid"].geometry, strict=True))
    beyond = shapely.difference(raw.geometry, np.array([grids[c] for c in raw.columns["所属网格"]]))
    outside = np.flatnonzero(shapely.area(beyond) > 1e-3)
    (defect,) = of_kind(defects, "sub_grid_outside")
    assert outside.tolist() == fids(defect)
    assert shapely.area(beyond[outside[0]]) == pytest.approx(float(defect["area_m2"]), abs=1e-3)
    (defect,) = of_kind(defects, "address_unassigned")
    clean = clean_table("address")
    assert clean.columns["address_code"][fids(defect)[0]] == defect["codes"]
    assert shapely.distance(city["area"].geometry[0], place(defect)) > 300


def test_a_tiny_city_gets_the_defects_it_has_room_for(small: City) -> None:
    dirty = make_dirty(small)
    assert 5 <= len(dirty.defects) < 25
    assert isinstance(dirty.tables["grid"], Table)
    again = make_dirty(small)
    assert [d.fids for d in again.defects] == [d.fids for d in dirty.defects]
