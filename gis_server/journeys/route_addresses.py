"""Route a list by its column of addresses: each row to the address that it certainly means, or marked as uncertain."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from gis_server.core.access import Act, Actor
from gis_server.core.address_found import AddressAnswer
from gis_server.core.address_match import Verdict
from gis_server.core.errors import UnusableInput
from gis_server.core.features import Column
from gis_server.core.geometry import STORAGE_CRS
from gis_server.core.message import Message, msg
from gis_server.files.cells import read_cells
from gis_server.files.rows import check_suffix, write_rows
from gis_server.journeys.addresses import search
from gis_server.journeys.context import Context

MOST_ROWS = 1_000_000
_CANDIDATES = 3
_ADDED = (
    "address_match",
    "address_score",
    "standard_address",
    "address_code",
    "address_candidates",
    "address_note",
    "lon",
    "lat",
    "grid_code",
    "sub_grid_code",
    "match",
)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class RoutedAddresses:
    """How many rows came to which verdict; only the exact ones have a grid. ``notes`` tell what the format could not keep."""

    by_verdict: Mapping[Verdict, int]
    notes: tuple[Message, ...]


def route_addresses(
    ctx: Context,
    actor: Actor,
    points: Path,
    out: Path,
    *,
    column: str,
    encoding: str | None,
    at: datetime,
    progress: Progress,
) -> RoutedAddresses:
    """Write the rows of a CSV or .xlsx with the address, position and grid that each one's address means at ``at``.

    A row whose address is not certain has its candidates with their scores instead, and no grid.
    """
    actor.require(Act.ROUTE)
    check_suffix(out)
    if not points.is_file():
        raise UnusableInput(msg("找不到文件 {file}。", file=str(points)), field="points")
    cells = read_cells(points, encoding, most=MOST_ROWS)
    if column not in cells.names:
        raise UnusableInput(
            msg(
                "{file} 里没有列“{column}”；现有列：{known}。",
                file=points.name,
                column=column,
                known=cells.names,
            ),
            field="address",
        )
    place = cells.names.index(column)
    texts = [row[place].strip() if place < len(row) else "" for row in cells.rows]
    answers: dict[str, AddressAnswer | Message] = {}
    for done, text in enumerate(texts):
        if text not in answers:
            answers[text] = _ask(ctx, actor, text, at)
        progress(done + 1, len(texts))
    columns: dict[str, Column] = {
        name: _objects([row[at] if at < len(row) else "" for row in cells.rows])
        for at, name in enumerate(cells.names)
    }
    told = [_told(answers[text]) for text in texts]
    for name in _ADDED:
        columns[name if name not in columns else f"{name}_1"] = _objects([row.get(name) for row in told])
    lon, lat = (np.array([row.get(name) for row in told], np.float64) for name in ("lon", "lat"))
    notes = write_rows(out, columns, lon, lat, STORAGE_CRS)
    counted = Counter(Verdict(str(row["address_match"])) for row in told)
    return RoutedAddresses({verdict: counted[verdict] for verdict in Verdict}, notes)


def _ask(ctx: Context, actor: Actor, text: str, at: datetime) -> AddressAnswer | Message:
    try:
        return search(ctx, actor, text, at=at)
    except UnusableInput as error:
        return error.message


def _told(answer: AddressAnswer | Message) -> dict[str, object]:
    """What is added to a row."""
    if isinstance(answer, Message):
        return {"address_match": Verdict.NONE.value, "address_note": answer.render()}
    told: dict[str, object] = {
        "address_match": answer.verdict.value,
        "address_score": answer.found[0].fit.score if answer.found else None,
        "address_note": answer.message.render(),
    }
    one = answer.the_one
    if one is None:
        told["address_candidates"] = "；".join(
            f"{found.address.standard_address}（{found.fit.score:.2f}）"
            for found in answer.found[:_CANDIDATES]
        )
        return told
    routed = one.place.routed
    return told | {
        "standard_address": one.address.standard_address,
        "address_code": one.address.code,
        "address_note": "；".join(reason.render() for reason in one.why(answer.asked)),
        "lon": one.address.lon,
        "lat": one.address.lat,
        "grid_code": routed.grid_code,
        "sub_grid_code": routed.sub_grid_code,
        "match": routed.match.value,
    }


def _objects(values: Sequence[object]) -> Column:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
