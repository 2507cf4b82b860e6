"""``gis-server repair`` on files of several levels, and whose border stands: fields, addresses, clear refusals."""

import json
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import shapely
from click.testing import CliRunner, Result
from coverages import read_layer, write_layer

from gis_server.cli import main

SAMPLE = Path(__file__).parent.parent / "sample_shapefiles/clean"
K1 = "230881001001"
FULL = {"admin_leve": "admin_level", "parent_cod": "parent_code", "community_": "community_type"}
"""Names that a shapefile cut at ten bytes."""


def run(command: str, *arguments: object) -> Result:
    return CliRunner().invoke(main, [command, *map(str, arguments)])


def repaired(*arguments: object, code: int = 0) -> dict:
    result = run("repair", *arguments, "--format", "json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def validated(path: Path, *arguments: object) -> dict:
    return json.loads(run("validate", path, *arguments, "--format", "json").stdout)


def copy_of(path: Path, source: Path, change) -> Path:
    """The layer of ``source`` written to ``path`` with some shapes changed."""
    shapes, columns, crs = read_layer(source)
    change(shapes, columns)
    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapes),
        [*columns.values()],
        fields=[FULL.get(name, name) for name in columns],
        geometry_type="Unknown",
        crs=crs,
        driver="GPKG",
    )
    return path


def shifted(column: str, code: str, by: float):
    """Move the row with this code by so many degrees."""

    def change(shapes, columns):
        row = list(columns[column]).index(code)
        shapes[row] = shapely.transform(shapes[row], lambda xy: xy + np.array([by, by / 2]))

    return change


@pytest.fixture
def towns() -> list[str]:
    _, columns, _ = read_layer(SAMPLE / "areas.shp")
    return [
        c for c, level in zip(columns["area_code"], columns["admin_leve"], strict=True) if level == "township"
    ]


def test_a_file_of_areas_is_mended_from_the_top(tmp_path, towns):
    spoilt = copy_of(tmp_path / "areas.gpkg", SAMPLE / "areas.shp", shifted("area_code", towns[0], 5e-6))
    assert validated(spoilt, "--layer", "area")["summary"]["errors"] > 0
    for more in (("--layer", "area"), ()):  # it is known as what it is, too
        out = tmp_path / f"mended{len(more)}.gpkg"
        done = repaired(spoilt, "-o", out, *more)
        assert [level["layer"] for level in done["levels"]] == ["area"] * 3
        assert [level["exact"] for level in done["levels"][1:]] == [True, True]
        assert {move["layer"] for move in done["moves"]} == {"area"}
        after = validated(out, "--layer", "area")
        assert after["findings"] == []
        assert after["certificate"]["exact"]
        kept = read_layer(out)[1]
        for name, values in read_layer(spoilt)[1].items():
            assert [str(v) for v in values] == [str(v) for v in kept[name]]
    again = repaired(out, "-o", tmp_path / "again.gpkg")
    assert again["moves"] == []
    assert again["untouched"] == again["input"]["features"] == 28


def test_the_areas_above_stay_unless_they_are_written(tmp_path, towns):
    spoilt = copy_of(tmp_path / "areas.gpkg", SAMPLE / "areas.shp", shifted("area_code", towns[0], 5e-6))
    out, areas = tmp_path / "grids.gpkg", tmp_path / "areas_out.gpkg"
    untouched = repaired(SAMPLE / "grids.shp", "--within", spoilt, "-o", out)
    assert untouched["moves"] == []  # the communities fit their grids; what is wrong above is not this file's
    done = repaired(SAMPLE / "grids.shp", "--within", spoilt, "-o", out, "--out-within", areas)
    assert {level["layer"] for level in done["levels"]} == {"area", "grid"}
    assert {move["layer"] for move in done["moves"]} == {"area", "grid"}
    assert validated(areas, "--layer", "area")["certificate"]["exact"]
    nested = validated(out, "--within", areas)
    assert nested["certificate"]["exact"]
    assert len(read_layer(out)[0]) == 200
    assert len(read_layer(areas)[0]) == 28


def test_sub_grids_follow_their_grids(tmp_path):
    shapes, columns, crs = read_layer(SAMPLE / "grids.shp")
    subs, sub_columns, _ = read_layer(SAMPLE / "sub_grids.shp")
    code = columns["grid_code"][7]
    row = 7
    shapes[row] = shapely.transform(shapes[row], lambda xy: xy + np.array([4e-6, 2e-6]))
    mixed = write_layer(
        tmp_path / "mixed.gpkg",
        [*shapes, *subs],
        crs=crs,
        grid_code=[*columns["grid_code"], *sub_columns["grid_code"]],
        sub_grid_code=[*[""] * len(shapes), *sub_columns["sub_grid_c"]],
        community_code=[*columns["community_"], *[""] * len(subs)],
        grid_kind=[*columns["grid_kind"], *[""] * len(subs)],
    )
    out = tmp_path / "out.gpkg"
    done = repaired(mixed, "--within", SAMPLE / "areas.shp", "-o", out)
    assert [level["layer"] for level in done["levels"]] == ["grid", "sub_grid"]
    assert {move["layer"] for move in done["moves"]} <= {"grid", "sub_grid"}
    assert done["levels"][1]["errors"] == 0
    after, after_columns, _ = read_layer(out)
    assert len(after) == len(shapes) + len(subs)
    grids = after[: len(shapes)]
    ground = dict(zip(columns["grid_code"], grids, strict=True))
    for c, sub in zip(sub_columns["grid_code"], after[len(shapes) :], strict=True):
        assert shapely.difference(sub, ground[c]).area < 1e-16, code
    assert list(after_columns["grid_code"]) == [*columns["grid_code"], *sub_columns["grid_code"]]


@pytest.fixture
def overlapping(tmp_path) -> Path:
    """Two grids that overlap by half a metre: the first is larger, was filed later and counts less."""
    return write_layer(
        tmp_path / "grids.gpkg",
        [shapely.box(0, 0, 600.5, 500), shapely.box(600, 0, 1000, 500), shapely.box(0, 500, 1000, 1000)],
        crs=None,
        WGBM=[f"{K1}001", f"{K1}002", f"{K1}003"],
        备案日期=["2024年6月1日", "2023-03-02", ""],
        等级=[1, 5, 2],
    )


@pytest.fixture
def area(tmp_path) -> Path:
    return write_layer(tmp_path / "k1.gpkg", [shapely.box(0, 0, 1000, 1000)], area_code=[K1])


@pytest.mark.parametrize(
    ("options", "loser"),
    [((), None), (("--prefer-filed", "备案日期"), 0), (("--priority", "等级"), 0)],
)
def test_whose_border_stands(tmp_path, area, overlapping, options, loser):
    done = repaired(overlapping, "--within", area, "--crs", "local", "-o", tmp_path / "out.gpkg", *options)
    (move,) = [m for m in done["moves"] if m["act"] == "yield"]
    if loser is not None:
        assert move["from"] == [loser]
        assert ("备案" if "备案日期" in options else "优先级") in move["message"]["zh"]
    assert done["exact"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--prefer-filed", "备案"), ("没有名为“备案”的字段", "WGBM、备案日期、等级")),
        (("--priority", "grade"), ("没有名为“grade”的字段", "WGBM、备案日期、等级")),
        (("--priority", "备案日期"), ("字段“备案日期”第 1 行", "不是数")),
        (("--prefer-filed", "WGBM"), ("字段“WGBM”第 1 行", "不是日期")),
        (("--out-within", "x.gpkg"), ("--within",)),
    ],
)
def test_what_cannot_be_preferred_is_one_sentence(tmp_path, overlapping, options, words):
    out = tmp_path / "out.gpkg"
    options = tuple(str(tmp_path / o) if o == "x.gpkg" else o for o in options)
    result = run("repair", overlapping, "--crs", "local", "-o", out, *options)
    assert result.exit_code == 2
    assert all(word in result.stderr for word in words)
    assert len(result.stderr.strip().splitlines()) == 1
    assert not out.exists()


def test_long_gaps_are_divided_from_the_width_that_is_wished(tmp_path, area):
    grids = write_layer(
        tmp_path / "grids.gpkg",
        [shapely.box(0, 0, 1000, 499.7), shapely.box(0, 500, 1000, 1000)],
        WGBM=[f"{K1}001", f"{K1}002"],
    )
    base = (grids, "--within", area, "--crs", "local", "-o", tmp_path / "out.gpkg")
    assert [m["act"] for m in repaired(*base)["moves"]] == ["divide"]
    assert [m["act"] for m in repaired(*base, "--divide-from", 0.5)["moves"]] == ["fill"]


def test_exclusive_grids_may_give_way(tmp_path, area):
    hospital = shapely.box(400, 400, 600, 600)
    grids = write_layer(
        tmp_path / "grids.gpkg",
        [shapely.box(0, 0, 1000, 1000) - hospital.buffer(-0.4, join_style="mitre"), hospital],
        WGBM=[f"{K1}001", f"{K1}002"],
        WGLX=["居民网格", "专属网格"],
    )
    base = (grids, "--within", area, "--crs", "local", "-o", tmp_path / "out.gpkg")
    (move,) = repaired(*base)["moves"]
    assert (move["act"], move["from"], move["to"]) == ("carve", [0], [1])
    (move,) = repaired(*base, "--no-exclusive")["moves"]
    assert move["act"] == "yield"


def test_a_move_tells_whom_it_concerns(tmp_path, area, overlapping):
    places = write_layer(
        tmp_path / "addresses.gpkg",
        [shapely.Point(600.2, 100), shapely.Point(600.3, 200), shapely.Point(10, 10)],
        address_code=["A1", "A2", "A3"],
        resident_households=[12, 3, 7],
    )
    base = (overlapping, "--within", area, "--crs", "local", "--addresses", places)
    done = repaired(*base, "--datum", "cgcs2000", "-o", tmp_path / "out.gpkg")
    (move,) = [m for m in done["moves"] if m["act"] == "yield"]
    assert (move["addresses"], move["households"]) == (2, 15)
    told = run("repair", *base, "--datum", "cgcs2000", "-o", tmp_path / "out.gpkg").stdout
    assert "涉及 2 个地址、15 户。" in told


def test_files_in_two_reference_systems_are_not_mended_together(tmp_path, towns):
    shapes, columns, _ = read_layer(SAMPLE / "areas.shp")
    other = write_layer(
        tmp_path / "areas.gpkg", shapes, crs="EPSG:4326", area_code=list(columns["area_code"])
    )
    out = tmp_path / "out.gpkg"
    result = run(
        "repair", SAMPLE / "grids.shp", "--within", other, "-o", out, "--out-within", tmp_path / "a.gpkg"
    )
    assert result.exit_code == 2
    assert "坐标系" in result.stderr
    assert not out.exists()
