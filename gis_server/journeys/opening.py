"""Making the context that every journey stands on."""

from gis_server.files.catalogue import load
from gis_server.journeys.context import Context
from gis_server.journeys.profiles import require_rules
from gis_server.settings import Settings
from gis_server.store.engine import make_engine


def context(settings: Settings, url: str) -> Context:
    """Open the database at ``url`` and read the layer catalogue; whoever asks disposes of the engine."""
    require_rules(settings)
    catalogue = load(settings.layers)
    return Context(make_engine(url), catalogue, settings)
