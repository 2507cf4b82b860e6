"""Made coverages for the tests and the bench: hexagonal cells with wavy shared sides, nested in parents."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyogrio.raw
import shapely

_CORNERS = np.array([(0, 2), (-1, 1), (-1, -1), (0, -2), (1, -1), (1, 1)])


@dataclass(frozen=True)
class Nested:
    """Cells, the parent index of each, and the parents; metres on a plane."""

    cells: np.ndarray
    parent_of: np.ndarray
    parents: np.ndarray


def hexagons(
    columns: int,
    rows: int,
    *,
    block: int = 10,
    size: float = 100.0,
    wave: float = 0.06,
    per_side: int = 8,
    origin: tuple[float, float] = (500_000.0, 4_000_000.0),
    seed: int = 1,
) -> Nested:
    """``columns × rows`` cells of ``6 * per_side`` vertices; every ``block × block`` cells have one parent.

    Neighbours share every vertex to the last bit: each side is made once and read in both directions.
    """
    i, j = np.meshgrid(np.arange(columns), np.arange(rows))
    i, j = i.ravel(), j.ravel()
    centre = np.stack([2 * i + (j % 2), 3 * j], axis=1)
    corner = centre[:, None, :] + _CORNERS[None, :, :]  # (n, 6, 2) lattice points
    keys = corner[..., 0] * 10_000_000 + corner[..., 1] + 5
    unique, index = np.unique(keys, return_inverse=True)
    index = index.reshape(keys.shape)
    at = np.empty((len(unique), 2))
    at[index.ravel()] = corner.reshape(-1, 2) * (size * np.sqrt(3) / 2, size / 2)
    at += origin
    start, end = index, np.roll(index, -1, axis=1)
    low, high = np.minimum(start, end), np.maximum(start, end)
    sides, side = np.unique((low * len(unique) + high).ravel(), return_inverse=True)
    a, b = at[sides // len(unique)], at[sides % len(unique)]
    t = np.linspace(0, 1, per_side + 1)[1:-1]
    along = b - a
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    offset = np.random.default_rng(seed).uniform(-wave, wave, (len(sides), per_side - 1))
    inner = a[:, None] + along[:, None] * t[None, :, None] + across[:, None] * offset[..., None]
    inner = inner[side].reshape(len(i), 6, per_side - 1, 2)
    backwards = start > end
    inner[backwards] = inner[backwards][:, ::-1]
    ring = np.concatenate([at[start][:, :, None], inner], axis=2).reshape(len(i), 6 * per_side, 2)
    cells = shapely.polygons(np.concatenate([ring, ring[:, :1]], axis=1))
    blocks = (columns + block - 1) // block
    parent_of = (j // block) * blocks + i // block
    order = np.argsort(parent_of, kind="stable")
    cuts = np.flatnonzero(np.diff(parent_of[order])) + 1
    parents = np.array([shapely.coverage_union_all(cells[part]) for part in np.split(order, cuts)])
    return Nested(cells, parent_of, parents)


def write_layer(path: Path, shapes, crs: str | None = None, *, layer: str | None = None, **columns) -> Path:
    """Shapes with columns as a file, or as one more ``layer`` of it."""
    shapes = np.array(list(shapes), dtype=object)
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(shapes),
        field_data=[
            np.array(values, dtype=object if isinstance(values[0], str) else None)
            for values in columns.values()
        ],
        fields=list(columns),
        geometry_type="Unknown",
        crs=crs,
        layer=layer,
    )
    return path


def read_layer(
    path: Path, layer: str | None = None, **options
) -> tuple[np.ndarray, dict[str, np.ndarray], str]:
    """(shapes, columns, CRS) of a file."""
    meta, _, wkb, columns = pyogrio.raw.read(path, layer=layer, **options)
    return shapely.from_wkb(wkb), dict(zip(meta["fields"], columns, strict=True)), meta["crs"]
