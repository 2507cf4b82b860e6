"""QGIS styles (.qml) of findings, in the same visual language as the page."""

from collections.abc import Iterable
from enum import StrEnum
from xml.etree import ElementTree as ET

from gis_server.core.finding_look import LOOKS, Look, Pattern
from gis_server.core.message import Translate

_VERSION = "3.22.0"
_LINE_MM = 0.5
_RING_MM = 5.0
_TURN = {Pattern.HATCH: (45,), Pattern.CROSS: (45, 135)}


class Shape(StrEnum):
    """What a layer of findings is made of, as QGIS names its symbols."""

    FILL = "fill"
    LINE = "line"
    MARKER = "marker"


def qml(shape: Shape, words: Translate) -> str:
    """The style of a layer of findings, one category for each look by column ``look``, titles in a language."""
    root = ET.Element("qgis", version=_VERSION, styleCategories="Symbology")
    renderer = ET.SubElement(
        root, "renderer-v2", type="categorizedSymbol", attr="look", symbollevels="0", enableorderby="1"
    )
    categories = ET.SubElement(renderer, "categories")
    symbols = ET.SubElement(renderer, "symbols")
    for number, look in enumerate(LOOKS):
        name = str(number)
        ET.SubElement(
            categories,
            "category",
            value=look.key,
            symbol=name,
            label=look.title.render(words),
            render="true",
        )
        _symbol(symbols, shape, name, _layers(shape, look))
    # the worst have the lowest ids and lie on top
    order = ET.SubElement(ET.SubElement(renderer, "orderby"), "orderByClause", asc="0", nullsFirst="1")
    order.text = '"finding_id"'
    return (
        '<!DOCTYPE qgis PUBLIC "http://mrcc.com/qgis.dtd" "SYSTEM">\n' + ET.tostring(root, "unicode") + "\n"
    )


_Layer = tuple[str, dict[str, str], tuple[Shape, "list[_Layer]"] | None]
"""A symbol's layer: QGIS's class, its options, and the symbol inside it (shape and layers)."""


def _symbol(parent: ET.Element, shape: Shape, name: str, layers: Iterable[_Layer]) -> None:
    symbol = ET.SubElement(
        parent, "symbol", type=shape.value, name=name, alpha="1", clip_to_extent="1", force_rhr="0"
    )
    for number, (kind, options, inner) in enumerate(layers):
        layer = ET.SubElement(symbol, "layer", {"class": kind}, enabled="1", locked="0")
        layer.set("pass", "0")
        held = ET.SubElement(layer, "Option", type="Map")
        for key, value in options.items():
            ET.SubElement(held, "Option", name=key, type="QString", value=value)
        if inner is not None:
            _symbol(layer, inner[0], f"@{name}@{number}", inner[1])


def _layers(shape: Shape, look: Look) -> list[_Layer]:
    if shape is Shape.MARKER:
        return [_ring(look)]
    border = _border(look)
    if shape is Shape.LINE:
        return border
    hatches: list[_Layer] = [
        (
            "LinePatternFill",
            {"angle": str(angle), "distance": "2", "distance_unit": "MM"},
            (Shape.LINE, [_line(look, width=0.3)]),
        )
        for angle in _TURN.get(look.pattern, ())
    ]
    if look.pattern is Pattern.LINE:  # the outline of a whole cell is large enough to be seen
        return border
    # a sliver vanishes at the scale of a city, so a ring of the same size everywhere stands about it
    mark: _Layer = ("CentroidFill", {"point_on_surface": "1"}, (Shape.MARKER, [_ring(look)]))
    return [*hatches, *border, mark]


def _border(look: Look) -> list[_Layer]:
    if look.pattern is not Pattern.ARROW:
        return [_line(look, width=_LINE_MM)]
    arrow: _Layer = (
        "SimpleMarker",
        {"name": "filled_arrowhead", "size": "2.5", "size_unit": "MM"} | _colours(look, filled=True),
        None,
    )
    along = {"placement": "interval", "interval": "12", "interval_unit": "MM", "rotate": "1"}
    return [_line(look, width=_LINE_MM + 0.3), ("MarkerLine", along, (Shape.MARKER, [arrow]))]


def _line(look: Look, *, width: float) -> _Layer:
    is_dotted = look.pattern is Pattern.DOTS
    options = {
        "line_color": _rgba(look.colour),
        "line_width": f"{2 * width if is_dotted else width:g}",
        "line_width_unit": "MM",
        "line_style": "dot" if is_dotted else "solid",
        "capstyle": "round" if is_dotted else "square",
    }
    return "SimpleLine", options, None


def _ring(look: Look) -> _Layer:
    options = {"name": "circle", "size": f"{_RING_MM:g}", "size_unit": "MM"}
    return "SimpleMarker", options | _colours(look, filled=False), None


def _colours(look: Look, *, filled: bool) -> dict[str, str]:
    return {
        "color": _rgba(look.colour, 255 if filled else 0),
        "outline_color": _rgba(look.colour),
        "outline_width": f"{_LINE_MM:g}",
        "outline_width_unit": "MM",
    }


def _rgba(colour: str, alpha: int = 255) -> str:
    return ",".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5)) + f",{alpha}"
