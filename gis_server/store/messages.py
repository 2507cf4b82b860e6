"""Messages and row problems as JSON columns: template and parameters, so that each reader gets his language."""

from collections.abc import Mapping
from typing import Any

from gis_server.core.features import RowProblem
from gis_server.core.message import Message, Words, msg


def message_json(message: Message) -> dict[str, Any]:
    """A message as JSON; a parameter of another kind than a message may have is kept as its text."""
    return {
        "template": message.template,
        "params": {name: _value_json(value) for name, value in message.params.items()},
    }


def message_from(content: Mapping[str, Any]) -> Message:
    """The message behind ``message_json``."""
    return msg(content["template"], **{name: _value_from(value) for name, value in content["params"].items()})


def _value_json(value: object) -> object:
    if isinstance(value, Message):
        return message_json(value)
    if isinstance(value, Words):
        return {"zh": value.zh, "en": value.en}
    if isinstance(value, tuple | list):
        return [_value_json(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _value_from(value: object) -> object:
    if isinstance(value, list):
        return tuple(_value_from(item) for item in value)
    if isinstance(value, Mapping):
        return message_from(value) if "template" in value else Words(**value)
    return value


def problem_json(problem: RowProblem) -> dict[str, Any]:
    """A row problem as JSON."""
    return {
        "row": int(problem.row),
        "field": problem.field,
        "message": message_json(problem.message),
        "rejected": problem.rejected,
    }


def problem_from(content: Mapping[str, Any]) -> RowProblem:
    """The row problem behind ``problem_json``."""
    return RowProblem(content["row"], content["field"], message_from(content["message"]), content["rejected"])
