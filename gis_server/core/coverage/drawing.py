"""Small maps of findings as SVG: the ground, what lies about it, and the defect."""

from dataclasses import dataclass

import numpy as np
import shapely

from gis_server.core.coverage.edges import Floats, Geometries

OVERVIEW_CELLS = 20_000
"""Beyond so many cells the overview draws the parents only: a screen has no more lines to show."""
NUMBERED = 60
"""So many marks of the overview bear a number; more would hide each other and the ground."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What there is to draw; ``stretch`` is the ratio of a unit of x to one of y (cos latitude for degrees)."""

    cells: Geometries
    parents: Geometries | None
    stretch: float = 1.0


def overview(sheet: Sheet, marks: list[tuple[int, str, shapely.Geometry]], width: int = 900) -> str:
    """All cells and parents with marks (number, CSS class, geometry) on them; the first ones show their number."""
    drawn = sheet.cells if sheet.parents is None else np.concatenate([sheet.cells, sheet.parents])
    bounds = shapely.total_bounds(drawn)
    if not np.isfinite(bounds).all():
        return ""
    view = _View(bounds, sheet.stretch, width, margin=0.02)
    body = []
    if len(sheet.cells) <= OVERVIEW_CELLS:
        body.append(f'<path class="cell" d="{view.path(sheet.cells)}"/>')
    if sheet.parents is not None:
        body.append(f'<path class="parent" d="{view.path(sheet.parents)}"/>')
    for number, style, shape in marks:
        body.append(f'<path class="{style}" d="{view.path(np.array([shape], dtype=object))}"/>')
        if number > NUMBERED:
            continue
        x, y = view.at(np.array([[shape.centroid.x, shape.centroid.y]]))[0]
        body.append(
            f'<a href="#f{number}"><circle class="{style} mark" cx="{x:.1f}" cy="{y:.1f}" r="7"/>'
            f'<text x="{x:.1f}" y="{y + 3:.1f}">{number}</text></a>'
        )
    return view.svg("".join(body), "overview")


class Close:
    """Close-ups over one sheet, with an index of its cells."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._tree = shapely.STRtree(sheet.cells)

    def up(self, shape: shapely.Geometry, style: str, width: int = 220) -> str:
        """The finding's ground with the cells about it, three times its size."""
        west, south, east, north = shape.bounds
        room = max(east - west, north - south)
        room = room if room > 0 else 40.0 * (1e-5 if abs(east) <= 180 and self._sheet.stretch < 1 else 1.0)
        window = np.array([west - room, south - room, east + room, north + room])
        view = _View(window, self._sheet.stretch, width, margin=0.0)
        about = self._sheet.cells[self._tree.query(shapely.box(*window))]
        clipped = shapely.clip_by_rect(shapely.boundary(about), *window)
        body = [f'<path class="cell" d="{view.path(clipped)}"/>']
        if self._sheet.parents is not None:
            borders = shapely.clip_by_rect(shapely.boundary(self._sheet.parents), *window)
            body.append(f'<path class="parent" d="{view.path(borders)}"/>')
        if shape.area > 0 or shape.length > 0:
            body.append(f'<path class="{style}" d="{view.path(np.array([shape], dtype=object))}"/>')
        else:
            for x, y in view.at(shapely.get_coordinates(shape)[:50]):
                body.append(f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
        return view.svg("".join(body), "close")


class _View:
    """From data coordinates to pixels, y downwards."""

    def __init__(self, bounds: Floats, stretch: float, width: int, *, margin: float) -> None:
        west, south, east, north = bounds
        pad = margin * max(east - west, north - south)
        self.west, self.north = west - pad, north + pad
        across, up = (east - west + 2 * pad) * stretch, north - south + 2 * pad
        self.scale = min(width / max(across, 1e-300), width / max(up, 1e-300))
        self.stretch, self.width, self.height = stretch, across * self.scale, up * self.scale

    def at(self, xy: Floats) -> Floats:
        """Pixels (n, 2)."""
        return np.stack(
            [(xy[:, 0] - self.west) * self.stretch * self.scale, (self.north - xy[:, 1]) * self.scale], axis=1
        )

    def path(self, shapes: Geometries) -> str:
        """All rings and lines as one path, what is finer than a third of a pixel left out."""
        parts = shapely.get_parts(shapely.get_parts(shapes[~shapely.is_missing(shapes)]))
        areal = shapely.get_type_id(parts) == 3
        lines = np.concatenate(
            [shapely.get_rings(parts[areal]), parts[np.isin(shapely.get_type_id(parts), (1, 2))]]
        )
        lines = shapely.simplify(lines, 0.3 / self.scale, preserve_topology=False)
        steps = []
        for line in lines[~shapely.is_empty(lines)]:
            points = self.at(shapely.get_coordinates(line))
            steps.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points.tolist()))
        return "".join(steps)

    def svg(self, body: str, style: str) -> str:
        return (
            f'<svg class="{style}" viewBox="0 0 {self.width:.0f} {self.height:.0f}" '
            f'width="{self.width:.0f}" height="{self.height:.0f}" role="img">{body}</svg>'
        )
