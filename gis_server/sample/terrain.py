"""The ground the city stands on: county outline, township centres, built-up areas, river and railway.

Metres in the city's Gauss–Krüger zone; ORIGIN is the middle of the city. The place is on the Sanjiang plain,
but nothing here is a real place.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LinearRing, LineString, Polygon

from gis_server.sample.chance import rounded, stream, waves

CRS = "EPSG:4553"
"""CGCS2000, 3° Gauss–Krüger, central meridian 132° E: the metric CRS of everything in this package."""

ORIGIN = (447_000.0, 5_234_000.0)
"""Easting and northing of the city's middle: about 131.30° E, 47.24° N."""

AREA_PER_TOWN = 66e6
"""Square metres of a township of eight communities, town and country together."""

LEAST_COUNTRY = 1500.0
"""Metres of country around the city at the least, so that hamlets find room."""

_RIVER_HALF_WIDTH = 36.0
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


@dataclass(frozen=True, slots=True)
class Seat:
    """A built-up area: the city itself, or the seat of an outlying township."""

    centre: tuple[float, float]
    radius: float
    turn: float  # direction of its streets, radians
    outline: Polygon


@dataclass(frozen=True, slots=True)
class Terrain:
    """Where everything is going to lie."""

    towns: int
    county: Polygon
    town_centres: NDArray[np.float64]  # (towns, 2)
    seats: tuple[Seat, ...]
    river: LineString
    railway: LineString

    def beyond_river(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which points lie north of the river."""
        line = shapely.get_coordinates(self.river)
        side: NDArray[np.bool_] = y > np.interp(x, line[:, 0], line[:, 1])
        return side

    def beyond_railway(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which points lie north-west of the railway."""
        line = shapely.get_coordinates(self.railway)
        side: NDArray[np.bool_] = y > np.interp(x, line[:, 0], line[:, 1])
        return side


def _blob(random: np.random.Generator, centre: tuple[float, float], radius: float, wander: float) -> Polygon:
    """A round shape of about ``radius`` whose edge wanders by the share ``wander``, with points 40–60 m apart."""
    points = max(48, int(2 * np.pi * radius / 55))
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    edge = np.ones(points)
    for k in range(2, 8):
        edge += wander / k * np.sin(k * angle + random.uniform(0, 2 * np.pi)) * random.uniform(0.5, 1.4)
    edge /= np.sqrt(np.mean(edge**2))  # keeps the area
    x = centre[0] + radius * edge * np.cos(angle)
    y = centre[1] + radius * edge * np.sin(angle)
    return Polygon(rounded(np.column_stack([x, y])))


def _town_centres(random: np.random.Generator, towns: int, reach: float) -> NDArray[np.float64]:
    """Township centres: up to three share the city, the others lie around it, all with about equal areas."""
    inner = min(towns, 3)
    start = random.uniform(0, 2 * np.pi)
    places = []
    for i in range(towns):
        if i < inner:
            r = 0.0 if inner == 1 else 0.55 * reach * np.sqrt(inner / towns)
            angle = start + 2 * np.pi * i / inner
        else:
            r = reach * np.sqrt((i + 0.5) / towns) * random.uniform(0.96, 1.0)
            angle = start + i * _GOLDEN_ANGLE + random.uniform(-0.08, 0.08)
        places.append((ORIGIN[0] + r * np.cos(angle), ORIGIN[1] + r * np.sin(angle)))
    return np.array(places)


def make_terrain(seed: int, towns: int, urban_area_per_town: float, area_per_town: float) -> Terrain:
    """Lay out ``towns`` townships, each with the given built-up and total areas (square metres)."""
    random = stream(seed, "terrain")
    city_radius = float(np.sqrt(min(towns, 3) * urban_area_per_town / np.pi))
    reach = max(float(np.sqrt(towns * area_per_town / np.pi)), 1.2 * city_radius + LEAST_COUNTRY)
    county = _blob(random, ORIGIN, reach, 0.16)
    centres = _town_centres(random, towns, reach)
    inner = min(towns, 3)
    seats = []
    for i, centre in enumerate(np.vstack([ORIGIN, centres[inner:]])):
        share = inner if i == 0 else 1
        radius = float(np.sqrt(share * urban_area_per_town / np.pi))
        # an outlying seat keeps clear of the county's border
        away = centre - ORIGIN
        limit = reach * 0.86 - radius * 1.3
        away *= min(1.0, limit / max(float(np.hypot(*away)), 1.0))
        place = (ORIGIN[0] + float(away[0]), ORIGIN[1] + float(away[1]))
        seats.append(Seat(place, radius, random.uniform(0.06, 0.5), _blob(random, place, radius, 0.22)))
    city = seats[0]
    run = np.arange(-reach * 1.35, reach * 1.35, 45.0)
    bend = waves(random, run, 0.11 * city.radius, 2.6 * city.radius) + waves(
        random, run, 0.25 * city.radius, 9e3
    )
    river = rounded(np.column_stack([ORIGIN[0] + run, ORIGIN[1] + 0.42 * city.radius + bend + 0.10 * run]))
    straight = np.arange(-reach * 1.35, reach * 1.35, 150.0)
    bow = 0.07 * city.radius * np.sin(straight / (1.7 * city.radius))
    railway = rounded(
        np.column_stack([ORIGIN[0] + straight, ORIGIN[1] - 0.40 * city.radius + 0.46 * straight + bow])
    )
    return Terrain(towns, county, centres, tuple(seats), LineString(river), LineString(railway))


def rings(terrain: Terrain) -> list[LinearRing]:
    """The borders of the county and of its built-up areas."""
    return [terrain.county.exterior, *(seat.outline.exterior for seat in terrain.seats)]


def built_up(terrain: Terrain, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.intp]:
    """The seat in which each point lies, or -1 in the country."""
    seat = np.full(len(x), -1, dtype=np.intp)
    tree = shapely.STRtree([s.outline for s in terrain.seats])
    point, within = tree.query(shapely.points(x, y), predicate="within")
    seat[point] = within
    return seat


def river_bed(terrain: Terrain) -> Polygon:
    """The water of the river inside the county."""
    return shapely.intersection(shapely.buffer(terrain.river, _RIVER_HALF_WIDTH, quad_segs=3), terrain.county)
