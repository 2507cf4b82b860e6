"""Cameras: what a site class asks them to keep, and whether one looks at a place."""

import numpy as np
import pytest

from gis_server.core.camera import FieldOfView, Kept, retention
from gis_server.core.values import parse_column
from gis_server.files.catalogue import load
from gis_server.files.profile import read_profile
from gis_server.settings import Settings


@pytest.mark.parametrize(
    ("site", "images", "video", "compliant", "missing"),
    [
        ("important_site", 6, 1, True, []),
        ("sensitive_site", 12, 2, False, [(Kept.VIDEO, 3)]),
        ("important_site", 5, 2, False, [(Kept.IMAGE, 6)]),
        ("important_site", None, 1, None, [(Kept.IMAGE, 6)]),
        ("important_site", None, 0, False, [(Kept.IMAGE, 6), (Kept.VIDEO, 1)]),
    ],
)
def test_s25_a_camera_keeps_what_its_site_class_asks(
    site: str, images: int | None, video: int | None, compliant: bool | None, missing: list[tuple[Kept, int]]
) -> None:
    found = retention(read_profile("taizhou"), site, images, video)
    assert found is not None
    assert found.is_compliant is compliant
    assert [(one.what, one.least) for one in found.shortfalls] == missing
    assert {one.clause for one in found.shortfalls} <= {"taizhou 8.3.2"}


def test_s25_where_the_document_is_silent_nothing_is_asked() -> None:
    assert retention(read_profile("heilongjiang"), "important_site", 0, 0) is None
    assert retention(read_profile("taizhou"), "ordinary_site", 0, 0) is None


@pytest.mark.parametrize(
    ("view", "bearing", "distance", "sees"),
    [
        (FieldOfView("N", 60.0, 100.0), 50.0, 80.0, True),
        (FieldOfView("N", 60.0, 100.0), 310.0, 80.0, True),
        (FieldOfView("N", 60.0, 100.0), 60.0, 80.0, False),
        (FieldOfView("N", 60.0, 100.0), 0.0, 101.0, False),
        (FieldOfView("NW"), 300.0, 900.0, True),
        (FieldOfView("NW"), 280.0, 10.0, False),
        (FieldOfView(None, 60.0), 0.0, 10.0, None),
        (FieldOfView(None, 60.0, 5.0), 0.0, 10.0, False),
        (FieldOfView(None, 360.0, 50.0), None, 10.0, True),
        (FieldOfView("E"), None, 0.0, None),
    ],
)
def test_a_camera_looks_at_a_place_or_not(
    view: FieldOfView, bearing: float | None, distance: float, sees: bool | None
) -> None:
    assert view.sees(bearing, distance) is sees


def test_directions_are_read_by_the_codes_of_the_national_standard() -> None:
    field = load(Settings.from_environment({}).layers)["camera"].fields["direction"]
    given = np.array(["1", "2", "3", "4", "5", "6", "7", "8", "东北", "SW", "9"], dtype=object)
    parsed = parse_column(field, given)
    assert parsed.values.tolist() == ["E", "W", "S", "N", "SE", "NE", "SW", "NW", "NE", "SW", None]
    assert [place for place, _ in parsed.bad] == [10]
    assert parse_column(field, np.array([4, 6])).values.tolist() == ["N", "NE"]
