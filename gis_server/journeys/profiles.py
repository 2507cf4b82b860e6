"""Look up the rules of a jurisdiction; works without a database and without an account, the documents being public."""

from pathlib import Path

from gis_server.core.profile import Profile
from gis_server.files.profile import profile_keys, read_profile


def all_profiles() -> tuple[Profile, ...]:
    """Every profile that comes with the package, by key."""
    return tuple(read_profile(key) for key in profile_keys())


def one_profile(key: str, overrides: Path | None = None) -> Profile:
    """The profile ``key``, its silences filled from an operator's file if one is given.

    NotFound for an unknown key; CatalogueError if the file is wrong or contradicts the document.
    """
    return read_profile(key, overrides)
