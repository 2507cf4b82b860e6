"""The State Council's notices on holidays and made-up working days, as the ``chinesecalendar`` package ships them."""

from datetime import tzinfo
from functools import cache
from types import MappingProxyType

from chinese_calendar import Holiday
from chinese_calendar.constants import holidays, workdays

from gis_server.core.deadline import WorkingCalendar

_NAMES = {holiday.value: holiday.chinese for holiday in Holiday}


@cache
def working_calendar(zone: tzinfo) -> WorkingCalendar:
    """The working days of every year whose notice the package knows, counted in ``zone``.

    The package is asked for its tables, not day by day: it raises for years it does not know, where a deadline is
    to be counted all the same and marked provisional.
    """
    return WorkingCalendar(
        zone=zone,
        years=frozenset(day.year for day in holidays if (day.month, day.day) == (1, 1)),
        holidays=MappingProxyType({day: _NAMES[name] for day, name in holidays.items()}),
        made_up=MappingProxyType({day: _NAMES[name] for day, name in workdays.items()}),
    )
