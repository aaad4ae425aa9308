"""Child processes that never outlive their parent."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from config.hosting.home import Account

PR_SET_PDEATHSIG = 1
# Loaded before any fork: a child between fork and exec must not import or allocate more than it has to.
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(death_signal: signal.Signals, *, parent_id: int) -> None:
    """Make the kernel send `death_signal` to this process when its parent ends, however it ends.

    Call it in the child, after any change of user (which clears the setting). Outside Linux it does nothing; there
    the next start finds what was left over by its pid file.
    """
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent_id:  # the parent was killed between fork and prctl: nobody would ever signal us
        os._exit(1)


def start_child(
    command: Sequence[str | Path],
    *,
    death_signal: signal.Signals,
    account: Account | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    output: IO[bytes] | int | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, so that Ctrl-C in the terminal reaches only the parent, which then
    stops its children in order."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("Start children from the main thread: they die with the thread that started them.")
    parent_id = os.getpid()
    return subprocess.Popen(  # noqa: S603 the commands are ours
        [str(part) for part in command],
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        cwd=folder,
        env=environment,
        start_new_session=True,
        user=account.user_id if account else None,
        group=account.group_id if account else None,
        extra_groups=[] if account else None,
        preexec_fn=lambda: die_with_parent(death_signal, parent_id=parent_id),  # noqa: PLW1509 one thread, checked
    )


def stop_child(process: subprocess.Popen[bytes], *steps: tuple[signal.Signals, float]) -> None:
    """Send each signal in turn and wait so many seconds for it to work; end with SIGKILL for the whole session."""
    for number, patience in steps:
        if process.poll() is not None:
            break
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    kill_session(process)


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """End whatever is left of a child's session, for instance workers of a main process that was killed hard."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def command_line(process_id: int) -> str:
    """The command line of a running process, empty when there is none."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{process_id}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    question = ["/bin/ps", "-p", str(process_id), "-o", "command="]
    return subprocess.run(question, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603


def end_leftover(process_id: int, *, marker: str, stop_signal: signal.Signals, patience: float = 30) -> None:
    """Stop a process of ours that outlived its parent, recognised by `marker` in its command line, and wait for it."""
    until = time.monotonic() + patience
    number = stop_signal
    while marker in command_line(process_id):
        with suppress(ProcessLookupError):
            os.kill(process_id, number)
        if time.monotonic() > until:
            number = signal.SIGKILL
        time.sleep(0.05)
