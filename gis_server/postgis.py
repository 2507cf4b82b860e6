"""The private PostGIS server that ``gis-server up`` starts under ``var/postgres`` when no other database is named.

It listens on a Unix socket in a folder only its own user (and root) can enter, never runs as root, and keeps
every committed transaction through a ``kill -9``. Several programs may use it at once; the last one to leave
stops it, unless ``gis-server db start`` asked for it to stay.
"""

import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from gis_server.core.errors import Unavailable, UnusableInput
from gis_server.core.message import msg
from gis_server.machine import Binaries, as_user, door, find_binaries, make_private, memory, run_as, user_name

DATABASE = "gis_server"
ROLE = "gis_server"
SUPERUSER = "postgres"
PORT = 5432  # only part of the socket's file name: nothing listens on TCP
SOCKET_PATH_LIMIT = 107  # bytes of sockaddr_un.sun_path on Linux, without the closing NUL
MEBIBYTE = 1024 * 1024
READY_SECONDS = 60.0
RECOVERY_SECONDS = 600  # crash recovery after a long import may take minutes


@dataclass(frozen=True, slots=True)
class Status:
    """What stands under the folder just now."""

    initialised: bool
    running: bool
    pid: int | None
    major: int | None
    kept: bool


@dataclass(frozen=True, slots=True)
class PrivateServer:
    """A PostgreSQL cluster in ``folder`` (``data``, ``socket``, ``start.log``).

    ``durable`` False gives up crash safety for speed; it is meant for throw-away test clusters.
    """

    folder: Path
    durable: bool = True

    @property
    def data(self) -> Path:
        """The data directory of the cluster."""
        return self.folder / "data"

    @property
    def marker(self) -> str:
        """The cluster's name in the process list; it tells this cluster's processes from all others."""
        digest = hashlib.sha256(os.fsencode(self.folder.resolve())).hexdigest()
        return f"gis-server-{digest[:12]}"

    @property
    def socket_folder(self) -> Path:
        """Where the socket stands: beside the data, or in a short private folder when the path is too long."""
        folder = self.folder.resolve() / "socket"
        # a comma would part one host from the next in a connection string
        if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT and "," not in str(folder):
            return folder
        return Path("/tmp") / self.marker  # noqa: S108  (ownership and mode are checked before use)

    def url(self, database: str = DATABASE, role: str = ROLE) -> str:
        """The SQLAlchemy URL of a database of this server."""
        return f"postgresql+psycopg://{role}@/{database}?host={quote(str(self.socket_folder), safe='')}"

    def status(self) -> Status:
        """Whether the cluster exists and its server runs."""
        pid, _ = self._processes()
        return Status(
            initialised=(self.data / "PG_VERSION").exists(),
            running=pid is not None,
            pid=pid,
            major=self._major(),
            kept=self._keep_mark.exists(),
        )

    def start(self, *, keep: bool = False) -> str:
        """Start the server (making the cluster first if there is none) and give the URL of its database.

        A server that runs already is found and used. ``keep`` makes it outlive the programs that use it.
        """
        with self._locked():
            self._start()
            if keep:
                self._keep_mark.touch()
        return self.url()

    def stop(self) -> bool:
        """Stop the server, rolling back what is under way; False if it did not run."""
        if not self.folder.is_dir():
            return False
        with self._locked():
            self._keep_mark.unlink(missing_ok=True)
            return self._stop()

    @contextmanager
    def in_use(self) -> Iterator[str]:
        """Hold the server up for the time of the block; the last user to leave stops it.

        Users are counted by shared locks on a file, which the kernel drops however a user dies.
        """
        with self._locked():
            self._start()
            users = (self.folder / "users").open("a")
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield self.url()
        finally:
            with self._locked(), users:
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass  # somebody else still needs it
                else:
                    if not self._keep_mark.exists():
                        self._stop()

    # -- the cluster ---------------------------------------------------------------------------------------

    @property
    def _keep_mark(self) -> Path:
        return self.folder / "keep"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One program at a time makes, starts or stops the cluster."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "lock").open("a")
        except OSError as error:
            raise UnusableInput(
                msg(
                    "不能使用数据库文件夹 {path}（{reason}），请检查权限，或用 GIS_VAR 另选文件夹。",
                    path=str(self.folder),
                    reason=error.strerror or str(error),
                )
            ) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _major(self) -> int | None:
        try:
            return int((self.data / "PG_VERSION").read_text())
        except (FileNotFoundError, PermissionError):
            return None

    def _owner(self) -> pwd.struct_passwd:
        """The user the server runs as: oneself, or for root the cluster's owner or an unprivileged account."""
        uid = self.data.stat().st_uid if self.data.exists() else None
        if os.geteuid() != 0:
            if uid not in (None, os.geteuid()):
                raise UnusableInput(
                    msg(
                        "数据库文件夹 {path} 属于用户 {owner}，请以该用户或 root 运行，或用 GIS_VAR 另选文件夹。",
                        path=str(self.data),
                        owner=user_name(uid),
                    )
                )
            return pwd.getpwuid(os.geteuid())
        if uid:
            return pwd.getpwuid(uid)
        for name in ("postgres", "nobody"):
            with suppress(KeyError):
                return pwd.getpwnam(name)
        raise Unavailable(msg("PostgreSQL 不能以 root 运行，而系统中没有 postgres 或 nobody 用户可用。"))

    def _start(self) -> None:
        end = time.monotonic() + READY_SECONDS
        while True:
            if self._processes()[0] is None:
                self._start_process()
            try:
                return self._prepare_database()
            except psycopg.OperationalError as error:
                # a server found alive may have been killed this instant, or be recovering still
                if time.monotonic() > end:
                    raise Unavailable(
                        msg(
                            "自带的数据库不应答（{path}）：{reason}",
                            path=str(self.folder),
                            reason=_tail(str(error)),
                        )
                    ) from error
                time.sleep(0.1)

    def _start_process(self) -> None:
        owner = self._owner()
        self._clear_leftovers()
        binaries = find_binaries(self._major())
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster(binaries, owner)
        self._write_settings(owner)
        self._launch(binaries, owner)

    def _make_cluster(self, binaries: Binaries, owner: pwd.struct_passwd) -> None:
        """``initdb`` beside its place, then a rename: a cluster is there whole or not at all."""
        for half in self.folder.glob("data.new-*"):
            shutil.rmtree(half)
        draft = self.folder / f"data.new-{secrets.token_hex(4)}"
        make_private(draft, owner)
        with door(draft, owner) as (path, fds):
            initdb = [
                *(binaries / "initdb", "--pgdata", path, "--username", SUPERUSER, "--auth", "trust"),
                # C.UTF-8, not C: with LC_CTYPE C trigrams find nothing in Chinese text
                *("--encoding", "UTF8", "--locale", "C.UTF-8", "--text-search-config", "pg_catalog.simple"),
                *(("--data-checksums",) if self.durable else ("--no-sync",)),
            ]
            done = run_as(initdb, owner, fds)
        if done.returncode != 0:
            shutil.rmtree(draft)
            raise Unavailable(
                msg(
                    "不能建立自带的数据库（{path}）：{reason}", path=str(self.data), reason=_tail(done.stderr)
                )
            )
        (draft / "postgresql.conf").write_text(
            "include 'gis-server.conf'  # rewritten at every start\n# settings below this line win\n", "utf-8"
        )
        (draft / "pg_hba.conf").write_text(
            "# Only the Unix socket; its folder lets in nobody but the server's own user and root.\n"
            "local all all trust\n",
            "utf-8",
        )
        draft.rename(self.data)

    def _write_settings(self, owner: pwd.struct_passwd) -> None:
        path = self.data / "gis-server.conf"
        lines = [f"{name} = '{value}'" for name, value in _server_settings(self.durable).items()]
        path.write_text("\n".join(lines) + "\n", "utf-8")
        if os.geteuid() == 0:
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def _launch(self, binaries: Binaries, owner: pwd.struct_passwd) -> None:
        make_private(self.socket_folder, owner)
        log = self.folder / "start.log"
        with (
            door(self.data, owner) as (data, data_fds),
            door(self.socket_folder, owner) as (sockets, socket_fds),
            log.open("wb") as output,
        ):
            options = f"-c listen_addresses='' -c port={PORT} -c cluster_name={self.marker} -k {sockets}"
            done = subprocess.run(
                [
                    *(binaries / "pg_ctl", "start", "--pgdata", data, "-o", options),
                    *("--wait", "--timeout", str(RECOVERY_SECONDS)),
                ],
                **as_user(owner, [*data_fds, *socket_fds]),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        if done.returncode != 0:
            # once the server has opened its own log, the reason stands there
            log = max([log, *self.data.glob("log/*.log")], key=lambda path: path.stat().st_mtime_ns)
            raise Unavailable(
                msg(
                    "自带的数据库没有启动，详情见 {log}：{reason}",
                    log=str(log),
                    reason=_reason(log),
                )
            )

    def _stop(self) -> bool:
        pid, _ = self._processes()
        if pid is None:
            self._clear_leftovers()
            return False
        # fast first; immediate loses nothing either, it only leaves the recovery to the next start
        for how, patience in ((signal.SIGINT, 60.0), (signal.SIGQUIT, 30.0), (signal.SIGKILL, 10.0)):
            with suppress(ProcessLookupError):
                os.kill(pid, how)
            if _wait_until(lambda: self._processes()[0] is None, patience):
                break
        self._clear_leftovers()
        return True

    def _clear_leftovers(self) -> None:
        """Remove what a killed server left: backends still at work, and a pid file that names a stranger."""
        _, backends = self._processes()
        for how in (signal.SIGQUIT, signal.SIGKILL):
            for pid in backends:
                with suppress(ProcessLookupError):
                    os.kill(pid, how)
            if backends and _wait_until(lambda: not self._processes()[1], 5.0):
                break
        for file in (self.data / "postmaster.pid", self.socket_folder / f".s.PGSQL.{PORT}.lock"):
            with suppress(FileNotFoundError, ValueError, IndexError):
                predecessor = Path("/proc", str(int(file.read_text().splitlines()[0])))
                _wait_until_settled(predecessor)
                # PostgreSQL takes any living process with this number (a zombie too) for its predecessor
                if predecessor.exists():
                    file.unlink()

    def _processes(self) -> tuple[int | None, list[int]]:
        """The server's process, if it lives, and its children, found by the cluster's name."""
        marker, postmaster, children = self.marker, None, []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes().decode("utf-8", "replace")
            except OSError:  # it ended meanwhile
                continue
            if command.startswith(f"postgres: {marker}:"):
                children.append(int(entry.name))
            elif f"cluster_name={marker}" in command and command.split("\0")[0].endswith("/postgres"):
                postmaster = int(entry.name)
        return postmaster, children

    def _prepare_database(self) -> None:
        """The application's role (no superuser), its database and PostGIS; each only if it is missing."""
        host = str(self.socket_folder)
        with psycopg.connect(host=host, user=SUPERUSER, dbname="postgres", autocommit=True) as server:
            if not server.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                server.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(ROLE)))
            if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                server.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(DATABASE), sql.Identifier(ROLE)
                    )
                )
        with psycopg.connect(host=host, user=SUPERUSER, dbname=DATABASE) as database:
            if not database.execute("SELECT 1 FROM pg_extension WHERE extname = 'postgis'").fetchone():
                database.execute("CREATE EXTENSION postgis")


def _server_settings(durable: bool) -> dict[str, str]:
    available = memory()
    settings = {
        "shared_buffers": f"{min(max(available // 8, 64 * MEBIBYTE), 1024 * MEBIBYTE) // 1024}kB",
        "effective_cache_size": f"{available // 2048}kB",
        "maintenance_work_mem": f"{min(max(available // 16, 64 * MEBIBYTE), 512 * MEBIBYTE) // 1024}kB",
        "work_mem": "16MB",
        "max_connections": "100",
        "max_wal_size": "2GB",
        "wal_compression": "on",
        "random_page_cost": "1.1",
        "jit": "off",  # compiling costs more than it saves on short spatial queries
        "timezone": "UTC",
        "unix_socket_permissions": "0700",
        "logging_collector": "on",
        "log_directory": "log",
        "log_filename": "postgresql-%a.log",  # one file a weekday, overwritten after a week
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_line_prefix": "%m [%p] %d ",
        "lc_messages": "C",
    }
    shared = os.statvfs("/dev/shm") if Path("/dev/shm").is_dir() else None  # noqa: S108
    if shared is None or shared.f_frsize * shared.f_blocks < 256 * MEBIBYTE:
        # containers often give /dev/shm 64 MB, which a parallel query can fill
        settings["dynamic_shared_memory_type"] = "mmap"
    if not durable:
        settings |= {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "shared_buffers": "64MB",
            "logging_collector": "off",
        }
    return settings


def _tail(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "?"


def _reason(log: Path) -> str:
    """The line of a log that says why the server stopped."""
    text = log.read_text("utf-8", "replace")
    fatal = [line for line in text.splitlines() if "FATAL" in line]
    return fatal[-1].strip() if fatal else _tail(text)


def _wait_until_settled(process: Path) -> None:
    _wait_until(lambda: not _is_dying(process), 5.0)


def _is_dying(process: Path) -> bool:
    """Whether a process has lost its memory to a signal, but is not yet gone or a zombie."""
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        return not (process / "cmdline").read_bytes() and state not in "ZX"
    except OSError:
        return False


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
