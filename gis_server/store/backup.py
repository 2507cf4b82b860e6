"""Whole-database backup and restore with PostgreSQL's own programs."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO

from sqlalchemy import make_url

from gis_server.core.errors import Unavailable, UnusableInput
from gis_server.core.message import msg
from gis_server.store.database import CLEAR

BLOCK = 1 << 20
START = f"""
BEGIN;
SET LOCAL lock_timeout = '30s';  -- a server at work on these tables must be stopped first
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS btree_gist;
{CLEAR}
"""


def _target(url: str) -> tuple[str, dict[str, str]]:
    """The URL in libpq's spelling, and the environment that carries the password past the process list."""
    parsed = make_url(url).set(drivername="postgresql")
    environment = dict(os.environ, LC_ALL="C.UTF-8", PGAPPNAME="gis-server-backup")
    if parsed.password is not None:
        environment["PGPASSWORD"] = str(parsed.password)
    return parsed.set(password=None).render_as_string(hide_password=False), environment


def dump(url: str, file: Path, programs: Path, progress: Callable[[int, int], None]) -> int:
    """Write one consistent snapshot of the product's tables to ``file``; its size in bytes.

    The file appears whole or not at all, readable by its owner alone: it holds incidents and accounts.
    """
    target, environment = _target(url)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UnusableInput(
            msg("不能写入 {path}（{reason}）。", path=str(file), reason=error.strerror or str(error))
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as output:
            _pump_dump(programs, target, environment, output, progress)
            output.flush()
            os.fsync(output.fileno())
            size = output.tell()
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return size


def _pump_dump(
    programs: Path,
    target: str,
    environment: dict[str, str],
    output: IO[bytes],
    progress: Callable[[int, int], None],
) -> None:
    # only schema public, so that extensions, which a plain role cannot recreate, stay out of the file
    command = [
        *(str(programs / "pg_dump"), "--format=custom", "--no-owner", "--no-privileges"),
        *("--schema=public", "--exclude-table=public.spatial_ref_sys", f"--dbname={target}"),
    ]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        _pump(_pipe(program.stdout), output, progress)
        complaint = _pipe(program.stderr).read()
    if program.returncode != 0:
        raise Unavailable(msg("备份没有完成：{reason}", reason=_complaint(complaint)))


def restore(url: str, file: Path, programs: Path, progress: Callable[[int, int], None]) -> None:
    """Replace the product's tables by those of a backup, in one transaction: wholly or not at all."""
    target, environment = _target(url)
    listing = subprocess.run(
        [str(programs / "pg_restore"), "--list", str(file)], env=environment, capture_output=True, check=False
    )
    if listing.returncode != 0:
        raise UnusableInput(
            msg(
                "{path} 不是可用的备份文件（{reason}）；请给出 db backup 写出的文件。",
                path=str(file),
                reason=_complaint(listing.stderr),
            )
        )
    # the schema itself stands already; its own entry would stop the restore
    wanted = b"\n".join(line for line in listing.stdout.splitlines() if b" SCHEMA - public " not in line)
    read = [
        str(programs / "pg_restore"),
        "--no-owner",
        "--no-privileges",
        "--use-list=/dev/stdin",
        "--file=-",
    ]
    write = [str(programs / "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={target}"]
    with (
        subprocess.Popen(
            [*read, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as reader,
        subprocess.Popen(
            write, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as writer,
    ):
        _pipe(reader.stdin).write(wanted)
        _pipe(reader.stdin).close()
        script = _pipe(writer.stdin)
        reader_complaint = b""
        try:
            script.write(START.encode())
            _pump(_pipe(reader.stdout), script, progress)
            reader_complaint = _pipe(reader.stderr).read()
            if reader.wait() == 0:
                script.write(b"\nCOMMIT;\n")  # without this line psql's end is a rollback
            script.close()
        except BrokenPipeError:  # psql met an error and left
            reader.kill()
        writer_complaint = _pipe(writer.stderr).read()
    if writer.returncode != 0 or reader.returncode != 0:
        raise Unavailable(
            msg(
                "恢复没有完成，数据库保持原样：{reason}",
                reason=_complaint(writer_complaint or reader_complaint),
            )
        )


def _pump(source: IO[bytes], target: IO[bytes], progress: Callable[[int, int], None]) -> None:
    done = 0
    while block := source.read(BLOCK):
        target.write(block)
        done += len(block)
        progress(done, 0)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise AssertionError("the program was started without this pipe")
    return stream


def _complaint(output: bytes) -> str:
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if "ERROR" in line or "FATAL" in line or "error" in line]
    return telling[0] if telling else (lines or ["?"])[-1]
