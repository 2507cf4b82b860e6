"""Who serves a place, as a printed wall tells the public of it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from gis_server.core.boundaries import LEVELS
from gis_server.core.message import Message, msg
from gis_server.core.profile import Profile
from gis_server.core.public_staff import StaffedUnit, published, staffed_area, staffed_grid
from gis_server.core.vocabulary import StaffingModel
from gis_server.journeys.context import Context
from gis_server.journeys.ground import ground_at
from gis_server.journeys.profiles import profile_in_use
from gis_server.journeys.wall_focus import Focus
from gis_server.paint.staff_panels import StaffGroup, StaffSheet

_MODELS = {
    StaffingModel.STAFFING_1_X_N: msg(
        "配备模式 1+X+N：1 名专职网格员，X 名专业网格员（不设上限），N 名兼职网格员（不作数量要求）。"
    ),
    StaffingModel.STAFFING_3_X_Y: msg(
        "配备模式 3+X+Y：3 为网格长、网格指导员、专职网格员，X 为网格业务指导员，Y 为兼职网格员。"
    ),
}


def staff_sheet(ctx: Context, conn: Connection, focus: Focus, at: datetime) -> StaffSheet:
    """The staff of a place at ``at``: names and phones that the profile's clauses publish, and no others."""
    profile = profile_in_use(ctx.settings)
    ground = ground_at(ctx, conn, at)
    found, roster = ground.boundaries, ground.roster
    rows = [
        (grid, found.grids.names[row])
        for row in range(len(found.grids.codes))
        if (grid := found.staffed(row)).path[: len(focus.path)] == focus.path
        and focus.grid in (None, grid.code)
    ]

    def area(code: str) -> StaffedUnit:
        return staffed_area(profile, code, found.name_of(code), roster, at)

    communities = sorted({grid.path[-1] for grid, _ in rows if grid.path})
    groups = [
        StaffGroup(
            area(code),
            [
                staffed_grid(profile, grid, name, roster, at)
                for grid, name in sorted(rows, key=lambda row: row[0].code)
                if grid.path[-1:] == (code,)
            ],
        )
        for code in communities
    ]
    above = [area(code) for code in focus.path[: len(LEVELS) - 1]]
    return StaffSheet(
        above=[unit for unit in above if unit.slots],
        groups=groups,
        model=_MODELS.get(profile.staffing.staffing_model.value),
        ground=ground_of(profile),
        complaint_phone=_complaint_phone(profile, ctx.settings.complaint_phone),
    )


def ground_of(profile: Profile) -> Message:
    """By which clauses people are named on the wall."""
    clauses = published(profile).clauses
    if clauses:
        return msg("姓名、电话依 {clauses} 公布", clauses=clauses)
    return msg("文件未列公布内容，按通则公布网格名称、网格员姓名与联系方式")


def _complaint_phone(profile: Profile, given: str | None) -> str | None:
    return given or ("" if published(profile).complaint_phone else None)


def people_of(sheet: StaffSheet) -> int:
    """How many people are named on it."""
    units: Sequence[StaffedUnit] = [
        *sheet.above,
        *(unit for group in sheet.groups for unit in (group.area, *group.grids)),
    ]
    return len({(m.name, m.phone, m.unit) for unit in units for slot in unit.slots for m in slot.members})
