"""Files as honest and as dishonest programs write them, made byte by byte where no writer would."""

import json
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import openpyxl
import pyogrio.raw
import shapely

GRID_HEADS = ("网格编码", "网格名称", "所属社区", "网格类型")
GRID_ROWS = (
    ("230881001001001", "同江镇第一网格", "230881001001", "居民网格"),
    ("230881001001002", "同江镇第二网格", "230881001001", "农村网格"),
    ("230881001001003", "同江镇第三网格", "230881001001", "专属网格"),
)
ADDRESS_HEADS = ("地址编码", "标准地址", "经度", "纬度")
ADDRESS_ROWS = (
    ("000000000000001", "幸福路1号", "119.4123456", "32.2012345"),
    ("000000000000002", "幸福路2号，后院", "119.4133456", "32.2022345"),
    ("99999999999999999999", "“老街”3号", "119.4143456", "32.2032345"),
)
GK_120 = "EPSG:4549"


def squares(count: int = 3, x: float = 443_000.0, y: float = 3_565_000.0) -> np.ndarray:
    """Squares of 100 m in a row, in metres of EPSG:4549 by default."""
    return np.array([shapely.box(x + 100 * i, y, x + 100 * i + 100, y + 100) for i in range(count)], object)


def degree_squares(count: int = 3) -> np.ndarray:
    return np.array(
        [shapely.box(119.4 + 0.001 * i, 32.2, 119.4 + 0.001 * (i + 1), 32.201) for i in range(count)],
        object,
    )


def dbf(
    heads: Sequence[bytes],
    rows: Sequence[Sequence[bytes]],
    *,
    ldid: int = 0,
    kinds: str | None = None,
    width: int = 60,
) -> bytes:
    """A dBASE table of text (or of ``kinds``, one letter a field), names cut at ten bytes as the format does."""
    kinds = kinds or "C" * len(heads)
    head = struct.pack(
        "<4BIHH17xB2x", 3, 126, 1, 1, len(rows), 33 + 32 * len(heads), 1 + width * len(heads), ldid
    )
    for name, kind in zip(heads, kinds, strict=True):
        head += struct.pack("<11sc4xBB14x", name[:10], kind.encode(), width, 0)
    body = b"".join(
        b" "
        + b"".join(
            c[:width].rjust(width) if k == "N" else c[:width].ljust(width)
            for k, c in zip(kinds, row, strict=True)
        )
        for row in rows
    )
    return head + b"\r" + body + b"\x1a"


def shapefile(
    folder: Path,
    name: str = "grid",
    *,
    encoding: str = "GB18030",
    geometry: np.ndarray | None = None,
    crs: str | None = GK_120,
    heads: Sequence[str] = GRID_HEADS,
    rows: Sequence[Sequence[str]] = GRID_ROWS,
    cpg: str | None = None,
    ldid: int = 0,
) -> Path:
    """A shapefile whose table is written byte by byte, because no honest writer would write it."""
    geometry = squares(len(rows)) if geometry is None else geometry
    known = next(g for g in geometry if g is not None)
    path = folder / f"{name}.shp"
    write(
        path,
        geometry=shapely.to_wkb(geometry),
        field_data=[np.arange(len(geometry))],
        fields=["n"],
        geometry_type=f"{known.geom_type} Z" if known.has_z else known.geom_type,
        crs=crs,
        driver="ESRI Shapefile",
    )
    path.with_suffix(".cpg").unlink(missing_ok=True)
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg)
    path.with_suffix(".dbf").write_bytes(
        dbf([h.encode(encoding) for h in heads], [[c.encode(encoding) for c in r] for r in rows], ldid=ldid)
    )
    return path


def write(path: Path, **kwargs: object) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a missing CRS is what some of these files are about
        pyogrio.raw.write(path, **kwargs)


def csv(
    folder: Path,
    *,
    heads: Sequence[str] = ADDRESS_HEADS,
    rows: Sequence[Sequence[str]] = ADDRESS_ROWS,
    encoding: str = "utf-8",
    separator: str = ",",
    name: str = "address.csv",
) -> Path:
    path = folder / name
    lines = [separator.join(f'"{c}"' if separator in c else c for c in row) for row in (heads, *rows)]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


def xlsx(folder: Path, rows: Sequence[Sequence[object]], *, merge: Sequence[str] = ()) -> Path:
    path = folder / "address.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "地址"
    for row in rows:
        sheet.append(list(row))
    for area in merge:
        sheet.merge_cells(area)
    book.save(path)
    return path


def geojson(folder: Path, features: Sequence[object], *, encoding: str = "utf-8", **members: object) -> Path:
    path = folder / "grid.geojson"
    content = {"type": "FeatureCollection", **members, "features": features}
    path.write_bytes(json.dumps(content, ensure_ascii=False).encode(encoding))
    return path


def grid_features(geometry: np.ndarray | None = None) -> list[dict[str, object]]:
    geometry = degree_squares() if geometry is None else geometry
    return [
        {
            "type": "Feature",
            "properties": dict(zip(GRID_HEADS, row, strict=True)),
            "geometry": json.loads(shapely.to_geojson(shape)) if shape is not None else None,
        }
        for row, shape in zip(GRID_ROWS, geometry, strict=True)
    ]


def geopackage(folder: Path, layers: Sequence[str] = ("grid",), *, crs: str | None = GK_120) -> Path:
    path = folder / "grid.gpkg"
    for layer in layers:
        write(
            path,
            layer=layer,
            geometry=shapely.to_wkb(squares()),
            field_data=[np.array(column, object) for column in zip(*GRID_ROWS, strict=True)],
            fields=list(GRID_HEADS),
            geometry_type="Polygon",
            crs=crs,
            driver="GPKG",
            append=path.exists(),
        )
    return path


def archive(folder: Path, members: Mapping[str, bytes], *, gbk: bool = False, name: str = "grid.zip") -> Path:
    """A zip file; ``gbk`` writes the names as Windows in China does, without the UTF-8 flag."""
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for member, content in members.items():
            info = zipfile.ZipInfo(member, (2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            if gbk:
                info = _GbkInfo(member, (2026, 1, 1, 0, 0, 0))
            packed.writestr(info, content)
    return path


class _GbkInfo(zipfile.ZipInfo):
    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802  (zipfile's own hook)
        return self.filename.encode("gbk"), self.flag_bits


def parts(path: Path, inside: str = "") -> dict[str, bytes]:
    """The files of a shapefile as members of an archive."""
    return {f"{inside}{p.name}": p.read_bytes() for p in sorted(path.parent.glob(f"{path.stem}.*"))}


def apart(folder: Path) -> Path:
    aside = folder / "aside"
    aside.mkdir(exist_ok=True)
    return aside


def without(suffix: str, **kwargs: object) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = shapefile(folder, **kwargs)  # type: ignore[arg-type]
        path.with_suffix(suffix).unlink()
        return path

    return make
