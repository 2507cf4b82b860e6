"""Look up the rules of a jurisdiction; works without a database and without an account, the documents being public."""

from functools import cache
from pathlib import Path

from gis_server.core.item import ItemCatalogue
from gis_server.core.profile import Profile
from gis_server.files.profile import profile_keys, read_items, read_profile
from gis_server.settings import Settings


def all_profiles() -> tuple[Profile, ...]:
    """Every profile that comes with the package, by key."""
    return tuple(read_profile(key) for key in profile_keys())


def one_profile(key: str, overrides: Path | None = None) -> Profile:
    """The profile ``key``, its silences filled from an operator's file if one is given.

    NotFound for an unknown key; CatalogueError if the file is wrong or contradicts the document.
    """
    return read_profile(key, overrides)


def profile_in_use(settings: Settings) -> Profile:
    """The deployment's profile with the operator's own values where its document is silent; read once by a process."""
    return _profile(settings.profile, settings.profile_overrides)


def items_in_use(settings: Settings) -> ItemCatalogue:
    """The deployment's item catalogue with the operator's own rows and limits; read once by a process."""
    return _items(settings.profile, settings.items)


def require_rules(settings: Settings) -> None:
    """Raise NotFound or CatalogueError unless the profile and the operator's files can be used: asked at every start."""
    profile_in_use(settings)
    items_in_use(settings)


@cache
def _profile(key: str, overrides: Path | None) -> Profile:
    return read_profile(key, overrides)


@cache
def _items(key: str, additions: Path | None) -> ItemCatalogue:
    return read_items(key, additions)
