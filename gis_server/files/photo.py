"""Photographs: really decoded, and written anew from their pixels, so that nothing else travels in them."""

import hashlib
import io
import math
import struct
from collections.abc import Mapping
from datetime import datetime, tzinfo

from PIL import ExifTags, Image, ImageOps

from gis_server.core.errors import UnusableInput
from gis_server.core.message import Message, msg
from gis_server.core.photo import LONGEST_SIDE, MOST_PIXELS, THUMBNAIL_SIDE, NewPhoto

FORMATS = ("JPEG", "PNG", "WEBP")
"""What phones and browsers give; each decoder less is one that nobody can attack."""

_QUALITY = 85
_UNREADABLE = (OSError, SyntaxError, ValueError, TypeError, struct.error, EOFError, MemoryError)
"""What the decoders raise for bytes that are not what they claim to be."""

_EXPECTED = msg("JPEG、PNG 或 WebP 照片")


def read_photo(content: bytes, *, zone: tzinfo, keep_place: bool) -> NewPhoto:
    """Decode a photo and write it anew, upright, at most ``LONGEST_SIDE`` pixels long, without metadata.

    Of the metadata the time of taking is kept, read in ``zone`` where the camera states no offset, and with ``keep_place`` the
    place. Raises UnusableInput (``photo``) for what is no photo, is cut short, or is too large to unpack.
    """
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise _too_large() from None
    except _UNREADABLE:
        raise _refusal(msg("这个文件不是照片，或者是不支持的格式；请用 JPEG、PNG 或 WebP。")) from None
    if image.width * image.height > MOST_PIXELS:
        raise _too_large()
    try:
        taken_at, taken_place = _taken(image, zone)
        image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        image.load()
        picture = _flat(ImageOps.exif_transpose(image))
    except _UNREADABLE:
        raise _refusal(msg("照片不完整或已损坏，不能读取；请重新拍摄或重新选择。")) from None
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return NewPhoto(
        sha256=hashlib.sha256(content).hexdigest(),
        width=picture.width,
        height=picture.height,
        image=_jpeg(picture),
        thumbnail=_jpeg(small),
        taken_at=taken_at,
        taken_place=taken_place if keep_place else None,
    )


def _refusal(reason: Message) -> UnusableInput:
    return UnusableInput(reason, field="photo", expected=_EXPECTED)


def _too_large() -> UnusableInput:
    return UnusableInput(
        msg("照片的像素过多（上限 {most} 万），请缩小后再传。", most=MOST_PIXELS // 10_000),
        field="photo",
        expected=msg("不超过 {most} 万像素", most=MOST_PIXELS // 10_000),
    )


def _flat(image: Image.Image) -> Image.Image:
    """The pixels alone, on white where they are transparent: a new picture, which knows nothing of the file."""
    picture = Image.new("RGB", image.size, "white")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        picture.paste(image, mask=image.getchannel("A"))
    else:
        picture.paste(image.convert("RGB"))
    return picture


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _taken(image: Image.Image, zone: tzinfo) -> tuple[datetime | None, tuple[float, float] | None]:
    """When and where, as the camera says; None for what it does not say in a way that can be read."""
    exif = image.getexif()
    return _time(exif.get_ifd(ExifTags.IFD.Exif), zone), _place(exif.get_ifd(ExifTags.IFD.GPSInfo))


def _time(tags: Mapping[int, object], zone: tzinfo) -> datetime | None:
    said = str(tags.get(ExifTags.Base.DateTimeOriginal, "")).strip("\0 ")
    offset = str(tags.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\0 ")
    try:
        moment = datetime.strptime(said, "%Y:%m:%d %H:%M:%S").replace(tzinfo=zone)
        return datetime.fromisoformat(f"{moment:%Y-%m-%dT%H:%M:%S}{offset}") if offset else moment
    except ValueError:
        return None


def _place(tags: Mapping[int, object]) -> tuple[float, float] | None:
    try:
        lat = _degrees(tags[ExifTags.GPS.GPSLatitude], str(tags[ExifTags.GPS.GPSLatitudeRef]), "S")
        lon = _degrees(tags[ExifTags.GPS.GPSLongitude], str(tags[ExifTags.GPS.GPSLongitudeRef]), "W")
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    is_place = abs(lon) <= 180.0 and abs(lat) <= 90.0 and (lon, lat) != (0.0, 0.0)
    return (lon, lat) if is_place else None


def _degrees(value: object, reference: str, negative: str) -> float:
    degrees, minutes, seconds = (float(part) for part in value)  # type: ignore[attr-defined]
    angle = degrees + minutes / 60.0 + seconds / 3600.0
    if not math.isfinite(angle):
        raise ValueError
    return -angle if reference.strip("\0 ").upper() == negative else angle
