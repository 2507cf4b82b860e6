"""The systemd units: systemd takes them, and what they start is a command of ours."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from gis_server.cli import main

SCRIPTS = Path(__file__).parents[1] / "scripts"
UNITS = sorted(SCRIPTS.rglob("*.service"))


def test_there_is_one_for_the_server_and_one_for_a_screen() -> None:
    assert [unit.name for unit in UNITS] == ["gis-server-wall.service", "gis-server.service"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_has_nothing_to_say_against_it(unit: Path, tmp_path: Path) -> None:
    # with a program that is here: the units name places of another machine
    here = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text("utf-8"), flags=re.MULTILINE)
    copy = tmp_path / unit.name
    copy.write_text(here, "utf-8")
    whose = "--user" if "%h" in unit.read_text("utf-8") else "--system"
    told = subprocess.run(
        ["systemd-analyze", whose, "verify", copy],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    # of other units of the machine it may have something to say
    assert [line for line in told.stderr.splitlines() if unit.name in line] == []


def test_the_server_is_started_by_a_command_that_exists() -> None:
    unit = (SCRIPTS / "server" / "gis-server.service").read_text("utf-8")
    started = re.search(r"^ExecStart=\S+/gis-server (\w+) (.*)$", unit, re.MULTILINE)
    assert started is not None
    command = main.get_command(click.Context(main), started[1])
    assert command is not None
    assert set(started[2].split()) <= {option for one in command.params for option in one.opts}
