"""Bringing a database into use: is it fit, is it current, is it empty; saving it and bringing it back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import Connection

from gis_server.core.errors import Conflict, Unavailable, UnusableInput
from gis_server.core.message import msg
from gis_server.store import backup as copies
from gis_server.store import database, migrate
from gis_server.store.engine import make_engine

Progress = Callable[[int, int], None]

LEAVING_S = 3.0
"""A connection that was closed a moment ago may still be seen for so long."""


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = make_engine(url, pool_size=1)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def check(url: str) -> None:
    """Refuse a database that would lose or misread Chinese text, or that does not answer."""
    try:
        with _connected(url) as connection:
            nature = database.nature(connection)
    except Unavailable as error:
        raise Unavailable(
            msg("数据库不应答：{reason}。请检查 GIS_DATABASE_URL。", reason=_first_line(error.__cause__))
        ) from error
    if nature.encoding != "UTF8":
        raise UnusableInput(
            msg("数据库的编码是 {encoding}，请改用 UTF8 编码的数据库。", encoding=nature.encoding)
        )
    if nature.ctype in ("C", "POSIX"):
        raise UnusableInput(
            msg("数据库的字符分类是 {ctype}，中文检索会失效，请改用 C.UTF-8。", ctype=nature.ctype)
        )
    if nature.postgis is not None and nature.postgis < database.OLDEST_POSTGIS:
        raise UnusableInput(
            msg("数据库的 PostGIS 版本过旧（{version}），需要 3.3 以上。", version=_dotted(nature.postgis))
        )


def migrate_schema(url: str) -> tuple[str, ...]:
    """Bring the schema to this version; the revisions that were applied."""
    steps = migrate.pending(url)
    if steps:
        migrate.upgrade(url)
    return steps


def require_current(url: str) -> None:
    """Refuse to work on a schema of another version."""
    if steps := migrate.pending(url):
        raise Unavailable(
            msg(
                "数据库的表结构不是当前版本（差 {count} 步），请先运行 gis-server db migrate。",
                count=len(steps),
            )
        )


def is_empty(url: str) -> bool:
    """Whether nothing was ever imported, reported or opened an account in it."""
    with _connected(url) as connection:
        return not database.holds_data(connection)


def backup(url: str, file: Path, programs: Path, progress: Progress) -> int:
    """Save a consistent snapshot to ``file``; its size in bytes."""
    if file.is_dir():
        raise UnusableInput(msg("{path} 是文件夹，请给出备份文件的名称。", path=str(file)))
    return copies.dump(url, file, programs, progress)


def restore(url: str, file: Path, programs: Path, progress: Progress, *, replace: bool) -> None:
    """Bring a backup back into an empty database (or, with ``replace``, in place of what is there).

    Conflict while a server or another command is connected.
    """
    if not file.is_file():
        raise UnusableInput(msg("没有备份文件 {path}。", path=str(file)))
    with _connected(url) as connection:
        _require_alone(connection)
        occupied = bool(database.tables(connection)) and database.holds_data(connection)
    if occupied and not replace:
        raise Conflict(msg("数据库中已有数据。要用备份取代它，请加 --replace（现有数据将丢失）。"))
    copies.restore(url, file, programs, progress)
    migrate.upgrade(url)


def _require_alone(connection: Connection) -> None:
    """Refuse while others work: what a server keeps in memory would be of the database that is gone."""
    ends = monotonic() + LEAVING_S
    while count := database.others_at_work(connection):
        if monotonic() > ends:
            raise Conflict(
                msg(
                    "还有程序连着这个数据库（{count} 个连接），请先停止 gis-server，再恢复备份。", count=count
                )
            )
        connection.rollback()  # within a transaction the same picture is told again
        sleep(0.1)


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _first_line(error: BaseException | None) -> str:
    return (str(error).strip().splitlines() or [""])[0]
