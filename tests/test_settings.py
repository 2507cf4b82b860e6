"""Settings: every variable, every bad value, and the key that is made once."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gis_server.core.errors import UnusableInput
from gis_server.settings import PROJECT_FOLDER, SETTINGS, Settings


def test_defaults_stand_in_the_project_folder() -> None:
    settings = Settings.from_environment({"PATH": "/bin"})
    assert settings.root == PROJECT_FOLDER
    assert settings.layers == PROJECT_FOLDER / "layers"
    assert settings.var == PROJECT_FOLDER / "var"
    assert (settings.host, settings.port, settings.language) == ("127.0.0.1", 8500, "zh")
    assert settings.database_url is None
    assert str(settings.timezone) == "Asia/Shanghai"
    assert not settings.https


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_database_urls_of_all_spellings_reach_one_driver(scheme: str) -> None:
    settings = Settings.from_environment({"GIS_DATABASE_URL": f"{scheme}://u:p@db/gis?sslmode=require"})
    assert settings.database_url == "postgresql+psycopg://u:p@db/gis?sslmode=require"


def test_an_empty_value_counts_as_not_given() -> None:
    assert Settings.from_environment({"GIS_PORT": " ", "GIS_DATABASE_URL": ""}).port == 8500


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GIS_PORT", "0"),
        ("GIS_PORT", "65536"),
        ("GIS_PORT", "http"),
        ("GIS_HOST", "http://example.org"),
        ("GIS_DATABASE_URL", "mysql://u:geheim@h/db"),
        ("GIS_DATABASE_URL", "gis"),
        ("GIS_TIMEZONE", "Asia/Nowhere"),
        ("GIS_TIMEZONE", "../etc/passwd"),
        ("GIS_TIMEZONE", "Asia"),
        ("GIS_LANGUAGE", "fr"),
        ("GIS_MAX_UPLOAD_MB", "-1"),
        ("GIS_HTTPS", "maybe"),
        ("GIS_PROXIES", "-1"),
        ("GIS_SECRET_KEY", "short"),
    ],
)
def test_a_bad_value_is_refused_by_name_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(UnusableInput) as caught:
        Settings.from_environment({name: value})
    assert caught.value.field == name
    assert name in str(caught.value)
    if name in ("GIS_DATABASE_URL", "GIS_SECRET_KEY"):
        assert "geheim" not in str(caught.value)
        assert "short" not in str(caught.value)


def test_an_unknown_variable_is_refused_and_the_known_ones_are_listed() -> None:
    with pytest.raises(UnusableInput, match=r"GIS_PROT .*GIS_PORT"):
        Settings.from_environment({"GIS_PROT": "80"})


def test_every_attribute_comes_from_the_table() -> None:
    named = {setting.attribute for setting in SETTINGS} | {"root"}
    assert named == set(Settings.__dataclass_fields__)


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    settings = Settings.from_environment({"GIS_VAR": str(tmp_path / "var")})
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: settings.secret_key(), range(32)))
    assert len(keys) == 1
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600
    assert [p.name for p in (tmp_path / "var").iterdir()] == ["secret_key"]
    assert settings.secret_key() in keys


def test_a_given_secret_key_leaves_no_file(tmp_path: Path) -> None:
    key = "k" * 40
    settings = Settings.from_environment({"GIS_VAR": str(tmp_path / "var"), "GIS_SECRET_KEY": key})
    assert settings.secret_key() == key
    assert not (tmp_path / "var").exists()


def test_a_damaged_key_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("x\n")
    with pytest.raises(UnusableInput, match="secret_key"):
        Settings.from_environment({"GIS_VAR": str(tmp_path)}).secret_key()
