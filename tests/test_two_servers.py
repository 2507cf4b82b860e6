"""Two real server processes on one database: what one publishes the other answers by within a second, and never by a mix."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from city import COLUMNS, COMMUNITIES, ROWS, feature, inside
from servers import RunningServer, running

from gis_server.core.access import CONSOLE
from gis_server.journeys import layers
from gis_server.journeys.accounts import make_token
from gis_server.journeys.context import Context
from gis_server.journeys.opening import context
from gis_server.settings import Settings

SECRET = "a key that both servers share, long enough"
MOST_SECONDS = 1.0
POINTS = [inside(column, row) for column in range(COLUMNS) for row in range(ROWS)]


def turned(folder: Path) -> Path:
    """The city's grids with the two codes of each community changed places, so that every point changes its grid."""
    rows = [
        feature(
            {
                "grid_code": f"{COMMUNITIES[column // 2]}00{2 - column % 2}",
                "grid_name": f"新{column + 1}号网格",
                "community_code": COMMUNITIES[column // 2],
                "grid_kind": "resident_grid",
                "resident_households": 200,
            },
            column,
            column + 1,
            0,
            ROWS,
        )
        for column in range(COLUMNS)
    ]
    path = folder / "grid.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}))
    return path


@contextmanager
def asking(server: RunningServer, token: str) -> Iterator[Callable[..., Any]]:
    """A client with one open connection."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)

    def ask(method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status < 300, content
        return json.loads(content)

    with closing(connection):
        yield ask


def test_a_published_generation_reaches_every_process_within_a_second_and_is_never_mixed(
    city_url: str, tmp_path: Path
) -> None:
    environ = {"GIS_DATABASE_URL": city_url, "GIS_SECRET_KEY": SECRET}
    ctx: Context = context(Settings.from_environment(environ | {"GIS_VAR": str(tmp_path / "own")}), city_url)
    now = datetime.now(UTC)
    token = make_token(ctx, CONSOLE, "approver", timedelta(days=1), now)
    staged = layers.import_layer(ctx, CONSOLE, "grid", turned(tmp_path), now=now).generation
    assert staged is not None
    assert staged.errors == staged.open_warnings == 0, staged.summary
    old = [f"{COMMUNITIES[column // 2]}00{column % 2 + 1}" for column in range(COLUMNS) for _ in range(ROWS)]
    new = [f"{COMMUNITIES[column // 2]}00{2 - column % 2}" for column in range(COLUMNS) for _ in range(ROWS)]
    with (
        running("serve", **environ, GIS_VAR=str(tmp_path / "one")) as one,
        running("serve", **environ, GIS_VAR=str(tmp_path / "two")) as two,
    ):
        seen: dict[int, list[tuple[float, list[str]]]] = {one.port: [], two.port: []}
        stop = threading.Event()

        def watch(server: RunningServer) -> None:
            with asking(server, token) as ask:
                while not stop.is_set():
                    asked = time.monotonic()
                    answer = ask("POST", "/api/route", {"points": POINTS, "datum": "cgcs2000"})
                    seen[server.port].append((asked, [place["grid_code"] for place in answer["results"]]))

        # several connections to each, so that every worker process is asked
        watchers = [threading.Thread(target=watch, args=(server,)) for server in (one, two) for _ in range(3)]
        for watcher in watchers:
            watcher.start()
        while not all(seen.values()):
            time.sleep(0.05)
        with asking(one, token) as ask:
            ask("POST", f"/api/generations/{staged.id}/publish", {})
        published = time.monotonic()
        time.sleep(MOST_SECONDS + 1.0)
        stop.set()
        for watcher in watchers:
            watcher.join(30)
    ctx.engine.dispose()
    for answers in seen.values():
        assert all(codes in (old, new) for _, codes in answers), "a mix of two generations"
        assert answers[0][1] == old
        late = [codes for asked, codes in answers if asked > published + MOST_SECONDS]
        assert late
        assert all(codes == new for codes in late)
        # in fact at once: whoever asks after the publication was answered is told by it
        assert all(codes == new for asked, codes in answers if asked > published)
