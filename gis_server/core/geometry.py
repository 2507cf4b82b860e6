"""Coordinate reference systems and the planar work around them.

WGS 84 and CGCS2000 are one here: they differ by centimetres, and PROJ only knows an empty "ballpark" step between
them. Every other change of datum must have real parameters; where PROJ would silently apply none (Beijing 1954 and
Xi'an 1980 among them, tens to a hundred metres off), the transformation is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.enums import TransformDirection
from pyproj.exceptions import CRSError, ProjError

from gis_server.core.errors import UnknownCrs
from gis_server.core.message import Message, msg

Geometries = NDArray[np.object_]
"""Shapely geometries or None."""

STORAGE_CRS = "EPSG:4490"
"""CGCS2000 longitude/latitude: what the database keeps."""

LOCAL_CRS = "local"
"""Metres on a plane that lies nowhere: good for checking, not for storing."""

_WGS84 = "EPSG:4326"
_CHINA = (73.0, 3.0, 136.0, 54.0)
_DATUM_WORDS = {
    "cgcs2000": ("china 2000", "china_2000", "china geodetic", "cgcs2000", "cgcs_2000", "china_geodetic"),
    "wgs84": ("world geodetic system 1984", "wgs_1984", "wgs 84", "wgs84", "wgs 1984"),
    # a datum that is only an ellipsoid: the geocentric ones are what CGCS2000 and WGS 84 stand on
    "geocentric": ("unknown based on grs", "unknown based on wgs", "based on grs 1980", "based on wgs 84"),
}
_OLD_CHINESE = ("beijing", "xian", "xi'an", "xi_an", "krassovsky", "iag 1975", "iag75", "iag_1975")


def metric_crs(lon: float) -> str:
    """The CGCS2000 3° Gauss–Krüger CRS without zone prefix whose central meridian is nearest to ``lon`` (degrees).

    EPSG 4534 is 75°E, and one more for every 3°, up to 4554 (135°E). Longitudes outside China raise UnknownCrs.
    """
    step = round((lon - 75.0) / 3.0)
    if not 0 <= step <= 20:
        raise UnknownCrs(msg("经度 {lon} 不在国家 3° 带范围（75°–135°）之内。", lon=f"{lon:.4f}"))
    return f"EPSG:{4534 + step}"


@lru_cache(maxsize=256)
def parse_crs(text: str) -> CRS:
    """A CRS from an EPSG code, WKT or PROJ string; UnknownCrs if PROJ does not know it."""
    try:
        return CRS.from_user_input(text)
    except CRSError:
        raise UnknownCrs(
            msg("不认识坐标系“{crs}”；请写成 EPSG:4490、EPSG:4549 这样的代号。", crs=text[:80])
        ) from None


def crs_name(crs: CRS) -> str:
    """``EPSG:n`` where the CRS is one of the register, else its WKT."""
    code = crs.to_epsg(min_confidence=70)
    return f"EPSG:{code}" if code is not None else str(crs.to_wkt())


def _unbound(crs: CRS) -> CRS:
    """The CRS without the +towgs84 parameters wrapped around it."""
    return crs.source_crs if crs.is_bound and crs.source_crs is not None else crs


def _geodetic(crs: CRS) -> CRS:
    geodetic = _unbound(crs).geodetic_crs
    if geodetic is None:
        raise UnknownCrs(msg("坐标系“{crs}”不是经纬度，也不是地图投影。", crs=crs.name))
    return geodetic


def _datum_of(crs: CRS) -> str:
    """``cgcs2000``, ``wgs84``, ``geocentric``, ``old_chinese`` or ``other``."""
    geodetic = _geodetic(crs)
    words = f"{geodetic.name} {geodetic.datum.name if geodetic.datum else ''}".lower()
    ellipsoid = geodetic.ellipsoid.name.lower() if geodetic.ellipsoid else ""
    if any(w in words or w in ellipsoid for w in _OLD_CHINESE):
        return "old_chinese"
    for name, known in _DATUM_WORDS.items():
        if any(w in words for w in known):
            return name
    return "other"


def is_true_datum(crs: str) -> bool:
    """Whether the CRS names WGS 84 or CGCS2000, and so needs no shift to be stored."""
    parsed = parse_crs(crs)
    return not parsed.is_bound and _datum_of(parsed) in ("cgcs2000", "wgs84", "geocentric")


def states_its_datum(crs: str) -> bool:
    """Whether points in this CRS need no stated datum: a projected CGCS2000, UTM or survey CRS speaks for itself.

    Longitude/latitude and Web Mercator do not: GCJ-02 and BD-09 points travel under their names every day.
    """
    return crs == LOCAL_CRS or (bool(_unbound(parse_crs(crs)).is_projected) and not is_mercator(crs))


def is_mercator(crs: str) -> bool:
    """Whether the CRS is a (Web) Mercator projection, transverse ones not meant."""
    operation = _unbound(parse_crs(crs)).coordinate_operation
    method = operation.method_name.lower() if operation is not None else ""
    return "mercator" in method and "transverse" not in method


def check_usable(crs: str) -> None:
    """Raise UnknownCrs where there is no safe path from ``crs`` to CGCS2000."""
    _steps(crs, STORAGE_CRS)


@dataclass(frozen=True, slots=True)
class _Step:
    transformer: Transformer
    direction: TransformDirection = TransformDirection.FORWARD


@lru_cache(maxsize=256)
def _steps(source: str, target: str) -> tuple[_Step, ...]:
    """Transformers to apply one after the other; the empty ballpark step WGS 84 ↔ CGCS2000 is left out."""
    if source == target:
        return ()
    one, other = parse_crs(source), parse_crs(target)
    if not one.is_bound and not other.is_bound and _geodetic(one) == _geodetic(other):
        return (_Step(_transformer(one, other)),)
    there = [_Step(t) for t in _to_geographic(one)]
    back = [_Step(t, TransformDirection.INVERSE) for t in reversed(_to_geographic(other))]
    return (*there, *back)


def _to_geographic(crs: CRS) -> tuple[Transformer, ...]:
    """Steps from ``crs`` to longitude/latitude of WGS 84 (= CGCS2000)."""
    kind = _datum_of(crs)
    if crs.is_bound:
        shift = [p.value for p in crs.coordinate_operation.params] if crs.coordinate_operation else []
        if kind != "old_chinese" or any(shift[:3]):
            return (_transformer(crs, CRS.from_user_input(_WGS84)),)
    if kind == "old_chinese":
        raise UnknownCrs(
            msg(
                "坐标系“{crs}”属于北京54或西安80，换算到CGCS2000需要当地的转换参数，否则会偏差几十至上百米；"
                "请先用当地参数转换为CGCS2000，或用 --crs 给出带 +towgs84 参数的定义。",
                crs=crs.name,
            )
        )
    if kind == "other":
        return (_transformer(crs, CRS.from_user_input(_WGS84)),)
    geodetic = _geodetic(crs)
    # a geodetic base on another meridian or in grads still has to be turned; degrees from Greenwich pass as they are
    return () if crs == geodetic else (_transformer(crs, geodetic),)


def _transformer(source: CRS, target: CRS) -> Transformer:
    try:
        return Transformer.from_crs(source, target, always_xy=True, allow_ballpark=False)
    except ProjError:
        raise UnknownCrs(
            msg(
                "没有从坐标系“{source}”到“{target}”的可靠换算；请先转换为CGCS2000（EPSG:4490）再导入。",
                source=source.name,
                target=target.name,
            )
        ) from None


def project(
    x: NDArray[np.float64], y: NDArray[np.float64], source: str, target: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates (x = east or longitude first) from one CRS to another; what PROJ cannot map becomes infinite."""
    for step in _steps(source, target):
        x, y = step.transformer.transform(x, y, direction=step.direction)
    return x, y


def map_coordinates(
    geometries: Geometries,
    function: Callable[
        [NDArray[np.float64], NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]
    ],
) -> Geometries:
    """Apply ``function(x, y) -> (x, y)`` to every vertex; Z and M are dropped, None stays None."""

    shapes: Geometries = np.asarray(geometries, object)
    kinds = shapely.get_type_id(shapes)
    if ((kinds == shapely.GeometryType.POINT) | (kinds == -1)).all():  # four times as fast as the general way
        moved = np.full(len(shapes), None, object)
        there = kinds >= 0
        moved[there] = shapely.points(*function(shapely.get_x(shapes[there]), shapely.get_y(shapes[there])))
        return moved

    def columns(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = function(np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1]))
        return np.column_stack([x, y])

    transformed: Geometries = shapely.transform(shapes, columns)
    return transformed


def transform(geometries: Geometries, source_crs: str, target_crs: str) -> Geometries:
    """Geometries from one CRS to another, longitude/east first in both.

    Raises UnknownCrs where PROJ has no real datum shift (Beijing 1954, Xi'an 1980 without parameters, a local plane).
    """
    if source_crs == target_crs:
        return np.asarray(geometries, object)
    if LOCAL_CRS in (source_crs, target_crs):
        raise UnknownCrs(msg("平面坐标（--crs local）没有地理位置，不能换算到其他坐标系。"))
    if not _steps(source_crs, target_crs):
        return np.asarray(geometries, object)
    return map_coordinates(geometries, lambda x, y: project(x, y, source_crs, target_crs))


def to_metric(geometries: Geometries, crs: str) -> tuple[Geometries, str]:
    """Geometries in a CRS whose lengths and areas are metres on the ground, and its name.

    A Gauss–Krüger, UTM or local plane stays as it is; longitude/latitude and Web Mercator (whose areas are 1.3–2
    times too large in China) go to the 3° Gauss–Krüger zone of their centre, or outside China to the UTM zone.
    """
    if crs == LOCAL_CRS:
        return np.asarray(geometries, object), crs
    parsed = parse_crs(crs)
    metres = all(axis.unit_conversion_factor == 1.0 for axis in parsed.axis_info)
    if states_its_datum(crs) and metres:
        return np.asarray(geometries, object), crs
    centre = middle(geometries)
    if centre is None:
        return np.asarray(geometries, object), STORAGE_CRS
    lon, lat = project(np.array([centre[0]]), np.array([centre[1]]), crs, STORAGE_CRS)
    target = metric_or_utm(float(lon[0]), float(lat[0]))
    return transform(geometries, crs, target), target


def metric_or_utm(lon: float, lat: float) -> str:
    """The Gauss–Krüger zone of a place in China, the UTM zone of any other."""
    if 73.5 <= lon < 136.5:
        return metric_crs(lon)
    zone = int((lon + 180.0) // 6.0) % 60 + 1
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


def middle(geometries: Geometries) -> tuple[float, float] | None:
    """The median of the centres of all geometries: where the data lie, whatever a few stray rows say."""
    bounds = shapely.bounds(np.asarray(geometries, object)).reshape(-1, 4)
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    if not len(bounds):
        return None
    bounds /= 2  # halved first: 1e308 + 1e308 is no number
    x, y = bounds[:, 0] + bounds[:, 2], bounds[:, 1] + bounds[:, 3]
    return float(np.median(x)), float(np.median(y))


def crs_candidates(x: float, y: float) -> tuple[str, ...]:
    """The CRS that coordinates of this size are likely to be in, best first; empty if none is.

    Sizes are those of places in China: degrees; Gauss–Krüger metres with the false easting of 500 km, whose
    central meridian cannot be known (all 3° and 6° ones are named); the same with the zone number in front; Web Mercator.
    """
    if 73.0 <= x <= 135.5 and 3.0 <= y <= 54.0:
        return ("EPSG:4490", "EPSG:4326")
    northing = 3.0e5 <= y <= 6.1e6
    found: list[str] = []
    if 1.5e5 <= x <= 8.5e5 and northing:
        found += [f"EPSG:{4534 + n}" for n in range(21)] + [f"EPSG:{4502 + n}" for n in range(11)]
    zone, easting = divmod(x, 1.0e6)
    if northing and 1.5e5 <= easting <= 8.5e5:
        if 25 <= zone <= 45:
            found.append(f"EPSG:{4488 + int(zone)}")
        # zones 13-15 share their eastings with Web Mercator of eastern China; they hold Chinese land only
        # between 27° and 49.3° N
        elif 16 <= zone <= 23 or (13 <= zone <= 15 and 2.99e6 <= y <= 5.47e6):
            found.append(f"EPSG:{4478 + int(zone)}")
    if 8.1e6 <= x <= 1.51e7 and 3.3e5 <= y <= 7.2e6:
        found.insert(0, "EPSG:3857")
    return tuple(found)


def describe_candidates(candidates: Sequence[str]) -> Message | tuple[str, ...]:
    """The candidates as a phrase; the long list of Gauss–Krüger meridians as its two ranges."""
    if len(candidates) > 5:
        return msg(
            "CGCS2000 高斯-克吕格投影，中央经线未知：3° 带 EPSG:4534–4554"
            "（75°–135°，代号 = 4534 +（中央经线 − 75）÷ 3），6° 带 EPSG:4502–4512"
        )
    return tuple(candidates)


def check_range(geometries: Geometries, crs: str) -> None:
    """Refuse (UnknownCrs) coordinates that cannot be in ``crs``: degrees under a projection, zone numbers, swapped axes.

    Judged by the median of the rows, so a few stray ones do not refuse a file.
    """
    centre = middle(geometries)
    if centre is None or crs == LOCAL_CRS:
        return
    x, y = centre
    parsed = parse_crs(crs)
    candidates = crs_candidates(x, y)
    hint = (
        msg("按数值看，可能是 {candidates}。", candidates=describe_candidates(candidates))
        if candidates
        else msg("请核对坐标系和坐标列的顺序。")
    )
    where = {"crs": crs_label(crs), "x": f"{x:.10g}", "y": f"{y:.10g}"}
    if not candidates and crs_candidates(y, x):
        raise UnknownCrs(
            msg("坐标（{x}，{y}）的两列似乎颠倒了：应先经度（东）、后纬度（北）。", **where),
            candidates=crs_candidates(y, x),
        )
    degrees = abs(x) <= 180.0 and abs(y) <= 90.0
    if not parsed.is_projected and not parsed.is_bound and not degrees:
        raise UnknownCrs(
            msg("坐标系写的是经纬度 {crs}，坐标却是米（{x}，{y}）；{hint}", **where, hint=hint),
            candidates=candidates,
        )
    if parsed.is_projected and degrees and (x or y):
        raise UnknownCrs(
            msg("坐标系写的是投影坐标 {crs}，坐标却是经纬度（{x}，{y}）；{hint}", **where, hint=hint),
            candidates=candidates,
        )
    lon, lat = project(np.array([x]), np.array([y]), crs, STORAGE_CRS)
    # a UTM or national CRS may lie anywhere; a Chinese one, or Web Mercator over numbers that look Chinese, may not
    chinese = _datum_of(parsed) in ("cgcs2000", "old_chinese") or (is_mercator(crs) and bool(candidates))
    west, south, east, north = _CHINA
    outside = not (west - 1 <= lon[0] <= east + 1 and south - 1 <= lat[0] <= north + 1)
    possible = np.isfinite(lon[0]) and np.isfinite(lat[0]) and abs(lon[0]) <= 180.0
    if not possible or (chinese and outside):
        raise UnknownCrs(
            msg("坐标（{x}，{y}）按 {crs} 换算后不在中国范围内；{hint}", **where, hint=hint),
            candidates=candidates,
        )


def crs_label(crs: str) -> str:
    """A short name for people: the code, or the name inside a WKT."""
    return crs if len(crs) <= 40 else str(parse_crs(crs).name)


def mend(polygons: Geometries) -> tuple[Geometries, list[tuple[int, str]]]:
    """Make invalid polygons valid; the array mended, and (index, reason with its place) for each that was not valid.

    Only invalid ones are touched. The structure method is used because the default one raises on real county files.
    """
    bad = np.flatnonzero(~shapely.is_valid(polygons) & ~shapely.is_missing(polygons))
    if not len(bad):
        return polygons, []
    reasons = [(int(i), str(shapely.is_valid_reason(polygons[i]))) for i in bad]
    mended = polygons.copy()
    mended[bad] = shapely.make_valid(polygons[bad], method="structure", keep_collapsed=False)
    return mended, reasons
