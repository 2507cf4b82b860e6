"""``gis-server up`` on a real, durable PostGIS: first run, second run, and ``kill -9`` of everything at once."""

import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from servers import CLEAN, PROGRAM, RunningServer, running, worker_pids
from sqlalchemy import text

from gis_server.core.access import CONSOLE
from gis_server.journeys.accounts import make_token
from gis_server.journeys.opening import context
from gis_server.journeys.sample_files import FOLDER, sample_file
from gis_server.postgis import PrivateServer
from gis_server.settings import Settings
from gis_server.store.engine import make_engine

REPORTERS = 50
PLACE_SQL = (
    "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(geom) p FROM grid ORDER BY grid_code LIMIT 20) g"
)


class Home:
    """One deployment: its ``var`` folder, and what tests need to look at and destroy."""

    def __init__(self, folder: Path) -> None:
        self.var = folder / "var"
        self.postgres = PrivateServer(self.var / "postgres")

    def up(self, *arguments: str) -> "running":
        return running("up", *arguments, GIS_VAR=str(self.var))

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """Look into the database, whether the server runs or not."""
        with self.postgres.in_use() as url:
            engine = make_engine(url, pool_size=1)
            try:
                with engine.connect() as connection:
                    return [tuple(row) for row in connection.execute(text(statement))]
            finally:
                engine.dispose()

    def token(self, login: str) -> str:
        with self.postgres.in_use() as url:
            ctx = context(Settings.from_environment({"GIS_VAR": str(self.var)}), url)
            try:
                return make_token(ctx, CONSOLE, login, timedelta(days=1), datetime.now(UTC))
            finally:
                ctx.engine.dispose()

    def kill_everything(self, server: RunningServer | None = None) -> None:
        """kill -9 of the program, its workers, the database server and every backend."""
        postmaster, backends = self.postgres._processes()
        victims = [pid for pid in (postmaster, *backends) if pid is not None]
        if server is not None:
            victims = [server.process.pid, *worker_pids(server), *victims]
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if server is not None:
            server.process.wait()


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """A deployment that has had its first run."""
    folder = Path(tempfile.mkdtemp(prefix="gis-test-up-"))
    home = Home(folder)
    try:
        with home.up() as server:
            assert server.get("/readyz")[0] == 200
            (folder / "first.log").write_text(server.output)
        yield home
    finally:
        home.postgres.stop()
        shutil.rmtree(folder)


def everything(home: Home) -> list[tuple[object, ...]]:
    """What must not change from one run to the next."""
    return home.rows(
        "SELECT 'generation', layer || id || state || feature_count FROM generation"
        " UNION ALL SELECT 'incident', number || state FROM incident"
        " UNION ALL SELECT 'account', login || password_hash FROM account"
        " UNION ALL SELECT 'link', token_hash FROM wall_link ORDER BY 1, 2"
    )


def test_the_first_run_fills_the_city_and_tells_its_accounts(home: Home) -> None:
    output = (home.var.parent / "first.log").read_text()
    assert "http://127.0.0.1:" in output
    accounts = home.var / "accounts.txt"
    assert stat.S_IMODE(accounts.stat().st_mode) == 0o600
    kept = [line.split("\t") for line in accounts.read_text("utf-8").splitlines()]
    passwords = {line[0]: line[1] for line in kept if len(line) == 5}
    assert {"admin", "planner", "operator", "worker", "display"} <= set(passwords)
    assert len(set(passwords.values())) == len(passwords)
    assert all(password in output for password in passwords.values())
    (link,) = (line[1] for line in kept if line[0] == "wall")
    assert f"{link}\n" in output
    counts = dict(home.rows("SELECT layer, feature_count FROM generation WHERE state = 'published'"))
    assert {"area", "grid", "sub_grid", "address", "camera"} <= set(counts)
    assert home.rows("SELECT count(*) > 100 FROM incident") == [(True,)]
    # stopped with the program
    assert not home.postgres.status().running


def test_the_wall_s_link_opens_the_wall_and_a_wrong_one_does_not(home: Home) -> None:
    lines = (home.var / "accounts.txt").read_text("utf-8").splitlines()
    (link,) = (line.split("\t")[1] for line in lines if line.startswith("wall\t"))
    with home.up() as server:
        assert server.get(link)[0] in (302, 303)
        assert server.get("/wall/city?key=" + "x" * 43)[0] in (401, 403)
        assert server.get("/api/wall/city")[0] == 401


def test_a_second_run_is_quick_and_changes_nothing(home: Home) -> None:
    before, accounts = everything(home), (home.var / "accounts.txt").read_bytes()
    start = time.monotonic()
    with home.up() as server:
        assert time.monotonic() - start < 45  # seconds on a quiet machine; a busy one must not fail here
        assert "示例城市 …" not in server.output
        assert accounts.decode().splitlines()[0].split("\t")[1] in server.output
    assert everything(home) == before
    assert (home.var / "accounts.txt").read_bytes() == accounts


def test_sigterm_stops_the_server_and_its_database(home: Home) -> None:
    with home.up() as server:
        workers = worker_pids(server)
        server.process.terminate()
        server.process.wait(30)
        assert "Traceback" not in server.output
    assert workers
    assert not any(alive(pid) for pid in workers)
    assert not home.postgres.status().running


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def test_workers_die_with_a_killed_program_and_the_next_run_finds_the_database(home: Home) -> None:
    with home.up() as server:
        workers = worker_pids(server)
        server.kill()
        end = time.monotonic() + 10
        while any(alive(pid) for pid in workers) and time.monotonic() < end:
            time.sleep(0.05)
        assert not any(alive(pid) for pid in workers)
        pid = home.postgres.status().pid
        assert pid is not None
        with home.up():
            assert home.postgres.status().pid == pid
    assert not home.postgres.status().running


class Reporters:
    """Fifty people report at once, each report with a key of its own, until the server is gone."""

    def __init__(self, port: int, token: str, places: list[tuple[float, float]]) -> None:
        self.port, self.token, self.places = port, token, places
        self.acknowledged: dict[str, str] = {}
        self.sent: dict[str, dict[str, object]] = {}
        self.refusals: list[str] = []
        self._lock = threading.Lock()

    def send(self, port: int, key: str) -> bool:
        """One report; whether it was acknowledged."""
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        try:
            connection.request("POST", "/api/incidents", json.dumps(self.sent[key]), headers)
            response = connection.getresponse()
            body = response.read()
            if response.status not in (200, 201):
                self.refusals.append(f"{response.status} {body.decode()}")
                return False
            number = json.loads(body)["number"]
        except (OSError, HTTPException, ValueError):
            return False
        finally:
            connection.close()
        with self._lock:
            # whoever asks again with the same key is told the same number
            assert self.acknowledged.setdefault(key, number) == number
        return True

    def person(self, number: int) -> None:
        for turn in range(200):
            key = f"person-{number}-{turn}"
            lon, lat = self.places[(number + turn) % len(self.places)]
            self.sent[key] = {
                "lon": lon,
                "lat": lat,
                "datum": "cgcs2000",
                "description": key,
                "source": "patrol",
            }
            if not self.send(self.port, key):
                return


def test_every_acknowledged_report_survives_kill_9_exactly_once(home: Home) -> None:
    places = [(float(str(x)), float(str(y))) for x, y in home.rows(PLACE_SQL)]
    token = home.token("admin")
    earlier = home.rows("SELECT count(*) FROM incident")[0][0]
    with home.up() as server:
        reporters = Reporters(server.port, token, places)
        with ThreadPoolExecutor(REPORTERS) as pool:
            people = [pool.submit(reporters.person, number) for number in range(REPORTERS)]
            end = time.monotonic() + 60
            while len(reporters.acknowledged) < 2 * REPORTERS and time.monotonic() < end:
                time.sleep(0.01)
            home.kill_everything(server)
            for person in people:
                person.result()
        acknowledged = dict(reporters.acknowledged)
        assert len(acknowledged) >= 2 * REPORTERS, reporters.refusals[:3]
        unanswered = set(reporters.sent) - set(acknowledged)
        assert unanswered, "nobody was waiting for an answer when the server was killed"
    kept = Counter(home.rows("SELECT number, description FROM incident WHERE description LIKE 'person-%'"))
    for key, number in acknowledged.items():
        assert kept[number, key] == 1
    assert max(Counter(key for _, key in kept.elements()).values()) == 1
    with home.up() as server:
        # the phones send again what was not answered: nothing is lost and nothing is there twice
        for key in sorted(reporters.sent):
            assert reporters.send(server.port, key), key
    again = home.rows(
        "SELECT description, count(*) FROM incident WHERE description LIKE 'person-%' GROUP BY 1"
    )
    assert dict(again) == dict.fromkeys(reporters.sent, 1)
    total = home.rows("SELECT count(*) FROM incident")[0][0]
    assert total == int(str(earlier)) + len(reporters.sent)
    # and the stream numbers every one of them once
    positions = home.rows("SELECT count(*), count(DISTINCT position) FROM event WHERE position IS NOT NULL")
    assert positions[0][0] == positions[0][1]


PUBLISHED = (
    "SELECT g.id, g.feature_count, (SELECT count(*) FROM address a WHERE a.generation_id = g.id)"
    " FROM generation g WHERE g.layer = 'address' AND g.state = 'published' AND g.valid_to IS NULL"
)
HALF = (
    "SELECT g.id, g.state FROM generation g WHERE g.layer = 'address'"
    " AND g.feature_count <> (SELECT count(*) FROM address a WHERE a.generation_id = g.id)"
)
ROWS_OF_NOBODY = (
    "SELECT count(*) FROM address a WHERE NOT EXISTS (SELECT FROM generation g WHERE g.id = a.generation_id)"
)


@pytest.mark.parametrize("word", ["读取文件 …", "检查 …", "入库 …"], ids=["reading", "checking", "staging"])
def test_an_import_killed_at_any_stage_leaves_nothing_half_done(home: Home, word: str) -> None:
    before = home.rows(PUBLISHED)
    with home.up() as server, tempfile.NamedTemporaryFile(prefix="gis-import-") as log:
        command = [
            "import",
            "address",
            str(sample_file(FOLDER, "address")),
            "--datum",
            "cgcs2000",
            "--publish",
        ]
        importing = subprocess.Popen(
            [*PROGRAM, *command], env=CLEAN | {"GIS_VAR": str(home.var)}, stdout=log, stderr=log
        )
        end = time.monotonic() + 60
        while word not in (said := Path(log.name).read_text("utf-8")) and time.monotonic() < end:
            assert importing.poll() is None, said
            time.sleep(0.005)
        home.kill_everything(server)
        importing.kill()
        importing.wait()
        assert word in said
    check_that_nothing_is_half_done(home, before)


def check_that_nothing_is_half_done(home: Home, before: list[tuple[object, ...]]) -> None:
    assert home.rows(HALF) == []
    assert home.rows(ROWS_OF_NOBODY) == [(0,)]
    after = home.rows(PUBLISHED)
    assert len(after) == 1
    # what is in force is whole: the former generation, or the new one if its publication was committed
    assert after == before or after[0][1] == after[0][2] == before[0][1]
    with home.up() as server:
        assert server.get("/readyz")[0] == 200


def test_an_upload_killed_on_its_way_is_told_as_interrupted(home: Home) -> None:
    before = home.rows(PUBLISHED)
    token = home.token("admin")
    with home.up() as server:
        job = upload(server.port, token, sample_file(FOLDER, "address"))
        home.kill_everything(server)
    check_that_nothing_is_half_done(home, before)
    with home.up() as server:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("GET", job, headers={"Authorization": f"Bearer {token}"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        assert answer["state"] == "interrupted"
        assert answer["message"]


def upload(port: int, token: str, file: Path) -> str:
    """Send a file as the import page does; the address of the job."""
    boundary = "b0undary"
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="datum"\r\n\r\ncgcs2000\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
    )
    body = parts.encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
    }
    connection.request("POST", "/api/layers/address/imports", body, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    assert response.status == 202, answer
    return str(answer["job"])


def test_a_first_run_killed_in_the_sample_goes_on_where_it_stopped(home: Home) -> None:
    folder = Path(tempfile.mkdtemp(prefix="gis-test-up-"))
    other = Home(folder)
    try:
        with running("up", ready=False, GIS_VAR=str(other.var)) as server:
            end = time.monotonic() + 90
            while time.monotonic() < end:
                with suppress(Exception):
                    if other.postgres.status().running and "导入示例城市" in server.output:
                        published = subprocess.run(
                            ["psql", "-XAt", "-h", str(other.postgres.socket_folder), "-U", "gis_server", "-c",
                             "SELECT count(*) FROM generation WHERE state = 'published'"],
                            capture_output=True, text=True, check=False,
                        ).stdout.strip()  # fmt: skip
                        if published and int(published) >= 2:
                            break
                time.sleep(0.05)
            other.kill_everything(server)
        with other.up() as server:
            assert server.get("/readyz")[0] == 200
        counts = "SELECT layer, feature_count FROM generation WHERE state = 'published' AND valid_to IS NULL ORDER BY 1"
        assert other.rows(counts) == home.rows(counts)
        told, expected = (
            [line.split("\t")[0] for line in (var / "accounts.txt").read_text("utf-8").splitlines()]
            for var in (other.var, home.var)
        )
        assert told == expected
    finally:
        other.postgres.stop()
        shutil.rmtree(folder)
