"""Photographs for tests, made here: plain, with metadata, broken, and made to do harm."""

import io
import struct
import zlib

from PIL import Image

GPS = {1: "N", 2: (47.0, 15.0, 30.0), 3: "E", 4: (127.0, 30.0, 36.0)}


def jpeg(
    size: tuple[int, int] = (640, 480),
    colour: tuple[int, int, int] = (120, 90, 60),
    *,
    taken: str | None = None,
    offset: str | None = None,
    gps: dict[int, object] | None = None,
    orientation: int | None = None,
    maker: str | None = None,
) -> bytes:
    """A JPEG with the metadata asked for."""
    image = Image.new("RGB", size, colour)
    image.paste((250, 250, 250), (0, 0, size[0] // 2, size[1] // 4))
    exif = Image.Exif()
    if maker is not None:
        exif[0x010F] = maker
    if orientation is not None:
        exif[0x0112] = orientation
    if taken is not None:
        exif.get_ifd(0x8769)[36867] = taken
    if offset is not None:
        exif.get_ifd(0x8769)[36881] = offset
    if gps is not None:
        exif.get_ifd(0x8825).update(gps)
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, comment="a comment", quality=80)
    return out.getvalue()


def png(size: tuple[int, int] = (300, 200), *, transparent: bool = False) -> bytes:
    """A PNG."""
    out = io.BytesIO()
    mode, colour = ("RGBA", (10, 200, 10, 0)) if transparent else ("RGB", (10, 200, 10))
    Image.new(mode, size, colour).save(out, "PNG")
    return out.getvalue()


def webp() -> bytes:
    """A WebP."""
    out = io.BytesIO()
    Image.new("RGB", (300, 200), (10, 10, 200)).save(out, "WEBP")
    return out.getvalue()


def gif() -> bytes:
    """A GIF: a picture, but not of a camera."""
    out = io.BytesIO()
    Image.new("P", (30, 20)).save(out, "GIF")
    return out.getvalue()


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of few bytes that would unpack to gigabytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * (1 + 3 * width) * 20, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
