"""Reads the layer catalogue: every ``*.toml`` of a folder is one layer."""

from pathlib import Path

from gis_server.core.catalogue import Catalogue, assemble, parse_layer
from gis_server.core.errors import CatalogueError
from gis_server.core.message import msg
from gis_server.files.toml_file import read_toml


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
        layers.append((path.name, parse_layer(read_toml(path), path.name)))
    return assemble(layers)
