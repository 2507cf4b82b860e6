"""Photos of incidents, kept beside them: a backup holds both, and neither is ever without the other."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from gis_server.core.photo import NewPhoto, Photo
from gis_server.store.schema import photo

_KNOWN = (
    photo.c.id,
    photo.c.sha256,
    photo.c.at,
    photo.c.width,
    photo.c.height,
    photo.c.taken_at,
    photo.c.taken_lon,
    photo.c.taken_lat,
)


def add(conn: Connection, incident_id: int, new: NewPhoto, *, now: datetime, account_id: int | None) -> Photo:
    """Keep a photo that this incident, which the caller has locked, does not have yet."""
    lon, lat = new.taken_place or (None, None)
    values = {
        "incident_id": incident_id,
        "sha256": new.sha256,
        "at": now,
        "account_id": account_id,
        "width": new.width,
        "height": new.height,
        "taken_at": new.taken_at,
        "taken_lon": lon,
        "taken_lat": lat,
        "image": new.image,
        "thumbnail": new.thumbnail,
    }
    return _photo(conn.execute(insert(photo).values(values).returning(*_KNOWN)).one())


def of_incident(conn: Connection, incident_id: int) -> list[Photo]:
    """The photos of an incident in the order in which they came."""
    query = select(*_KNOWN).where(photo.c.incident_id == incident_id).order_by(photo.c.id)
    return [_photo(row) for row in conn.execute(query)]


def pixels(conn: Connection, incident_id: int, photo_id: int, *, is_thumbnail: bool) -> bytes | None:
    """The JPEG of one photo of this incident; None if there is none."""
    column = photo.c.thumbnail if is_thumbnail else photo.c.image
    query = select(column).where(photo.c.incident_id == incident_id, photo.c.id == photo_id)
    found = conn.execute(query).scalar_one_or_none()
    return None if found is None else bytes(found)


def _photo(row: Any) -> Photo:
    return Photo(
        id=row.id,
        sha256=row.sha256,
        at=row.at,
        width=row.width,
        height=row.height,
        taken_at=row.taken_at,
        taken_place=None if row.taken_lon is None else (row.taken_lon, row.taken_lat),
    )
