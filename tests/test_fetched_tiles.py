"""Tiles of a real server of others: what is kept of them, what goes wrong there, and how seldom it is asked."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from map_service import MapService, dripping, map_service, picture, saying

from gis_server.core.errors import Unavailable
from gis_server.files import fetched_tiles
from gis_server.files.fetched_tiles import FetchedTiles, TileStore


@pytest.fixture
def service() -> Iterator[MapService]:
    with map_service() as running:
        yield running


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def tiles_of(service: MapService, folder: Path, watch: Watch, **more: Any) -> FetchedTiles:
    store = TileStore(folder, more.pop("most", 10 * 2**20))
    return FetchedTiles(f"{service.url}/{{z}}/{{x}}/{{y}}", None, store, age_s=3600.0, clock=watch, **more)


def test_a_tile_is_fetched_once_and_again_when_it_is_old(service: MapService, tmp_path: Path) -> None:
    watch = Watch()
    tiles = tiles_of(service, tmp_path, watch)
    first = tiles.tile(3, 6, 2)
    watch.now += 3500
    assert tiles.tile(3, 6, 2).body == first.body
    assert tiles.tile(3, 6, 2).fresh_s == 100.0
    assert service.tiles == 1
    watch.now += 200
    service.answer = saying(200, "image/png", picture("new"))
    assert tiles.tile(3, 6, 2).body == picture("new")
    assert service.tiles == 2
    # another process finds it, too
    assert tiles_of(service, tmp_path, watch).tile(3, 6, 2).body == picture("new")
    assert service.tiles == 2


def test_the_old_tile_stands_while_the_service_is_away(tmp_path: Path) -> None:
    watch = Watch()
    with map_service() as service:
        tiles = tiles_of(service, tmp_path, watch)
        kept = tiles.tile(3, 6, 2)
        port = int(service.url.rsplit(":", 1)[1])
    watch.now += 4000
    old = tiles.tile(3, 6, 2)
    assert (old.body, old.is_old) == (kept.body, True)
    with pytest.raises(Unavailable):
        tiles.tile(3, 6, 3)
    with map_service(port) as again:
        # it is left alone for a while, then asked again
        with pytest.raises(Unavailable):
            tiles.tile(3, 6, 3)
        assert again.tiles == 0
        watch.now += fetched_tiles.REST_S + 1
        assert tiles.tile(3, 6, 3).body
        assert not tiles.tile(3, 6, 2).is_old
        assert again.tiles == 2


@pytest.mark.parametrize(
    "answer",
    [
        saying(200, "image/png", b"<html>login</html>"),
        saying(200, "text/html", b"<html></html>"),
        saying(500, "image/png", picture("x")),
        saying(302, "text/plain", b"", Location="http://127.0.0.1:9/elsewhere"),
        saying(200, "image/png", picture("x")[:8] + b"x" * (3 * 2**20)),
        saying(
            200, "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
        ),
    ],
    ids=["page", "type", "error", "redirect", "huge", "script"],
)
def test_what_is_no_picture_is_not_handed_on(service: MapService, tmp_path: Path, answer: Any) -> None:
    service.answer = answer
    with pytest.raises(Unavailable):
        tiles_of(service, tmp_path, Watch()).tile(3, 6, 2)
    assert service.tiles == 1
    assert not list(tmp_path.rglob("[0-9]"))[3:]


def test_a_service_that_drips_is_given_up(
    service: MapService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetched_tiles, "LONGEST_S", 0.3)
    service.answer = dripping
    start = time.monotonic()
    with pytest.raises(Unavailable):
        tiles_of(service, tmp_path, Watch()).tile(3, 6, 2)
    assert time.monotonic() - start < 3


def test_one_tries_whether_a_dead_service_lives_and_the_others_do_not_wait(
    service: MapService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetched_tiles, "TIMEOUT_S", 1.0)
    watch = Watch()
    tiles = tiles_of(service, tmp_path, watch)
    service.answer = saying(500, "text/plain", b"")
    with pytest.raises(Unavailable):
        tiles.tile(3, 6, 2)
    watch.now += fetched_tiles.REST_S + 1
    asked, done = threading.Event(), threading.Event()

    def hanging(_: object) -> None:
        asked.set()
        done.wait(10)

    service.answer = hanging
    refused: list[bool] = []

    def ask(row: int) -> None:
        with pytest.raises(Unavailable):
            tiles.tile(3, 6, row)
        refused.append(True)

    trial = threading.Thread(target=ask, args=(0,))
    trial.start()
    assert asked.wait(5)
    for row in range(1, 7):
        ask(row)
    assert service.tiles == 2  # the six were not even asked for
    trial.join()
    done.set()
    assert len(refused) == 7
    service.answer = None
    watch.now += fetched_tiles.REST_S + 1
    assert tiles.tile(3, 6, 2).body
    assert tiles.tile(3, 6, 3).body


def test_a_map_that_has_nothing_at_a_place_is_believed_for_a_day(service: MapService, tmp_path: Path) -> None:
    service.answer = saying(404, "text/plain", b"no")
    watch = Watch()
    tiles = tiles_of(service, tmp_path, watch)
    assert [tiles.tile(3, 6, 2).body for _ in range(3)] == [b""] * 3
    assert service.tiles == 1


def test_what_is_kept_is_bounded_and_what_was_used_stays(tmp_path: Path) -> None:
    store = TileStore(tmp_path, 200 * 4096)
    for n in range(500):
        store.keep(f"a/9/{n}/1", b"x" * 4000, time.time())
        if n % 10 == 0:
            assert store.read("a/9/0/1") is not None  # used all the time
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert 150 < len(kept) <= 200
    assert store.read("a/9/499/1") is not None
    assert store.read("a/9/1/1") is None


def test_a_full_or_lost_disk_is_no_error(service: MapService, tmp_path: Path) -> None:
    lost = tmp_path / "file"
    lost.write_text("in the way")
    tiles = tiles_of(service, lost, Watch())
    assert tiles.tile(3, 6, 2).body
    assert tiles.tile(3, 6, 2).body
    assert service.tiles == 2


# -- many readers, few questions --------------------------------------------------------------------------------------


def processes_of(service: MapService, folder: Path, watch: Watch, count: int = 2) -> list[FetchedTiles]:
    """What the worker processes of one server hold: nothing in common but two folders."""
    return [tiles_of(service, folder / "kept", watch, turns=folder / "turns") for _ in range(count)]


def asked_at_once(questions: list[Callable[[], object]]) -> list[bool]:
    """Whether each had an answer, all being asked in the same moment."""
    start = threading.Barrier(len(questions))

    def ask(question: Callable[[], object]) -> bool:
        start.wait()
        try:
            question()
        except Unavailable:
            return False
        return True

    with ThreadPoolExecutor(len(questions)) as pool:
        return list(pool.map(ask, questions))


def test_all_processes_together_ask_once_for_a_tile(service: MapService, tmp_path: Path) -> None:
    def slow(handler: Any) -> None:
        time.sleep(0.2)
        handler.say(200, "image/png", picture("x"))

    service.answer = slow
    questions = [
        partial(one.tile, 3, 6, row) for one in processes_of(service, tmp_path, Watch(), 4) for row in (1, 2)
    ]
    assert all(asked_at_once(questions))
    assert service.tiles == 2


def test_a_service_that_hangs_costs_a_few_questions_however_many_tiles_are_wanted(
    service: MapService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetched_tiles, "TIMEOUT_S", 0.5)
    done = threading.Event()
    service.answer = lambda _: done.wait(10)
    watch = Watch()
    processes = processes_of(service, tmp_path, watch)
    wanted = [
        partial(one.tile, 7, column, row) for one in processes for column in range(6) for row in range(5)
    ]
    begun = time.monotonic()
    assert not any(asked_at_once(wanted))
    assert time.monotonic() - begun < 3
    first = service.tiles
    assert first <= fetched_tiles.AT_ONCE * len(processes)
    # from now on nobody, and after a while one for all
    assert not any(asked_at_once(wanted))
    assert service.tiles == first
    watch.now += fetched_tiles.REST_S + 1
    assert not any(asked_at_once(wanted))
    assert service.tiles == first + 1
    done.set()
    service.answer = None
    monkeypatch.undo()
    watch.now += fetched_tiles.REST_S + 1
    processes[0].tile(7, 0, 0)
    assert all(asked_at_once(wanted))
    assert service.tiles == first + 1 + 30


def test_one_bad_tile_is_left_alone_ever_longer_and_keeps_no_other_back(
    service: MapService, tmp_path: Path
) -> None:
    def answer(handler: Any) -> None:
        handler.say(
            *((500, "text/plain", b"") if handler.path == "/3/6/2" else (200, "image/png", picture("x")))
        )

    service.answer = answer
    watch = Watch()
    tiles = tiles_of(service, tmp_path, watch)
    for second in range(3600):
        watch.now += 1
        with suppress(Unavailable):
            tiles.tile(3, 6, 2)
        if second % 30 == 20:
            with suppress(Unavailable):
                tiles.tile(9, second, 1)
    asked = [path for path, _ in service.asked]
    assert asked.count("/3/6/2") <= 12
    assert len(asked) - asked.count("/3/6/2") >= 110


def test_a_service_that_answers_nothing_but_failures_is_found_again_by_the_first_tile(
    service: MapService, tmp_path: Path
) -> None:
    service.answer = saying(500, "text/plain", b"")
    watch = Watch()
    tiles = tiles_of(service, tmp_path, watch)
    for _second in range(1800):
        watch.now += 1
        for row in range(4):
            with pytest.raises(Unavailable):
                tiles.tile(3, 6, row)
    assert service.tiles <= 1800 / fetched_tiles.REST_S + 1
    service.answer = None
    watch.now += fetched_tiles.REST_S + 1
    assert all(tiles.tile(3, 6, row).body for row in range(4))


def test_a_clock_that_is_put_back_leaves_nothing_at_rest(service: MapService, tmp_path: Path) -> None:
    watch = Watch()
    one, other = processes_of(service, tmp_path, watch)
    service.answer = saying(500, "text/plain", b"")
    with pytest.raises(Unavailable):
        one.tile(3, 6, 2)
    service.answer = None
    watch.now -= 86_400
    assert other.tile(3, 6, 2).body
