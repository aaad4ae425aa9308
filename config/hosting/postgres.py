"""The embedded PostgreSQL: one cluster in the home, on a unix socket only, with a generated password."""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg2

from config.hosting.home import (
    Account,
    EmbeddedServerError,
    home,
    secret,
    server_account,
    server_folder,
    socket_folder,
    write_server_file,
)
from config.hosting.processes import end_leftover, start_child
from config.hosting.programs import POSTGRES_MAJOR, postgres_programs

NAME = "PostgreSQL"
PORT = 5432  # names the socket's file; no TCP port is opened
# SIGINT is PostgreSQL's fast shutdown: it ends sessions and writes a checkpoint. SIGTERM would wait for the clients.
STOP_SIGNAL = signal.SIGINT
MEGABYTE = 1024 * 1024
SETTINGS = """\
# Written at every start. Settings of your own belong in local.conf beside this file; they win.
listen_addresses = ''
port = {port}
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
max_connections = 60
shared_buffers = {shared_megabytes}MB
effective_cache_size = {cache_megabytes}MB
work_mem = 32MB
# Staged rows of an import are read some thirty times; only a session that has any takes this.
temp_buffers = 128MB
maintenance_work_mem = 256MB
# One server that nobody replicates from needs no more than this to survive a crash.
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
checkpoint_timeout = 15min
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
log_checkpoints = off
include_if_exists = 'local.conf'
"""
ACCESS = "local all all scram-sha-256\n"


def url() -> str:
    return f"postgresql://perennial:{secret('database-password')}@/perennial?host={quote(str(socket_folder()))}"


def data_folder() -> Path:
    return home() / "postgres"


def is_ready() -> bool:
    """Whether the server takes our sign-in; refuses to wait for what will not come by waiting."""
    try:
        psycopg2.connect(url(), connect_timeout=5).close()
    except psycopg2.OperationalError as error:
        reason = str(error)
        if "authentication failed" in reason or 'database "perennial" does not exist' in reason:
            raise EmbeddedServerError(
                f"The embedded PostgreSQL refuses the installation's own sign-in: {reason.strip()} "
                f"{home() / 'database-password'} does not belong to {data_folder()}: restore both from one backup."
            ) from error
        return False
    return True


def start(log: Path) -> subprocess.Popen[bytes]:
    account = server_account()
    programs = postgres_programs(account)
    data = data_folder()
    if not data.exists():
        _create_cluster(data, programs, account)
    _check_version(data)
    _clear_leftovers(data)
    write_server_file(data / "postgresql.conf", _settings(), account)
    write_server_file(data / "pg_hba.conf", ACCESS, account)
    with log.open("ab") as output:
        return start_child(
            [programs / "postgres", "-D", data], death_signal=STOP_SIGNAL, account=account, folder=data, output=output
        )


def _create_cluster(data: Path, programs: Path, account: Account | None) -> None:
    """Made beside its place and renamed into it, so that a start that is killed leaves no half-made cluster."""
    draft = data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    server_folder(draft, account)
    options = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    _run([programs / "initdb", "-D", draft, "-U", "perennial", "--auth=trust", "--no-instructions", *options], account)
    # Single-user mode reads one statement per line, and no file or command line ever holds the password.
    statements = f"ALTER ROLE perennial PASSWORD '{secret('database-password')}'\nCREATE DATABASE perennial\n"
    _run([programs / "postgres", "--single", "-D", draft, "postgres"], account, statements)
    draft.rename(data)


def _run(command: list[str | Path], account: Account | None, statements: str = "") -> None:
    process = start_child(
        command,
        death_signal=signal.SIGKILL,
        account=account,
        folder=Path("/"),
        stdin=subprocess.PIPE,
        output=subprocess.PIPE,
    )
    output, _ = process.communicate(statements.encode())
    if process.returncode:
        raise EmbeddedServerError(f"{Path(command[0]).name} failed: {output.decode(errors='replace').strip()}")


def _check_version(data: Path) -> None:
    found = (data / "PG_VERSION").read_text().strip()
    if found != POSTGRES_MAJOR:
        raise EmbeddedServerError(
            f"{data} was made by PostgreSQL {found}; this version of Perennial brings PostgreSQL {POSTGRES_MAJOR}. "
            f"Dump it with the earlier version of Perennial (pg_dump), move the folder away, start, and restore."
        )


def _clear_leftovers(data: Path) -> None:
    """Stop a server that outlived its parent, and mark pid files that PostgreSQL would take for a running server's.

    It is misled when the number now belongs to another process, or to a killed server that nobody has reaped yet. A
    file with its parent's number it knows to be stale, and still looks whether the old server's memory is in use: a
    file that was removed would spare it that look.
    """
    for pid_file in (data / "postmaster.pid", socket_folder() / f".s.PGSQL.{PORT}.lock"):
        with suppress(FileNotFoundError):
            try:
                process_id, *others = pid_file.read_text().splitlines()
                end_leftover(int(process_id), marker=f"-D {data}", stop_signal=STOP_SIGNAL)
            except ValueError:  # empty or torn by a power cut
                pid_file.unlink()
            else:
                pid_file.write_text("\n".join([str(os.getpid()), *others, ""]))


def _settings() -> str:
    memory = memory_bytes() // MEGABYTE
    return SETTINGS.format(
        port=PORT,
        sockets=str(socket_folder()).replace("'", "''"),
        shared_megabytes=max(128, min(1024, memory // 4)),
        cache_megabytes=max(256, memory // 2),
    )


def memory_bytes() -> int:
    """The memory this machine or container has."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):
        return min(physical, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return physical
