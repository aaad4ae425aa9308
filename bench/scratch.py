"""A database of its own for each book, made for the benchmark and dropped after it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from config import embedded


def server_url() -> str:
    return os.environ.get("DATABASE_URL") or embedded.database_url()


def url_of(name: str) -> str:
    return urlunsplit(urlsplit(server_url())._replace(path=f"/{name}"))


def execute_outside(statement: str) -> None:
    """Run one statement outside any transaction, on the server's own maintenance database."""
    outside = psycopg2.connect(url_of("postgres"))
    outside.autocommit = True
    with outside.cursor() as cursor:
        cursor.execute(statement)
    outside.close()


@contextmanager
def scratch_database(name: str, *, template: str = "template0") -> Iterator[str]:
    """Django, and children started inside, work on a fresh, migrated database of this name; yields its URL.

    Made as a copy of the database `template`, on which nobody else may work at that moment.
    """
    previous_name, previous_url = settings.DATABASES["default"]["NAME"], os.environ.get("DATABASE_URL")
    connection.close()
    execute_outside(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    execute_outside(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    os.environ["DATABASE_URL"] = url = url_of(name)
    try:
        call_command("migrate", verbosity=0)
        yield url
    finally:
        connection.close()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = previous_name
        os.environ.pop("DATABASE_URL")
        if previous_url:
            os.environ["DATABASE_URL"] = previous_url
        execute_outside(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
