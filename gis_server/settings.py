"""What one deployment may choose, read once at the door from environment variables named ``GIS_…``.

Nothing here is read at import: a door calls :meth:`Settings.from_environment` and passes the value on.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from gis_server.core.errors import UnusableInput
from gis_server.core.message import Message, msg

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
"""Where ``layers/``, ``migrations/``, ``web/`` and ``sample_shapefiles/`` stand."""

LANGUAGES = ("zh", "en")

DEEPEST = 22
"""The deepest level that a base map may have."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table of settings: variable, attribute, default as written, and what it is for."""

    variable: str
    attribute: str
    default: str
    meaning: Message
    parse: Callable[[str], Any]


def _text(value: str) -> str:
    return value


def _folder(value: str) -> Path:
    return Path(value).expanduser().absolute()


def _file(value: str) -> Path:
    return Path(value).expanduser().absolute()


def _database_url(value: str) -> str:
    """The URL in SQLAlchemy's spelling; libpq's ``postgres://`` and ``postgresql://`` mean the same."""
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise ValueError
    return f"postgresql+psycopg://{rest}"


def _port(value: str) -> int:
    number = int(value)
    if not 0 < number < 65536:
        raise ValueError
    return number


def _host(value: str) -> str:
    if not value or any(c.isspace() or c == "/" for c in value) or urlsplit(f"//{value}").username:
        raise ValueError
    return value


def _positive(value: str) -> int:
    number = int(value)
    if number < 1:
        raise ValueError
    return number


def _share(value: str) -> int:
    number = int(value)
    if not 0 < number < 100:
        raise ValueError
    return number


def _count(value: str) -> int:
    number = int(value)
    if number < 0:
        raise ValueError
    return number


def _language(value: str) -> str:
    if value not in LANGUAGES:
        raise ValueError
    return value


def _yes_or_no(value: str) -> bool:
    word = value.strip().lower()
    if word in ("1", "yes", "true", "on"):
        return True
    if word in ("0", "no", "false", "off"):
        return False
    raise ValueError


def _zone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (KeyError, OSError) as error:  # unknown name, or a name that is a folder of the zone database
        raise ValueError from error


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in words:
            raise ValueError
        return value.lower()

    return parse


def _levels(value: str) -> tuple[int, int]:
    low, high = (int(part) for part in value.split("-"))
    if not 0 <= low <= high <= DEEPEST:
        raise ValueError
    return low, high


def _map_key(value: str) -> str:
    # it is put into an address as it is
    if not value.isascii() or not all(c.isalnum() or c in "._~-" for c in value):
        raise ValueError
    return value


def _phone(value: str) -> str:
    if (
        len(value) > 40
        or not all(c.isdigit() or c in "+-() /、" for c in value)
        or not any(map(str.isdigit, value))
    ):
        raise ValueError
    return value


def _secret(value: str) -> str:
    if len(value) < 32:
        raise ValueError
    return value


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "GIS_DATABASE_URL",
        "database_url",
        "",
        msg("已有 PostGIS 数据库的地址（postgresql://…）。不填则在 var/ 中启动自带的 PostGIS。"),
        _database_url,
    ),
    Setting("GIS_HOST", "host", "127.0.0.1", msg("网页服务监听的地址。0.0.0.0 表示所有网卡。"), _host),
    Setting("GIS_PORT", "port", "8500", msg("网页服务监听的端口（1–65535）。"), _port),
    Setting("GIS_PROFILE", "profile", "heilongjiang", msg("采用哪一地的标准（规则与数值）。"), _text),
    Setting(
        "GIS_PROFILE_OVERRIDES",
        "profile_overrides",
        "",
        msg("本地设定文件（TOML），只能填补标准未规定的内容。"),
        _file,
    ),
    Setting(
        "GIS_ITEMS",
        "items",
        "",
        msg("本地事项文件（TOML）：在标准的事项清单之外增加事项与时限。"),
        _file,
    ),
    Setting(
        "GIS_TIMEZONE",
        "timezone",
        "Asia/Shanghai",
        msg("显示时间和计算工作日所用的时区（IANA 名称）。"),
        _zone,
    ),
    Setting(
        "GIS_LANGUAGE",
        "language",
        "zh",
        msg("浏览器未表明语言时页面所用的语言，也是命令行的语言（zh 或 en）。"),
        _language,
    ),
    Setting("GIS_MAX_UPLOAD_MB", "max_upload_mb", "512", msg("一次上传的上限（MB，正整数）。"), _positive),
    Setting("GIS_PHOTO_MB", "photo_mb", "12", msg("一张照片的上限（MB，正整数）。"), _positive),
    Setting("GIS_PHOTOS", "photos", "6", msg("一起事件最多几张照片（正整数）。"), _positive),
    Setting(
        "GIS_DUPLICATE_M",
        "duplicate_m",
        "50",
        msg("多少米以内的未结事件提示为可能重复（正整数）。"),
        _positive,
    ),
    Setting(
        "GIS_DUPLICATE_HOURS",
        "duplicate_hours",
        "72",
        msg("前后多少小时以内的未结事件提示为可能重复（正整数）。"),
        _positive,
    ),
    Setting(
        "GIS_WARNING_PCT",
        "warning_pct",
        "25",
        msg("时限还剩百分之几时提醒（1–99）。文件未规定，由本地设定。"),
        _share,
    ),
    Setting(
        "GIS_ESCALATION_HOURS",
        "escalation_hours",
        "24",
        msg("超期后每过几小时再告知上一级机构（正整数）。文件未规定，由本地设定。"),
        _positive,
    ),
    Setting(
        "GIS_COMPLAINT_PHONE",
        "complaint_phone",
        "",
        msg("监督举报电话，印在网格服务联系方式上（heihe 12(1) 要求公布）。"),
        _phone,
    ),
    Setting(
        "GIS_BASE_MAP",
        "base_map",
        "",
        msg(
            "底图：PMTiles 文件的路径，tianditu:vec_w、img_w、ter_w（或 _c，其后可用 @地址 指明节点），"
            "或带 {{z}} {{x}} {{y}} 的 XYZ、WMTS 地址。不填则只用自有图层。"
        ),
        _text,
    ),
    Setting(
        "GIS_BASE_MAP_LABELS",
        "base_map_labels",
        "",
        msg("叠加在底图上的注记的地址；天地图自带，不用填。"),
        _text,
    ),
    Setting(
        "GIS_BASE_MAP_KEY",
        "base_map_key",
        "",
        msg("底图服务的密钥（天地图须用服务端密钥）。只由服务器使用，不出现在网页和日志中。"),
        _map_key,
    ),
    Setting(
        "GIS_BASE_MAP_DATUM",
        "base_map_datum",
        "cgcs2000",
        msg("底图的坐标基准：cgcs2000 或 gcj02（后者偏移 140–630 米，显示时移回）。"),
        _one_of("cgcs2000", "gcj02"),
    ),
    Setting(
        "GIS_BASE_MAP_MATRIX",
        "base_map_matrix",
        "w",
        msg("底图地址的瓦片矩阵：w（Web 墨卡托）或 c（经纬度）。"),
        _one_of("w", "c"),
    ),
    Setting(
        "GIS_BASE_MAP_LEVELS",
        "base_map_levels",
        "",
        msg("底图地址有哪些级别（如 1-18）；PMTiles 文件与天地图自知。"),
        _levels,
    ),
    Setting(
        "GIS_BASE_MAP_TONE",
        "base_map_tone",
        "",
        msg("底图的明暗：light（浅色地图）或 imagery（影像）；大屏据此压暗。"),
        _one_of("light", "imagery"),
    ),
    Setting(
        "GIS_BASE_MAP_ATTRIBUTION", "base_map_attribution", "", msg("地图上注明的底图来源与审图号。"), _text
    ),
    Setting(
        "GIS_BASE_MAP_CACHE_MB",
        "base_map_cache_mb",
        "512",
        msg("在 var/base_map 中最多保存多少底图瓦片（MB，正整数）。"),
        _positive,
    ),
    Setting(
        "GIS_BASE_MAP_DAYS",
        "base_map_days",
        "30",
        msg("底图瓦片保存几天后重新获取（正整数）；服务不通时继续用旧的。"),
        _positive,
    ),
    Setting("GIS_LAYERS", "layers", "layers", msg("图层目录所在的文件夹。"), _folder),
    Setting("GIS_VAR", "var", "var", msg("运行数据所在的文件夹（自带数据库、密钥、示例账号）。"), _folder),
    Setting(
        "GIS_SECRET_KEY",
        "given_secret_key",
        "",
        msg("会话签名密钥（至少 32 个字符）。不填则首次启动时生成并存入 var/secret_key。"),
        _secret,
    ),
    Setting(
        "GIS_HTTPS",
        "https",
        "no",
        msg("用户是否经 HTTPS 访问（yes 或 no）；yes 时会话 Cookie 只经加密连接发送。"),
        _yes_or_no,
    ),
    Setting(
        "GIS_PROXIES",
        "proxies",
        "0",
        msg("前面有几层受信任的反向代理（决定从 X-Forwarded-For 取哪一个客户端地址）。"),
        _count,
    ),
)
"""The table of settings. README's table is held against it by a test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The choices of one deployment.

    ``database_url`` is None when the private server under ``var`` is to be used; sizes are in bytes where the
    name says nothing else.
    """

    root: Path
    var: Path
    layers: Path
    database_url: str | None
    host: str
    port: int
    profile: str
    profile_overrides: Path | None
    items: Path | None
    timezone: ZoneInfo
    language: str
    max_upload_mb: int
    photo_mb: int
    photos: int
    duplicate_m: int
    duplicate_hours: int
    warning_pct: int
    escalation_hours: int
    complaint_phone: str | None
    base_map: str | None
    base_map_labels: str | None
    base_map_key: str | None
    base_map_datum: str
    base_map_matrix: str
    base_map_levels: tuple[int, int] | None
    base_map_tone: str | None
    base_map_attribution: str | None
    base_map_cache_mb: int
    base_map_days: int
    given_secret_key: str | None
    https: bool
    proxies: int

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], root: Path = PROJECT_FOLDER) -> "Settings":
        """Read ``GIS_…`` from ``environ``; UnusableInput names an unknown variable or a bad value.

        An empty value counts as not given. Folders are relative to the working directory when given and to
        ``root`` by default.
        """
        known = {setting.variable for setting in SETTINGS}
        for name in sorted(environ):
            if name.startswith("GIS_") and name not in known:
                raise UnusableInput(
                    msg(
                        "环境变量 {name} 不是本系统的设置，请改正或去掉；可用的设置有：{known}。",
                        name=name,
                        known=" ".join(sorted(known)),
                    ),
                    field=name,
                )
        values: dict[str, Any] = {}
        for setting in SETTINGS:
            given = environ.get(setting.variable, "").strip()
            try:
                if given:
                    values[setting.attribute] = setting.parse(given)
                elif setting.parse is _folder:
                    values[setting.attribute] = root / setting.default
                else:
                    values[setting.attribute] = setting.parse(setting.default) if setting.default else None
            except ValueError:
                # The value of a secret or of a URL with a password is not repeated.
                raise UnusableInput(
                    msg(
                        "环境变量 {name} 的值不可用。它的含义：{meaning}",
                        name=setting.variable,
                        meaning=setting.meaning,
                    ),
                    field=setting.variable,
                    expected=setting.meaning,
                ) from None
        return cls(root=root, **values)

    @property
    def max_upload_bytes(self) -> int:
        """The upload limit in bytes."""
        return self.max_upload_mb * 1024 * 1024

    def secret_key(self) -> str:
        """The key that signs sessions: the given one, or the one kept in ``var/secret_key`` (made once, 0600)."""
        if self.given_secret_key:
            return self.given_secret_key
        path = self.var / "secret_key"
        try:
            self.var.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                _write_once(path, secrets.token_urlsafe(48))
            key = path.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UnusableInput(
                msg("密钥文件 {path} 不能读写（{reason}），请检查权限。", path=str(path), reason=str(error))
            ) from error
        if len(key) < 32:
            raise UnusableInput(
                msg("密钥文件 {path} 不足 32 个字符，请删除它，下次启动会重新生成。", path=str(path))
            )
        return key


def _write_once(path: Path, text: str) -> None:
    """Create ``path`` whole with mode 0600; whoever comes second leaves the first one's file alone."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # link, unlike rename, refuses to replace: of two first starts at once, one key wins for both
            path.hardlink_to(draft)
        except FileExistsError:
            return
    finally:
        draft.unlink()
