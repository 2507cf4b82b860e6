"""The interactive division map of a place: one HTML that opens without a network."""

from collections.abc import Mapping
from typing import Any

import orjson
import shapely

from gis_server.core.access import Tier
from gis_server.core.catalogue import LayerKind
from gis_server.core.message import msg
from gis_server.journeys.wall_focus import Focus, InForce
from gis_server.paint.look import Speech
from gis_server.paint.wall_file import Drawn, Label, SheetWords, WallFile
from gis_server.store.sight import BBox

BORDER_WIDTH = {"county": 4.0, "township": 2.5, "community": 1.5}
"""Line widths in px, as multiples of a grid's border."""

FOCUS_WIDTH = 5.0

_NEAR_BY = 15

_MARGIN = 0.05  # of the focus' extent, so that neighbours show at the edge


def html_map(in_force: InForce, focus: Focus, speech: Speech, foot: str) -> WallFile:
    """The interactive map of a place, with what the tier of ``in_force`` may see."""
    language = speech.language
    box = _wider(focus.bounds)
    drawn: list[Drawn] = []
    labels: list[Label] = []
    for layer in in_force.catalogue.visible(in_force.tier):
        # what a screen shows only near by would bury a map that is looked at whole
        if layer.kind is LayerKind.RECORD or layer.style.min_zoom >= _NEAR_BY:
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
        own_only = layer.kind is LayerKind.BOUNDARY or in_force.tier > Tier.PUBLIC
        territory = focus.path if own_only else ()
        found = in_force.collection(layer.name, territory, box)
        drawn.append(Drawn(layer, layer.title.said(language), found))
        if layer.name == "grid":
            asked = [feature for feature in found["features"] if feature["id"] == focus.grid]
            title = speech.say(msg("本网格"))
            drawn.append(Drawn(layer, title, {"features": asked}, outline=True, width=FOCUS_WIDTH))
            labels += _labels(found, "grid_code", "grid", box)
    return WallFile(
        language=language,
        title=speech.say(focus.map_title),
        foot=foot,
        bounds=focus.bounds,
        drawn=drawn,
        labels=labels,
        words=SheetWords(legend=speech.say(msg("图例")), north=speech.say(msg("北"))),
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
