"""Reads TOML files that people write."""

import tomllib
from pathlib import Path

from gis_server.core.errors import CatalogueError
from gis_server.core.message import msg


def read_toml(path: Path) -> dict[str, object]:
    """The content of a UTF-8 TOML file; CatalogueError names the file and what is wrong with it."""
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CatalogueError(
            msg("{file}：不是可读的 UTF-8 TOML 文件：{reason}", file=path.name, reason=str(error))
        ) from error
    except OSError as error:
        raise CatalogueError(
            msg("{file}：不能读取：{reason}", file=path.name, reason=error.strerror or str(error))
        ) from error
