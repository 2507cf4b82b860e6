"""The command line: help, exit codes, sentences, and the database commands."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from gis_server.cli import COMMANDS, main
from gis_server.settings import PROJECT_FOLDER
from gis_server.store.engine import make_engine

PROGRAM = [str(Path(sys.executable).with_name("gis-server"))]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("GIS_", "LC_", "LANG"))}


def run(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """The real program in a process of its own."""
    return subprocess.run(
        [*PROGRAM, *arguments], env=CLEAN | environ, capture_output=True, text=True, check=False, timeout=120
    )


def invoke(*arguments: str, **environ: str) -> Result:
    """The program in this process, for what needs no process of its own."""
    return CliRunner().invoke(main, list(arguments), env=environ, catch_exceptions=False)


@contextmanager
def rows(url: str, statement: str) -> Iterator[list[tuple[object, ...]]]:
    engine = make_engine(url, pool_size=1)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        yield [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, language: str) -> None:
    command = main.get_command(click.Context(main), name)
    inner = list(command.commands) if isinstance(command, click.Group) else []
    for path in ([name], *([name, each] for each in inner)):
        result = invoke(*path, "--help", GIS_LANGUAGE=language)
        assert result.exit_code == 0
        assert result.output.startswith("Usage: ")
        assert len(result.output.splitlines()) > 4


def test_the_list_of_commands_is_in_the_reader_s_language() -> None:
    assert COMMANDS["validate"].summary.template in invoke("--help", GIS_LANGUAGE="zh").output
    english = invoke("--help", GIS_LANGUAGE="en").output
    assert not any("\u4e00" <= character <= "\u9fff" for character in english)
    # and Chinese again in the same process: nothing was translated for good
    assert COMMANDS["validate"].summary.template in invoke("--help", GIS_LANGUAGE="zh").output


def test_help_loads_nothing_slow() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from gis_server.cli import main;"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0;"
        "print([m for m in ('numpy', 'geopandas', 'sqlalchemy', 'flask', 'folium') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_told() -> None:
    assert run("--version").stdout.startswith("gis-server, version ")


def test_an_unknown_command_is_exit_code_2_without_traceback() -> None:
    done = run("nonsense")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_person_s_error_is_one_sentence_and_exit_code_2() -> None:
    done = run("db", "status", GIS_PORT="eighty")
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "GIS_PORT" in done.stderr


@pytest.mark.parametrize(
    ("locale", "word"), [("en_GB.UTF-8", "The environment"), ("zh_CN.UTF-8", "环境变量")]
)
def test_the_locale_decides_the_language(locale: str, word: str) -> None:
    assert word.lower() in run("db", "status", LANG=locale, GIS_PORT="eighty").stderr.lower()


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_taken_port_is_one_sentence_before_anything_is_made(command: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(command, "--port", str(port), GIS_VAR=str(tmp_path / "var"))
    assert done.returncode == 2
    assert str(port) in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "var").exists()


def test_a_host_that_is_not_ours_is_one_sentence(tmp_path: Path) -> None:
    done = run("up", GIS_HOST="192.0.2.1", GIS_VAR=str(tmp_path / "var"))
    assert done.returncode == 2
    assert "192.0.2.1" in done.stderr


def test_a_database_that_does_not_answer_is_one_sentence() -> None:
    done = run("db", "status", GIS_DATABASE_URL="postgresql://gis:geheim@127.0.0.1:1/gis")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "GIS_DATABASE_URL" in done.stderr
    assert "geheim" not in done.stderr


@pytest.mark.parametrize("command", ["start", "stop"])
def test_a_named_database_is_not_started_or_stopped(command: str, database_url: str) -> None:
    done = run("db", command, GIS_DATABASE_URL=database_url)
    assert done.returncode == 2
    assert "GIS_DATABASE_URL" in done.stderr


def test_serve_refuses_an_old_schema(empty_database_url: str) -> None:
    done = run("serve", "--port", "8599", GIS_DATABASE_URL=empty_database_url)
    assert done.returncode == 2
    assert "gis-server db migrate" in done.stderr


def test_migrate_brings_the_schema_and_twice_changes_nothing(empty_database_url: str) -> None:
    assert run("db", "status", GIS_DATABASE_URL=empty_database_url).returncode == 2
    assert run("db", "migrate", GIS_DATABASE_URL=empty_database_url).returncode == 0
    assert run("db", "status", GIS_DATABASE_URL=empty_database_url).returncode == 0
    assert run("db", "migrate", GIS_DATABASE_URL=empty_database_url).returncode == 0


def test_the_private_server_s_life(tmp_path: Path) -> None:
    environ = {"GIS_VAR": str(tmp_path)}
    assert run("db", "status", **environ).returncode == 1
    assert run("db", "start", **environ).returncode == 0
    try:
        assert run("db", "migrate", **environ).returncode == 0
        assert run("db", "status", **environ).returncode == 0  # still there: `db start` asked for it to stay
    finally:
        assert run("db", "stop", **environ).returncode == 0
    assert run("db", "status", **environ).returncode == 1


ACCOUNT = "INSERT INTO account (login, name, role, tier, password_hash) VALUES ('kept', '王', 'admin', 'internal', 'x')"


def test_backup_and_restore_bring_everything_back(
    database_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    with rows(database_url, ACCOUNT):
        pass
    file = tmp_path / "gis.backup"
    assert run("db", "backup", str(file), GIS_DATABASE_URL=database_url).returncode == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["gis.backup"]
    assert run("db", "restore", str(file), GIS_DATABASE_URL=empty_database_url).returncode == 0
    with rows(empty_database_url, "SELECT login, name FROM account") as found:
        assert found == [("kept", "王")]
    # a second restore meets data, and takes its place only when told to
    with rows(empty_database_url, "UPDATE account SET name = '李'"):
        pass
    done = run("db", "restore", str(file), GIS_DATABASE_URL=empty_database_url)
    assert done.returncode == 2
    assert "--replace" in done.stderr
    # and never under a server, which would go on with what it keeps of the former one
    server = make_engine(empty_database_url)
    with server.connect():
        done = run("db", "restore", str(file), "--replace", GIS_DATABASE_URL=empty_database_url)
    server.dispose()
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "还有程序连着这个数据库（1 个连接），请先停止 gis-server，再恢复备份。"
    )
    with rows(empty_database_url, "SELECT name FROM account") as found:
        assert found == [("李",)]
    assert run("db", "restore", str(file), "--replace", GIS_DATABASE_URL=empty_database_url).returncode == 0
    with rows(empty_database_url, "SELECT name FROM account") as found:
        assert found == [("王",)]
    assert run("db", "status", GIS_DATABASE_URL=empty_database_url).returncode == 0


def test_a_broken_backup_leaves_the_database_as_it_was(database_url: str, tmp_path: Path) -> None:
    with rows(database_url, ACCOUNT):
        pass
    with rows(
        database_url,
        "INSERT INTO event (kind, tier, area_path, payload)"
        " SELECT 'x', 'hall', '{}', jsonb_build_object('n', n, 'm', md5(n::text)) FROM generate_series(1, 20000) n",
    ):
        pass
    file = tmp_path / "gis.backup"
    assert run("db", "backup", str(file), GIS_DATABASE_URL=database_url).returncode == 0
    whole = file.read_bytes()
    for broken in (whole[: len(whole) // 2], b"PGDMP nonsense", b"", b"SELECT 1;\n"):
        file.write_bytes(broken)
        done = run("db", "restore", str(file), "--replace", GIS_DATABASE_URL=database_url)
        assert done.returncode == 2, broken[:20]
        assert "Traceback" not in done.stderr
        with rows(database_url, "SELECT (SELECT count(*) FROM event), (SELECT login FROM account)") as found:
            assert found == [(20000, "kept")]


def test_backup_says_where_it_cannot_write(database_url: str, tmp_path: Path) -> None:
    done = run("db", "backup", str(tmp_path / "no" / "where"), GIS_DATABASE_URL=database_url)
    assert done.returncode == 2
    assert "where" in done.stderr
    assert "Traceback" not in done.stderr


def test_make_help_lists_every_target() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=PROJECT_FOLDER, capture_output=True, text=True, check=True
    ).stdout
    for target in ("run", "test", "lint", "format", "bench", "setup", "backup"):
        assert f"make {target} " in listed
