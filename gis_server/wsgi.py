"""The application of one worker process of the HTTP server; where the doors' settings meet the views."""

import ctypes
import multiprocessing
import os
import signal

from flask import Flask

from gis_server.settings import Settings
from gis_server.views import create_app

PR_SET_PDEATHSIG = 1


def worker() -> Flask:
    """The Flask application for a worker that must not outlive the program that started it."""
    _die_with_the_parent()
    return create_app(Settings.from_environment(os.environ))


def _die_with_the_parent() -> None:
    """Let the kernel end this process when its parent is killed; it would go on holding the port."""
    parent = multiprocessing.parent_process()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # it may have died before the kernel was asked
    if parent is not None and os.getppid() != parent.pid:
        os.kill(os.getpid(), signal.SIGKILL)
