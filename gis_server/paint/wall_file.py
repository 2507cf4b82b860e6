"""A wall as one HTML file: opens from a USB stick, on a machine that has never seen a network."""

import base64
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import folium
from branca.element import Element, Figure, MacroElement
from jinja2 import Template

from gis_server.core.catalogue import Geometry, Layer
from gis_server.core.errors import Unavailable
from gis_server.core.message import msg

FeatureCollection = Mapping[str, Any]

_CSS_URL = re.compile(r"url\((['\"]?)([^)'\"]+)\1\)")
_CSS_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_TOKEN = re.compile(r"(--[\w-]+)\s*:\s*([^;]+);")
NOT_BUILT = msg("浏览器组件尚未安装：请先运行 make setup。")
_NO_COLOUR = "#7a8896"


@dataclass(frozen=True, slots=True)
class Drawn:
    """One layer on the sheet, with its features as RFC 7946 longitude/latitude.

    ``outline`` draws borders only, ``faint`` draws what merely gives orientation; both have no tooltip.
    ``width`` overrides the style's line width in px.
    """

    layer: Layer
    title: str
    features: FeatureCollection
    outline: bool = False
    faint: bool = False
    width: float | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a place; ``kind`` is ``grid``, ``community`` or ``neighbour`` and decides how it looks."""

    text: str
    lon: float
    lat: float
    kind: str


@dataclass(frozen=True, slots=True)
class SheetWords:
    """The few words of the sheet itself, in its language."""

    legend: str
    north: str


@dataclass(frozen=True, slots=True)
class WallFile:
    """Everything the sheet says. ``bounds`` is west, south, east, north in degrees (EPSG:4490)."""

    language: str
    title: str
    foot: str
    bounds: tuple[float, float, float, float]
    drawn: Sequence[Drawn]
    labels: Sequence[Label]
    words: SheetWords


def _metric_scale() -> MacroElement:
    """A scale bar in metres only; Folium's own also shows feet."""
    scale = MacroElement()
    scale._template = Template(
        "{% macro script(this, kwargs) %}"
        "L.control.scale({imperial: false, maxWidth: 160}).addTo({{ this._parent.get_name() }});"
        "{% endmacro %}"
    )
    return scale


def render(sheet: WallFile, web: Path) -> str:
    """The HTML of a wall file, with every script, style and picture inside it.

    ``web`` is the folder of the browser side: Leaflet comes from its ``vendor`` folder, the colours from its tokens.
    Raises Unavailable when the browser libraries have not been built.
    """
    script = web / "vendor" / "leaflet.script.js"
    style = web / "vendor" / "leaflet.css"
    if not (script.is_file() and style.is_file()):
        raise Unavailable(NOT_BUILT)
    tokens = paper_colours(web)

    figure = Figure()
    board = folium.Map(tiles=None, zoom_snap=0.25, attribution_control=False)
    figure.add_child(board)
    # Folium keeps its CDN links on the class; this map gets empty lists of its own and the assets inline instead
    board.default_js = []
    board.default_css = []
    figure.header.add_child(Element(f"<title>{_safe(sheet.title)}</title>"))
    figure.header.add_child(Element(f"<style>{_with_pictures_inside(style)}\n{_SHEET_STYLE}</style>"))
    figure.header.add_child(Element(f"<script>{_safe_script(script)}\n{_NO_MARKER_PICTURE}</script>"))
    for drawn in sheet.drawn:
        _add_layer(board, drawn, tokens, sheet.language)
    for label in sheet.labels:
        icon = folium.DivIcon(
            html=f'<span class="label {label.kind}">{_safe(label.text)}</span>', icon_size=(0, 0)
        )
        folium.Marker([label.lat, label.lon], icon=icon, interactive=False, keyboard=False).add_to(board)
    folium.LayerControl(collapsed=True).add_to(board)
    board.add_child(_metric_scale())
    west, south, east, north = sheet.bounds
    board.fit_bounds([[south, west], [north, east]])
    figure.html.add_child(Element(_furniture(sheet, tokens)))
    page: str = figure.render()
    return page.replace("<html>", f'<html lang="{"en" if sheet.language == "en" else "zh-CN"}">', 1)


def paper_colours(web: Path) -> dict[str, str]:
    """The colours of the interface on paper; Unavailable where the browser side is missing."""
    try:
        return light_tokens((web / "styles" / "tokens.css").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Unavailable(NOT_BUILT) from error


def light_tokens(css: str) -> dict[str, str]:
    """The paper values of the colour tokens: definitions inside a rule for the dark theme do not count."""
    tokens: dict[str, str] = {}
    for selector, body in _CSS_RULE.findall(_CSS_COMMENT.sub("", css)):
        if "dark" not in selector:
            tokens.update({name: value.strip() for name, value in _CSS_TOKEN.findall(body)})
    return tokens


def _colour(value: str, tokens: Mapping[str, str]) -> str:
    """A colour for SVG: tokens do not reach into presentation attributes, so they are resolved here."""
    return tokens.get(value, _NO_COLOUR) if value.startswith("--") else value


def _safe_script(file: Path) -> str:
    # a closing tag inside a string of the library would end the script element
    return file.read_text(encoding="utf-8").replace("</script", "<\\/script")


def _with_pictures_inside(file: Path) -> str:
    def picture(match: re.Match[str]) -> str:
        source = file.parent / match.group(2)
        if not source.is_file():
            return match.group(0)
        return f"url(data:image/png;base64,{base64.b64encode(source.read_bytes()).decode()})"

    return _CSS_URL.sub(picture, file.read_text(encoding="utf-8"))


def _safe(text: str) -> str:
    """A text as HTML: never markup, and never a template, which Branca makes of all that it writes, more than once."""
    return html.escape(text).replace("{", "&#123;")


def _shown_value(layer: Layer, name: str, value: object, language: str) -> object:
    """A property as a person reads it, safe as HTML: Folium writes tooltip values into the page unescaped."""
    words = layer.fields[name].choices.get(str(value))
    if words is not None:
        value = words.said(language)
    return _safe(value) if isinstance(value, str) else value


def _add_layer(board: folium.Map, drawn: Drawn, tokens: Mapping[str, str], language: str) -> None:
    layer, style = drawn.layer, drawn.layer.style
    features: list[dict[str, Any]] = []
    fills: list[str] = []
    with_tooltip = bool(layer.popup) and not (drawn.faint or drawn.outline)
    names = layer.popup if with_tooltip else ()
    for feature in drawn.features["features"]:
        values = feature["properties"]
        shown = {name: _shown_value(layer, name, values[name], language) for name in names if name in values}
        features.append(
            {"type": "Feature", "id": len(features), "geometry": feature["geometry"], "properties": shown}
        )
        fills.append(style.classes.get(str(values.get(style.classify)), style.fill))
    if not features:
        return

    is_point = layer.geometry is Geometry.POINT

    def look(feature: Mapping[str, Any]) -> dict[str, Any]:
        fill = fills[feature["id"]]
        return {
            "color": _colour(style.stroke, tokens),
            "weight": style.width if drawn.width is None else drawn.width,
            "opacity": 0.45 if drawn.faint else 1.0,
            "fill": drawn.faint or (bool(fill) and not drawn.outline),
            "fillColor": _colour("--map-ground" if drawn.faint else fill, tokens),
            "fillOpacity": 0.9 if is_point or drawn.faint else style.fill_opacity,
        }

    options: dict[str, Any] = {"name": _safe(drawn.title), "style_function": look}
    if is_point:
        options["marker"] = folium.CircleMarker(radius=style.radius)
    shown_names = list(features[0]["properties"])
    if shown_names:
        titles = [layer.fields[name].title for name in shown_names]
        aliases = [_safe(title.said(language)) for title in titles]
        options["tooltip"] = folium.GeoJsonTooltip(fields=shown_names, aliases=aliases, sticky=True)
    folium.GeoJson({"type": "FeatureCollection", "features": features}, **options).add_to(board)


def _legend_rows(sheet: WallFile, tokens: Mapping[str, str]) -> str:
    rows: list[str] = []

    def row(fill: str, stroke: str, round_: bool, text: str) -> None:
        radius = "50%" if round_ else "2px"
        swatch = f"background:{fill};border:2px solid {stroke};border-radius:{radius}"
        rows.append(f'<li><i style="{swatch}"></i>{_safe(text)}</li>')

    for drawn in sheet.drawn:
        layer, style = drawn.layer, drawn.layer.style
        if not layer.legend or drawn.faint or not drawn.features["features"]:
            continue
        fill = "transparent" if drawn.outline or not style.fill else _colour(style.fill, tokens)
        stroke = _colour(style.stroke, tokens)
        row(fill, stroke, layer.geometry is Geometry.POINT, drawn.title)
        if style.classify and not drawn.outline:
            present = {
                str(feature["properties"].get(style.classify)) for feature in drawn.features["features"]
            }
            choices = layer.fields[style.classify].choices
            for value, colour in style.classes.items():
                if value in present and value in choices:
                    words = choices[value]
                    text = words.said(sheet.language)
                    row(_colour(colour, tokens), stroke, layer.geometry is Geometry.POINT, text)
    return "".join(rows)


def _furniture(sheet: WallFile, tokens: Mapping[str, str]) -> str:
    return (
        f'<header class="sheet-title">{_safe(sheet.title)}</header>'
        f'<aside class="sheet-legend"><b>{_safe(sheet.words.legend)}</b>'
        f"<ul>{_legend_rows(sheet, tokens)}</ul></aside>"
        f'<div class="sheet-north" aria-hidden="true"><svg viewBox="0 0 20 36" width="26" height="46">'
        f'<path d="M10 0 18 26 10 20 2 26Z" fill="#17212b"/></svg>{_safe(sheet.words.north)}</div>'
        f'<footer class="sheet-foot">{_safe(sheet.foot)}</footer>'
    )


# Folium makes each label with Leaflet's default marker first, which would ask for that marker's picture
_NO_MARKER_PICTURE = """
L.Icon.Default.imagePath = "";
L.Icon.Default.mergeOptions(Object.fromEntries(["iconUrl", "iconRetinaUrl", "shadowUrl"].map(
  (name) => [name, "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="])));
"""

_SHEET_STYLE = """
body { font-family: "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif; color: #17212b; }
.leaflet-container { background: #ffffff; font: inherit; }
.sheet-title, .sheet-legend, .sheet-north, .sheet-foot {
  position: absolute; z-index: 800; background: rgb(255 255 255 / 92%); border-radius: 6px; pointer-events: none;
}
.sheet-title { top: 12px; left: 56px; padding: 8px 16px; font-size: 22px; font-weight: 600; }
.sheet-legend { left: 12px; bottom: 56px; padding: 12px 16px; font-size: 14px; }
.sheet-legend ul { list-style: none; margin: 8px 0 0; padding: 0; }
.sheet-legend li { display: flex; align-items: center; gap: 8px; line-height: 1.7; }
.sheet-legend i { width: 14px; height: 14px; flex: none; box-sizing: border-box; }
.sheet-north { right: 12px; bottom: 44px; padding: 8px 10px; text-align: center; font-weight: 600; }
.sheet-north svg { display: block; }
.sheet-foot { right: 12px; bottom: 8px; padding: 4px 10px; font-size: 12px; color: #55636f; }
.label { position: absolute; transform: translate(-50%, -50%); white-space: nowrap;
  text-shadow: 0 0 3px #fff, 0 0 3px #fff, 0 0 3px #fff; }
.label.grid { font-size: 11px; }
.label.community { font-size: 15px; font-weight: 600; }
.label.neighbour { font-size: 13px; color: #55636f; letter-spacing: 0.2em; }
"""
