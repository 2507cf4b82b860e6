"""The one way to a database connection pool."""

from sqlalchemy import URL, Engine, create_engine, make_url


def driver_url(url: str | URL) -> URL:
    """The URL with psycopg 3 as its driver, whatever form it was given in (``postgres://``, ``postgresql://``)."""
    parsed = make_url(str(url).replace("postgres://", "postgresql://", 1) if isinstance(url, str) else url)
    if parsed.drivername == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def make_engine(url: str | URL, *, pool_size: int = 8) -> Engine:
    """An engine on ``url``: connections are tested before use, so that a restarted server is not an error.

    Sessions speak UTC; the deployment's zone is for display only.
    """
    return create_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=8,
        pool_pre_ping=True,
        connect_args={"options": "-c timezone=UTC", "application_name": "gis-server", "connect_timeout": 10},
    )
