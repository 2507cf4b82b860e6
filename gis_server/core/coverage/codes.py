"""Findings about codes: doubled in any profile; form, prefix and sequence where the profile gives a format (V13)."""

from collections import Counter, defaultdict
from collections.abc import Iterator

import shapely

from gis_server.core.coverage.case import Case
from gis_server.core.coverage.edges import Indices
from gis_server.core.coverage.findings import Finding, Kind
from gis_server.core.coverage.layer import Texts
from gis_server.core.grid_code import GridCode, parse, sequence_faults
from gis_server.core.message import msg


def check_codes(case: Case, parent_of: Indices) -> Iterator[Finding]:
    """All findings about the codes of the cells; ``parent_of`` is the parent of each cell by place."""
    if case.cells.codes is None:
        return
    for code, rows in _doubled(case.cells.codes).items():
        numbers = tuple(str(case.cells.row(r) + 1) for r in rows)
        message = msg("编码 {code} 用在第 {rows} 个图形上；每个网格的编码应当唯一。", code=code, rows=numbers)
        yield case.finding(Kind.DUPLICATE_CODE, rows, message, geometry=_places(case, rows))
    # sub-grids carry no 15-digit code (R15)
    if case.rules.code_digits is not None and not case.inside_only:
        yield from _formatted(case, parent_of)


def _doubled(codes: Texts) -> dict[str, list[int]]:
    """The rows of each code that several have."""
    known = [str(code) for code in codes if code]
    if len(set(known)) == len(known):
        return {}
    several = {code for code, count in Counter(known).items() if count > 1}
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, code in enumerate(codes):
        if code and str(code) in several:
            rows_of[str(code)].append(row)
    return rows_of


def _formatted(case: Case, parent_of: Indices) -> Iterator[Finding]:
    codes = case.cells.codes
    if codes is None:
        return
    parsed: dict[int, GridCode] = {}
    for row, text in enumerate(codes):
        if not text:
            message = msg("{cell} 没有编码；请赋 15 位编码。", cell=case.name(row))
            yield case.finding(Kind.BAD_CODE, [row], message, geometry=case.polygons[row])
            continue
        code = parse(str(text))
        if isinstance(code, GridCode):
            parsed[row] = code
        else:
            yield case.finding(
                Kind.BAD_CODE, [row], msg("{problem}。", problem=code), geometry=case.polygons[row]
            )
    yield from _prefixes(case, parsed, parent_of)
    exclusive = case.cells.exclusive
    flags = None if exclusive is None else [bool(e) for e in exclusive]
    for fault in sequence_faults(parsed, flags):
        if fault.missing and not case.rules.code_gaps_allowed:
            shown = tuple(f"{n:03d}" for n in fault.missing[:20])
            rows = [row for row, code in parsed.items() if code.committee == fault.committee]
            message = msg(
                "{committee} 的网格编号不连续，缺 {missing}；编号应从 001 起连续。",
                committee=fault.committee,
                missing=shown,
            )
            yield case.finding(Kind.CODE_GAP, rows, message)
        if fault.exclusive_first and case.rules.code_exclusive_continues:
            message = msg(
                "{committee} 的专属网格编号排在普通网格之前；专属网格应接续编号。", committee=fault.committee
            )
            yield case.finding(Kind.BAD_CODE, fault.exclusive_first, message)


def _prefixes(case: Case, parsed: dict[int, GridCode], parent_of: Indices) -> Iterator[Finding]:
    """The first 12 digits are the code of the community the polygon lies in (R3)."""
    for row, code in parsed.items():
        parent = case.parent_name(int(parent_of[row]))
        if parent is not None and len(parent) == 12 and parent != code.committee:
            message = msg(
                "{cell} 的前 12 位是 {prefix}，图形却在 {parent} 内；编码前 12 位应与所在社区（村）一致。",
                cell=case.name(row),
                prefix=code.committee,
                parent=parent,
            )
            yield case.finding(Kind.CODE_PREFIX, [row], message, geometry=case.polygons[row])


def _places(case: Case, rows: list[int]) -> shapely.Geometry | None:
    known = [case.polygons[r] for r in rows if case.polygons[r] is not None]
    if not known:
        return None
    return shapely.multipoints([shapely.point_on_surface(p) for p in known])
