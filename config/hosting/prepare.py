"""Bring the database, the static files and the demo company to where this version of the code needs them."""

import hashlib
import io
import os
import sys
from pathlib import Path

from psycopg2.errors import InsufficientPrivilege

from config.hosting import postgres
from config.hosting.home import CHECKOUT

DEMO_RENEWALS = 2000


def is_prepared() -> bool:
    """Whether a start may skip all of it, told without loading Django.

    The stamp lies inside the embedded cluster's folder and goes away with it. Of a PostgreSQL of somebody's own we
    cannot know what happened to it since, so there the answer is no.
    """
    return bool(_stamp()) and _stamp_file().exists() and _stamp_file().read_bytes() == _stamp().encode()


def prepare() -> None:
    import django
    from django.core.management import call_command

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    if os.environ.get("DEMO", "yes").lower() not in {"no", "0", "off", "false"}:
        # Its sign-ins are shown at the end of every start, not in the middle of the first one.
        call_command("load_demo", renewals=DEMO_RENEWALS, if_empty=True, stdout=io.StringIO())
    if _stamp():
        _stamp_file().write_text(_stamp())


def _stamp_file() -> Path:
    return postgres.data_folder() / "perennial-prepared.txt"


def _stamp() -> str:
    """Changes with migrations, static files and installed versions; empty for a database that is not ours."""
    if os.environ.get("DATABASE_URL", "").strip():
        return ""
    sources = [CHECKOUT / "requirements.txt", *CHECKOUT.glob("*/migrations/*.py")]
    sources += [path for path in (CHECKOUT / "static").rglob("*") if path.is_file()]
    lines = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in sorted(sources)]
    lines.append(f"{sys.version} {os.environ.get('STATIC_ROOT', '')}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def main() -> None:
    from django.db import OperationalError, ProgrammingError
    from django.db.migrations.exceptions import MigrationSchemaMissing

    try:
        prepare()
    except OperationalError as error:
        raise SystemExit(f"The database cannot be used: {str(error).strip()}") from error
    except MigrationSchemaMissing as error:
        reason = str(error.__context__).partition("\n")[0]
        raise SystemExit(
            f"The role of DATABASE_URL cannot make tables: {reason}. Make it the database's owner."
        ) from error
    except ProgrammingError as error:
        if not isinstance(error.__cause__, InsufficientPrivilege):
            raise
        raise SystemExit(f"The role of DATABASE_URL may not do what it has to: {str(error).strip()}") from error


if __name__ == "__main__":
    main()
