"""The private PostGIS: made once, unprivileged, socket only, and alive again after every kind of death."""

import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from gis_server.core.errors import Unavailable, UnusableInput
from gis_server.machine import find_binaries, find_client_programs
from gis_server.postgis import MEBIBYTE, PrivateServer, _server_settings


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="gis-test-pg-"))
    yield path
    for inner in path.rglob("postgres*"):
        if (inner / "data").is_dir():
            PrivateServer(inner, durable=False).stop()
    shutil.rmtree(path)


def connect(server: PrivateServer, **options: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(
        host=str(server.socket_folder), user="gis_server", dbname="gis_server", autocommit=True, **options
    )


def value(server: PrivateServer, statement: str) -> object:
    with connect(server) as connection:
        row = connection.execute(statement).fetchone()
        assert row is not None
        return row[0]


def test_first_start_makes_a_database_for_chinese_text(folder: Path) -> None:
    server = PrivateServer(folder / "postgres")
    assert not server.status().initialised
    url = server.start()
    assert url.startswith("postgresql+psycopg://gis_server@/gis_server?host=")
    assert value(server, "SELECT pg_encoding_to_char(encoding) || ' ' || datctype FROM pg_database"
                 " WHERE datname = current_database()") == "UTF8 C.UTF-8"  # fmt: skip
    assert value(server, "SELECT extname FROM pg_extension WHERE extname = 'postgis'") == "postgis"
    assert value(server, "SHOW fsync") == "on"
    assert value(server, "SHOW full_page_writes") == "on"
    assert value(server, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert server.stop()
    assert not server.stop()
    assert not server.status().running


def test_only_its_own_user_and_root_come_in_and_only_by_the_socket(folder: Path) -> None:
    server = PrivateServer(folder / "postgres", durable=False)
    server.start()
    assert value(server, "SHOW listen_addresses") == ""
    for private in (server.data, server.socket_folder):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    pid = server.status().pid
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=False).stdout
    assert f"pid={pid}," not in listening


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_started_by_root_it_runs_without_privileges(folder: Path) -> None:
    server = PrivateServer(folder / "postgres", durable=False)
    server.start()
    status = Path(f"/proc/{server.status().pid}/status").read_text()
    uids = re.search(r"^Uid:\s+(\d+)\s+(\d+)\s+(\d+)", status, re.MULTILINE)
    assert uids
    assert set(uids.groups()) == {str(server.data.stat().st_uid)}
    assert "0" not in uids.groups()
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^CapPrm:\s+0+$", status, re.MULTILINE)
    other = pwd.getpwnam("nobody" if server.data.stat().st_uid != pwd.getpwnam("nobody").pw_uid else "daemon")
    refused = subprocess.run(
        [find_client_programs() / "psql", "-h", str(server.socket_folder), "-U", "gis_server", "-c", "SELECT 1"],
        user=other.pw_uid, group=other.pw_gid, extra_groups=[], cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode != 0
    assert "Permission denied" in refused.stderr


def test_an_ordinary_user_runs_it_as_himself(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to become somebody else")
    daemon = pwd.getpwnam("daemon")
    os.chown(folder, daemon.pw_uid, daemon.pw_gid)
    # the interpreter itself may stand where others cannot go, so only the server's programs run as that user
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(daemon.pw_gid)
            os.setuid(daemon.pw_uid)
            PrivateServer(folder / "postgres", durable=False).start()
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    server = PrivateServer(folder / "postgres", durable=False)
    assert Path(f"/proc/{server.status().pid}").stat().st_uid == daemon.pw_uid
    # root finds and uses the same server, and starts it as its owner
    assert value(server, "SELECT 1") == 1
    server.stop()
    server.start()
    assert Path(f"/proc/{server.status().pid}").stat().st_uid == daemon.pw_uid


def test_a_folder_of_somebody_else_is_refused_in_one_sentence(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to become somebody else")
    PrivateServer(folder / "postgres", durable=False).start()
    PrivateServer(folder / "postgres", durable=False).stop()
    folder.chmod(0o755)
    for name in ("lock", "start.log"):
        (folder / "postgres" / name).chmod(0o666)
    child = os.fork()
    if child == 0:
        os.setuid(pwd.getpwnam("daemon").pw_uid)
        try:
            PrivateServer(folder / "postgres", durable=False).start()
        except UnusableInput as error:
            os._exit(0 if str(folder / "postgres/data") in str(error) else 3)
        os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    "name",
    ['网格 项目/it\'s, "so" $HOME', "deep/" + "x" * 60 + "/" + "y" * 60],
    ids=["odd characters", "too long for a socket"],
)
def test_any_path_will_do(folder: Path, name: str) -> None:
    server = PrivateServer(folder / name / "postgres", durable=False)
    url = server.start()
    try:
        assert value(server, "SELECT 1") == 1
        assert len(os.fsencode(server.socket_folder / ".s.PGSQL.5432")) <= 107
        assert server.start() == url
        assert value(server, "SELECT postgis_version() LIKE '3.%'") is True
    finally:
        server.stop()
        if server.socket_folder.parent == Path("/tmp"):
            shutil.rmtree(server.socket_folder)


def test_a_folder_that_others_cannot_pass_is_no_hindrance(folder: Path) -> None:
    locked = folder / "locked"
    locked.mkdir(mode=0o700)
    server = PrivateServer(locked / "postgres", durable=False)
    server.start()
    assert value(server, "SELECT count(*) > 0 FROM spatial_ref_sys") is True


def test_a_stranger_s_folder_in_tmp_is_not_used(folder: Path) -> None:
    server = PrivateServer(folder / ("x" * 100) / "postgres", durable=False)
    server.socket_folder.mkdir(mode=0o777)
    server.socket_folder.chmod(0o777)
    try:
        with pytest.raises(UnusableInput, match=re.escape(str(server.socket_folder))):
            server.start()
    finally:
        server.socket_folder.rmdir()


def test_what_was_committed_survives_kill_9_of_the_whole_server(folder: Path) -> None:
    server = PrivateServer(folder / "postgres")
    server.start()
    with connect(server) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        for n in range(50):
            connection.execute("INSERT INTO kept VALUES (%s)", [n])
    postmaster, children = server._processes()
    assert postmaster is not None
    for pid in (postmaster, *children):
        # the backend of the connection just closed may have gone by itself
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.start()
    assert value(server, "SELECT count(*) FROM kept") == 50


def test_backends_left_by_a_killed_postmaster_do_not_stop_the_next_start(folder: Path) -> None:
    server = PrivateServer(folder / "postgres")
    server.start()
    connection = connect(server)
    connection.execute("CREATE TABLE t (n int)")
    # busy without looking at its postmaster, so it lives on and keeps the shared memory
    backend = connection.info.backend_pid
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(connection.execute, "SELECT count(*) FROM generate_series(1, 10000000000)")
        time.sleep(0.5)
        postmaster = server.status().pid
        assert postmaster
        os.kill(postmaster, signal.SIGKILL)
        time.sleep(0.3)
        assert Path(f"/proc/{backend}/cmdline").read_bytes()
        server.start()
        assert value(server, "SELECT count(*) FROM t") == 0
        with pytest.raises(psycopg.OperationalError):
            busy.result()


def test_a_stale_pid_file_that_names_a_stranger_does_not_stop_the_start(folder: Path) -> None:
    server = PrivateServer(folder / "postgres", durable=False)
    server.start()
    pid_file = server.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    owner = server.data.stat()
    stranger = subprocess.Popen(
        ["sleep", "60"], **({"user": owner.st_uid} if os.geteuid() == 0 else {}), cwd="/"
    )
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        server.start()
        assert server.status().running
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_an_interrupted_first_start_leaves_no_half_cluster(folder: Path) -> None:
    server = PrivateServer(folder / "postgres", durable=False)
    (folder / "postgres").mkdir()
    (folder / "postgres/data.new-dead").mkdir()
    (folder / "postgres/data.new-dead/PG_VERSION").write_text("15\n")
    server.start()
    assert [path.name for path in (folder / "postgres").glob("data*")] == ["data"]


def test_starts_at_the_same_moment_make_one_server(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from gis_server.postgis import PrivateServer;"
        "print(PrivateServer(Path(sys.argv[1])).start())"
    )
    starts = [
        subprocess.Popen([sys.executable, "-c", code, str(folder / "postgres")], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]  # fmt: skip
    urls = {start.communicate()[0] for start in starts}
    assert [start.returncode for start in starts] == [0] * 4
    assert len(urls) == 1
    assert PrivateServer(folder / "postgres", durable=False).status().running


def test_the_last_user_to_leave_stops_it_unless_it_is_to_stay(folder: Path) -> None:
    server = PrivateServer(folder / "postgres", durable=False)
    with server.in_use():
        with server.in_use():
            assert value(server, "SELECT 1") == 1
        assert server.status().running
    assert not server.status().running
    server.start(keep=True)
    with server.in_use():
        pass
    assert server.status().running
    server.stop()
    with server.in_use():
        pass
    assert not server.status().running


def test_a_user_that_was_killed_does_not_hold_it_up(folder: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from gis_server.postgis import PrivateServer\n"
        "with PrivateServer(Path(sys.argv[1])).in_use(): print('up', flush=True); time.sleep(600)"
    )
    user = subprocess.Popen(
        [sys.executable, "-c", code, str(folder / "postgres")], stdout=subprocess.PIPE, text=True
    )
    assert user.stdout
    assert user.stdout.readline() == "up\n"
    user.kill()
    user.communicate()
    server = PrivateServer(folder / "postgres", durable=False)
    pid = server.status().pid
    assert pid is not None
    with server.in_use():
        assert server.status().pid == pid
    assert not server.status().running


def test_settings_below_the_include_win_and_survive_a_restart(folder: Path) -> None:
    server = PrivateServer(folder / "postgres")
    server.start()
    server.stop()
    with (server.data / "postgresql.conf").open("a") as conf:
        conf.write("work_mem = '33MB'\n")
    server.start()
    assert value(server, "SHOW work_mem") == "33MB"


def test_a_start_that_fails_says_why(folder: Path) -> None:
    server = PrivateServer(folder / "postgres")
    server.start()
    server.stop()
    with (server.data / "postgresql.conf").open("a") as conf:
        conf.write("no_such_setting = on\n")
    with pytest.raises(Unavailable, match=r"start\.log.*FATAL.*contains errors"):
        server.start()
    assert not server.status().running


def test_a_version_that_is_not_installed_is_named(folder: Path) -> None:
    with pytest.raises(Unavailable, match="postgresql-9-postgis-3"):
        find_binaries(9)
    assert find_binaries().major >= 15


def test_memory_settings_keep_within_bounds() -> None:
    kilobytes = int(_server_settings(True)["shared_buffers"].removesuffix("kB"))
    assert 64 * MEBIBYTE <= kilobytes * 1024 <= 1024 * MEBIBYTE
