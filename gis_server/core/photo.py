"""Photographs of an incident: what is kept of one, and what may be one at all."""

from dataclasses import dataclass
from datetime import datetime

MOST_PIXELS = 60_000_000
"""Of a photo as it comes: above what phones take, below what a server should be made to unpack (our number)."""

LONGEST_SIDE = 2048
"""Pixels of the longer side as it is kept: enough to read a number plate across a street (our number)."""

THUMBNAIL_SIDE = 320

MEDIA_TYPE = "image/jpeg"
"""What every photo is kept and served as, whatever it came as."""


@dataclass(frozen=True, slots=True)
class NewPhoto:
    """A photo taken apart and written anew; ``sha256`` is that of the file as it came.

    ``image`` and ``thumbnail`` are JPEG without any metadata; ``taken_at`` and ``taken_place`` (lon, lat in WGS 84) are what
    the form keeps of them.
    """

    sha256: str
    width: int
    height: int
    image: bytes
    thumbnail: bytes
    taken_at: datetime | None = None
    taken_place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as it is kept, without its pixels; ``sha256`` is that of the file as it came."""

    id: int
    sha256: str
    at: datetime
    width: int
    height: int
    taken_at: datetime | None
    taken_place: tuple[float, float] | None
