#!/usr/bin/env python
"""Django's command line, with the embedded servers running where a command needs them."""

import os
import sys
from contextlib import nullcontext

from django.core.management import execute_from_command_line

from config import embedded

# These read no data: `python manage.py help` must not make a database.
WITHOUT_DATABASE = {"help", "version", "check", "collectstatic", "diffsettings", "findstatic", "makemessages"}


def needs_database(arguments: list[str]) -> bool:
    if not arguments or {"-h", "--help", "--version"} & set(arguments):
        return False
    return arguments[0] not in WITHOUT_DATABASE or any(part.startswith("--database") for part in arguments)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        with embedded.running() if needs_database(sys.argv[1:]) else nullcontext():
            execute_from_command_line(sys.argv)
    except embedded.EmbeddedServerError as error:
        sys.exit(f"Perennial: {error}")


if __name__ == "__main__":
    main()
