"""What the machine offers the private server: PostgreSQL's programs, memory, and a user without privileges."""

import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gis_server.core.errors import Unavailable, UnusableInput
from gis_server.core.message import msg


@dataclass(frozen=True, slots=True)
class Binaries:
    """Folder of one PostgreSQL version's programs, with its major version."""

    folder: Path
    major: int

    def __truediv__(self, program: str) -> str:
        return str(self.folder / program)


def find_binaries(major: int | None = None) -> Binaries:
    """The newest installed PostgreSQL that has PostGIS (or the one of version ``major``)."""
    found: list[Binaries] = []
    for folder in (*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")):
        version = folder.parent.name.removeprefix("pgsql-")
        shares = (Path("/usr/share/postgresql") / version, folder.parent / "share")
        has_postgis = any((share / "extension/postgis.control").exists() for share in shares)
        if version.isdigit() and has_postgis and all((folder / p).exists() for p in ("initdb", "pg_ctl")):
            found.append(Binaries(folder, int(version)))
    if major is not None:
        found = [binaries for binaries in found if binaries.major == major]
    if not found:
        raise Unavailable(
            msg(
                "没有找到带 PostGIS 的 PostgreSQL。请安装软件包 {package}，"
                "或用 GIS_DATABASE_URL 指明已有的数据库。",
                package=f"postgresql-{major or 15}-postgis-3",
            )
        )
    return max(found, key=lambda binaries: binaries.major)


def find_client_programs() -> Path:
    """The folder of the newest ``pg_dump``, ``pg_restore`` and ``psql``, which also serve older servers."""
    folders = [f for f in Path("/usr/lib/postgresql").glob("*/bin") if f.parent.name.isdigit()]
    for folder in sorted(folders, key=lambda f: int(f.parent.name), reverse=True):
        if all((folder / program).exists() for program in ("pg_dump", "pg_restore", "psql")):
            return folder
    if found := shutil.which("pg_dump"):
        return Path(found).parent
    raise Unavailable(msg("没有找到 pg_dump，请安装软件包 {package}。", package="postgresql-client"))


def memory() -> int:
    """Bytes of memory this machine or container may use."""
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):
        size = min(size, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return size


def user_name(uid: int | None) -> str:
    """The name of a user, or the number where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name if uid is not None else "?"
    except KeyError:
        return str(uid)


def make_private(folder: Path, owner: pwd.struct_passwd) -> None:
    """A folder only ``owner`` can enter; one that stands already must be exactly that."""
    try:
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
    except FileExistsError:
        found = folder.lstat()
        # whoever made a folder in /tmp before us could otherwise read along
        if not (
            stat.S_ISDIR(found.st_mode)
            and found.st_uid == owner.pw_uid
            and not stat.S_IMODE(found.st_mode) & 0o077
        ):
            raise UnusableInput(
                msg("文件夹 {path} 的归属或权限不对，不能用来放数据库的套接字，请删除它。", path=str(folder))
            ) from None


@contextmanager
def door(folder: Path, owner: pwd.struct_passwd) -> Iterator[tuple[str, list[int]]]:
    """A path under which the server's user reaches ``folder``, and the descriptors it needs for that.

    Root's projects often stand below a folder that others cannot pass (``/root``), or have blanks in their name.
    A descriptor opened here and inherited by the server leads there without giving the server any privilege.
    """
    plain = str(folder.resolve())
    # pg_ctl hands its options through a shell, and PostgreSQL splits lists of folders at commas
    if re.fullmatch(r"[\w./-]+", plain) and run_as(["test", "-x", plain], owner, []).returncode == 0:
        yield plain, []
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", [descriptor]
    finally:
        os.close(descriptor)


def as_user(owner: pwd.struct_passwd, fds: Sequence[int]) -> dict[str, Any]:
    """Arguments for ``subprocess`` to run as ``owner`` with a plain environment, detached from the terminal."""
    arguments: dict[str, Any] = {
        "cwd": "/",
        "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": owner.pw_dir},
        "pass_fds": tuple(fds),
        "start_new_session": True,  # Ctrl-C in the terminal must not reach the database
    }
    if os.geteuid() == 0:
        arguments |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    return arguments


def run_as(
    command: Sequence[str], owner: pwd.struct_passwd, fds: Sequence[int]
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end as ``owner`` and keep what it says."""
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, capture_output=True, text=True, check=False, **as_user(owner, fds)
    )
    return done
