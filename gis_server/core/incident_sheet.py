"""An incident as a line of a spreadsheet: what the list shows, in words."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from types import MappingProxyType

from gis_server.core.incident import Incident
from gis_server.core.message import Message, Translate, msg
from gis_server.core.vocabulary import AdminLevel

COLUMNS: Mapping[str, Message] = MappingProxyType(
    {
        "number": msg("事件编号"),
        "state": msg("状态"),
        "urgent": msg("紧急"),
        "overdue": msg("超期"),
        "item": msg("事项"),
        "description": msg("情况"),
        "discovered_at": msg("发现时间"),
        "due_at": msg("办理时限"),
        "level": msg("办理层级"),
        "lead_unit": msg("牵头单位"),
        "responsible_unit": msg("责任单位"),
        "person_in_charge": msg("经办人"),
        "grid_code": msg("网格编码"),
        "grid_name": msg("网格名称"),
        "sub_grid_code": msg("子网格编码"),
        "rating": msg("满意度"),
        "lon": msg("经度"),
        "lat": msg("纬度"),
    }
)
"""The columns, in order."""

Cell = str | int | float | None


def row_of(incident: Incident, say: Translate, zone: tzinfo, now: datetime) -> tuple[Cell, ...]:
    """The cells under ``COLUMNS``; times are local, to the minute; a withheld text and who handles it stay empty."""
    withheld = incident.is_withheld

    def local(at: datetime | None) -> str | None:
        return None if at is None else at.astimezone(zone).strftime("%Y-%m-%d %H:%M")

    def mark(is_so: bool) -> str:
        return msg("是").render(say) if is_so else ""

    level = None if incident.current_level is None else AdminLevel(incident.current_level).message.render(say)
    return (
        incident.number,
        incident.state.message.render(say),
        mark(incident.is_urgent),
        mark(incident.is_overdue(now)),
        incident.item,
        None if withheld else incident.description,
        local(incident.discovered_at),
        local(incident.due_at),
        level,
        incident.lead_unit,
        incident.responsible_unit,
        None if withheld else incident.person_in_charge,
        incident.grid_code,
        incident.grid_name,
        incident.sub_grid_code,
        incident.rating,
        round(incident.lon, 6),
        round(incident.lat, 6),
    )
