"""What a printed division map shows, read from the layers in force within its frame."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gis_server.core.access import Tier
from gis_server.core.catalogue import Layer, LayerKind
from gis_server.core.features import FeatureTable
from gis_server.core.geometry import metric_or_utm
from gis_server.core.map_sheet import AreaOnMap, GridOnMap, MapContent, MapFrame, Theme, frame_for, to_ground
from gis_server.core.sheet import Box
from gis_server.journeys.wall_focus import Focus, InForce

_APART = {"area", "grid", "sub_grid"}
"""Layers that a division map is made of; all others give orientation."""

_BESIDE = {"township": "township", "community": "community", "grid": "community"}
"""Of which level the neighbours of a place are."""

_PIXEL_M = 156_543.034
_PIXELS_PER_M = 1000 / 0.28
"""The size of a pixel at zoom 0, and the pixels of a metre of screen by which map scales are told."""


def metric_crs_of(focus: Focus) -> str:
    """The metric CRS of a place."""
    west, south, east, north = focus.bounds
    return metric_or_utm((west + east) / 2, (south + north) / 2)


def framed(in_force: InForce, focus: Focus, box: Box) -> MapFrame:
    """The map's frame in ``box``: the largest round scale at which the place fits."""
    crs = metric_crs_of(focus)
    bounds = to_ground(np.array([_shape(in_force, focus)], object), crs)[0].bounds
    return frame_for(box, crs, bounds)


def map_content(in_force: InForce, focus: Focus, frame: MapFrame) -> MapContent:
    """All that the map of a place shows to the tier of ``in_force``."""
    found = _Reader(in_force, focus, frame)
    own, neighbours = found.areas()
    grids, beside = found.grids()
    shape = to_ground(np.array([_shape(in_force, focus)], object), frame.crs)[0]
    return MapContent(
        crs=frame.crs,
        focus=shape,
        themes=found.themes(),
        areas=own,
        neighbours=neighbours,
        grids=grids,
        beside=beside,
        sub_grids=found.sub_grids(),
        chosen=focus.grid,
    )


def _shape(in_force: InForce, focus: Focus) -> Any:
    name, key = ("grid", "grid_code") if focus.grid else ("area", "area_code")
    table = in_force.table(name, box=focus.bounds, fields=(key,))
    (row,) = (row for row, code in enumerate(table.columns[key]) if code == focus.code)
    return table.geometry[row]


class _Reader:
    """The layers within one frame."""

    def __init__(self, in_force: InForce, focus: Focus, frame: MapFrame) -> None:
        self.in_force = in_force
        self.focus = focus
        self.frame = frame
        west, south, east, north = frame.degrees
        self.box = (west, south, east, north)
        pixel = frame.scale / _PIXELS_PER_M
        self.zoom = math.log2(_PIXEL_M * math.cos(math.radians((south + north) / 2)) / pixel)

    def _ground(self, table: FeatureTable) -> Any:
        return to_ground(table.geometry, self.frame.crs)

    def _shows(self, layer: Layer) -> bool:
        # what a screen shows only near by, paper shows only at a large scale
        return layer.kind is not LayerKind.RECORD and self.zoom >= layer.style.min_zoom

    def areas(self) -> tuple[list[AreaOnMap], list[AreaOnMap]]:
        """Those of the place, and those around it."""
        table = self.in_force.table("area", box=self.box)
        columns = table.columns
        path, own, around = self.focus.path, list[AreaOnMap](), list[AreaOnMap]()
        inside = set(self._codes_inside())
        rows = zip(
            columns["area_code"],
            columns["area_name"],
            columns["admin_level"],
            self._ground(table),
            strict=True,
        )
        for code, name, level, shape in rows:
            area = AreaOnMap(code, name, level, shape)
            if code in inside or (code in path and level != "county"):
                own.append(area)
            elif level == _BESIDE[self.focus.level] or (level == "county" and code not in path):
                around.append(area)
        return own, around

    def _codes_inside(self) -> Sequence[str]:
        if self.focus.level == "grid":
            return ()
        table = self.in_force.table("area", self.focus.path, self.box, ("area_code",))
        return [str(code) for code in table.columns["area_code"]]

    def grids(self) -> tuple[list[GridOnMap], list[GridOnMap]]:
        """Those of the place; of a single grid's map that grid, and all around it."""
        areas = self.in_force.table("area", box=self.box, fields=("area_code", "area_name"))
        names = dict(zip(areas.columns["area_code"], areas.columns["area_name"], strict=True))
        territory = () if self.focus.grid else self.focus.path
        table = self.in_force.table("grid", territory, self.box)
        columns = table.columns
        rows = zip(
            columns["grid_code"],
            columns["grid_name"],
            columns["grid_kind"],
            columns["community_code"],
            self._ground(table),
            strict=True,
        )
        every = [
            GridOnMap(code, name, kind, names.get(community, community), shape)
            for code, name, kind, community, shape in rows
        ]
        if self.focus.grid is None:
            return every, []
        chosen = [grid for grid in every if grid.code == self.focus.grid]
        return chosen, [grid for grid in every if grid.code != self.focus.grid]

    def sub_grids(self) -> list[tuple[str, Any]]:
        """Those of the place, where the scale is large enough for them."""
        catalogue = self.in_force.catalogue
        if "sub_grid" not in catalogue or not self._shows(catalogue["sub_grid"]):
            return []
        table = self.in_force.table("sub_grid", self.focus.path, self.box, ("sub_grid_code", "grid_code"))
        rows = zip(
            table.columns["sub_grid_code"], table.columns["grid_code"], self._ground(table), strict=True
        )
        return [(code, shape) for code, grid, shape in rows if self.focus.grid in (None, grid)]

    def themes(self) -> list[Theme]:
        """Roads, water and whatever else the tier of the sheet may see."""
        return [
            self._theme(layer)
            for layer in self.in_force.catalogue.visible(self.in_force.tier)
            if layer.name not in _APART and self._shows(layer)
        ]

    def _theme(self, layer: Layer) -> Theme:
        # what everybody may see is drawn all over the sheet, what only some may see inside the place
        is_public = layer.tier is Tier.PUBLIC
        tier = Tier.PUBLIC if is_public else self.in_force.tier
        territory = () if is_public and layer.kind is not LayerKind.BOUNDARY else self.focus.path
        shown = {field.name for field in layer.visible_fields(tier)}
        classify = layer.style.classify if layer.style.classify in shown else None
        label = layer.label if layer.label in shown else None
        wanted = tuple(name for name in (classify, label) if name is not None)
        table = self.in_force.table(layer.name, territory, self.box, wanted, tier)
        nothing = [None] * len(table.geometry)
        return Theme(
            layer,
            self._ground(table),
            list(table.columns[classify]) if classify else nothing,
            list(table.columns[label]) if label else nothing,
        )
