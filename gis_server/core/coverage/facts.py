"""Findings about what is inside a grid: households and people, host units, addresses, its people on duty (V7–V14)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely

from gis_server.core.coverage.case import Case
from gis_server.core.coverage.edges import Floats, Indices
from gis_server.core.coverage.findings import Finding, Kind, Severity, Weight
from gis_server.core.coverage.layer import Texts
from gis_server.core.coverage.rules import RULE_OF, Rules, SizeRule
from gis_server.core.message import Message, msg

RURAL = "rural"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the table says of each cell; a column is None where the table lacks it, an entry where the row does.

    ``settlement`` is urban_community, urban_village or rural; an unstated one is taken for urban.
    """

    households: Texts | None = None  # int or None
    population: Texts | None = None  # int or None
    settlement: Texts | None = None
    host_units: Texts | None = None
    managing_department: Texts | None = None


@dataclass(frozen=True, slots=True)
class Addresses:
    """Standard addresses: places (n, 2) in the data's coordinates, codes, and who lives there (None: unknown)."""

    places: Floats
    codes: Texts
    households: Texts | None = None
    people: Texts | None = None
    open_incidents: Floats | None = None  # places (m, 2) of incidents that are not closed


def with_counts(facts: Facts, case: Case, addresses: Addresses) -> Facts:
    """The facts, with households and people counted from the addresses where a cell states none of its own.

    What the addresses do not say (a column they lack) stays unknown. An address counts in exactly one cell (``placed``).
    """
    cell = placed(case, addresses.places).cell
    counted = facts
    for name, column in (("households", addresses.households), ("population", addresses.people)):
        if column is not None:
            known = np.array([0 if v is None else int(v) for v in column], dtype=np.float64)
            total = np.bincount(cell[cell >= 0], weights=known[cell >= 0], minlength=len(case.polygons))
            own = getattr(facts, name)
            stated = [None] * len(total) if own is None else own
            values = [int(t) if s is None else s for s, t in zip(stated, total, strict=True)]
            counted = replace(counted, **{name: np.array(values, dtype=object)})
    return counted


@dataclass(frozen=True, slots=True)
class Placed:
    """For each of n places the ``cell`` it belongs to (−1: none), and how many cells hold it ``inside``."""

    cell: Indices
    inside: Indices


def placed(case: Case, places: Floats) -> Placed:
    """Each place to exactly one cell: the one that holds it; on a shared border, or where several hold it, that of the
    lowest code, as incidents are routed."""
    count = len(places)
    over = case.ground.over(places)
    point, cell = over.point, over.polygon
    point, cell = point[case.active[cell]], cell[case.active[cell]]
    inside = np.bincount(point, minlength=count)
    free = np.flatnonzero(inside == 0)
    on_border, beside = case.ground.near(places[free], 0.0)
    usable = case.active[beside]
    point = np.concatenate([point, free[on_border[usable]]])
    cell = np.concatenate([cell, beside[usable]])
    order = np.lexsort((_rank(case)[cell], point))
    at, first = np.unique(point[order], return_index=True)
    chosen = np.full(count, -1, dtype=np.int64)
    chosen[at] = cell[order][first]
    return Placed(chosen, inside)


def _rank(case: Case) -> Indices:
    """The place of each cell in the order of the codes; cells without one come last, in the order of the rows."""
    codes = [case.cells.code(i) for i in range(len(case.polygons))]
    order = sorted(range(len(codes)), key=lambda i: (codes[i] is None, str(codes[i]), i))
    rank = np.empty(len(codes), dtype=np.int64)
    rank[order] = np.arange(len(codes))
    return rank


def check_facts(case: Case, facts: Facts, parent_of: Indices) -> Iterator[Finding]:
    """Sizes, sub-grid sizes and host units."""
    if case.inside_only:
        yield from _sub_grid_sizes(case, facts)
        return
    yield from _sizes(case, facts)
    yield from _villages(case, facts, parent_of)
    yield from _hosts(case, facts)


def _sub_grid_sizes(case: Case, facts: Facts) -> Iterator[Finding]:
    least = case.rules.sub_grid_min_households
    if least is None or facts.households is None:
        return
    for cell, count in enumerate(facts.households):
        if count is not None and count < least:
            message = msg(
                "{cell} 只有 {count} 户，少于 {least} 户；请与相邻子网格合并。",
                cell=case.name(cell),
                count=count,
                least=least,
            )
            yield case.finding(Kind.SUB_GRID_SIZE, [cell], message, geometry=case.polygons[cell])


def _sizes(case: Case, facts: Facts) -> Iterator[Finding]:
    rule = case.rules.size
    if facts.households is None and facts.population is None:
        return
    alone = _alone_in_village(case, facts)
    for cell in map(int, np.flatnonzero(case.active)):
        if _is_exclusive(case, cell):
            continue
        households, people = _value(facts.households, cell), _value(facts.population, cell)
        if facts.settlement is not None and facts.settlement[cell] == RURAL:
            remote = rule.remote_village_is_one_grid and cell in alone
            problem = _rural_problem(rule, households, remote=remote)
        else:
            problem = _urban_problem(rule, households, people)
        if problem is not None:
            message = msg("{cell} {problem}；如确有需要，请写明理由。", cell=case.name(cell), problem=problem)
            yield case.finding(Kind.SIZE, [cell], message, geometry=case.polygons[cell])


def _urban_problem(rule: SizeRule, households: int | None, people: int | None) -> Message | None:
    if rule.urban_min is None or rule.urban_max is None or households is None:
        return None
    slack = rule.tolerance_pct / 100 if rule.urban_about else 0.0
    if rule.urban_min * (1 - slack) <= households <= rule.urban_max * (1 + slack):
        return None
    about = rule.urban_population_about
    if about is not None and people is not None and abs(people - about) <= about * rule.tolerance_pct / 100:
        return None
    if rule.urban_about:
        return msg("有 {count} 户，标准为 {about} 户左右", count=households, about=rule.urban_min)
    if about is None:
        return msg(
            "有 {count} 户，标准为 {least}–{most} 户",
            count=households,
            least=rule.urban_min,
            most=rule.urban_max,
        )
    return msg(
        "有 {count} 户、{people} 人，标准为 {least}–{most} 户或 {about} 人左右",
        count=households,
        people="?" if people is None else people,
        least=rule.urban_min,
        most=rule.urban_max,
        about=about,
    )


def _rural_problem(rule: SizeRule, households: int | None, *, remote: bool) -> Message | None:
    if rule.rural_about is None or households is None:
        return None
    slack = rule.rural_about * rule.tolerance_pct / 100
    if abs(households - rule.rural_about) <= slack or (remote and households < rule.rural_about):
        return None
    return msg("有 {count} 户，农村标准为 {about} 户左右", count=households, about=rule.rural_about)


def _ordinary_by_parent(case: Case, facts: Facts) -> dict[str, list[int]]:
    """Rural ordinary grids by the code of their parent."""
    found: dict[str, list[int]] = defaultdict(list)
    if case.cells.parent_codes is None or facts.settlement is None:
        return found
    for cell, parent in enumerate(case.cells.parent_codes):
        if parent and facts.settlement[cell] == RURAL and not _is_exclusive(case, cell):
            found[str(parent)].append(cell)
    return found


def _alone_in_village(case: Case, facts: Facts) -> frozenset[int]:
    return frozenset(cells[0] for cells in _ordinary_by_parent(case, facts).values() if len(cells) == 1)


def _villages(case: Case, facts: Facts, parent_of: Indices) -> Iterator[Finding]:
    """One grid per administrative village in principle (gansu 一(一)2)."""
    if not case.rules.size.one_grid_per_village:
        return
    for village, cells in _ordinary_by_parent(case, facts).items():
        if len(cells) > 1:
            counts = tuple("?" if (v := _value(facts.households, c)) is None else str(v) for c in cells)
            message = msg(
                "行政村 {village} 划了 {count} 个网格（{households} 户）；原则上一个行政村为一个网格，如确有需要，请写明理由。",
                village=village,
                count=len(cells),
                households=counts,
            )
            parent = int(parent_of[cells[0]])
            ground = case.parents.geometry[parent] if case.parents is not None and parent >= 0 else None
            yield case.finding(Kind.SIZE, cells, message, geometry=ground)


def _hosts(case: Case, facts: Facts) -> Iterator[Finding]:
    for cell in range(len(case.polygons)):
        if not _is_exclusive(case, cell):
            continue
        if facts.host_units is not None and not facts.host_units[cell]:
            message = msg("专属网格 {cell} 没有填报所在单位；请填写至少一个。", cell=case.name(cell))
            yield case.finding(Kind.EXCLUSIVE_HOST, [cell], message, geometry=case.polygons[cell])
        departments = facts.managing_department
        if case.rules.exclusive_needs_department and departments is not None and not departments[cell]:
            message = msg("专属网格 {cell} 没有填报主管部门（双重管理）；请填写。", cell=case.name(cell))
            yield case.finding(Kind.EXCLUSIVE_HOST, [cell], message, geometry=case.polygons[cell])


def check_addresses(
    case: Case, addresses: Addresses, ground_findings: Sequence[Finding]
) -> Iterator[Finding]:
    """Addresses in no grid, or in two (V11); those on ground that a finding names already count there (``weigh``).

    Nothing is said of sub-grids: a grid need not be divided everywhere.
    """
    if case.inside_only:
        return
    points = shapely.points(addresses.places)
    where = placed(case, addresses.places)
    wrong = (where.cell < 0) | (where.inside > 1)
    told = [f.geometry for f in ground_findings if f.geometry is not None and f.area_m2 > 0]
    if told:
        wrong[shapely.STRtree(points).query(np.array(told, dtype=object), predicate="intersects")[1]] = False
    for at in map(int, np.flatnonzero(wrong)):
        yield misplaced_address(case.rules, addresses.codes[at], at, points[at], int(where.inside[at]))


def misplaced_address(
    rules: Rules,
    code: str | None,
    row: int,
    place: shapely.Point,
    grids: int,
    *,
    fids: tuple[int, ...] = (),
) -> Finding:
    """An address that lies in no grid or in several (``grids``); without a code it is known by its row, 0-based."""
    name = code or msg("第 {n} 个地址", n=row + 1)
    message = (
        msg("地址 {code} 不在任何网格内；请核对坐标或补上网格。", code=name)
        if grids == 0
        else msg("地址 {code} 同时落在 {count} 个网格内；请先消除重叠。", code=name, count=grids)
    )
    return Finding(
        kind=Kind.ADDRESS_UNASSIGNED,
        rule=RULE_OF[Kind.ADDRESS_UNASSIGNED],
        severity=rules.severity(Kind.ADDRESS_UNASSIGNED),
        clause=rules.clause(Kind.ADDRESS_UNASSIGNED),
        fids=fids,
        codes=(str(code),) if code else (),
        area_m2=0.0,
        width_m=0.0,
        message=message,
        geometry=place,
    )


def weigh(findings: Iterable[Finding], addresses: Addresses) -> list[Finding]:
    """The findings with the addresses, people and open incidents on their ground."""
    listed = list(findings)
    areal = [i for i, f in enumerate(listed) if f.geometry is not None and shapely.area(f.geometry) > 0]
    if not areal:
        return listed
    shapes = np.array([listed[i].geometry for i in areal], dtype=object)
    shape, address = shapely.STRtree(shapely.points(addresses.places)).query(shapes, predicate="intersects")
    count = np.bincount(shape, minlength=len(areal))
    people = np.zeros(len(areal))
    if addresses.people is not None:
        known = np.array([0 if v is None else int(v) for v in addresses.people], dtype=np.float64)
        people[:] = np.bincount(shape, weights=known[address], minlength=len(areal))
    incidents = np.zeros(len(areal), dtype=np.int64)
    if addresses.open_incidents is not None and len(addresses.open_incidents):
        tree = shapely.STRtree(shapely.points(addresses.open_incidents))
        incidents = np.bincount(tree.query(shapes, predicate="intersects")[0], minlength=len(areal))
    for place, i in enumerate(areal):
        weight = Weight(int(count[place]), int(people[place]), int(incidents[place]))
        listed[i] = replace(listed[i], weight=weight)
    return listed


def department_layer(rules: Rules, department: str, legal_basis: str | None) -> Finding | None:
    """Whether a department's own division may be written as the grid layer (V12).

    Forbidden where the profile says so; with a cited law it is let in, flagged, where the profile knows that
    exception. None where the profile does not forbid it.
    """
    if not rules.department_layers_forbidden:
        return None
    excused = legal_basis is not None and rules.department_layer_legal_exception
    message = (
        msg(
            "{department} 的图层依据《{law}》作为网格接收；请在发布时注明。",
            department=department,
            law=legal_basis,
        )
        if excused
        else msg(
            "{department} 的图层不能作为网格：不得在统一网格之外另行划分；可作为只读参考图层导入。",
            department=department,
        )
    )
    return Finding(
        kind=Kind.DEPARTMENT_LAYER,
        rule=RULE_OF[Kind.DEPARTMENT_LAYER],
        severity=Severity.WARNING if excused else Severity.ERROR,
        clause=rules.clause(Kind.DEPARTMENT_LAYER),
        fids=(),
        codes=(),
        area_m2=0.0,
        width_m=0.0,
        message=message,
    )


def _is_exclusive(case: Case, cell: int) -> bool:
    return case.cells.exclusive is not None and bool(case.cells.exclusive[cell])


def _value(column: Texts | None, cell: int) -> int | None:
    return None if column is None else column[cell]
