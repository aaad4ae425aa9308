import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from config import embedded
from config.supervisor import welcome
from tests.config.conftest import Start, processes_of, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """What the process says up to and with the line that holds `text`."""
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if text in line:
            return said
    raise AssertionError(f"{text!r} was never said, but:\n{said}")


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().read() == b"ok"
    except OSError:
        return False
    finally:
        connection.close()


def children_of(home: Path, pattern: str) -> list[int]:
    return [number for number, command in processes_of(home).items() if re.search(pattern, command)]


def test_whole_life_start_restart_of_a_dead_child_hard_kill_second_start_and_orderly_stop(
    home_folder: Path, port: int, start_python: Start
) -> None:
    settings = {"PORT": str(port), "DEMO": "no"}
    first = start_python("-m", "config.supervisor", **settings)
    said = read_until(first, "Ctrl-C stops everything")
    assert "Preparing the database" in said
    assert f"Perennial is ready:  http://127.0.0.1:{port}/" in said
    assert answers(port)
    with closing(psycopg2.connect(embedded.database_url())) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 42 AS number")
        cursor.execute("SELECT count(*) > 0 FROM django_migrations")
        assert cursor.fetchone() == (True,)
    wait_until(lambda: len(children_of(home_folder, "celery .* worker")) == 3)  # the worker and its two pool processes

    for number in children_of(home_folder, "granian|celery"):
        os.kill(number, signal.SIGKILL)
    os.kill(children_of(home_folder, "valkey-server")[0], signal.SIGKILL)
    said = "".join(read_until(first, " ended with code") for _ in range(4))
    assert sorted(re.findall("(\\w+) ended with code -9", said)) == ["Valkey", "beat", "web", "worker"]
    wait_until(lambda: answers(port))
    wait_until(lambda: len(children_of(home_folder, "celery .* worker")) == 3)

    first.kill()
    wait_until(lambda: processes_of(home_folder) == {})

    second = start_python("-m", "config.supervisor", **settings)
    assert "Preparing" not in read_until(second, "Ctrl-C stops everything")
    assert answers(port)
    with closing(psycopg2.connect(embedded.database_url())) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT number FROM kept")
        assert cursor.fetchone() == (42,)

    second.terminate()

    assert "Stopping." in read_until(second, "Stopped.")
    assert second.wait(20) == 0
    assert processes_of(home_folder) == {}


def test_taken_port_is_told_before_anything_starts(home_folder: Path, taken_port: int, start_python: Start) -> None:
    process = start_python("-m", "config.supervisor", PORT=str(taken_port))
    said, _ = process.communicate()
    assert process.returncode == 1
    assert said == (
        f"Perennial: port {taken_port} on 127.0.0.1 is in use by another program. "
        f"Choose another one, for instance: PORT={taken_port % 60000 + 1} make run\n"
    )
    assert not home_folder.exists()


@pytest.mark.parametrize(("port_text", "message"), [("web", "PORT must be a whole number, not 'web'."), ("99999", "")])
def test_impossible_port_is_told(home_folder: Path, start_python: Start, port_text: str, message: str) -> None:
    said, _ = start_python("-m", "config.supervisor", PORT=port_text).communicate()
    assert said.startswith(message or "Perennial: port 99999 on 127.0.0.1 cannot be used")
    assert "Traceback" not in said


def test_welcome_shows_address_and_one_sign_in_per_role(home_folder: Path) -> None:
    (embedded.home() / "demo-sign-in.json").write_text(
        '[{"role": "admin", "email": "ada@example.com", "password": "p1"},'
        ' {"role": "viewer", "email": "vic@example.com", "password": "p2"}]'
    )
    assert welcome("0.0.0.0", 8080).splitlines() == [
        "",
        "Perennial is ready:  http://127.0.0.1:8080/",
        "",
        "Sign in to the demo company as",
        "  admin    ada@example.com                  p1",
        "  viewer   vic@example.com                  p2",
        "",
        "Ctrl-C stops everything.",
    ]


def test_welcome_says_how_the_first_admin_is_made(home_folder: Path) -> None:
    assert welcome("127.0.0.1", 8080).splitlines()[3] == (
        "The first admin of an empty book: .venv/bin/python manage.py createsuperuser"
    )


@pytest.mark.parametrize("content", [b"", b'[{"role": "adm', b"\xff", b"7", b'[{"role": "admin"}]'])
def test_sign_ins_torn_by_a_power_cut_keep_nothing_from_starting(home_folder: Path, content: bytes) -> None:
    file = embedded.home() / "demo-sign-in.json"
    file.write_bytes(content)
    assert welcome("127.0.0.1", 8080).splitlines()[3:5] == [
        f"The demo company's sign-ins cannot be read from {file}.",
        "A new password for one of them: .venv/bin/python manage.py changepassword admin@demo.example",
    ]


@pytest.mark.parametrize(
    ("variable", "url", "said"),
    [
        ("DATABASE_URL", "mysql://x/y", "DATABASE_URL must start with postgresql://, not mysql://."),
        ("DATABASE_URL", "postgresql://u:p@127.0.0.1:1/x", "The database cannot be used: connection to server at"),
        ("REDIS_URL", "http://x", "REDIS_URL must start with redis://, rediss:// or unix://, not http://."),
    ],
)
def test_address_that_cannot_be_used_is_told_without_a_traceback(
    home_folder: Path, port: int, start_python: Start, variable: str, url: str, said: str
) -> None:
    heard, _ = start_python("-m", "config.supervisor", PORT=str(port), **{variable: url}).communicate()
    assert said in heard
    assert "the database could not be prepared; the lines above say why" in heard
    assert "Traceback" not in heard


def test_home_that_cannot_be_made_is_told(port: int, start_python: Start) -> None:
    said, _ = start_python("-m", "config.supervisor", PORT=str(port), PERENNIAL_HOME="/proc/perennial").communicate()
    assert said.startswith("Perennial: /proc/perennial cannot be used: ")
    assert "Traceback" not in said
