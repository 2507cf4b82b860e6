"""An administrative area (区划): county, township or community."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Area:
    """An area in force; ``path`` are the codes from the county down to itself."""

    code: str
    name: str
    level: str
    path: tuple[str, ...]
