"""A real worker in a process of its own, on the test database and the test queue."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection

from config.celery import app

WORKER = """
import os, sys
from config.celery import app
app.conf.broker_transport_options = {**app.conf.broker_transport_options, "global_keyprefix": sys.argv[1]}
app.worker_main(["worker", "--concurrency=1", "--loglevel=WARNING", "--without-mingle", "--without-gossip"])
"""


def start_worker() -> subprocess.Popen[bytes]:
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}?host={database['HOST']}"
    if database["PORT"]:
        url += f"&port={database['PORT']}"
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WORKER, app.conf.broker_transport_options["global_keyprefix"]],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL, "PYTHONPATH": str(Path.cwd())},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(worker: subprocess.Popen[bytes]) -> None:
    """At once, with its children; nothing where it is gone already."""
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.02)
