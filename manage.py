#!/usr/bin/env python
"""Django's command line, with the embedded servers running where a command needs them."""

import gc
import os
import sys
from contextlib import nullcontext

from django.core.management import execute_from_command_line

from config import embedded

# These read no data: `python manage.py help` must not make a database.
WITHOUT_DATABASE = {"help", "version", "check", "collectstatic", "diffsettings", "findstatic", "makemessages"}
FEW_COLLECTIONS = 50_000


def needs_database(arguments: list[str]) -> bool:
    if not arguments or {"-h", "--help", "--version"} & set(arguments):
        return False
    return arguments[0] not in WITHOUT_DATABASE or any(part.startswith("--database") for part in arguments)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # What a command loads lives to its end: to look through it for cycles, again and again while it loads and once more
    # at the end, takes a third of the time of a short one.
    gc.set_threshold(FEW_COLLECTIONS)
    try:
        with embedded.running() if needs_database(sys.argv[1:]) else nullcontext():
            execute_from_command_line(sys.argv)
    except embedded.EmbeddedServerError as error:
        sys.exit(f"Perennial: {error}")
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
