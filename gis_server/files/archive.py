"""Zipped data sets, unpacked without trusting a single name, size or link in the archive."""

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from gis_server.core.errors import UnknownEncoding, UnusableInput
from gis_server.core.message import msg
from gis_server.files.encoding import GB18030, UTF8

DATASETS = frozenset({".shp", ".gpkg", ".geojson", ".json", ".fgb", ".csv", ".xlsx"})
"""Suffixes that are data by themselves."""

SIDECARS = frozenset({".shx", ".dbf", ".prj", ".cpg"})
"""Suffixes that belong to a shapefile."""

_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_LONGEST_NAME = 200  # bytes; file systems take 255
_ABSURD_RATIO = 200  # deflate of real geodata stays far below; a bomb is above 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an archive may hold before it is refused."""

    total_bytes: int = 4 * 2**30
    members: int = 5_000


@dataclass(frozen=True, slots=True)
class Member:
    """One data set of an archive: its path inside, and where it was unpacked."""

    name: str
    path: Path


def check_archive(archive: zipfile.ZipFile, file: str, limits: Limits = Limits()) -> None:
    """Refuse (UnusableInput) encrypted archives and those that would unpack to more than ``limits``."""
    members = archive.infolist()
    if len(members) > limits.members:
        raise UnusableInput(
            msg(
                "{file} 里有 {count} 个文件，超过上限 {limit}。",
                file=file,
                count=len(members),
                limit=limits.members,
            )
        )
    total = sum(m.file_size for m in members)
    packed = sum(m.compress_size for m in members)
    if total > limits.total_bytes or (total > 50 * 2**20 and total > _ABSURD_RATIO * max(packed, 1)):
        raise UnusableInput(
            msg(
                "{file} 解压后达 {size} MB，大得不合常理，没有解压；请拆分或直接提交数据文件。",
                file=file,
                size=total // 2**20,
            )
        )
    if any(m.flag_bits & _ENCRYPTED for m in members):
        raise UnusableInput(msg("{file} 有密码；请解压后再导入。", file=file))


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip file opened for reading; UnusableInput where it is none or is broken."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError):
        raise UnusableInput(
            msg("{file} 不是完好的 ZIP 压缩包（RAR、7Z 请先解压，或重新压缩为 ZIP）。", file=path.name)
        ) from None


@contextmanager
def unpacked(path: Path) -> Iterator[list[Member]]:
    """The data sets of a zip file, unpacked into a folder that is gone afterwards, in order of their names.

    Names are UTF-8 where flagged, else strict UTF-8, else GB18030. Raises UnusableInput for paths that lead outside,
    links, encrypted or over-large archives and archives within the archive.
    """
    with TemporaryDirectory(prefix="gis-server-") as folder:
        with open_archive(path) as archive:
            check_archive(archive, path.name)
            found = _unpack(archive, Path(folder), path.name)
            nested = any(m.filename.lower().endswith(".zip") for m in archive.infolist())
        if not found:
            inside = msg("里面还有压缩包，请先解压一层") if nested else msg("里面没有可以读取的数据文件")
            raise UnusableInput(
                msg(
                    "{file}：{inside}；支持 .shp（连同 .shx、.dbf、.prj）、.gpkg、.geojson、.fgb、.csv、.xlsx。",
                    file=path.name,
                    inside=inside,
                )
            )
        yield sorted(found, key=lambda m: m.name)


def _unpack(archive: zipfile.ZipFile, folder: Path, file: str) -> list[Member]:
    found: list[Member] = []
    folders: dict[str, Path] = {}
    for info in archive.infolist():
        name = _member_name(info, file)
        inner = PurePosixPath(name)
        _refuse_escape(info, inner, file)
        if info.is_dir() or "__MACOSX" in inner.parts or inner.name.startswith("."):
            continue
        suffix = inner.suffix.lower()
        if suffix not in DATASETS | SIDECARS:
            continue
        # folders get numbers, so that no name inside the archive can steer where anything is written
        home = folders.setdefault(str(inner.parent), folder / str(len(folders)))
        home.mkdir(exist_ok=True)
        target = home / inner.name
        with archive.open(info) as packed, target.open("wb") as plain:
            shutil.copyfileobj(packed, plain, 2**20)
        if suffix in DATASETS:
            found.append(Member(name, target))
    return found


def _member_name(info: zipfile.ZipInfo, file: str) -> str:
    if info.flag_bits & _UTF8_NAME:
        name = info.filename
    else:
        raw = info.filename.encode("cp437")  # what zipfile made of the bytes; this gives them back
        try:
            name = raw.decode(UTF8)
        except UnicodeDecodeError:
            try:
                name = raw.decode(GB18030)
            except UnicodeDecodeError:
                raise UnknownEncoding(
                    msg("{file} 里的文件名无法识别编码；请把文件名改为英文后重新压缩。", file=file)
                ) from None
    return name.replace("\\", "/")


def _refuse_escape(info: zipfile.ZipInfo, inner: PurePosixPath, file: str) -> None:
    link = stat.S_ISLNK(info.external_attr >> 16)
    shown = str(inner)[:80]
    if link or inner.is_absolute() or ".." in inner.parts or "\0" in str(inner):
        raise UnusableInput(
            msg("{file} 里的“{name}”指向压缩包之外，没有解压；请重新压缩。", file=file, name=shown)
        )
    if len(inner.name.encode()) > _LONGEST_NAME:
        raise UnusableInput(msg("{file} 里的文件名“{name}…”太长；请改短后重新压缩。", file=file, name=shown))
