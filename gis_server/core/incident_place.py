"""Where an incident is, when the report names an address or a camera instead of coordinates."""

from collections.abc import Mapping
from dataclasses import dataclass

from gis_server.core.address_text import MOST_QUERY
from gis_server.core.datum import Datum
from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg

ADDRESS = "address"
CAMERA = "camera"
_POSITION = ("lon", "lat", "datum", "accuracy_m")


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A place by its address (text or code) or by the code of a camera."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """By what a place was found: the code of an address or a camera, and the standard address that it had then."""

    kind: str
    code: str
    text: str | None = None


def named_place(content: object) -> NamedPlace | None:
    """The place that a report names; None if it gives coordinates, or is for others to refuse.

    UnusableInput when it gives both, which could disagree.
    """
    if not isinstance(content, Mapping):
        return None
    kinds = [kind for kind in (ADDRESS, CAMERA) if content.get(kind) is not None]
    if not kinds:
        return None
    double = next((name for name in (*kinds[1:], *_POSITION) if content.get(name) is not None), None)
    if double is not None:
        raise UnusableInput(
            msg("{one} 与 {other} 只能给一个：地点只能有一种写法。", one=kinds[0], other=double),
            field=double,
            expected=msg("经纬度、address 或 camera 之一"),
        )
    name = content[kinds[0]]
    if not isinstance(name, str) or not name.strip() or len(name) > MOST_QUERY or "\x00" in name:
        expected = msg("1 到 {most} 个字的文字", most=MOST_QUERY)
        raise UnusableInput(
            msg("{name} 不可用，应为{expected}。", name=kinds[0], expected=expected),
            field=kinds[0],
            expected=expected,
        )
    return NamedPlace(kinds[0], name.strip())


def without_names(content: object) -> object:
    """The report without names of a place that are null: to send none is the same as to leave them out."""
    if not isinstance(content, Mapping):
        return content
    return {key: value for key, value in content.items() if key not in (ADDRESS, CAMERA)}


def with_position(content: object, lon: float, lat: float) -> dict[str, object]:
    """The report with coordinates (CGCS2000 degrees) in place of the name."""
    assert isinstance(content, Mapping)  # noqa: S101  (it named a place)
    rest = {str(key): value for key, value in content.items() if key not in (ADDRESS, CAMERA, *_POSITION)}
    return rest | {"lon": lon, "lat": lat, "datum": Datum.CGCS2000.value}
