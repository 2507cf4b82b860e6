"""Settling the reference system and the datum of what a file brought."""

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from gis_server.core.datum import Datum, from_cgcs2000
from gis_server.core.errors import DatumRequired, UnknownCrs, UnusableInput
from gis_server.core.geometry import (
    LOCAL_CRS,
    STORAGE_CRS,
    Geometries,
    check_range,
    check_usable,
    crs_candidates,
    crs_label,
    crs_name,
    describe_candidates,
    is_mercator,
    is_true_datum,
    middle,
    parse_crs,
    project,
    states_its_datum,
)
from gis_server.core.message import Message, msg
from gis_server.files.loaded import Loaded

_METRES_A_DEGREE = 111_320.0


def crs_of_text(text: str, file: str) -> str:
    """The CRS that a .prj text or a file's own definition names; UnknownCrs where PROJ cannot read it."""
    try:
        parsed = CRS.from_user_input(text)
        # a third dimension says nothing about the plane, and GDAL reports 3D GeoJSON as EPSG:4979
        return crs_name(parsed.to_2d() if len(parsed.axis_info) == 3 and not parsed.is_bound else parsed)
    except CRSError:
        raise UnknownCrs(
            msg("{file} 里的坐标系定义读不懂；请用 --crs 指定，例如 --crs EPSG:4549。", file=file)
        ) from None


def settle_crs(loaded: Loaded, stated: str | None, datum: Datum | None, file: str) -> str:
    """The CRS of the data: as ``stated`` by the person, else by the file; UnknownCrs where it is missing, unsafe or wrong."""
    if stated is not None:
        crs = LOCAL_CRS if stated.strip().lower() == LOCAL_CRS else crs_name(parse_crs(stated.strip()))
    elif loaded.crs is not None:
        crs = loaded.crs
    else:
        crs = _guess_or_refuse(loaded, datum, file)
    if crs != LOCAL_CRS:
        check_usable(crs)
        check_range(loaded.geometry, crs)
    return crs


def _guess_or_refuse(loaded: Loaded, datum: Datum | None, file: str) -> str:
    centre = middle(loaded.geometry)
    candidates = crs_candidates(*centre) if centre is not None else ()
    # a list has nowhere to keep a CRS; degrees with a stated datum leave nothing open
    if loaded.is_list and (centre is None or STORAGE_CRS in candidates):
        return STORAGE_CRS if datum is not Datum.WGS84 else "EPSG:4326"
    if centre is None:
        raise UnknownCrs(msg("{file} 没有坐标系说明；请用 --crs 指定，例如 --crs EPSG:4490。", file=file))
    x, y = (f"{v:.10g}" for v in centre)
    if not candidates:
        swapped = crs_candidates(centre[1], centre[0])
        if swapped:
            raise UnknownCrs(
                msg(
                    "{file} 的坐标（{x}，{y}）两列似乎颠倒了：应先经度（东）、后纬度（北）。",
                    file=file,
                    x=x,
                    y=y,
                ),
                candidates=swapped,
            )
        raise UnknownCrs(
            msg(
                "{file} 没有坐标系说明，坐标（{x}，{y}）也不像中国的任何常用坐标系；请用 --crs 指定。",
                file=file,
                x=x,
                y=y,
            )
        )
    raise UnknownCrs(
        msg(
            "{file} 没有坐标系说明（缺少 .prj）；按坐标（{x}，{y}）看，可能是 {candidates}；请用 --crs 指定。",
            file=file,
            x=x,
            y=y,
            candidates=describe_candidates(candidates),
        ),
        candidates=candidates,
    )


def settle_datum(
    geometry: Geometries, crs: str, datum: Datum | None, *, crs_is_stated: bool, file: str
) -> Datum | None:
    """The datum of the coordinates; None on a local plane.

    Longitude/latitude and Web Mercator of *points* travel as GCJ-02 and BD-09 under the name of WGS 84 every day, so
    their datum must be stated (DatumRequired). A projected CGCS2000 or UTM CRS states it by itself, and contradicts a
    GCJ-02 or BD-09 unless the person has stated that CRS too. Lines and areas come from surveying and are believed.
    """
    if crs == LOCAL_CRS:
        return None
    if datum is None:
        if states_its_datum(crs) or not _are_points(geometry):
            return Datum.CGCS2000
        raise DatumRequired(_datum_sentence(geometry, crs, file), field="datum")
    if datum.is_true:
        return datum
    if not is_true_datum(crs) or (states_its_datum(crs) and not crs_is_stated):
        raise UnusableInput(
            msg(
                "{file} 的坐标系是 {crs}，与坐标基准 {datum} 矛盾；请核对 --datum，确实如此则再用 --crs 写明坐标系。",
                file=file,
                crs=crs_label(crs),
                datum=datum.value,
            ),
            field="datum",
        )
    if datum is Datum.BD09 and is_mercator(crs):
        raise UnusableInput(
            msg(
                "{file}：百度墨卡托与 {crs} 是两种投影；BD-09 点请用经纬度提供。",
                file=file,
                crs=crs_label(crs),
            ),
            field="datum",
        )
    return datum


def _are_points(geometry: Geometries) -> bool:
    kinds = shapely.get_type_id(geometry)
    kinds = kinds[kinds >= 0]
    points = (kinds == shapely.GeometryType.POINT) | (kinds == shapely.GeometryType.MULTIPOINT)
    return bool(len(kinds) and points.any())


def _datum_sentence(geometry: Geometries, crs: str, file: str) -> Message:
    x, y = middle(geometry) or (0.0, 0.0)
    lon, lat = (float(v[0]) for v in project(np.array([x]), np.array([y]), crs, STORAGE_CRS))
    off = {}
    for datum in (Datum.GCJ02, Datum.BD09):
        there_lon, there_lat = from_cgcs2000(lon, lat, datum)
        east = (float(there_lon) - lon) * _METRES_A_DEGREE * np.cos(np.radians(lat))
        off[datum.value] = round(float(np.hypot(east, (float(there_lat) - lat) * _METRES_A_DEGREE)), -1)
    return msg(
        "{file} 是点数据，没有说明坐标基准：此处 GCJ-02（高德、腾讯）会偏 {gcj02} 米，BD-09（百度）会偏 {bd09} 米；"
        "请用 --datum 说明：wgs84、cgcs2000、gcj02 或 bd09。",
        file=file,
        gcj02=f"{off['gcj02']:.0f}",
        bd09=f"{off['bd09']:.0f}",
    )
