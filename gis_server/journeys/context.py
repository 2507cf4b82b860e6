"""What every journey stands on: the database, the layer catalogue and the deployment's settings."""

from dataclasses import dataclass

from sqlalchemy import Engine

from gis_server.core.catalogue import Catalogue
from gis_server.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """Made once by a door, passed to every journey."""

    engine: Engine
    catalogue: Catalogue
    settings: Settings
