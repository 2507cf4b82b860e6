"""What the policies go by, read from columns: a priority, a filing date, whether exclusive grids win."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis_server.core.access import Tier
from gis_server.core.catalogue import Field, FieldType
from gis_server.core.coverage.repair.moves import Merits, Policy
from gis_server.core.errors import UnusableInput
from gis_server.core.message import Message, Words, msg
from gis_server.core.values import parse_column


@dataclass(frozen=True, slots=True)
class Preferences:
    """Whose border stands, as a person states it.

    ``priority`` names the column whose higher number keeps its border, ``filed`` the one whose earlier date does.
    """

    priority: str | None = None
    filed: str | None = None
    exclusive: bool = True

    @property
    def policies(self) -> tuple[Policy, ...]:
        """In the order in which they decide."""
        chosen = (
            (Policy.EXCLUSIVE, self.exclusive),
            (Policy.PRIORITY, self.priority is not None),
            (Policy.FILED, self.filed is not None),
            (Policy.LONGEST_EDGE, True),
        )
        return tuple(policy for policy, holds in chosen if holds)


def read_merits(
    wanted: Preferences, columns: Mapping[str, NDArray[np.generic]], *, first_row: int = 1
) -> Merits:
    """The merits of each row by the columns that ``wanted`` names; a row without a value gives way to those with one.

    Raises UnusableInput for a name that is no column (saying which there are) and for a value that cannot be read
    (saying in which row; ``first_row`` is the number that a person sees beside row 0).
    """
    priority = filed = None
    if wanted.priority is not None:
        numbers = _read(wanted.priority, FieldType.NUMBER, columns, first_row)
        priority = np.array([np.nan if v is None else float(v) for v in numbers], dtype=np.float64)
    if wanted.filed is not None:
        dates = _read(wanted.filed, FieldType.DATE, columns, first_row)
        filed = np.full(len(dates), None, dtype=object)
        filed[:] = [None if v is None else v.isoformat() for v in dates]
    return Merits(priority, filed)


def _read(
    name: str, kind: FieldType, columns: Mapping[str, NDArray[np.generic]], first_row: int
) -> NDArray[np.object_]:
    if name not in columns:
        raise UnusableInput(
            msg("没有名为“{name}”的字段；现有字段：{known}。", name=name[:80], known=tuple(columns)),
            field=name[:80],
        )
    column = columns[name]
    if column.dtype.kind == "M":  # dates of a typed file
        column = np.array([None if np.isnat(v) else str(v)[:10] for v in column], dtype=object)
    parsed = parse_column(Field(name, kind, Words(name, name), Tier.PUBLIC), column)
    if parsed.bad:
        row, problem = parsed.bad[0]
        raise UnusableInput(_unreadable(name, row + first_row, problem), field=name[:80])
    return parsed.values


def _unreadable(name: str, row: int, problem: Message) -> Message:
    return msg(
        "字段“{name}”第 {n} 行：{problem}，不能据以判断谁的边界优先。", name=name, n=row, problem=problem
    )
