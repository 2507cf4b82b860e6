"""Walls on paper: sizes, fonts, scale and letters as printed, and people by the clause."""

import re
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
import shapely
from city import COMMUNITIES, PUBLISHED, SECRET, TOWNS
from PIL import Image
from playwright.sync_api import Page
from rosters import put_roster
from sheet_maker import ALL, CITY_COMMUNITY, G1, NOW, TEAM, TOWN, printed, profiled, sheets
from sheet_reader import Line
from sqlalchemy import event, text

from gis_server.core.errors import Unavailable, UnusableInput
from gis_server.core.sheet import SMALLEST_PT, Format, Orientation, Paper
from gis_server.core.vocabulary import WallPanel
from gis_server.core.wall_wish import Asked, FileKind
from gis_server.journeys.context import Context
from gis_server.journeys.wall_focus import InForce
from gis_server.journeys.wall_map import framed, map_content
from gis_server.paint import canvas
from gis_server.paint.look import Look, Speech
from gis_server.paint.map_panel import MapPanel
from gis_server.paint.sheets import map_box

# ---- paper ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("paper", Paper)
@pytest.mark.parametrize("orientation", Orientation)
def test_a_sheet_is_as_large_as_its_paper(city_ctx: Context, paper: Paper, orientation: Orientation) -> None:
    found = sheets(city_ctx, Asked(town=TOWNS[0]), paper=paper, orientation=orientation)
    short, long = paper.size
    assert found.size() == pytest.approx(
        (long, short) if orientation is Orientation.LANDSCAPE else (short, long)
    )
    assert min(found.letter_sizes()) >= SMALLEST_PT * Format(paper, orientation).growth * 0.99


def test_letters_are_letters_and_their_font_is_inside(city_ctx: Context) -> None:
    found = sheets(city_ctx, Asked(community=COMMUNITIES[0]), panels=ALL)
    assert found.fonts()
    assert all(found.fonts().values())
    assert all("CJK" in name or "Sans" in name for name in found.fonts())
    for words in ("第1社区网格划分图", "图例", "制图日期 2030-01-01", "中央经线 126°", "公开图件"):
        assert words in found.text(0)
    assert "第2社区" in found.text(0)  # the neighbour


def bars(lines: list[Line]) -> list[tuple[float, float, float, float]]:
    """The parts of a scale bar: rectangles of one height in one row, each where the one before ends."""
    boxes = [line.bounds for line in lines if len(line.parts) == 1 and len(line.parts[0]) in (4, 5)]
    rows: dict[tuple[float, float], list[tuple[float, float, float, float]]] = {}
    for box in boxes:
        if 1 < box[3] - box[1] < 6 and box[2] - box[0] > box[3] - box[1]:
            rows.setdefault((round(box[1], 2), round(box[3], 2)), []).append(box)
    return max(
        (sorted(set(row)) for row in rows.values()),
        key=lambda row: sum(abs(one[2] - two[0]) < 0.01 for one, two in pairwise(row)),
    )


@pytest.mark.parametrize("paper", [Paper.A4, Paper.A0])
def test_the_scale_bar_is_true_to_scale(city_ctx: Context, paper: Paper) -> None:
    found = sheets(city_ctx, Asked(town=TOWNS[0]), paper=paper)
    text = found.text()
    scale = int(text.split("1:")[1].split("\n")[0].strip().replace(" ", ""))
    row = bars(found.lines())
    assert len(row) in (4, 5)
    value, unit = re.search(r"([\d.]+) (k?m)\b", text).groups()  # type: ignore[union-attr]
    metres = float(value) * (1000 if unit == "km" else 1)
    assert row[-1][2] - row[0][0] == pytest.approx(metres * 1000 / scale, abs=0.1)


def test_ground_is_drawn_at_the_scale_that_is_written(city_ctx: Context) -> None:
    with city_ctx.engine.connect() as conn:
        in_force = InForce(conn, city_ctx.catalogue, NOW)
        focus = in_force.focus(Asked(town=TOWNS[0]))
        frame = framed(in_force, focus, map_box(Format(Paper.A3, Orientation.LANDSCAPE)))
        west, south, east, north = map_content(in_force, focus, frame).focus.bounds
    found = sheets(city_ctx, Asked(town=TOWNS[0]), orientation=Orientation.LANDSCAPE)
    wanted = ((east - west) * 1000 / frame.scale, (north - south) * 1000 / frame.scale)
    drawn = [line.bounds for line in found.lines()]
    assert any((b[2] - b[0], b[3] - b[1]) == pytest.approx(wanted, abs=0.1) for b in drawn)


def test_one_grid_is_looked_up_and_not_looked_for(city_ctx: Context) -> None:
    asked: list[str] = []
    with city_ctx.engine.connect() as conn:
        in_force = InForce(conn, city_ctx.catalogue, NOW)
        event.listen(conn, "before_cursor_execute", lambda *seen: asked.append(seen[2]))
        focus = in_force.focus(Asked(grid=G1))
    assert (focus.code, focus.level, focus.path[-1]) == (G1, "grid", COMMUNITIES[0])
    (one,) = [statement for statement in asked if "FROM grid" in statement]
    assert "grid.grid_code = " in one


def test_hatches_stand_where_a_screen_has_tints(sample_ctx: Context) -> None:
    found = sheets(sample_ctx, Asked(community=CITY_COMMUNITY), paper=Paper.A4)

    def slopes(line: Line) -> set[int]:
        ends = [part for part in line.parts if len(part) == 2]
        return {round(abs(b[1] - a[1]) / max(abs(b[0] - a[0]), 1e-6)) for a, b in ends}

    many = [line for line in found.lines() if len(line.parts) >= 15]
    assert any(slopes(line) == {1} for line in many)  # exclusive grids
    assert any(slopes(line) == {0} for line in many)  # water
    assert "专属网格" in found.text()
    assert "水系" in found.text()


def test_a_picture_knows_its_size_on_paper(city_ctx: Context) -> None:
    (content,) = printed(city_ctx, Asked(town=TOWNS[0]), kind=FileKind.PNG, paper=Paper.A4)
    picture = Image.open(BytesIO(content))
    dots = picture.info["dpi"]
    millimetres = sorted(pixels / dot * 25.4 for pixels, dot in zip(picture.size, dots, strict=True))
    assert millimetres == pytest.approx([210, 297], abs=0.2)
    assert picture.getpixel((2, 2)) == (255, 255, 255)
    assert min(picture.convert("L").tobytes()) < 30


@pytest.mark.parametrize("asked", [Asked(town=TOWNS[0]), Asked(community=COMMUNITIES[0]), Asked(grid=G1)])
def test_names_of_forty_characters_stay_on_the_sheet_and_leave_its_title_whole(
    city_ctx: Context, asked: Asked
) -> None:
    long = "长江路与黄河路交叉口东北侧及附属区域" * 2
    with city_ctx.engine.begin() as conn:
        for table, name, key in (("grid", "grid_name", "grid_code"), ("area", "area_name", "area_code")):
            conn.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            conn.execute(text(f"UPDATE {table} SET {name} = :long || right({key}, 4)"), {"long": long})
    put_roster(city_ctx, TEAM, PUBLISHED)
    found = sheets(city_ctx, asked, panels=ALL, paper=Paper.A4, orientation=Orientation.PORTRAIT)
    titles = ("网格图" if asked.grid else "网格划分图", "网格成员图", "工作流程图", "网格服务联系方式")
    assert len(found) == len(titles)
    for page, title in enumerate(titles):
        assert title in found.text(page).replace("\r", "").split("\n")[0]
        left, _, right, _ = found.letters(page)
        assert left > 5
        assert right < found.size(page)[0] - 5
    if asked.grid is None:
        assert f"… {COMMUNITIES[0]}" in found.text(0)  # the index tells the communities apart


# ---- letters on the map ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def town_panels(
    databases: object, sample_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Paper, MapPanel]]:
    """The map of a town with 69 grids on every paper."""
    from gis_server.journeys.opening import context  # noqa: PLC0415
    from gis_server.settings import Settings  # noqa: PLC0415

    with databases.cloned(sample_template) as url:  # type: ignore[attr-defined]
        var = str(tmp_path_factory.mktemp("town"))
        ctx = context(Settings.from_environment({"GIS_DATABASE_URL": url, "GIS_VAR": var}), url)
        panels = {}
        with ctx.engine.connect() as conn:
            in_force = InForce(conn, ctx.catalogue, NOW)
            focus = in_force.focus(Asked(town=TOWN))
            for paper in Paper:
                form = Format(paper, Orientation.LANDSCAPE)
                frame = framed(in_force, focus, map_box(form))
                content = map_content(in_force, focus, frame)
                panels[paper] = MapPanel(frame, content, Speech("zh", str), Look(form.growth))
        ctx.engine.dispose()
        yield panels


@pytest.mark.parametrize("paper", Paper)
def test_no_label_lies_on_another(town_panels: dict[Paper, MapPanel], paper: Paper) -> None:
    panel = town_panels[paper]
    labels = panel.board.placed
    assert len(labels) > 50
    outlines = [label.outline for label in labels]
    touching = shapely.STRtree(outlines).query(outlines, predicate="intersects").T.tolist()
    assert [pair for pair in touching if pair[0] != pair[1]] == []
    box = panel.frame.box
    frame = shapely.box(box.x, box.y, box.right, box.bottom)
    assert all(frame.contains(outline) for outline in outlines)


@pytest.mark.parametrize("paper", Paper)
def test_every_grid_has_its_number_on_the_map_or_on_an_enlargement(
    town_panels: dict[Paper, MapPanel], paper: Paper
) -> None:
    panel = town_panels[paper]
    assert panel.unlettered == []
    numbers = [label for label in panel.board.placed if label.wording.lines[0].isdigit()]
    assert len(numbers) <= len(panel.content.grids)
    if len(numbers) < len(panel.content.grids):
        assert panel.enlarged
    for west, south, east, north in panel.enlarged:
        assert west < east
        assert south < north


def test_what_is_too_small_is_drawn_again_larger(sample_ctx: Context) -> None:
    found = sheets(sample_ctx, Asked(town=TOWN), paper=Paper.A4)
    assert "放大图 1" in found.text(0)
    assert "砚陵街道网格划分图：放大图 1" in found.text(1)
    index = found.text(len(found) - 1)
    assert "网格索引" in index
    assert "和苑社区 239901001001" in " ".join(index.split())
    for community in ("和苑社区", "云园社区"):
        assert community in found.text(1)


# ---- the four panels ------------------------------------------------------------------------------------------------


def test_s26_four_panels_by_taizhou(city_ctx: Context) -> None:
    put_roster(city_ctx, TEAM, PUBLISHED)
    ctx = profiled(city_ctx, "taizhou")
    found = sheets(ctx, Asked(community=COMMUNITIES[0]))
    assert len(found) == len(WallPanel)
    for page, title in enumerate(
        ("第1社区网格划分图", "第1社区网格成员图", "网格化管理工作流程图", "第1社区网格服务联系方式")
    ):
        assert title in found.text(page)
    members, flow, contacts = (found.text(page) for page in (1, 2, 3))
    for name in ("程一", "吴二", "郑三", "钱四", "孙五"):
        assert name in members
    assert "3+X+Y" in members
    assert "空缺" in members  # of the second grid
    for state in ("已发现", "已上报", "已交办", "归档销号"):
        assert state in flow
    assert "专门渠道上报" in flow
    assert "5.4(2)" in flow
    for phone in ("10400000001", "10400000002", "10400000004"):
        assert phone in contacts
    # part-time workers and instructors are on the chart without a phone; building leaders on neither
    for hidden in ("10400000003", "10400000005", "10400000006", "李楼长", SECRET):
        assert hidden not in found.text()


def test_s26_the_division_map_by_zhenjiang(city_ctx: Context) -> None:
    found = sheets(profiled(city_ctx, "zhenjiang"), Asked(town=TOWNS[0]))
    assert "西镇网格划分图" in found.text(0)
    assert "网格成员图" not in found.text()


@pytest.mark.parametrize(
    ("profile", "named", "counted"),
    [
        ("heilongjiang", {"程一", "吴二", "钱四"}, {"郑三"}),
        ("heihe", {"吴二", "郑三"}, {"程一"}),
        ("zhenjiang", {"程一", "吴二", "郑三"}, {"钱四"}),
        ("gansu", {"吴二", "郑三"}, {"程一"}),
    ],
)
def test_people_are_named_by_the_clause_that_publishes_them(
    city_ctx: Context, profile: str, named: set[str], counted: set[str]
) -> None:
    put_roster(city_ctx, TEAM, PUBLISHED)
    ctx = profiled(city_ctx, profile)
    panels = (WallPanel.GRID_MEMBER_CHART, WallPanel.SERVICE_CONTACT_PANEL)
    text = sheets(ctx, Asked(grid=G1), panels=panels).text()
    assert {name for name in named if name in text} == named
    assert not {name for name in counted if name in text}
    assert ("监督举报电话" in text) == (profile == "heihe")
    if profile == "heihe":
        assert "尚未填写" in text
        with_phone = profiled(ctx, profile, complaint_phone="0456-12345")
        assert "0456-12345" in sheets(with_phone, Asked(grid=G1), panels=panels).text()


@pytest.mark.parametrize(
    ("profile", "there", "absent"),
    [
        ("zhenjiang", ("现场核实", "24 小时内", "紧急：立即"), ("已拒绝", "信息公示")),
        ("heilongjiang", ("1–3 个工作日内", "信息公示", "部门打分"), ("现场核实", "小时内")),
        ("heihe", ("已拒绝", "现场核实", "24 小时内"), ("专门渠道",)),
        ("gansu", ("专门渠道上报", "当天"), ("现场核实",)),
    ],
)
def test_the_workflow_is_the_profiles_own(
    city_ctx: Context, profile: str, there: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    ctx = profiled(city_ctx, profile)
    text = sheets(ctx, Asked(town=TOWNS[0]), panels=(WallPanel.WORKFLOW_CHART,)).text()
    assert [words for words in there if words not in text] == []
    assert [words for words in absent if words in text] == []


def test_all_four_on_one_board(city_ctx: Context) -> None:
    put_roster(city_ctx, TEAM, PUBLISHED)
    found = sheets(city_ctx, Asked(community=COMMUNITIES[0]), board=True, paper=Paper.A1)
    assert len(found) == 1
    assert sorted(found.size()) == pytest.approx([594, 841])
    for words in ("网格划分图", "网格成员图", "工作流程图", "网格服务联系方式"):
        assert words in found.text()
    with pytest.raises(UnusableInput, match="A2"):
        sheets(city_ctx, Asked(community=COMMUNITIES[0]), board=True, paper=Paper.A3)
    with pytest.raises(UnusableInput, match="图板"):
        sheets(city_ctx, Asked(town=TOWNS[0]), board=True, paper=Paper.A2, panels=(ALL[0],))


def test_a_stick_carries_the_map_and_the_panels(city_ctx: Context, new_page: object, tmp_path: Path) -> None:
    put_roster(city_ctx, TEAM, PUBLISHED)
    (content,) = printed(city_ctx, Asked(community=COMMUNITIES[0]), kind=FileKind.HTML, panels=ALL)
    (tmp_path / "wall.html").write_bytes(content)
    assert callable(new_page)
    page: Page = new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "wall.html").as_uri())
    page.wait_for_selector("path.leaflet-interactive")
    pictures = page.locator(".wall-panel img")
    assert [pictures.nth(n).get_attribute("alt") for n in range(3)] == [
        "网格成员图",
        "工作流程图",
        "网格服务联系方式",
    ]
    assert all(page.evaluate("() => [...document.images].map((i) => i.complete && i.naturalWidth > 100)"))
    assert [url for url in asked if not url.startswith("data:")] == [(tmp_path / "wall.html").as_uri()]


def test_in_english(city_ctx: Context) -> None:
    put_roster(city_ctx, TEAM, PUBLISHED)
    found = sheets(city_ctx, Asked(community=COMMUNITIES[0]), panels=ALL, language="en")
    text = found.text()
    for words in (
        "Grid division map",
        "Legend",
        "Member chart",
        "Workflow of grid management",
        "Service contacts",
    ):
        assert words in text
    for chinese in ("图例", "比例尺", "网格长", "已发现", "空缺", "制图日期"):
        assert chinese not in text


def test_without_a_chinese_font_or_cairo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas, "_PROBE", "\U000f1234")  # a letter that no font has
    canvas._family.cache_clear()
    with pytest.raises(Unavailable, match="fonts-noto-cjk"):
        canvas.require()
    monkeypatch.undo()
    canvas._family.cache_clear()
    canvas.require()
    monkeypatch.setattr(canvas, "cairo", None)
    with pytest.raises(Unavailable, match="libcairo2"):
        canvas.require()


def test_words_wrap_without_leaving_a_mark_alone() -> None:
    lines = canvas.wrapped("网格员、网格化机构〔8.4.1〕，24 小时内。", 10, 20)
    assert len(lines) > 1
    assert not any(line[0] in "，。、〕" or line[-1] in "〔（" for line in lines)
    assert all(canvas.width_of(line, 10) <= 20 + canvas.width_of("，〕", 10) for line in lines)
    assert "".join(lines).replace(" ", "") == "网格员、网格化机构〔8.4.1〕，24小时内。"
