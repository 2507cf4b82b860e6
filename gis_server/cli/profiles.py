"""The rules of the jurisdictions: ``profile list`` and ``profile show``."""

import json
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gis_server.cli import language, translate
from gis_server.core.message import Words, msg
from gis_server.core.parameter import Origin, Parameter, in_words
from gis_server.core.profile import Profile, as_json
from gis_server.journeys.profiles import all_profiles, one_profile
from gis_server.settings import Settings

_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help=str(msg("输出格式：text 或 json。")),
)


@click.group(help=str(msg("各地标准的规则与数值。")))
def profile() -> None:
    """Commands on the jurisdiction profiles."""


@profile.command("list", help=str(msg("列出各地标准。")))
@_FORMAT
def list_(form: str) -> None:
    """The keys, states and titles of all profiles."""
    profiles = all_profiles()
    if form == "json":
        _print_json([as_json(each) for each in profiles], ("profile", "title"))
        return
    _print_table(
        [
            (
                each.key,
                _said(each.identity.source_status.value.words),
                _said(in_words(each.identity.effective_from.value)),
                _said(each.title),
            )
            for each in profiles
        ]
    )


@profile.command("show", help=str(msg("列出一地标准的全部参数、数值和条款。")))
@click.argument("key")
@click.option(
    "--overrides",
    type=click.Path(path_type=Path),
    help=str(msg("本地设定文件（TOML），只能填补文件未规定的内容。")),
)
@_FORMAT
def show(key: str, overrides: Path | None, form: str) -> None:
    """Every parameter of a profile with its value and its ground; of the deployment's own one with the deployment's values."""
    settings = Settings.from_environment(os.environ)
    if overrides is None and key == settings.profile:
        overrides = settings.profile_overrides
    chosen = one_profile(key, overrides)
    if form == "json":
        click.echo(json.dumps(as_json(chosen), ensure_ascii=False, indent=1))
        return
    click.echo(f"{chosen.key}  {_said(chosen.title)}")
    _print_groups(chosen)


def _said(words: Words) -> str:
    return words.en if language() == "en" else words.zh


def _print_json(rows: list[dict[str, object]], keys: Sequence[str]) -> None:
    click.echo(json.dumps([{key: row[key] for key in keys} for row in rows], ensure_ascii=False, indent=1))


def _print_groups(chosen: Profile) -> None:
    for _, title, members in chosen.groups():
        click.echo(f"\n{_said(title)}")
        _print_table(
            [(each.name, _said(each.title), _value(each), _ground(each)) for each in members], indent="  "
        )


def _value(parameter: Parameter[Any]) -> str:
    value = _said(in_words(parameter.value))
    if parameter.value is not None and parameter.unit is not None:
        value = f"{value} {_said(parameter.unit)}"
    if parameter.otherwise is not None:
        value = f"{value}; {_said(in_words(parameter.otherwise))}"
    return value


def _ground(parameter: Parameter[Any]) -> str:
    """Clause and force, or the mark that the document is silent; then what else is to be known."""
    words = translate()
    parts = [parameter.clause] if parameter.clause else []
    if parameter.origin is not Origin.DOCUMENT:
        parts.append(_said(parameter.origin.words))
    if parameter.force is not None:
        parts.append(_said(parameter.force.words))
    if parameter.inferred:
        parts.append(msg("推断").render(words))
    if not parameter.stated and parameter.origin is Origin.DOCUMENT:
        parts.append(msg("未给出数值").render(words))
    if parameter.basis:
        parts.append(parameter.basis)
    if parameter.note is not None:
        parts.append(_said(parameter.note))
    return "  ".join(parts)


def _print_table(rows: Sequence[Sequence[str]], indent: str = "") -> None:
    """Columns aligned by what a terminal shows: a Chinese character is two cells wide."""
    widths = [max(map(_cells, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        *cells, last = row
        padded = [cell + " " * (width - _cells(cell)) for cell, width in zip(cells, widths, strict=False)]
        click.echo(indent + "  ".join([*padded, last]).rstrip())


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
