"""Incidents that a change of boundaries moves, as the answers tell them."""

from typing import Any

from gis_server.core.moved import GridName, Moves

MOST_MOVED = 5_000
"""Incidents drawn one by one; the counts by pair are of all."""


def moves_json(moves: Moves) -> dict[str, Any]:
    """Counts: open incidents, those that move, and how many from which grid to which."""
    return {
        "open": moves.asked,
        "moved": len(moves.moved),
        "pairs": [
            {"from": _grid_json(pair.before), "to": _grid_json(pair.after), "count": pair.count}
            for pair in moves.pairs
        ],
    }


def moves_geojson(moves: Moves) -> dict[str, Any]:
    """The same, with each incident that moves as a point."""
    features = [
        {
            "type": "Feature",
            "id": one.spot.id,
            "geometry": {"type": "Point", "coordinates": [one.spot.lon, one.spot.lat]},
            "properties": {
                "number": one.spot.number,
                "state": one.spot.state,
                "is_urgent": one.spot.is_urgent,
                "from": _grid_json(one.before),
                "to": _grid_json(one.after),
            },
        }
        for one in moves.moved[:MOST_MOVED]
    ]
    return {"type": "FeatureCollection", "features": features} | moves_json(moves)


def _grid_json(grid: GridName) -> dict[str, str | None] | None:
    return None if grid.code is None else {"grid_code": grid.code, "grid_name": grid.name}
