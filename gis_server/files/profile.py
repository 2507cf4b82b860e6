"""Reads the profiles and item catalogues that come with the package, and an operator's files that add to them."""

from functools import cache
from pathlib import Path

from gis_server.core.errors import NotFound
from gis_server.core.item import ItemCatalogue, parse_items
from gis_server.core.item_admission import admit_items
from gis_server.core.message import msg
from gis_server.core.profile import Profile, fill_silence, parse_profile
from gis_server.files.toml_file import read_toml

FOLDER = Path(__file__).parent.parent / "profiles"
"""One TOML file per jurisdiction; its name is the profile's key."""


def profile_keys() -> tuple[str, ...]:
    """The keys of all profiles, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def _document(key: str) -> Profile:
    path = FOLDER / f"{key}.toml"
    return parse_profile(read_toml(path), path.name)


def read_profile(key: str, overrides: Path | None = None) -> Profile:
    """The profile ``key``, its silences filled from the file ``overrides`` if there is one.

    NotFound for an unknown key; CatalogueError if the file is wrong or contradicts the document.
    """
    known = profile_keys()
    if key not in known:
        raise NotFound(
            msg("没有名为 {key} 的标准；可用：{known}。", key=key, known=tuple(known)), field="profile"
        )
    profile = _document(key)
    if overrides is None:
        return profile
    return fill_silence(profile, read_toml(overrides), overrides.name)


@cache
def _items(key: str) -> ItemCatalogue:
    path = FOLDER / "items" / f"{key}.toml"
    return parse_items(read_toml(path), path.name) if path.exists() else ItemCatalogue(key)


def read_items(key: str, additions: Path | None = None) -> ItemCatalogue:
    """The item catalogue of the profile ``key``, with an operator's admitted rows and limits from the file ``additions``.

    Empty where the document gives no list of its own: such a list is made by the county and loaded as an addition.
    CatalogueError if a file is wrong or contradicts the document.
    """
    catalogue = _items(read_profile(key).key)
    if additions is None:
        return catalogue
    return admit_items(catalogue, read_profile(key), read_toml(additions), additions.name)
