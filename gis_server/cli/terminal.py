"""What the command line says while it works: sentences and progress on stderr, results on stdout."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from gis_server.cli import translate
from gis_server.core.message import Message, msg

Progress = Callable[[int, int], None]
"""Called with what is done and the total (0 while the total is unknown)."""

REDRAW_SECONDS = 0.1


def say(message: Message) -> None:
    """One sentence on stderr."""
    click.echo(message.render(translate()), err=True)


@contextmanager
def step(title: Message) -> Iterator[Progress]:
    """Show that something is going on, how far it is, and how long it took.

    In a terminal one line is redrawn; in a log there is one line at the start and one at the end.
    """
    words = translate()
    name, start, lively = title.render(words), time.monotonic(), sys.stderr.isatty()
    last = 0.0
    click.echo(f"{name} …", err=True, nl=not lively)

    def show(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if not lively or now - last < REDRAW_SECONDS:
            return
        last = now
        share = f"{done * 100 // total}%" if total else f"{done}"
        click.echo(f"\r\x1b[K{name} … {share}", err=True, nl=False)

    try:
        yield show
    except BaseException:
        if lively:
            click.echo(err=True)
        raise
    took = msg("{title}：完成（{seconds} 秒）", title=title, seconds=f"{time.monotonic() - start:.1f}")
    click.echo(("\r\x1b[K" if lively else "") + took.render(words), err=True)
