"""Walls on file: the grid division map of a town or one grid, as HTML that needs no network."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
import shapely
from sqlalchemy import Connection

from gis_server.core.access import Act, Actor, Tier
from gis_server.core.catalogue import Catalogue, LayerKind
from gis_server.core.errors import NotAvailableYet, NotFound, UnusableInput
from gis_server.core.message import Message, Translate, msg
from gis_server.journeys.context import Context
from gis_server.paint.wall_file import Drawn, Label, SheetWords, WallFile, render
from gis_server.store import areas, features, layers
from gis_server.store.sight import BBox, Sight

BORDER_WIDTH = {"county": 4.0, "township": 2.5, "community": 1.5}
"""Line widths in px, as multiples of a grid's border."""

FOCUS_WIDTH = 5.0

_MARGIN = 0.05  # of the focus' extent, so that neighbours show at the edge
_LATER = {".pdf", ".png"}


@dataclass(frozen=True, slots=True)
class _Focus:
    """What the sheet is about: its name, the areas it lies in, its extent in degrees, the one grid."""

    title: Message
    path: tuple[str, ...]
    bounds: BBox
    grid: str | None = None


def make_wall_file(
    ctx: Context,
    actor: Actor,
    out: Path,
    *,
    town: str | None = None,
    grid: str | None = None,
    language: str,
    translate: Translate,
    now: datetime,
) -> Path:
    """Write the division map of a town (or of one grid and its surroundings) in force at ``now``.

    The sheet leaves the building, so it shows what the public may see (requirements 8.1) and nothing else.
    Raises NotFound for an unknown code, NotAllowed outside the actor's territory, UnusableInput for another suffix.
    """
    if out.suffix.lower() in _LATER:
        raise NotAvailableYet(msg("尚不能输出 {suffix}；请改用 .html。", suffix=out.suffix))
    if out.suffix.lower() != ".html":
        raise UnusableInput(msg("不能输出 {file}：请使用 .html 结尾的文件名。", file=out.name), field="out")
    with ctx.engine.connect() as conn:
        in_force = _InForce(conn, ctx.catalogue, now)
        focus = in_force.focus(town, grid)
        actor.require(Act.SHOW_WALL, focus.path)
        day = now.astimezone(ctx.settings.timezone).date()
        sheet = _sheet(in_force, focus, language, translate, day)
    page = render(sheet, ctx.settings.root / "web")
    part = out.with_name(f".{out.name}.part")
    try:
        part.write_text(page, encoding="utf-8")
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UnusableInput(
            msg("不能写入 {file}：{reason}。", file=str(out), reason=error.strerror), field="out"
        ) from error
    return out


class _InForce:
    """What the public may see of the layers in force at one moment."""

    def __init__(self, conn: Connection, catalogue: Catalogue, now: datetime) -> None:
        self.conn = conn
        self.catalogue = catalogue
        self.now = now
        self.generations = {name: layers.in_force(conn, name, now) for name in catalogue.layers}

    def collection(
        self, name: str, territory: tuple[str, ...] = (), box: BBox | None = None
    ) -> dict[str, Any]:
        """The features of a layer inside a territory and a box, as GeoJSON."""
        sight = Sight(Tier.PUBLIC, territory, self._generation_id("area"), self._generation_id("grid"))
        layer = self.catalogue[name]
        text = features.geojson(self.conn, layer, self.generations[name], sight, bbox=box)
        found: dict[str, Any] = orjson.loads(text)
        return found

    def _generation_id(self, name: str) -> int | None:
        generation = self.generations.get(name)
        return None if generation is None else generation.id

    def focus(self, town: str | None, grid: str | None) -> _Focus:
        """The town or the grid that was asked for; exactly one must be named."""
        if town is not None and grid is None:
            return self._town(town)
        if grid is not None and town is None:
            return self._grid(grid)
        raise UnusableInput(msg("请用 --town 或 --grid 指定其中一个。"), field="town")

    def _town(self, code: str) -> _Focus:
        area = areas.by_code(self.conn, code, self.now)
        bounds = areas.bounds(self.conn, code, self.now)
        if area is None or bounds is None:
            raise NotFound(msg("现行区划中没有代码为 {code} 的区域。", code=code), field="town")
        return _Focus(msg("{name}网格划分图", name=area.name), area.path, bounds)

    def _grid(self, code: str) -> _Focus:
        for feature in self.collection("grid")["features"]:
            values = feature["properties"]
            if values["grid_code"] == code:
                community = areas.by_code(self.conn, values["community_code"], self.now)
                path = community.path if community else ()
                bounds = shapely.from_geojson(orjson.dumps(feature["geometry"])).bounds
                return _Focus(msg("{name}网格图", name=values["grid_name"]), path, bounds, code)
        raise NotFound(msg("现行网格中没有编码为 {code} 的网格。", code=code), field="grid")


def _sheet(in_force: _InForce, focus: _Focus, language: str, translate: Translate, day: date) -> WallFile:
    box = _wider(focus.bounds)
    drawn: list[Drawn] = []
    labels: list[Label] = []
    for layer in in_force.catalogue.visible(Tier.PUBLIC):
        if layer.kind is LayerKind.RECORD or layer.name == "sub_grid":
            continue
        if layer.name == "area":
            own = in_force.collection("area", focus.path, box)
            others = _without(in_force.collection("area", box=box), own)
            # the neighbours' ground lies below everything else
            drawn.insert(
                0, Drawn(layer, layer.title.said(language), _of_level(others, "community"), faint=True)
            )
            for level, width in BORDER_WIDTH.items():
                title = layer.fields["admin_level"].choices[level].said(language)
                drawn.append(Drawn(layer, title, _of_level(own, level), outline=True, width=width))
            labels += _labels(_of_level(others, "community"), "area_name", "neighbour", box)
            labels += _labels(_of_level(own, "community"), "area_name", "community", box)
            continue
        territory = focus.path if layer.kind is LayerKind.BOUNDARY else ()
        found = in_force.collection(layer.name, territory, box)
        drawn.append(Drawn(layer, layer.title.said(language), found))
        if layer.name == "grid":
            asked = [feature for feature in found["features"] if feature["id"] == focus.grid]
            title = msg("本网格").render(translate)
            drawn.append(Drawn(layer, title, {"features": asked}, outline=True, width=FOCUS_WIDTH))
            labels += _labels(found, "grid_code", "grid", box)
    generation = in_force.generations["grid"]
    foot = msg(
        "制图日期 {day} · 网格第 {number} 代 · CGCS2000",
        day=day.isoformat(),
        number=generation.id if generation else "—",
    )
    return WallFile(
        language=language,
        title=focus.title.render(translate),
        foot=foot.render(translate),
        bounds=focus.bounds,
        drawn=drawn,
        labels=labels,
        words=SheetWords(legend=msg("图例").render(translate), north=msg("北").render(translate)),
    )


def _without(found: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    known = {feature["id"] for feature in others["features"]}
    return {"features": [feature for feature in found["features"] if feature["id"] not in known]}


def _of_level(found: Mapping[str, Any], level: str) -> dict[str, Any]:
    return {"features": [f for f in found["features"] if f["properties"]["admin_level"] == level]}


def _labels(found: Mapping[str, Any], field: str, kind: str, frame: BBox) -> list[Label]:
    """One label a feature, inside it and inside the sheet; a grid shows the sequence at the end of its code."""
    labels = []
    for feature in found["features"]:
        shape = shapely.make_valid(shapely.from_geojson(orjson.dumps(feature["geometry"])))
        seen = shapely.intersection(shape, shapely.box(*frame))
        if not seen.is_empty:
            place = seen.representative_point()
            text = str(feature["properties"][field])
            labels.append(Label(text[-3:] if kind == "grid" else text, place.x, place.y, kind))
    return labels


def _wider(bounds: BBox) -> BBox:
    west, south, east, north = bounds
    x, y = (east - west) * _MARGIN, (north - south) * _MARGIN
    return (west - x, south - y, east + x, north + y)
