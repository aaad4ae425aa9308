"""The folder in which an installation keeps its own servers' data and its secrets, and who may enter it.

`PERENNIAL_HOME`, or `.perennial/` in the checkout. It is 0700. PostgreSQL refuses to run as root, so an installation
of root's runs its servers as an existing unprivileged user: the folder is then 0710 with that user's group, enough to
pass through it to the servers' own 0700 folders and not to read or replace anything beside them. Where that user
cannot reach the checkout, the folder is `/var/lib/perennial/<checkout>-<digest>`. Modes outside are never changed.
"""

import hashlib
import os
import pwd
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
ROOT_HOMES = Path("/var/lib/perennial")
SERVER_USERS = ("daemon", "nobody")
MARKER = "perennial-home.txt"
MARKER_TEXT = "Data and secrets of a Perennial installation. Stop it before you move, copy or remove this folder.\n"
# A unix socket's path may have 107 bytes on Linux and 103 on macOS.
SOCKET_PATH_LIMIT = 103
LONGEST_SOCKET_NAME = ".s.PGSQL.5432"


class EmbeddedServerError(Exception):
    """An embedded server cannot be prepared, started or reached; the message says what to do."""


@dataclass(frozen=True)
class Account:
    """A user of this machine."""

    name: str
    user_id: int
    group_id: int

    def can_enter(self, folder: Path) -> bool:
        """Whether this user may pass through `folder` and everything above it."""
        real = folder.resolve()
        return all(self._has(step, read=False) for step in (real, *real.parents))

    def can_run(self, program: Path) -> bool:
        """Whether this user may read and execute `program`."""
        return self.can_enter(program.parent) and self._has(program, read=True)

    def _has(self, path: Path, *, read: bool) -> bool:
        status = path.stat()
        shift = 6 if status.st_uid == self.user_id else 3 if status.st_gid == self.group_id else 0
        needed = stat.S_IXOTH | (stat.S_IROTH if read else 0)
        return (status.st_mode >> shift) & needed == needed


def server_account() -> Account | None:
    """The unprivileged user that runs the servers when we are root; None when we run them ourselves."""
    if os.geteuid() != 0:
        return None
    for name in SERVER_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedServerError(
        f"PostgreSQL does not run as root and this machine has none of the users {', '.join(SERVER_USERS)}. "
        "Run Perennial as an ordinary user, or set DATABASE_URL and REDIS_URL to servers of your own."
    )


def home() -> Path:
    """The installation's folder, made on first use."""
    account = server_account()
    folder = _home_path(account)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _claim(folder, account)
    except OSError as error:
        raise EmbeddedServerError(
            f"{folder} cannot be used: {error.strerror}. Set PERENNIAL_HOME to a folder you may write to."
        ) from error
    return folder


def _home_path(account: Account | None) -> Path:
    chosen = os.environ.get("PERENNIAL_HOME")
    folder = Path(chosen).expanduser().resolve() if chosen else CHECKOUT / ".perennial"
    existing = next(parent for parent in folder.parents if parent.is_dir())
    if account is None or account.can_enter(existing):
        return folder
    if chosen:
        raise EmbeddedServerError(
            f"PERENNIAL_HOME={chosen} lies below a folder closed to the user {account.name}, who runs PostgreSQL when "
            "Perennial is started by root. Choose a folder that every user can reach, for instance below /var/lib."
        )
    return ROOT_HOMES / f"{CHECKOUT.name}-{_digest(CHECKOUT)}"


def _claim(folder: Path, account: Account | None) -> None:
    marker = folder / MARKER
    if not marker.exists():
        if any(folder.iterdir()) and not marker.exists():  # asked again: another process may be claiming it right now
            raise EmbeddedServerError(
                f"{folder} holds other files and is not a Perennial folder. "
                "Set PERENNIAL_HOME to a new or empty folder, for instance a sub-folder of it."
            )
        marker.write_text(MARKER_TEXT)
    status = folder.stat()
    if status.st_uid != os.geteuid():
        owner = _user_name(status.st_uid)
        raise EmbeddedServerError(
            f"{folder} belongs to the user {owner}. Start as {owner}, or set PERENNIAL_HOME to another folder."
        )
    if account and status.st_gid != account.group_id:
        os.chown(folder, -1, account.group_id)
    mode = 0o710 if account else 0o700
    if stat.S_IMODE(status.st_mode) != mode:
        folder.chmod(mode)


def server_folder(path: Path, account: Account | None) -> Path:
    """`path`, a folder that only the servers' user can enter, made if need be."""
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    owner_id = account.user_id if account else os.geteuid()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (owner_id, os.geteuid()):
        raise EmbeddedServerError(
            f"{path} is in the way: it is not a folder of the user {_user_name(owner_id)}. Remove it and start again."
        )
    if account and status.st_uid != account.user_id:
        os.chown(path, account.user_id, account.group_id)
    if stat.S_IMODE(status.st_mode) != 0o700:
        path.chmod(0o700)
    return path


def write_server_file(path: Path, text: str, account: Account | None) -> None:
    """A settings file that only the servers' user can read."""
    path.write_text(text)
    path.chmod(0o600)
    if account:
        os.chown(path, account.user_id, account.group_id)


def socket_folder() -> Path:
    """Where the servers' sockets are: `run/` in the home, or below /tmp when the home's path is too long for one.

    Derived from the home alone, so that every process of the installation arrives at the same answer.
    """
    account, folder = server_account(), home()
    path = folder / "run"
    if len(os.fsencode(path / LONGEST_SOCKET_NAME)) > SOCKET_PATH_LIMIT:
        path = Path("/tmp") / f"perennial-{_digest(folder)}"  # noqa: S108 its owner and mode are checked below
    return server_folder(path, account)


def secret(name: str) -> str:
    """The secret kept under `name`, generated once per installation. Safe to call from many processes at once."""
    path = home() / name
    if not path.exists():
        draft = path.with_name(f".{name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike a rename it never replaces the secret of a process that came first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return _read_secret(path)


def _read_secret(path: Path) -> str:
    text = path.read_bytes()
    if not text.strip() or not text.isascii():
        raise EmbeddedServerError(
            f"{path} is empty or damaged. Restore it from a backup"
            + (
                ", together with the data it belongs to."
                if path.name == "database-password"
                else ", or remove it: a new one is made, and everybody signs in again."
            )
        )
    return text.decode()


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def _user_name(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return f"number {user_id}"
