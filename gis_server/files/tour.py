"""Reads the tour of scenes that comes with the package."""

from functools import cache
from pathlib import Path

from gis_server.core.scene import Tour, parse_tour
from gis_server.files.toml_file import read_toml

FILE = Path(__file__).parent.parent / "scenes" / "tour.toml"


@cache
def default_tour() -> Tour:
    """The tour of a wall for which nobody has made one."""
    return parse_tour(read_toml(FILE), FILE.name)
