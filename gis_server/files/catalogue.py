"""Reads the layer catalogue: every ``*.toml`` of a folder is one layer."""

import tomllib
from pathlib import Path

from gis_server.core.catalogue import Catalogue, assemble, parse_layer
from gis_server.core.errors import CatalogueError
from gis_server.core.message import msg


def load(folder: Path) -> Catalogue:
    """The catalogue in ``folder``; CatalogueError names the file, and the key or line, that is wrong."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise CatalogueError(
            msg(
                "图层目录 {folder} 中没有 .toml 文件；请检查 GIS_LAYERS 指向的文件夹。",
                folder=str(folder),
            )
        )
    layers = []
    for path in files:
        try:
            content = tomllib.loads(path.read_text("utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CatalogueError(
                msg("{file}：不是可读的 UTF-8 TOML 文件：{reason}", file=path.name, reason=str(error))
            ) from error
        except OSError as error:
            raise CatalogueError(
                msg("{file}：不能读取：{reason}", file=path.name, reason=error.strerror or str(error))
            ) from error
        layers.append((path.name, parse_layer(content, path.name)))
    return assemble(layers)
