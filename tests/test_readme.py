"""What the README claims: settings, commands, files and the example layer."""

import re
import tomllib
from pathlib import Path

import click
import pytest

from gis_server.cli import COMMANDS, main
from gis_server.core.catalogue import parse_layer
from gis_server.i18n import translator
from gis_server.settings import SETTINGS

ROOT = Path(__file__).parent.parent
READMES = {"en": ROOT / "README.md", "zh": ROOT / "README.zh-CN.md"}
LANGUAGES = pytest.mark.parametrize("language", READMES)


def settings_table(language: str) -> str:
    """The table of settings as the README of ``language`` must have it."""
    translate = translator(language)
    rows = [
        f"| `{setting.variable}` | {f'`{setting.default}`' if setting.default else ''} "
        f"| {setting.meaning.render(translate)} |"
        for setting in SETTINGS
    ]
    head = "| variable | default | meaning |" if language == "en" else "| 变量 | 默认 | 含义 |"
    return "\n".join([head, "|---|---|---|", *rows])


@LANGUAGES
def test_the_table_of_settings_is_the_programs_own(language: str) -> None:
    text = READMES[language].read_text(encoding="utf-8")
    assert settings_table(language) in text


@LANGUAGES
def test_every_command_in_it_exists_with_its_options(language: str) -> None:
    text = READMES[language].read_text(encoding="utf-8")
    calls = re.findall(r"gis-server ([a-z]+)([^\n`]*)", text)
    assert {name for name, _ in calls} <= set(COMMANDS) | {"is"}
    context = click.Context(main)
    for name, rest in calls:
        command = main.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            for sub in re.match(r"\s*([a-z|-]*)", rest).group(1).split("|"):  # type: ignore[union-attr]
                assert not sub or sub in command.commands, f"{name} {sub}"
            continue
        known = {option for parameter in command.params for option in parameter.opts}
        given = set(re.findall(r"(?<![\w-])(--?[a-z][\w-]*)", rest.split("#")[0]))
        assert given <= known, f"{name}: {given - known}"


@LANGUAGES
def test_every_file_it_names_is_there(language: str) -> None:
    text = READMES[language].read_text(encoding="utf-8")
    named = re.findall(r"\]\(([^)#]+)\)", text) + re.findall(r"sample_shapefiles/[\w/.]+\w", text)
    missing = [name for name in named if "://" not in name and not (ROOT / name).exists()]
    assert not missing


@LANGUAGES
def test_every_make_target_exists(language: str) -> None:
    text = READMES[language].read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)) <= targets


@LANGUAGES
def test_the_example_layer_is_a_layer(language: str) -> None:
    text = READMES[language].read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert example is not None
    assert parse_layer(tomllib.loads(example.group(1)), "hydrant.toml").name == "hydrant"
