"""Cameras: whether they keep their pictures long enough (taizhou 8.3.2), and whether they look at a place.

Directions and their codes are those of GB/T 28181, which names eight of them; positions are longitude and latitude.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gis_server.core.profile import Profile
from gis_server.core.vocabulary import Term


class SiteClass(Term):
    """What a camera watches (camera_site_class)."""

    IMPORTANT = "important_site", "重要部位", "important site"
    SENSITIVE = "sensitive_site", "重点涉恐涉稳点位", "sensitive site"
    ORDINARY = "ordinary_site", "一般部位", "ordinary site"


class Kept(Term):
    """What a camera's system keeps for some months."""

    IMAGE = "image_months", "图像", "images"
    VIDEO = "video_months", "录像", "video"


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Something kept for too few months; ``kept`` is None where the file does not say for how many."""

    what: Kept
    kept: int | None
    least: int
    clause: str | None


@dataclass(frozen=True, slots=True)
class Retention:
    """The answer for one camera: ``is_compliant`` is None where nothing is known to be short, but something is not stated."""

    is_compliant: bool | None
    shortfalls: tuple[Shortfall, ...]


def retention(
    profile: Profile, site_class: str | None, image_months: int | None, video_months: int | None
) -> Retention | None:
    """Whether a camera keeps what the profile asks of its site class; None where the profile asks for nothing (C20, S25)."""
    display = profile.display
    asked = {
        SiteClass.IMPORTANT.value: (
            display.camera_image_months_important,
            display.camera_video_months_important,
        ),
        SiteClass.SENSITIVE.value: (
            display.camera_image_months_sensitive,
            display.camera_video_months_sensitive,
        ),
    }.get(site_class or "", ())
    limits = [limit for limit in asked if limit.value is not None]
    if not limits:
        return None
    kept = ((Kept.IMAGE, image_months), (Kept.VIDEO, video_months))
    short = tuple(
        Shortfall(what, months, limit.value, limit.clause)
        for (what, months), limit in zip(kept, asked, strict=True)
        if limit.value is not None and (months is None or months < limit.value)
    )
    if not short:
        return Retention(True, ())
    return Retention(None if all(one.kept is None for one in short) else False, short)


BEARING: Mapping[str, float] = MappingProxyType(
    {"N": 0.0, "NE": 45.0, "E": 90.0, "SE": 135.0, "S": 180.0, "SW": 225.0, "W": 270.0, "NW": 315.0}
)
"""Degrees from north, clockwise, of the directions."""

NAMED_TO = 22.5
"""A direction that is one of eight is known to within this many degrees."""

_TOO_NEAR_M = 1.0


@dataclass(frozen=True, slots=True)
class FieldOfView:
    """Where a camera looks: a direction of ``BEARING``, the horizontal angle in degrees, how far in metres; None is not known."""

    direction: str | None
    angle: float | None = None
    view_distance_m: float | None = None

    def sees(self, bearing: float | None, distance_m: float) -> bool | None:
        """Whether a place at ``bearing`` degrees and ``distance_m`` from the camera may be in its picture.

        None where that cannot be told: the direction is not known, or the place is where the camera stands. Without an angle only
        the direction counts, and what lies beyond the view distance is not seen whatever the direction.
        """
        if self.view_distance_m is not None and distance_m > self.view_distance_m:
            return False
        if self.angle is not None and self.angle >= 360.0:
            return True
        middle = BEARING.get(self.direction or "")
        if middle is None or bearing is None or distance_m < _TOO_NEAR_M:
            return None
        off = abs((bearing - middle + 180.0) % 360.0 - 180.0)
        return off <= NAMED_TO + (self.angle or 0.0) / 2.0
