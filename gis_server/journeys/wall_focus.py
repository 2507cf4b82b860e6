"""What a wall on file or paper is about: a town, a community or one grid, and the layers in force there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from gis_server.core.access import Tier
from gis_server.core.catalogue import Catalogue
from gis_server.core.errors import NotFound, UnusableInput
from gis_server.core.features import FeatureTable
from gis_server.core.message import Message, msg
from gis_server.core.wall_wish import Asked
from gis_server.store import areas, features, layers, places
from gis_server.store.sight import BBox, Sight


@dataclass(frozen=True, slots=True)
class Focus:
    """The place: its name, the codes of the areas it lies in (itself included), their names, the one grid's code.

    ``bounds`` are degrees.
    """

    name: str
    level: str
    path: tuple[str, ...]
    names: tuple[str, ...]
    bounds: BBox
    grid: str | None = None

    @property
    def code(self) -> str:
        """The code of the grid or area."""
        return self.grid or self.path[-1]

    @property
    def stem(self) -> str:
        """The name as titles go on from it: a grid's without the word 网格, which they bring themselves."""
        return self.name.removesuffix("网格") or self.name

    @property
    def map_title(self) -> Message:
        """What its division map is called."""
        return msg("{name}网格图", name=self.stem) if self.grid else msg("{name}网格划分图", name=self.stem)


class InForce:
    """What a reader of ``tier`` may see of the layers in force at one moment."""

    def __init__(
        self, conn: Connection, catalogue: Catalogue, now: datetime, tier: Tier = Tier.PUBLIC
    ) -> None:
        self.conn = conn
        self.catalogue = catalogue
        self.now = now
        self.tier = tier
        self.generations = {name: layers.in_force(conn, name, now) for name in catalogue.layers}

    def _sight(self, territory: tuple[str, ...], tier: Tier | None = None) -> Sight:
        seen_by = self.tier if tier is None else tier
        return Sight(seen_by, territory, self._generation_id("area"), self._generation_id("grid"))

    def collection(
        self, name: str, territory: tuple[str, ...] = (), box: BBox | None = None
    ) -> dict[str, Any]:
        """The features of a layer inside a territory and a box, as GeoJSON."""
        layer = self.catalogue[name]
        text = features.geojson(self.conn, layer, self.generations[name], self._sight(territory), bbox=box)
        found: dict[str, Any] = orjson.loads(text)
        return found

    def table(
        self,
        name: str,
        territory: tuple[str, ...] = (),
        box: BBox | None = None,
        fields: tuple[str, ...] | None = None,
        tier: Tier | None = None,
    ) -> FeatureTable:
        """The same as a table with geometries; of a lower ``tier`` if one is given."""
        layer = self.catalogue[name]
        sight = self._sight(territory, tier)
        return features.read(self.conn, layer, self.generations[name], sight, fields=fields, bbox=box)

    def _generation_id(self, name: str) -> int | None:
        generation = self.generations.get(name)
        return None if generation is None else generation.id

    def focus(self, asked: Asked) -> Focus:
        """The place that was asked for; NotFound for an unknown code, UnusableInput unless exactly one is named."""
        if sum(code is not None for code in (asked.town, asked.community, asked.grid)) != 1:
            raise UnusableInput(msg("请用 town、community、grid 其中一个指明地方。"), field="town")
        if asked.town is not None:
            return self._area(asked.town, "town")
        if asked.community is not None:
            return self._area(asked.community, "community")
        return self._grid(asked.grid or "")

    def _area(self, code: str, field: str) -> Focus:
        level = "community" if field == "community" else "township"
        area = areas.by_code(self.conn, code, self.now)
        bounds = areas.bounds(self.conn, code, self.now)
        if area is None or bounds is None:
            raise NotFound(msg("现行区划中没有代码为 {code} 的区域。", code=code[:60]), field=field)
        if area.level != level:
            wanted = {"community": msg("社区(村)"), "township": msg("乡镇(街道)")}[level]
            raise UnusableInput(
                msg("{code} 是{name}，不是{wanted}。", code=code, name=area.name, wanted=wanted), field=field
            )
        return Focus(area.name, area.level, area.path, self._names(area.path), bounds)

    def _grid(self, code: str) -> Focus:
        generation = self._generation_id("grid")
        grid = None if generation is None else places.grid_row(self.conn, generation, code)
        if grid is None:
            raise NotFound(msg("现行网格中没有编码为 {code} 的网格。", code=code[:60]), field="grid")
        community = areas.by_code(self.conn, grid.community_code, self.now)
        path = community.path if community else ()
        return Focus(grid.grid_name, "grid", path, self._names(path), grid.bounds, code)

    def _names(self, path: tuple[str, ...]) -> tuple[str, ...]:
        found = (areas.by_code(self.conn, code, self.now) for code in path)
        return tuple(area.name for area in found if area is not None)
