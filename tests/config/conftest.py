"""Homes of their own for tests that start, kill and restart real servers."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.hosting.home import CHECKOUT

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def home_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A new home that is also this process's; not below pytest's own folder, which is closed to the servers' user."""
    with tempfile.TemporaryDirectory(prefix="perennial-test-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setenv("PERENNIAL_HOME", f"{folder}/home")
        monkeypatch.delenv("DATABASE_URL", raising=False)
        monkeypatch.delenv("REDIS_URL", raising=False)
        yield Path(folder) / "home"
        wait_until(lambda: not processes_of(folder))


@pytest.fixture
def start_python() -> Iterator[Start]:
    """Start Python with arguments and pipes; what is still there after the test is killed hard."""
    started = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=CHECKOUT,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def wait_until(condition: Callable[[], object], *, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def processes_of(home: Path | str) -> dict[int, str]:
    """Every living process, beside this one, that names `home` in its command line or environment."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if command and int(folder.name) != os.getpid() and str(home).encode() in command + environment:
            found[int(folder.name)] = command.replace(b"\0", b" ").decode()
    return found
