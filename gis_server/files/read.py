"""One way in for the geodata files that people bring.

>>> table = read(Path("网格.shp"), crs=None)

The format is told by the suffix, the encoding by the bytes, the reference system by the file or the person; where
either would have to be guessed, the file is refused with a sentence that names the choices.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from gis_server.core.datum import Datum
from gis_server.core.errors import UnusableInput
from gis_server.core.features import RawTable, Source
from gis_server.core.message import msg
from gis_server.files.archive import Member, unpacked
from gis_server.files.crs import settle_crs, settle_datum
from gis_server.files.loaded import Loaded, Progress
from gis_server.files.tabular import read_csv, read_xlsx
from gis_server.files.vector import (
    choose,
    read_flatgeobuf,
    read_geojson,
    read_geopackage,
    read_shapefile,
    sidecars,
)

SUPPORTED = (".shp", ".zip", ".gpkg", ".geojson", ".json", ".fgb", ".csv", ".xlsx")
"""Suffixes that can be read."""


def read(
    path: Path,
    *,
    crs: str | None = None,
    encoding: str | None = None,
    datum: Datum | None = None,
    names: Sequence[str] = (),
    xy: tuple[str, str] | None = None,
    progress: Progress | None = None,
) -> RawTable:
    """Read a file of features.

    ``crs`` (EPSG code, WKT, PROJ string or "local"), ``encoding`` and ``datum`` go before what the file says.
    ``names`` choose among several layers of a GeoPackage or data sets of an archive, unless the path names one itself
    (``city.gpkg:roads``); ``xy`` names the two coordinate columns of a CSV or sheet, which are otherwise found by their
    usual names. Geometry comes two-dimensional and in the CRS of the file; nothing is written beside it.

    Raises UnusableInput for what cannot be read, UnknownCrs, UnknownEncoding, and DatumRequired for points whose
    datum is not stated.
    """
    path, wanted = split_layer(path)
    if not path.exists():
        raise UnusableInput(msg("找不到文件 {file}。", file=str(path)))
    _check_kind(path)
    if wanted is not None:
        names = (wanted,)
    if progress is not None:
        progress(0, 0)
    digest = _sha256(sorted(sidecars(path).values()) if path.suffix.lower() == ".shp" else [path])
    if path.suffix.lower() == ".zip":
        with unpacked(path) as members:
            member = _choose_member(members, names, path.name)
            loaded = _load(member.path, encoding, names, xy, progress)
            loaded.layer = f"{member.name}:{loaded.layer}" if loaded.layer else member.name
    else:
        loaded = _load(path, encoding, names, xy, progress)

    if wanted is not None and not _bears(loaded.layer, wanted):
        raise UnusableInput(
            msg("{file} 里没有名为“{name}”的数据。", file=path.name, name=wanted), field="layer"
        )
    settled_crs = settle_crs(loaded, crs, datum, path.name)
    settled_datum = settle_datum(
        loaded.geometry, settled_crs, datum, crs_is_stated=crs is not None, file=path.name
    )
    if progress is not None:
        progress(loaded.features, loaded.features)
    return RawTable(
        geometry=np.asarray(loaded.geometry, object),
        columns=loaded.columns,
        rows=loaded.rows,
        source=Source(
            file=path.name,
            layer=loaded.layer,
            features=loaded.features,
            crs=settled_crs,
            encoding=loaded.encoding,
            datum=settled_datum,
            sha256=digest,
        ),
        first_row=loaded.first_row,
        cut_names_at=loaded.cut_names_at,
        coordinate_columns=loaded.coordinate_columns,
        problems=tuple(loaded.problems),
        notes=tuple(loaded.notes),
    )


def split_layer(path: Path) -> tuple[Path, str | None]:
    """The file, and the layer or sheet that ``file.gpkg:name`` asks for inside it; None where no name is given."""
    file, _, name = path.name.rpartition(":")
    if path.exists() or not name or Path(file).suffix.lower() not in SUPPORTED:
        return path, None
    return path.with_name(file), name


def _bears(layer: str | None, wanted: str) -> bool:
    """Whether a layer, a sheet or an archive's member (``folder/name.shp:layer``) is called ``wanted``, case apart."""
    if layer is None:
        return False
    member, _, inner = layer.rpartition(":")
    called = {layer, inner, member or inner, Path(member or inner).stem}
    return wanted.casefold() in {name.casefold() for name in called}


def _check_kind(path: Path) -> None:
    if path.is_dir() or path.suffix.lower() not in SUPPORTED:
        raise UnusableInput(
            msg(
                "不支持 {file} 这种文件；支持 {known}，其他格式请先转换。",
                file=path.name,
                known=tuple(SUPPORTED),
            )
        )
    if path.stat().st_size == 0:
        raise UnusableInput(msg("{file} 是空文件。", file=path.name))


def _load(
    path: Path,
    encoding: str | None,
    names: Sequence[str],
    xy: tuple[str, str] | None,
    progress: Progress | None,
) -> Loaded:
    suffix = path.suffix.lower()
    if suffix == ".shp":
        return read_shapefile(path, encoding)
    if suffix == ".gpkg":
        return read_geopackage(path, names)
    if suffix == ".fgb":
        return read_flatgeobuf(path)
    if suffix == ".csv":
        return read_csv(path, encoding, xy=xy)
    if suffix == ".xlsx":
        return read_xlsx(path, names, xy=xy, progress=progress)
    return read_geojson(path, encoding)


def _choose_member(members: Sequence[Member], names: Sequence[str], file: str) -> Member:
    by_stem = {m.path.stem: m for m in members}
    # two folders may hold files of one name: then only whole paths tell them apart
    by_name = by_stem if len(by_stem) == len(members) else {m.name: m for m in members}
    return by_name[choose(list(by_name), names, file)]


def _sha256(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()
