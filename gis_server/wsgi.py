"""The application of one worker process of the HTTP server; where the doors' settings meet the views."""

import atexit
import ctypes
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable
from threading import Thread

from flask import Flask

from gis_server.settings import Settings
from gis_server.views import create_app, stop_streams
from gis_server.views.ready import make_ready

PR_SET_PDEATHSIG = 1


def worker() -> Flask:
    """The Flask application for a worker that must not outlive the program that started it."""
    _die_with_the_parent()
    atexit.register(_leave)  # the first to be registered is the last to be called
    app = create_app(Settings.from_environment(os.environ))
    _when_told_to_stop(lambda: stop_streams(app))
    make_ready(app)
    return app


def _leave() -> None:
    """End here: all is done, and to take the interpreter apart object by object would take seconds on a busy machine."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)


def _when_told_to_stop(act: Callable[[], None]) -> None:
    """Act on the first signal: the server waits for its answers to end, and an open stream never ends by itself.

    The signal's handler is the server's own; this hears of it beside that.
    """
    heard, told = socket.socketpair()
    told.setblocking(False)
    signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)

    def wait() -> None:
        with told:  # open for as long as signals may come
            heard.recv(1)
            act()
            heard.recv(1)

    Thread(target=wait, name="stopping", daemon=True).start()


def _die_with_the_parent() -> None:
    """Let the kernel end this process when its parent is killed; it would go on holding the port."""
    parent = multiprocessing.parent_process()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # it may have died before the kernel was asked
    if parent is not None and os.getppid() != parent.pid:
        os.kill(os.getpid(), signal.SIGKILL)
