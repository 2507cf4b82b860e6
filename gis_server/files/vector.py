"""Shapefiles, GeoPackages, GeoJSON and FlatGeobuf through GDAL, each guarded against what GDAL does silently."""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.errors import UnknownEncoding, UnusableInput
from gis_server.core.geometry import Geometries
from gis_server.core.message import Message, msg
from gis_server.files.crs import crs_of_text
from gis_server.files.dbf import NAME_BYTES, read_dbf
from gis_server.files.encoding import UTF8, decode_text
from gis_server.files.gdal import pyogrio
from gis_server.files.loaded import Loaded
from gis_server.files.shape_index import is_shape_index, shape_index

_SHP_MAGIC = b"\x00\x00\x27\x0a"
_GPKG_MAGIC = b"SQLite format 3\x00"
_FGB_MAGIC = b"fgb\x03"
_SQLITE_WAL = 2
_MULTIPATCH = 31

# JSON keeps every digit, GDAL does not: beyond 18 digits it silently makes a double or the largest int64
_LONG_NUMBER = re.compile(rb"[:\[,]\s*-?(\d{19,})\s*[,}\]]")


def read_shapefile(path: Path, encoding: str | None) -> Loaded:
    """Read a .shp with the files beside it, whatever the case of their suffixes.

    A missing or broken .shx is rebuilt in a temporary folder; nothing is written beside the file. Raises UnusableInput
    for a missing .dbf or broken parts, UnknownEncoding where the text cannot be decoded.
    """
    beside = sidecars(path)
    _check_magic(path, _SHP_MAGIC)
    if ".dbf" not in beside:
        raise UnusableInput(
            msg(
                "{file} 缺少同名的 .dbf 文件，没有属性就无法导入；请把 .shp、.shx、.dbf、.prj 一起提交。",
                file=path.name,
            )
        )
    attributes = read_dbf(beside[".dbf"], encoding)
    geometry, notes = _shapes(path, beside.get(".shx"))
    if len(attributes.deleted) != len(geometry):
        raise UnusableInput(
            msg(
                "{file} 有 {shapes} 个图形，.dbf 却有 {records} 行，两个文件不是一套；请重新导出。",
                file=path.name,
                shapes=len(geometry),
                records=len(attributes.deleted),
            )
        )
    kept = ~attributes.deleted
    crs = None
    if ".prj" in beside and beside[".prj"].stat().st_size:
        crs = crs_of_text(
            beside[".prj"].read_bytes().decode("utf-8", "replace").strip("\ufeff \r\n\0"), path.name
        )
    return Loaded(
        geometry=geometry[kept],
        columns={name: column[kept] for name, column in attributes.columns.items()},
        rows=np.flatnonzero(kept).astype(np.int64),
        features=int(kept.sum()),
        crs=crs,
        encoding=attributes.encoding or UTF8,
        cut_names_at=NAME_BYTES,
        notes=notes,
    )


def sidecars(path: Path) -> dict[str, Path]:
    """The files of a shapefile by lower-case suffix, found without regard to case."""
    stem = path.stem.casefold()
    found: dict[str, Path] = {}
    for other in sorted(path.parent.iterdir()):
        suffix = other.suffix.lower()
        if suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg") and other.stem.casefold() == stem:
            found.setdefault(suffix, other)
    found[".shp"] = path
    return found


def _shapes(path: Path, index: Path | None) -> tuple[Geometries, list[Message]]:
    """All shapes of a .shp in order (None for null shapes), read without its attribute table."""
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100:
        raise _broken(path)
    kind = int.from_bytes(header[32:36], "little")
    if kind == _MULTIPATCH:
        raise UnusableInput(msg("{file} 是三维多面体（MultiPatch），不能用作平面图层。", file=path.name))
    notes = [msg("高程（Z）或量测值（M）没有保留。")] if kind > 10 else []
    shx = index.read_bytes() if index is not None else b""
    if not is_shape_index(shx, path.stat().st_size):
        shx = shape_index(path)
        notes.append(msg("缺少可用的 .shx 索引，已按 .shp 重建（原文件未改动）。"))
    # the shape file alone in a folder of its own: GDAL neither sees the table nor writes an index beside the original
    with TemporaryDirectory(prefix="gis-server-") as folder, _gdal_errors(path):
        alone = Path(folder) / "shapes.shp"
        alone.symlink_to(path.resolve())
        alone.with_suffix(".shx").write_bytes(shx)
        _, _, wkb, _ = _read_raw(alone, None)
        geometry = _from_wkb(wkb)
    return geometry, notes


def read_geopackage(path: Path, names: Sequence[str]) -> Loaded:
    """Read one layer of a .gpkg; with several, the one that bears one of ``names``, else UnusableInput names them."""
    _check_magic(path, _GPKG_MAGIC)
    with _quiet_copy(path) as readable, _gdal_errors(path):
        spatial = [name for name, kind in _layers(readable) if kind is not None]
        if not spatial:
            raise UnusableInput(msg("{file} 里没有带图形的图层。", file=path.name))
        layer = choose(spatial, names, path.name)
        return _read_with_gdal(readable, layer)


def choose(available: Sequence[str], names: Sequence[str], file: str) -> str:
    """The only one, or the one called by one of ``names`` (case apart); UnusableInput naming all of them otherwise."""
    if len(available) == 1:
        return available[0]
    wanted = [n.casefold() for n in names]
    for name in wanted:
        same = [a for a in available if a.casefold() == name]
        if len(same) == 1:
            return same[0]
    raise UnusableInput(
        msg(
            "{file} 里有 {count} 个数据：{names}；请写明要哪一个，例如 {file}:{first}。",
            file=file,
            first=available[0],
            count=len(available),
            names="、".join(available),
        ),
        field="layer",
    )


def read_flatgeobuf(path: Path) -> Loaded:
    """Read a .fgb file."""
    _check_magic(path, _FGB_MAGIC)
    with _gdal_errors(path):
        if not _layers(path):
            raise _broken(path)
        return _read_with_gdal(path, None)


def read_geojson(path: Path, encoding: str | None) -> Loaded:
    """Read a GeoJSON file in UTF-8 (with or without BOM), UTF-16 with BOM, or GB18030.

    Raises UnusableInput where it is no GeoJSON or holds numbers of 19 and more digits, which are codes that should
    have been text and would lose their tail.
    """
    data = path.read_bytes()
    text, chosen = decode_text(data, encoding, where=path.name)
    if not text.lstrip().startswith("{"):
        raise UnusableInput(msg("{file} 不是 GeoJSON：开头应为“{{”。", file=path.name))
    clean = data if chosen == UTF8 and data[:1] == b"{" else text.lstrip().encode()
    del text
    long = _LONG_NUMBER.search(clean)
    if long is not None:
        raise UnusableInput(
            msg(
                "{file}：编码 {value} 写成了数值，位数太长会丢失；请在来源处改为带引号的文本。",
                file=path.name,
                value=long.group(1).decode("ascii"),
            )
        )
    with TemporaryDirectory(prefix="gis-server-") as folder, _gdal_errors(path):
        readable = path
        if clean is not data:
            readable = Path(folder) / "clean.geojson"
            readable.write_bytes(clean)
        del data, clean
        # the prefix keeps GDAL from taking the file for another JSON format, some of which run commands
        loaded = _read_with_gdal(f"GeoJSON:{readable.resolve()}", None)
    loaded.layer, loaded.encoding = None, chosen
    return loaded


def _read_with_gdal(readable: Path | str, layer: str | None) -> Loaded:
    meta, _, wkb, data = _read_raw(readable, layer)
    geometry = _from_wkb(wkb)
    notes = (
        [msg("高程（Z）或量测值（M）没有保留。")]
        if re.search(r" Z|Measured|25D", meta["geometry_type"] or "")
        else []
    )
    columns: dict[str, NDArray[np.generic]] = {}
    for name, kind, column in zip(meta["fields"], meta["ogr_types"], data, strict=True):
        if kind == "OFTBinary":
            notes.append(msg("列“{column}”是二进制数据，没有读取。", column=str(name)))
            continue
        columns[str(name)] = _lists_as_text(column) if str(kind).endswith("List") else column
    return Loaded(
        geometry=geometry,
        columns=columns,
        rows=np.arange(len(geometry), dtype=np.int64),
        features=len(geometry),
        crs=crs_of_text(meta["crs"], Path(str(readable)).name) if meta["crs"] else None,
        layer=layer,
        encoding=UTF8,
        notes=notes,
    )


def _from_wkb(wkb: NDArray[np.object_]) -> Geometries:
    with np.errstate(invalid="ignore"):  # coordinates that are no numbers are told row by row, later
        geometry: Geometries = shapely.from_wkb(wkb, on_invalid="fix")
    return geometry


def _lists_as_text(column: NDArray[np.generic]) -> NDArray[np.generic]:
    texts = np.empty(len(column), object)
    texts[:] = [None if v is None else "、".join(str(part) for part in v) for v in column.tolist()]
    return texts


def _layers(readable: Path) -> list[tuple[str, str | None]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return [(str(name), kind) for name, kind in pyogrio.list_layers(readable)]


def _read_raw(readable: Path | str, layer: str | None) -> Any:
    with warnings.catch_warnings():
        # measured and curved types are told in our own words
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        return pyogrio.raw.read(readable, layer=layer, force_2d=True, datetime_as_string=True)


@contextmanager
def _quiet_copy(path: Path) -> Iterator[Path]:
    """The GeoPackage itself, or a copy where SQLite would write its journal beside it."""
    with path.open("rb") as file:
        header = file.read(20)
    if len(header) < 20 or header[18] != _SQLITE_WAL:
        yield path
        return
    with TemporaryDirectory(prefix="gis-server-") as folder:
        copy = Path(folder) / path.name
        for suffix in ("", "-wal"):
            source = path.with_name(path.name + suffix)
            if source.exists():
                copy.with_name(path.name + suffix).write_bytes(source.read_bytes())
        yield copy


@contextmanager
def _gdal_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError:
        raise UnknownEncoding(
            msg("{file} 里的文字不是 UTF-8，文件已损坏；请从来源重新导出。", file=path.name), field="encoding"
        ) from None
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        pyogrio.errors.FeatureError,
        pyogrio.errors.GeometryError,
        pyogrio.errors.FieldError,
        shapely.GEOSException,
    ):
        raise _broken(path) from None


def _broken(path: Path) -> UnusableInput:
    return UnusableInput(msg("{file} 打不开，已损坏或不完整；请从来源重新导出或复制。", file=path.name))


def _check_magic(path: Path, magic: bytes) -> None:
    """GDAL goes by content, not by name: a file that only pretends must not reach its other drivers."""
    with path.open("rb") as file:
        if file.read(len(magic)) != magic:
            raise UnusableInput(
                msg(
                    "{file} 的内容与后缀 {suffix} 不符；请从来源重新导出。",
                    file=path.name,
                    suffix=path.suffix,
                )
            )
