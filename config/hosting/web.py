"""What the web server's worker processes load: the site, in a process that ends with the server's main process."""

import multiprocessing
import signal

from config.hosting.processes import die_with_parent
from config.wsgi import application

__all__ = ["application"]

# The main process outlives its workers in every orderly stop; this is for the one that is killed hard.
parent = multiprocessing.parent_process()
if parent is not None and parent.pid is not None:
    die_with_parent(signal.SIGKILL, parent_id=parent.pid)
