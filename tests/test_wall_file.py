"""A wall written to a file: whole, without a network, and with nothing that the public may not see."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import text

from gis_server.core.access import CONSOLE, Actor, Role, Territory
from gis_server.core.errors import NotAllowed, NotFound, Unavailable, UnusableInput
from gis_server.core.wall_wish import Asked, Wish
from gis_server.i18n import translator
from gis_server.journeys.context import Context
from gis_server.journeys.wall_files import kind_of, make_wall_file
from gis_server.paint.wall_file import light_tokens
from tests.city import COMMUNITIES, SECRET, TOWNS

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def write(ctx: Context, out: Path, actor: Actor = CONSOLE, language: str = "zh", **focus: str) -> str:
    wish = Wish(Asked(**focus), kind_of(out))
    make_wall_file(ctx, actor, out, wish, language=language, translate=translator(language), now=NOW)
    return out.read_text(encoding="utf-8")


def test_a_town_opens_from_a_stick_without_asking_anybody(
    city_ctx: Context, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    write(city_ctx, tmp_path / "wall.html", town=TOWNS[0])
    page = new_page(viewport={"width": 1600, "height": 1000})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "wall.html").as_uri())
    page.wait_for_selector("path.leaflet-interactive")
    assert [url for url in asked if not url.startswith("data:")] == [(tmp_path / "wall.html").as_uri()]
    labels = page.locator(".label.grid").all_inner_texts()
    assert sorted(labels) == ["001", "001", "002", "002"]
    assert page.locator(".sheet-foot").inner_text().startswith("制图日期 2030-01-01")


def test_hovering_names_the_grid(city_ctx: Context, new_page: Callable[..., Page], tmp_path: Path) -> None:
    write(city_ctx, tmp_path / "wall.html", language="en", grid=f"{COMMUNITIES[0]}001")
    page = new_page()
    page.goto((tmp_path / "wall.html").as_uri())
    box = page.locator(".label.grid", has_text="001").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 25)
    assert f"{COMMUNITIES[0]}001" in page.locator(".leaflet-tooltip").inner_text()
    assert page.locator("html").get_attribute("lang") == "en"


def test_no_address_of_another_machine_is_in_the_file(city_ctx: Context, tmp_path: Path) -> None:
    html = write(city_ctx, tmp_path / "wall.html", town=TOWNS[0])
    for host in ("cdn", "unpkg", "jsdelivr", "googleapis", "cloudflare", "bootstrapcdn", "openstreetmap"):
        assert host not in html
    assert "<link" not in html
    assert "src=" not in html.split("</head>")[1]


def test_the_sheet_shows_what_the_public_may_see(city_ctx: Context, tmp_path: Path) -> None:
    html = write(city_ctx, tmp_path / "wall.html", town=TOWNS[0])
    assert SECRET not in html
    assert "resident_households" not in html
    assert "camera_code" not in html
    assert f"{COMMUNITIES[2]}001" not in html  # a grid of the other town


def test_names_are_text_and_never_markup(city_ctx: Context, tmp_path: Path) -> None:
    bad = "<img src=x onerror=alert(1)></script>"
    with city_ctx.engine.begin() as conn:
        # rows never change; this one stands in for an import that brought such names
        conn.execute(text("ALTER TABLE grid DISABLE TRIGGER USER"))
        conn.execute(text("ALTER TABLE area DISABLE TRIGGER USER"))
        conn.execute(text("UPDATE grid SET grid_name = :name"), {"name": bad})
        conn.execute(text("UPDATE area SET area_name = :name"), {"name": bad})
    html = write(city_ctx, tmp_path / "wall.html", town=TOWNS[0])
    assert "<img src=x" not in html
    assert "onerror=alert(1)></script" not in html


def test_names_are_text_and_never_templates(city_ctx: Context, tmp_path: Path) -> None:
    bad = "{{ 191 * 7 }}{% if"
    with city_ctx.engine.begin() as conn:
        for table, column in (("grid", "grid_name"), ("area", "area_name")):
            conn.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            conn.execute(text(f"UPDATE {table} SET {column} = :name"), {"name": bad})
    for place in ({"town": TOWNS[0]}, {"grid": f"{COMMUNITIES[0]}001"}):
        html = write(city_ctx, tmp_path / "wall.html", **place)
        assert f"<title>{bad}" in unescape(html)
        told = unescape(html.replace("\\u0026", "&"))  # as a script's strings write it
        assert told.count(bad) > 4  # title, heading, labels, what is told under the pointer
        assert "1337" not in html


def test_a_town_that_does_not_exist(city_ctx: Context, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="999"):
        write(city_ctx, tmp_path / "wall.html", town="999")
    with pytest.raises(NotFound, match="999"):
        write(city_ctx, tmp_path / "wall.html", grid="999")
    assert not list(tmp_path.glob("*.html"))


def test_one_of_town_and_grid(city_ctx: Context, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput):
        write(city_ctx, tmp_path / "wall.html")
    with pytest.raises(UnusableInput):
        write(city_ctx, tmp_path / "wall.html", town=TOWNS[0], grid=f"{COMMUNITIES[0]}001")


def test_another_suffix(city_ctx: Context, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput):
        write(city_ctx, tmp_path / "wall.docx", town=TOWNS[0])
    with pytest.raises(UnusableInput):
        write(city_ctx, tmp_path / "no folder" / "wall.html", town=TOWNS[0])


def test_another_towns_sheet_is_refused(city_ctx: Context, tmp_path: Path) -> None:
    operator = Actor(1, "o", Role.OPERATOR, Territory(("230881", TOWNS[1])))
    with pytest.raises(NotAllowed):
        write(city_ctx, tmp_path / "wall.html", operator, town=TOWNS[0])
    assert write(city_ctx, tmp_path / "wall.html", operator, town=TOWNS[1])


def test_libraries_that_were_never_built_are_named(city_ctx: Context, tmp_path: Path) -> None:
    bare = replace(city_ctx, settings=replace(city_ctx.settings, root=tmp_path))
    with pytest.raises(Unavailable, match="make setup"):
        write(bare, tmp_path / "wall.html", town=TOWNS[0])


def test_paper_has_the_light_colours() -> None:
    css = "/* a: b; dark */ :root { --line: #111; } [data-theme=dark] { --line: #222; }"
    assert light_tokens(css) == {"--line": "#111"}
