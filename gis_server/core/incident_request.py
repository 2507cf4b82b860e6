"""A step as it comes from a program or a page: one JSON object, checked field by field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from gis_server.core.errors import UnusableInput
from gis_server.core.incident import MOST_DESCRIPTION, MOST_ITEM, IncidentState, parse_number
from gis_server.core.incident_course import Filled
from gis_server.core.incident_machine import StepField, StepKind
from gis_server.core.message import Message, msg
from gis_server.core.routing import check_position
from gis_server.core.vocabulary import AdminLevel, ScoreAspect, Term

T = TypeVar("T", bound=Term)

_ENVELOPE = ("step", "expected_state", "expected_level")

MOST_RATING = 5
MOST_SCORE = 100


@dataclass(frozen=True, slots=True)
class StepRequest:
    """What somebody wants to do, and the state (and level) in which he believes the incident to be.

    The level tells two escalations apart that leave the same state; without it only the state is compared.
    """

    step: StepKind
    expected_state: IncidentState
    filled: Filled
    expected_level: AdminLevel | None = None


def parse_step(content: object) -> StepRequest:
    """Check a request for a step; UnusableInput names the first field that is missing, unknown or wrong."""
    if not isinstance(content, Mapping):
        raise UnusableInput(msg("请求应为一个 JSON 对象。"), expected=msg("JSON 对象"))
    step = _term(content, "step", StepKind)
    state = _term(content, "expected_state", IncidentState)
    filled: dict[StepField, object] = {}
    for name, value in content.items():
        if name in _ENVELOPE:
            continue
        if name not in set(StepField):
            known = (*_ENVELOPE, *StepField)
            raise UnusableInput(
                msg("没有名为 {name} 的项；可用的项：{known}。", name=str(name)[:80], known=known),
                field=str(name)[:80],
                expected=msg("{known} 之一", known=known),
            )
        if value is not None and value != "":
            filled[StepField(name)] = _READ.get(StepField(name), _text)(value, str(name))
    level = content.get("expected_level")
    return StepRequest(
        step, state, filled, None if level is None else _one_of(level, "expected_level", AdminLevel)
    )


def _wrong(name: str, expected: Message) -> UnusableInput:
    return UnusableInput(
        msg("{name} 不可用，应为{expected}。", name=name, expected=expected), field=name, expected=expected
    )


def _term(content: Mapping[object, object], name: str, kind: type[T]) -> T:
    value = content.get(name)
    if value is None:
        raise UnusableInput(
            msg("缺少 {name}。", name=name), field=name, expected=msg("{known} 之一", known=tuple(kind))
        )
    return _one_of(value, name, kind)


def _one_of(value: object, name: str, kind: type[T]) -> T:
    if not isinstance(value, str) or value not in set(kind):
        raise _wrong(name, msg("{known} 之一", known=tuple(kind)))
    return kind(value)


def _text(value: object, name: str) -> object:
    most = MOST_DESCRIPTION if name in ("note", "reason", "result") else MOST_ITEM
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > most or "\x00" in text:
        raise _wrong(name, msg("1 到 {most} 个字的文字", most=most))
    return text


def _level(value: object, name: str) -> object:
    return _one_of(value, name, AdminLevel)


def _place(value: object, name: str) -> object:
    if not isinstance(value, list) or len(value) != 2:
        raise _wrong(name, msg("[经度, 纬度]"))
    lon, lat = parse_number(value[0], name), parse_number(value[1], name)
    if lon is None or lat is None:
        raise _wrong(name, msg("[经度, 纬度]"))
    check_position(lon, lat)
    return (lon, lat)


def _whole(value: object, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _wrong(name, msg("{least} 到 {most} 的整数", least=least, most=most))
    return value


def _rating(value: object, name: str) -> object:
    return _whole(value, name, 1, MOST_RATING)


def _scores(value: object, name: str) -> object:
    if not isinstance(value, Mapping):
        raise _wrong(name, msg("JSON 对象"))
    return {
        _one_of(aspect, name, ScoreAspect).value: _whole(score, f"{name}.{aspect}", 0, MOST_SCORE)
        for aspect, score in value.items()
    }


_READ: Mapping[StepField, Callable[[object, str], object]] = {
    StepField.UNIT_LEVEL: _level,
    StepField.PLACE: _place,
    StepField.RATING: _rating,
    StepField.SCORES: _scores,
}
