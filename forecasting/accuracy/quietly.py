"""Long work that nobody waits for, at a lower priority than what people do meanwhile."""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

NICENESS = 10


def run_quietly(work: Callable[[], None]) -> None:
    """Do the work and return when it is done; what it raises is raised.

    A process that has stepped back may not step forward again, but on Linux each thread has a priority of its own: the
    work has a thread, which ends with it. Elsewhere it runs as it is.
    """
    with ThreadPoolExecutor(max_workers=1, initializer=_step_back) as thread:
        thread.submit(_with_own_connections, work).result()


def _step_back() -> None:
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(os.nice(0) + NICENESS, 19))


def _with_own_connections(work: Callable[[], None]) -> None:
    try:
        work()
    finally:
        connections.close_all()
