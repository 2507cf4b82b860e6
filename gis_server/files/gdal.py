"""GDAL by way of pyogrio's arrays: ``from gis_server.files.gdal import pyogrio``.

pyogrio imports GeoPandas, pandas and pyarrow wherever they are installed. Nothing here needs them but the writing
of Parquet, which imports them itself; and loading them takes longer than reading most files.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _out_of_sight(*names: str) -> Iterator[None]:
    """As if these packages were not installed, unless they are loaded already."""
    hidden = [name for name in names if name not in sys.modules]
    # None in the table of modules is Python's own way to say that an import fails
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _out_of_sight("geopandas", "pandas", "pyarrow"):
    import pyogrio
    import pyogrio.errors
    import pyogrio.raw

__all__ = ["pyogrio"]
