"""The roster: import it whole, list it by grid with the vacancies first, check it by the rules of the place."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from gis_server.core.access import Act, Actor, Tier
from gis_server.core.answering import Answer, answering
from gis_server.core.boundaries import LEVELS, Boundaries
from gis_server.core.coverage.findings import Finding, Severity
from gis_server.core.decision import Ground
from gis_server.core.errors import UnusableInput
from gis_server.core.features import RowProblem
from gis_server.core.generation import GenerationState
from gis_server.core.message import msg
from gis_server.core.profile import Profile
from gis_server.core.roster import Person, Posting, Roster, StaffedGrid
from gis_server.core.roster_file import COLUMNS, MOST_ROWS, parse_roster
from gis_server.core.roster_rules import liaison_findings, roster_findings, stray_findings
from gis_server.files.cells import read_cells, write_cells
from gis_server.journeys import staging
from gis_server.journeys.context import Context
from gis_server.journeys.ground import ground_at
from gis_server.journeys.imports import Upload
from gis_server.journeys.profiles import profile_in_use
from gis_server.store import audit, boundaries, features, layers
from gis_server.store import roster as store

MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class RosterImport:
    """What an import did. With a problem in any row nothing is replaced: then ``generation_id`` is None."""

    generation_id: int | None
    on: datetime
    postings: int
    people: int
    problems: tuple[RowProblem, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class StaffedPlace:
    """A grid with its staff: postings and findings of the moment, and who answers for it.

    ``severity`` is that of its worst finding, None for a grid that lacks nothing.
    """

    grid: StaffedGrid
    name: str
    areas: tuple[str, ...]
    postings: tuple[Posting, ...]
    findings: tuple[Finding, ...]
    answer: Answer

    @property
    def severity(self) -> Severity | None:
        """How badly it is staffed."""
        return _worst(self.findings)


@dataclass(frozen=True, slots=True)
class StaffedArea:
    """An area with the people who hold a post for it as a whole."""

    code: str
    name: str
    level: str
    postings: tuple[Posting, ...]


@dataclass(frozen=True, slots=True)
class RosterView:
    """A part of the roster: ``grids`` from ``offset`` on of all that were asked for, worst first.

    ``people`` are those of the postings shown; phones and staff numbers are left out below the protected tier.
    """

    generation_id: int | None
    at: datetime
    grids: tuple[StaffedPlace, ...]
    areas: tuple[StaffedArea, ...]
    findings: tuple[Finding, ...]
    people: Mapping[int, Person]
    total: int
    counts: Mapping[str, int]
    offset: int


def import_upload(
    ctx: Context, actor: Actor, upload: Upload, on: datetime | None, now: datetime
) -> RosterImport:
    """``import_roster`` of a file that comes from a browser."""
    actor.require(Act.IMPORT_ROSTER)
    with tempfile.TemporaryDirectory() as folder:
        # of the sender's name only the kind of file is taken
        path = Path(folder) / f"roster{Path(upload.name).suffix.lower()[:8]}"
        with path.open("wb") as file:
            shutil.copyfileobj(upload.content, file, 2**20)
        return import_roster(ctx, actor, path, on, now)


def import_roster(ctx: Context, actor: Actor, path: Path, on: datetime | None, now: datetime) -> RosterImport:
    """Put the roster of a list (.xlsx or .csv) in force from ``on`` on (default: now), whole or not at all.

    The roster before ends at that moment and is kept. Rows that cannot be used are all named, and then nothing is replaced.
    Raises UnusableInput for a file that is no roster, Conflict where a later roster is in force or planned.
    """
    actor.require(Act.IMPORT_ROSTER)
    starts = on or now
    with ctx.engine.connect() as conn:
        staging.require_whole_deployment(actor, staging.counties_in_force(conn, ctx.catalogue, now))
        _require_grids(conn, starts)
        found = ground_at(ctx, conn, starts).boundaries
        staged = _staged_codes(conn, ctx)
    cells = read_cells(path, most=MOST_ROWS)
    codes = {*found.grids.codes, *found.areas, *staged}
    file = parse_roster(cells, on=starts, zone=ctx.settings.timezone, codes=codes)
    if file.problems:
        return RosterImport(
            None, starts, len(file.roster.postings), len(file.roster.people), file.problems, ()
        )
    findings = _findings(profile_in_use(ctx.settings), found, file.roster, starts)
    with ctx.engine.begin() as conn:
        generation_id = store.replace(
            conn, file.roster, on=starts, by=actor.name, now=now, source={"rows": len(cells.rows)}
        )
        detail = {"postings": len(file.roster.postings), "on": starts.isoformat()}
        audit.add(
            conn, actor, Act.IMPORT_ROSTER, now=now, subject=f"generation:{generation_id}", detail=detail
        )
    return RosterImport(
        generation_id, starts, len(file.roster.postings), len(file.roster.people), (), findings
    )


def _staged_codes(conn: Connection, ctx: Context) -> set[str]:
    """The codes of grids that are staged: they need their people before they are in force (V14)."""
    layer = ctx.catalogue["grid"]
    return {
        str(code)
        for generation in layers.generations(conn, layer.name)
        if generation.state is GenerationState.STAGED
        for code in features.read(conn, layer, generation, fields=(layer.key,)).columns[layer.key]
    }


def _require_grids(conn: Connection, on: datetime) -> None:
    first = boundaries.first_day(conn, "grid")
    if first is not None and on < first:
        raise UnusableInput(
            msg(
                "{on} 尚无生效的网格；最早的网格自 {first} 起生效。",
                on=on.isoformat(),
                first=first.isoformat(),
            ),
            field="on",
            expected=msg("{first} 或以后的时间", first=first.isoformat()),
        )


def template() -> bytes:
    """An empty list to fill in, as an .xlsx: the columns, and under each what goes in."""
    titles = [column.title.zh for column in COLUMNS.values()]
    return write_cells(".xlsx", titles, [])


def check(ctx: Context, actor: Actor, at: datetime) -> tuple[Finding, ...]:
    """What the roster in force at ``at`` lacks by the profile's rules, within the actor's territory."""
    actor.require(Act.READ_ROSTER)
    with ctx.engine.connect() as conn:
        ground = ground_at(ctx, conn, at)
    findings = _findings(profile_in_use(ctx.settings), ground.boundaries, ground.roster, at)
    paths = _paths(ground.boundaries)
    # a code that is no more lies in nobody's part: the whole deployment's reader sees it
    return tuple(f for f in findings if actor.territory.holds(paths.get(f.codes[0], ())))


def listing(
    ctx: Context,
    actor: Actor,
    *,
    at: datetime,
    area: str | None = None,
    severity: Severity | None = None,
    offset: int = 0,
    limit: int = 100,
) -> RosterView:
    """The roster in force at ``at`` by grid, worst staffed first, within the actor's territory and ``area``.

    ``severity`` leaves the grids whose worst finding is of that kind. A reader of the protected tier leaves an audit row.
    """
    actor.require(Act.READ_ROSTER)
    if not 1 <= limit <= MOST_LISTED or offset < 0:
        raise UnusableInput(
            msg("limit 应为 1 到 {most} 的整数。", most=MOST_LISTED),
            field="limit",
            expected=msg("1 到 {most} 的整数", most=MOST_LISTED),
        )
    with ctx.engine.begin() as conn:
        ground = ground_at(ctx, conn, at)
        wanted = _wanted(actor, ground.boundaries, area)
        profile = profile_in_use(ctx.settings)
        view = _view(profile, ground, wanted, at, severity=severity, offset=offset, limit=limit)
        if actor.tier >= Tier.PROTECTED:
            audit.add(conn, actor, "protected_read", subject="roster", detail={"people": len(view.people)})
            return view
    return _without_phones(view)


def _wanted(actor: Actor, found: Boundaries, area: str | None) -> tuple[str, ...]:
    """The path within which the reader looks."""
    if area is None:
        return actor.territory.path
    path = found.areas.get(area)
    if path is None or not actor.territory.holds(path):
        raise UnusableInput(msg("没有编码为 {code} 的区划。", code=area), field="area")
    return path


def _view(
    profile: Profile,
    ground: Ground,
    path: tuple[str, ...],
    at: datetime,
    *,
    severity: Severity | None,
    offset: int,
    limit: int,
) -> RosterView:
    found, roster = ground.boundaries, ground.roster
    grids = [g for g in _grids(found) if g.path[: len(path)] == path]
    by_grid: dict[str, list[Finding]] = {}
    for finding in roster_findings(profile, grids, roster, at):
        by_grid.setdefault(finding.codes[0], []).append(finding)
    worst = {grid.code: _worst(by_grid.get(grid.code, ())) for grid in grids}
    grids.sort(key=lambda grid: (_BADNESS.index(worst[grid.code]), grid.code))
    chosen = [grid for grid in grids if severity in (None, worst[grid.code])]
    shown = tuple(
        StaffedPlace(
            grid,
            found.grids.names[grid.fid],
            tuple(found.name_of(code) for code in grid.path),
            roster.of(grid.code, at),
            tuple(by_grid.get(grid.code, ())),
            answering(ground.rules, grid, grid.path, roster, at),
        )
        for grid in chosen[offset : offset + limit]
    )
    areas = tuple(
        StaffedArea(code, found.name_of(code), _level(of), roster.of(code, at))
        for code, of in sorted(found.areas.items())
        if of[: len(path)] == path
    )
    communities = [
        code for code, of in found.areas.items() if len(of) == len(LEVELS) and of[: len(path)] == path
    ]
    named = [*(p for place in shown for p in place.postings), *(p for one in areas for p in one.postings)]
    named += [place.answer.chosen for place in shown if place.answer.chosen is not None]
    return RosterView(
        generation_id=roster.generation_id,
        at=at,
        grids=shown,
        areas=areas,
        findings=(
            *liaison_findings(profile, sorted(communities), roster, at),
            *(() if path else stray_findings(_paths(found), roster, at)),
        ),
        people=_people(roster, named),
        total=len(chosen),
        counts=_counts(worst.values()),
        offset=offset,
    )


_BADNESS: Sequence[Severity | None] = (Severity.ERROR, Severity.WARNING, Severity.OPTION, None)
"""Worst staffed first."""


def _worst(findings: Iterable[Finding]) -> Severity | None:
    return min((finding.severity for finding in findings), key=_BADNESS.index, default=None)


def _counts(severities: Iterable[Severity | None]) -> dict[str, int]:
    found = Counter(severities)
    return {"none" if one is None else one.value: found[one] for one in _BADNESS}


def _people(roster: Roster, postings: Iterable[Posting]) -> dict[int, Person]:
    ids = {number for p in postings for number in (p.person_id, p.stands_in_for) if number is not None}
    return {number: roster.people[number] for number in ids if number in roster.people}


def _without_phones(view: RosterView) -> RosterView:
    return replace(
        view, people={number: Person(number, person.name) for number, person in view.people.items()}
    )


def _grids(found: Boundaries) -> list[StaffedGrid]:
    return [found.staffed(row) for row in range(len(found.grids.codes))]


def _level(path: tuple[str, ...]) -> str:
    return LEVELS[-len(path)]


def _paths(found: Boundaries) -> dict[str, tuple[str, ...]]:
    return {**found.areas, **{grid.code: grid.path for grid in _grids(found)}}


def _findings(profile: Profile, found: Boundaries, roster: Roster, at: datetime) -> tuple[Finding, ...]:
    """The findings of every grid and of the whole, errors first."""
    communities = sorted(code for code, path in found.areas.items() if len(path) == len(LEVELS))
    findings = (
        *roster_findings(profile, _grids(found), roster, at),
        *liaison_findings(profile, communities, roster, at),
        *stray_findings(_paths(found), roster, at),
    )
    return tuple(sorted(findings, key=lambda finding: _BADNESS.index(finding.severity)))
