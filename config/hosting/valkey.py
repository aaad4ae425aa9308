"""The embedded Valkey: Celery's broker and the cache, on a unix socket only, with a generated password."""

import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from config.hosting.home import home, secret, server_account, server_folder, socket_folder, write_server_file
from config.hosting.processes import end_leftover, start_child
from config.hosting.programs import valkey_program

NAME = "Valkey"
STOP_SIGNAL = signal.SIGTERM
# Queued jobs must survive a restart and must never be evicted; a second of them may be lost with the machine's power,
# and every job can be queued again.
SETTINGS = """\
# Written at every start.
port 0
unixsocket "{socket}"
unixsocketperm 700
requirepass {password}
dir "{data}"
pidfile "{data}/valkey.pid"
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
save ""
daemonize no
set-proc-title no
loglevel warning
"""


def url() -> str:
    return f"unix://:{secret('valkey-password')}@{quote(str(_socket()))}?db=0"


def data_folder() -> Path:
    return home() / "valkey"


def is_ready() -> bool:
    """Asked in the protocol's own words: every command asks, and the client takes longer to load than Django's ORM."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(str(_socket()))
            client.sendall(f"AUTH {secret('valkey-password')}\r\nPING\r\n".encode())
            with client.makefile("rb") as answers:
                # While it still reads its file it answers -LOADING.
                return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
        except OSError:
            return False


def start(log: Path) -> subprocess.Popen[bytes]:
    account = server_account()
    data = server_folder(data_folder(), account)
    with suppress(FileNotFoundError, ValueError):
        process_id = int((data / "valkey.pid").read_text())
        end_leftover(process_id, marker=str(data / "valkey.conf"), stop_signal=STOP_SIGNAL)
    settings = SETTINGS.format(socket=_socket(), password=secret("valkey-password"), data=data)
    write_server_file(data / "valkey.conf", settings, account)
    with log.open("ab") as output:
        command = [valkey_program(account), data / "valkey.conf"]
        return start_child(command, death_signal=STOP_SIGNAL, account=account, folder=data, output=output)


def _socket() -> Path:
    return socket_folder() / "valkey.sock"
