"""PostgreSQL and Valkey for an installation that has none of its own.

`DATABASE_URL` and `REDIS_URL` switch them off, each for itself. Otherwise `running()` starts the real servers as
children of the process that comes first, with their data in the home (see `config.hosting.home`); processes that come
later attach to them. The servers end with the process that started them, even when that is killed hard, and what was
committed is there at the next start.
"""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import IO, Protocol

from config.hosting import postgres, valkey
from config.hosting.home import EmbeddedServerError, home, secret
from config.hosting.processes import stop_child

__all__ = [
    "EmbeddedServerError",
    "OwnServer",
    "broker_url",
    "database_url",
    "home",
    "redis_url",
    "running",
    "secret_key",
]


class Server(Protocol):
    """What `running()` asks of a server's module."""

    NAME: str
    STOP_SIGNAL: signal.Signals

    def start(self, log: Path) -> Popen[bytes]: ...

    def is_ready(self) -> bool: ...


@dataclass
class OwnServer:
    """A server that this process started and stops."""

    server: Server
    process: Popen[bytes]

    def start_again(self) -> Popen[bytes]:
        self.process = self.server.start(_log(self.server.NAME.lower()))
        return self.process


SERVERS: dict[str, Server] = {"DATABASE_URL": postgres, "REDIS_URL": valkey}
# Recovery after a crash may have to read gigabytes of log; a server that died is noticed at once all the same.
START_PATIENCE = 300.0
LOG_LIMIT = 10 * 1024 * 1024


def database_url() -> str:
    """Where the embedded PostgreSQL listens. Starts nothing; makes the home and the password when they are missing."""
    return postgres.url()


def redis_url() -> str:
    """Where the embedded Valkey listens, as redis-py reads it. Starts nothing."""
    return valkey.url()


def broker_url(url: str) -> str:
    """The same address as Celery reads it: kombu spells a unix socket `redis+socket://`."""
    return url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)


def secret_key() -> str:
    """The installation's own SECRET_KEY, generated once."""
    return secret("secret-key")


@contextmanager
def running(*, must_own: bool = False) -> Iterator[list[OwnServer]]:
    """Keep the servers that the environment does not name running while the block runs; yield those it started.

    The first process starts them, and at its end waits for those that attached before it stops them. A process that
    `must_own` them, as the supervisor does, waits for a short-lived owner instead of attaching to it, and does not
    wait at its end.

    Raises:
        EmbeddedServerError: a server does not start; the message says why and what to do.
    """
    with ExitStack() as stack:
        wanted = [server for variable, server in SERVERS.items() if not os.environ.get(variable, "").strip()]
        handles = [stack.enter_context(_serving(server, must_own=must_own)) for server in wanted]
        yield [handle for handle in handles if handle is not None]


@contextmanager
def _serving(server: Server, *, must_own: bool) -> Iterator[OwnServer | None]:
    name = server.NAME.lower()
    with open(home() / f"{name}.lock", "a+") as owner, open(home() / f"{name}.users.lock", "a+") as users:
        if not _own_or_attach(server, owner, users, must_own=must_own):
            yield None
            return
        own = OwnServer(server, server.start(_log(name)))
        try:
            _wait_until_ready(own, _log(name))
            yield own
        finally:
            if not must_own and not _try_lock(users, fcntl.LOCK_EX):
                _say(f"Another process still uses {server.NAME}: waiting for it to end. Ctrl-C stops waiting.")
                with suppress(KeyboardInterrupt):
                    fcntl.flock(users, fcntl.LOCK_EX)
            stop_child(own.process, (server.STOP_SIGNAL, 60.0))


def _own_or_attach(server: Server, owner: IO[str], users: IO[str], *, must_own: bool) -> bool:
    """True when this process has to start the server, False when another one runs it and it is ready."""
    until, said = time.monotonic() + START_PATIENCE, False
    while time.monotonic() < until:
        if _try_lock(owner, fcntl.LOCK_EX):
            owner.truncate(0)
            owner.write(str(os.getpid()))
            owner.flush()
            return True
        # An owner that is leaving holds this lock alone until its server has stopped; then we are the next owner.
        if not must_own and _try_lock(users, fcntl.LOCK_SH):
            if server.is_ready():
                return False
            fcntl.flock(users, fcntl.LOCK_UN)
        elif must_own and not said:
            said = True
            _say(f"Process {_owner_of(owner)} runs {server.NAME} for this installation: waiting for it to end.")
        time.sleep(0.05)
    raise EmbeddedServerError(
        f"Process {_owner_of(owner)} holds {owner.name} but {server.NAME} did not become free or ready within "
        f"{START_PATIENCE:.0f} s. End that process, or set PERENNIAL_HOME to another folder for a second installation."
    )


def _wait_until_ready(own: OwnServer, log: Path) -> None:
    until = time.monotonic() + START_PATIENCE
    while not own.server.is_ready():
        if own.process.poll() is not None or time.monotonic() > until:
            last = "\n  ".join(log.read_text(errors="replace").splitlines()[-8:])
            raise EmbeddedServerError(f"{own.server.NAME} did not start. The end of {log}:\n  {last}")
        time.sleep(0.02)


def _try_lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner_of(lock: IO[str]) -> str:
    lock.seek(0)
    return lock.read() or "(unknown)"


def _log(name: str) -> Path:
    """The server's log; the one before is kept when it has grown large."""
    log = home() / f"{name}.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    return log


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
