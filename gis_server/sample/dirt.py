"""What really arrives: the same city with a known list of defects, each apart from the others.

Every defect is one of ``contract`` kind, has one place, and touches grids that no other defect touches. A city too
small for all of them gets as many as there is room for.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Point, Polygon

from gis_server.sample.borders import Stretch, bent, crossed, doorstep, stretches
from gis_server.sample.chance import rounded, stream
from gis_server.sample.city import City
from gis_server.sample.tables import Table, texts

RULES = {
    "gap": "V1",
    "bay": "V1",
    "missing_cell": "V1",
    "near_miss": "V1",
    "overlap": "V2",
    "contained": "V2",
    "duplicate_geometry": "V2",
    "outside": "V3",
    "wrong_parent": "V3",
    "other_parent_overlap": "V4",
    "invalid_geometry": "V5",
    "empty_geometry": "V5",
    "multipart": "V6",
    "sub_grid_size": "V8",
    "sub_grid_outside": "V8",
    "exclusive_host": "V10",
    "address_unassigned": "V11",
    "duplicate_code": "V13",
    "bad_code": "V13",
    "code_gap": "V13",
    "code_prefix": "V13",
}
"""The boundary check (requirements 5.3) that each kind of defect breaks."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect: the rows and codes concerned, planar size, and a place where it can be seen."""

    layer: str
    kind: str
    fids: tuple[int, ...]  # 0-based rows of the layer's file
    codes: tuple[str, ...]
    area_m2: float  # 0 where the defect has no area
    place: Point
    width_m: float  # of the rectangle with the same area and perimeter
    note: str

    @property
    def rule(self) -> str:
        """The check that finds it."""
        return RULES[self.kind]


@dataclass(frozen=True, slots=True)
class Dirty:
    """The defective tables, by layer, and what is wrong with them."""

    tables: dict[str, Table]
    defects: tuple[Defect, ...]


def strip_width(shape: object) -> float:
    """Width of the rectangle with the shape's area and perimeter, metres."""
    half = shapely.length(shape) / 2
    return float((half - np.sqrt(max(half * half - 4 * shapely.area(shape), 0.0))) / 2)


class _Grids:
    """The grid table while it is being spoilt. Rows keep their numbers until the end; added ones follow."""

    def __init__(self, city: City) -> None:
        grid = city["grid"]
        self.city = city
        self.random = stream(city.seed, "dirt")
        self.clean: list[Polygon] = list(grid.geometry)
        self.shapes: list[object] = list(grid.geometry)
        self.rows = [{name: column[i] for name, column in grid.columns.items()} for i in range(len(grid))]
        self.free = np.ones(len(grid), dtype=bool)
        self.removed: list[int] = []
        self.pending: list[Callable[[dict[int, int]], Defect]] = []
        tree = shapely.STRtree(grid.geometry)
        a, b = tree.query(grid.geometry, predicate="intersects")
        self.near = [set(b[a == i].tolist()) - {i} for i in range(len(grid))]
        outline = shapely.get_exterior_ring(city["area"].geometry[0])
        self.outline = outline
        self.at_edge = shapely.intersects(grid.geometry, outline)
        self.community = [str(c) for c in grid["community_code"]]
        self.ordinary = grid["grid_kind"] != "exclusive_grid"
        last: dict[str, int] = {}
        for i, code in enumerate(self.community):
            last[code] = i
        # communities without exclusive grids, by their last grid: codes there may change without leaving a gap
        mixed = {code for code, ordinary in zip(self.community, self.ordinary, strict=True) if not ordinary}
        self.last = {code: i for code, i in last.items() if code not in mixed}
        self.open_communities: list[str] = [
            list(self.last)[k] for k in self.random.permutation(len(self.last))
        ]

    def code(self, i: int) -> str:
        return str(self.rows[i]["grid_code"])

    def next_code(self, community: str) -> str:
        """The first number of a community that no grid bears."""
        last = str(self.city["grid"]["grid_code"][self.last[community]])
        return f"{community}{int(last[12:]) + 1:03d}"

    def take(self, *members: int) -> None:
        self.free[list(members)] = False

    def isolated(self, i: int) -> bool:
        """Whether the grid and all around it are untouched."""
        return bool(self.free[i] and self.free[list(self.near[i])].all())

    def shuffled(self, members: Iterable[int]) -> list[int]:
        chosen = list(members)
        return [chosen[k] for k in self.random.permutation(len(chosen))]

    def add(self, shape: object, code: str, like: int, **changes: object) -> int:
        self.shapes.append(shape)
        self.rows.append({**self.rows[like], "grid_code": code, **changes})
        return len(self.rows) - 1

    def report(
        self, kind: str, members: tuple[int, ...], shape: object, note: str, *, sized: bool = True
    ) -> None:
        """Remember a defect of these rows; its area is that of ``shape`` and it can be seen inside it."""
        codes = tuple(self.code(i) for i in members)
        place = shapely.point_on_surface(shape)
        area = float(shapely.area(shape)) if sized else 0.0
        width = strip_width(shape) if sized and area else 0.0

        def finished(row_of: dict[int, int]) -> Defect:
            fids = tuple(sorted(row_of[i] for i in members))
            return Defect("grid", kind, fids, codes, area, place, width, note)

        self.pending.append(finished)

    # -- borders -----------------------------------------------------------------------------------------------

    def _pairs(self, same_community: bool) -> list[tuple[int, int]]:
        pairs = []
        for i in self.shuffled(np.flatnonzero(self.ordinary & ~self.at_edge).tolist()):
            for j in sorted(self.near[i]):
                same = self.community[i] == self.community[j]
                if self.ordinary[j] and not self.at_edge[j] and same == same_community:
                    pairs.append((i, j))
        return pairs

    def bend(self, kind: str, offset: float, length: tuple[float, float], note: str) -> bool:
        """Bend a border between two grids of one community (of two for other_parent_overlap)."""
        for i, j in self._pairs(kind != "other_parent_overlap"):
            if not (self.isolated(i) and self.isolated(j)):
                continue
            one, other = self.clean[i], self.clean[j]
            border = shapely.intersection(shapely.boundary(one), shapely.boundary(other))
            for stretch in stretches(one, border, *length):
                shape = self._bent(kind, one, stretch, offset)
                if shape is None or not shapely.is_valid(shape):
                    continue
                change = shapely.symmetric_difference(shape, one)
                # pushed outwards it may meet no third grid, inwards it may not cut the grid in two
                if not isinstance(change, Polygon) or (offset > 0 and not shapely.covers(other, change)):
                    continue
                if isinstance(shape, Polygon) and len(shape.interiors) == len(one.interiors):
                    self.shapes[i] = shape
                    self.take(i, j)
                    self.report(kind, (i, j), change, note)
                    return True
        return False

    @staticmethod
    def _bent(kind: str, cell: Polygon, stretch: Stretch, offset: float) -> Polygon | None:
        if kind != "near_miss":
            return bent(cell, stretch, offset)
        if len(stretch.points) == 2:
            return doorstep(cell, stretch, offset)
        return bent(cell, stretch, offset, inner_only=True)

    def bend_edge(self, kind: str, offset: float, length: tuple[float, float], note: str) -> bool:
        """Bend the border of a grid that is also the county's."""
        for i in self.shuffled(np.flatnonzero(self.ordinary & self.at_edge).tolist()):
            if not self.isolated(i):
                continue
            cell = self.clean[i]
            border = shapely.intersection(shapely.boundary(cell), self.outline)
            for stretch in stretches(cell, border, *length):
                shape = bent(cell, stretch, offset)
                if not shapely.is_valid(shape):
                    continue
                change = shapely.symmetric_difference(shape, cell)
                inside = shapely.contains(self.city["area"].geometry[0], shapely.point_on_surface(change))
                if isinstance(change, Polygon) and inside == (offset < 0):
                    self.shapes[i] = shape
                    self.take(i)
                    self.report(kind, (i,), change, note)
                    return True
        return False

    # -- whole grids -------------------------------------------------------------------------------------------

    def next_community(self, fit: Callable[[int], bool] = lambda _: True) -> str | None:
        """A community whose codes no defect has touched, without exclusive grids, whose last grid is free."""
        for community in self.open_communities:
            i = self.last[community]
            if self.free[i] and fit(i):
                self.open_communities.remove(community)
                return community
        return None

    def missing_cell(self) -> None:
        """Leave out the last grid of a community among grids of about its own size."""

        def fits(i: int) -> bool:
            largest = max(self.clean[j].area for j in self.near[i])
            return self.isolated(i) and not self.at_edge[i] and largest <= 3 * self.clean[i].area

        community = self.next_community(fits)
        if community is None:
            return
        i = self.last[community]
        edge = shapely.boundary(self.clean[i])
        around = tuple(
            j
            for j in sorted(self.near[i])
            if shapely.relate_pattern(edge, shapely.boundary(self.clean[j]), "1********")
        )
        self.take(i, *self.near[i])
        self.removed.append(i)
        self.report("missing_cell", around, self.clean[i], f"缺少网格 {self.code(i)}")

    def one_too_many(self, kind: str) -> None:
        """A grid too many: on another one, the same again, or without a polygon."""
        community = self.next_community(self.isolated)
        if community is None:
            return
        i = self.last[community]
        cell, code = self.clean[i], self.next_code(community)
        self.take(i)
        if kind == "contained":
            spot = shapely.get_coordinates(shapely.point_on_surface(cell))[0]
            room = shapely.distance(shapely.boundary(cell), Point(spot)) * 0.55
            corners = spot + room * np.array([[-1, -0.7], [1, -0.6], [0.9, 0.7], [-0.9, 0.6]])
            inner = Polygon(rounded(corners))
            self.report(kind, (i, self.add(inner, code, i)), inner, "整块落在另一网格之内")
        elif kind == "duplicate_geometry":
            self.report(kind, (i, self.add(cell, code, i)), cell, "同一图形录入两次")
        else:
            new = self.add(None, code, i)
            self.report(kind, (new,), cell, "只有属性，没有图形", sized=False)

    def invalid(self) -> None:
        for i in self.shuffled(np.flatnonzero(self.ordinary & ~self.at_edge).tolist()):
            if not self.isolated(i):
                continue
            for corner in shapely.get_coordinates(shapely.get_exterior_ring(self.clean[i]))[:-1]:
                shape = crossed(self.clean[i], corner, 14.0)
                if shape is not None:
                    self.shapes[i] = shape
                    self.take(i)
                    self.report(
                        "invalid_geometry", (i,), Point(corner), "环线在一个顶点处自相交", sized=False
                    )
                    return

    def multipart(self) -> None:
        """A block of one grid drawn with its neighbour, which it does not touch."""
        faces, division = self.city.faces, self.city.division
        for i, j in self._pairs(same_community=True):
            if not (self.isolated(i) and self.isolated(j)):
                continue
            rows = np.flatnonzero(division.grid == division.grid[self._face_in(j)])
            for f in rows:
                block = faces.polygons[f]
                own = shapely.coverage_union_all(faces.polygons[rows[rows != f]])
                if (
                    faces.area[f] > 1500.0
                    and shapely.disjoint(block, self.clean[i])
                    and isinstance(own, Polygon)
                    and len(own.interiors) == len(self.clean[j].interiors)
                ):
                    self.shapes[i] = MultiPolygon([self.clean[i], block])
                    self.shapes[j] = own
                    self.take(i, j)
                    self.report("multipart", (i,), block, "一个网格由两块不相连的图形组成")
                    return

    def _face_in(self, i: int) -> int:
        faces = self.city.faces
        inside = shapely.contains_xy(self.clean[i], faces.x, faces.y)
        return int(np.flatnonzero(inside)[0])

    # -- columns -----------------------------------------------------------------------------------------------

    def bad_code(self, spoilt: Callable[[str], str], note: str) -> None:
        """Spoil the code of the last grid of a community."""
        community = self.next_community()
        if community is None:
            return
        i = self.last[community]
        self.take(i)
        self.rows[i]["grid_code"] = spoilt(self.code(i))
        self.report("bad_code", (i,), self.clean[i], note, sized=False)

    def duplicate_code(self) -> None:
        community = self.next_community()
        if community is None:
            return
        i = self.last[community]
        first = self.community.index(community)
        self.take(i, first)
        self.rows[i]["grid_code"] = self.code(first)
        self.report("duplicate_code", (first, i), self.clean[i], "两个网格用同一编码", sized=False)

    def foreign(self, kind: str) -> None:
        """A code, or for wrong_parent the community, of another community than the one the grid lies in."""
        one, other = self.next_community(self.isolated), self.next_community()
        if one is None or other is None:
            return
        i = self.last[one]
        self.take(i)
        if kind == "wrong_parent":
            self.rows[i]["community_code"] = other
            note = f"位于 {one}，却填报为 {other}"
        else:
            self.rows[i]["grid_code"] = self.next_code(other)
            note = f"属于 {one}，编码前缀却是 {other}"
        self.report(kind, (i,), self.clean[i], note, sized=False)

    def code_gap(self) -> None:
        """Skip a number before the last grid of a community; every grid of it is concerned."""
        community = self.next_community()
        if community is None:
            return
        i = self.last[community]
        self.take(i)
        self.rows[i]["grid_code"] = self.next_code(community)
        members = tuple(k for k, c in enumerate(self.community) if c == community)
        self.report("code_gap", members, self.clean[i], "序号中断", sized=False)

    def exclusive_host(self) -> None:
        for i in self.shuffled(np.flatnonzero(~self.ordinary).tolist()):
            if self.free[i]:
                self.rows[i]["host_units"] = None
                self.take(i)
                self.report("exclusive_host", (i,), self.clean[i], "专属网格未填所在单位", sized=False)
                return

    def finish(self) -> tuple[Table, list[Defect]]:
        kept = [i for i in range(len(self.rows)) if i not in self.removed]
        row_of = {old: new for new, old in enumerate(kept)}
        geometry = np.empty(len(kept), dtype=object)
        geometry[:] = [self.shapes[i] for i in kept]
        columns: dict[str, NDArray[np.generic]] = {}
        for name, column in self.city["grid"].columns.items():
            values = [self.rows[i][name] for i in kept]
            columns[name] = texts(values) if column.dtype == object else np.array(values, dtype=column.dtype)
        return Table(geometry, columns), [finished(row_of) for finished in self.pending]


def _dirty_grids(city: City) -> tuple[Table, list[Defect]]:
    grids = _Grids(city)
    # codes first: they need whole communities
    grids.missing_cell()
    for kind in ("contained", "duplicate_geometry", "empty_geometry"):
        grids.one_too_many(kind)
    grids.foreign("wrong_parent")
    grids.foreign("code_prefix")
    grids.duplicate_code()
    grids.bad_code(lambda own: own[:-1], "编码只有 14 位")
    grids.bad_code(lambda own: own[:-1] + "A", "编码含字母")
    grids.code_gap()
    grids.multipart()
    grids.bend("gap", -18.0, (60.0, 240.0), "两网格之间的空地")
    grids.bend("gap", -0.2, (72.0, 90.0), "0.2 米宽的细缝")
    grids.bend("overlap", 9.0, (60.0, 240.0), "两网格重叠")
    grids.bend("overlap", 0.2, (72.0, 90.0), "0.2 米宽的细长重叠")
    grids.bend("other_parent_overlap", 6.0, (60.0, 240.0), "越过社区界线，压占邻社区网格")
    grids.bend("near_miss", -0.005, (70.0, 130.0), "边线偏移几毫米")
    grids.bend("near_miss", 0.004, (30.0, 60.0), "顶点偏移几毫米")
    grids.bend_edge("bay", -95.0, (35.0, 70.0), "从市界伸入的缺口")
    grids.bend_edge("outside", 12.0, (100.0, 220.0), "伸出市界")
    grids.invalid()
    grids.exclusive_host()
    return grids.finish()


def _dirty_sub_grids(city: City) -> tuple[Table, list[Defect]]:
    random = stream(city.seed, "dirt/sub grids")
    table, county = city["sub_grid"], city["area"].geometry[0]
    geometry = table.geometry.copy()
    households = np.array(table["resident_households"])
    grid = table["grid_code"]
    defects = []
    order = random.permutation(len(table))
    outline = shapely.get_exterior_ring(county)
    for i in order[shapely.intersects(table.geometry[order], outline)]:
        cell = table.geometry[i]
        for stretch in stretches(cell, shapely.intersection(shapely.boundary(cell), outline), 80.0, 200.0):
            shape = bent(cell, stretch, 5.0)
            if not shapely.is_valid(shape):
                continue
            change = shapely.difference(shape, cell)
            beyond = not shapely.intersects(county, shapely.point_on_surface(change))
            if isinstance(change, Polygon) and beyond:
                geometry[i] = shape
                place = shapely.point_on_surface(change)
                codes = (str(table["sub_grid_code"][i]),)
                defects.append(
                    Defect(
                        "sub_grid",
                        "sub_grid_outside",
                        (int(i),),
                        codes,
                        float(change.area),
                        place,
                        strip_width(change),
                        "子网格伸出所属网格",
                    )
                )
                break
        if defects:
            break
    spoilt = {str(grid[d.fids[0]]) for d in defects}
    for i in order:
        siblings = np.flatnonzero(grid == grid[i])
        if len(siblings) < 2 or str(grid[i]) in spoilt:
            continue
        other = int(siblings[siblings != i][0])
        households[other] += households[i] - 9
        households[i] = 9
        place = shapely.point_on_surface(table.geometry[i])
        codes = (str(table["sub_grid_code"][i]),)
        defects.append(Defect("sub_grid", "sub_grid_size", (int(i),), codes, 0.0, place, 0.0, "只有 9 户"))
        break
    return Table(geometry, {**table.columns, "resident_households": households}), defects


def _dirty_addresses(city: City) -> tuple[Table, list[Defect]]:
    random = stream(city.seed, "dirt/addresses")
    table, county = city["address"], city["area"].geometry[0]
    i = int(random.integers(len(table)))
    west, south, _, _ = shapely.bounds(county)
    place = Point(float(rounded(np.array([west - 800.0]))[0]), float(rounded(np.array([south - 800.0]))[0]))
    geometry = table.geometry.copy()
    geometry[i] = place
    code = (str(table["address_code"][i]),)
    defect = Defect("address", "address_unassigned", (i,), code, 0.0, place, 0.0, "地址点落在全市之外")
    return Table(geometry, table.columns), [defect]


def make_dirty(city: City) -> Dirty:
    """Spoil a city: grids, sub-grids and addresses with their defects; the other layers stay as they are."""
    tables = dict(city.tables)
    defects: list[Defect] = []
    for layer, spoil in (
        ("grid", _dirty_grids),
        ("sub_grid", _dirty_sub_grids),
        ("address", _dirty_addresses),
    ):
        tables[layer], found = spoil(city)
        defects.extend(found)
    return Dirty(tables, tuple(defects))
