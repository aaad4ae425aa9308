"""One process that keeps a whole installation running: `make run`, or `python -m config.supervisor`.

It starts the embedded servers (unless `DATABASE_URL` and `REDIS_URL` name others), brings the database up to date,
then starts the web server, the Celery worker and beat, and starts again what dies. Ctrl-C or SIGTERM stops all of it in
order; a hard kill of this process takes its children along.
"""

import errno
import http.client
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from config import embedded, env
from config.hosting.home import CHECKOUT
from config.hosting.prepare import is_prepared
from config.hosting.processes import die_with_parent, kill_session, start_child

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
# A child that lived this long failed by accident, not by its configuration: its pauses start anew.
STEADY_SECONDS = 60.0
WEB_PATIENCE = 90.0
VENV_PYTHON = ".venv/bin/python"  # as the Makefile makes it
# Celery's warning is about pickled messages, which it is not set to accept here.
CELERY_AS_ROOT = "ignore:You're running the worker with superuser privileges"
# What a job over the whole book has let go of goes back to the machine: by itself glibc learns from the first large
# array to keep those that follow. Names of its own; elsewhere they mean nothing.
RETURN_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(4 << 20), "MALLOC_TRIM_THRESHOLD_": str(64 << 20)}


@dataclass
class Child:
    """One of the processes kept running: how to launch and to stop it, and its present process."""

    name: str
    launch: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes]
    stop_steps: tuple[tuple[signal.Signals, float], ...] = ()
    started_at: float = 0.0
    next_start_at: float | None = None
    pause: float = FIRST_PAUSE
    partial_line: bytes = b""


class Supervisor:
    """Passes on what its children write, line by line, and starts again those that die."""

    def __init__(self, own_servers: list[embedded.OwnServer]) -> None:
        self.children = [Child(own.server.NAME, own.start_again, own.process) for own in own_servers]
        self.selector = selectors.DefaultSelector()

    def start(
        self,
        name: str,
        module: list[str],
        *,
        death_signal: signal.Signals = signal.SIGTERM,
        stop_steps: tuple[tuple[signal.Signals, float], ...],
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Child:
        """Start `python -m module...` and keep it running."""

        def launch() -> subprocess.Popen[bytes]:
            return start_child(
                [sys.executable, "-W", CELERY_AS_ROOT, "-m", *module],
                death_signal=death_signal,
                folder=CHECKOUT,
                environment={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                output=subprocess.PIPE,
            )

        child = Child(name, launch, launch(), stop_steps, time.monotonic())
        self.children.append(child)
        self._listen_to(child)
        return child

    def turn(self, seconds: float = 0.25) -> None:
        """Wait up to `seconds` for something to pass on, then look after the children that died."""
        self._pass_on(seconds)
        for child in self.children:
            if child.process.poll() is not None:
                self._start_again(child)

    def stop(self) -> None:
        """Stop the services in the order in which they were started; the servers belong to `embedded.running`."""
        for child in self.children:
            for number, patience in child.stop_steps:
                until = time.monotonic() + patience
                if child.process.poll() is None:
                    child.process.send_signal(number)
                while child.process.poll() is None and time.monotonic() < until:
                    self._pass_on(0.05)
            if child.stop_steps:
                kill_session(child.process)
                self._pass_on(0)

    def _start_again(self, child: Child) -> None:
        now = time.monotonic()
        if child.next_start_at is None:
            if now - child.started_at > STEADY_SECONDS:
                child.pause = FIRST_PAUSE
            say(f"{child.name} ended with code {child.process.returncode}; it starts again in {child.pause:g} s.")
            kill_session(child.process)
            child.next_start_at = now + child.pause
            child.pause = min(2 * child.pause, LONGEST_PAUSE)
        if now >= child.next_start_at:
            child.next_start_at, child.started_at = None, now
            child.process = child.launch()
            self._listen_to(child)

    def _listen_to(self, child: Child) -> None:
        if child.process.stdout:
            os.set_blocking(child.process.stdout.fileno(), False)
            self.selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _pass_on(self, seconds: float) -> None:
        for key, _ in self.selector.select(seconds):
            child = key.data
            text = os.read(key.fd, 65536)
            *lines, child.partial_line = (child.partial_line + text).split(b"\n")
            if not text:  # the end of the pipe
                self.selector.unregister(key.fileobj)
                lines, child.partial_line = [child.partial_line], b""
            for line in lines:
                if line.strip():
                    say(f"{child.name:<6} | {line.decode(errors='replace').rstrip()}")


def run(host: str, port: int) -> None:
    """Run the installation until somebody stops it."""
    if not env.text("SECRET_KEY"):
        embedded.secret_key()  # told of here, if it is damaged, and not by each child
    with embedded.running(must_own=True) as own_servers:
        supervisor = Supervisor(own_servers)
        try:
            if not is_prepared():
                _prepare(supervisor)
            _start_web(supervisor, host, port)
            _wait_for_web(supervisor, host, port)
            _start_celery(supervisor)
            say(welcome(host, port))
            while True:
                supervisor.turn()
        except KeyboardInterrupt:
            say("Stopping.")
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not cut an orderly stop short
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            supervisor.stop()
    say("Stopped.")


def _prepare(supervisor: Supervisor) -> None:
    """In a child, so that neither Django nor pandas stays in the supervisor's memory."""
    say("Preparing the database (the first start also builds a demo company)...")
    command = [sys.executable, "-m", "config.hosting.prepare"]
    process = start_child(command, death_signal=signal.SIGTERM, folder=CHECKOUT)
    try:
        if process.wait():
            raise SystemExit("Perennial: the database could not be prepared; the lines above say why.")
    finally:
        kill_session(process)


def _start_web(supervisor: Supervisor, host: str, port: int) -> None:
    web = ["granian", "--interface", "wsgi", "--host", host, "--port", str(port), "--no-ws", "--log-level", "warning"]
    web += ["--workers", str(env.number("WEB_WORKERS", 2)), "--blocking-threads", str(env.number("WEB_THREADS", 4))]
    web += ["--respawn-failed-workers", "--workers-kill-timeout", "8", "config.hosting.web:application"]
    supervisor.start("web", web, stop_steps=((signal.SIGTERM, 12.0),))


def _start_celery(supervisor: Supervisor) -> None:
    celery = ["celery", "-A", "config", "--quiet"]
    beat = [*celery, "beat", "--loglevel", "WARNING"]
    supervisor.start("beat", beat, stop_steps=((signal.SIGTERM, 5.0),))
    worker = [*celery, "worker", "--concurrency", str(env.number("WORKER_PROCESSES", 2)), "--loglevel", "WARNING"]
    supervisor.start(
        "worker",
        [*worker, "--without-gossip", "--without-mingle", "--without-heartbeat"],
        # SIGTERM lets a task finish. SIGQUIT does not: the task is delivered again when a worker is back.
        death_signal=signal.SIGQUIT,
        stop_steps=((signal.SIGTERM, 10.0), (signal.SIGQUIT, 5.0)),
        environment=RETURN_MEMORY,
    )


def _wait_for_web(supervisor: Supervisor, host: str, port: int) -> None:
    until = time.monotonic() + WEB_PATIENCE
    while not _answers(host, port):
        supervisor.turn(0.05)
        if time.monotonic() > until:
            say(f"The web server has not answered for {WEB_PATIENCE:.0f} s; the lines above say why. Still trying.")
            return


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _reachable(host: str) -> str:
    """The address on which this machine itself reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)


def welcome(host: str, port: int) -> str:
    """Where the site is, and a sign-in for each role of the demo company if there is one."""
    shown = _reachable(host)
    lines = ["", f"Perennial is ready:  http://{f'[{shown}]' if ':' in shown else shown}:{port}/", ""]
    sign_in_file = embedded.home() / "demo-sign-in.json"
    if sign_in_file.exists():
        lines += [*_sign_ins(sign_in_file), ""]
    else:
        lines += [f"The first admin of an empty book: {VENV_PYTHON} manage.py createsuperuser", ""]
    return "\n".join([*lines, "Ctrl-C stops everything.", ""])


def _sign_ins(file: Path) -> list[str]:
    try:
        entries = json.loads(file.read_text())
        listed = [f"  {entry['role']:<8} {entry['email']:<32} {entry['password']}" for entry in entries]
    except (OSError, ValueError, LookupError, TypeError):  # nothing to stop a whole installation for
        return [
            f"The demo company's sign-ins cannot be read from {file}.",
            f"A new password for one of them: {VENV_PYTHON} manage.py changepassword admin@demo.example",
        ]
    return ["Sign in to the demo company as", *listed]


def check_port(host: str, port: int) -> None:
    """Exit with advice when something else listens there already, before anything is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            reason = "is in use by another program" if in_use else f"cannot be used ({error})"
            raise SystemExit(
                f"Perennial: port {port} on {host} {reason}. Choose another one, for instance: PORT={port % 60000 + 1} "
                "make run"
            ) from error


def say(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone; that is no reason to fail
        print(text, flush=True)


def main() -> None:
    host, port = env.text("HOST", "127.0.0.1"), env.number("PORT", 8000)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # raises KeyboardInterrupt
    if os.environ.get(
        "MAKELEVEL"
    ):  # started by make: when make is killed hard, nobody could stop us by Ctrl-C any more
        die_with_parent(signal.SIGTERM, parent_id=os.getppid())
    try:
        check_port(host, port)
        run(host, port)
    except KeyboardInterrupt:
        say("Stopped.")
    except embedded.EmbeddedServerError as error:
        raise SystemExit(f"Perennial: {error}") from error


if __name__ == "__main__":
    main()
