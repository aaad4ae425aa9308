"""A past for tests: what is written inside `happening_at` is recorded as of that moment, new rows and events alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

TABLES = (
    "accounts_account",
    "accounts_accountsignal",
    "accounts_company",
    "accounts_exchangerate",
    "accounts_user",
    "renewals_contract",
    "renewals_renewal",
    "renewals_stage",
    "renewals_timingpolicyversion",
)
UNDATED = ("accounts_company", "accounts_user")


@contextmanager
def happening_at(moment: dt.datetime) -> Iterator[None]:
    newest = {table: _one(f"SELECT coalesce(max(pgh_id), 0) FROM {table}event") for table in TABLES}
    rows = {table: _one(f"SELECT coalesce(max(id), 0) FROM {table}") for table in TABLES}
    yield
    with unrecorded(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"UPDATE {table}event SET pgh_created_at = %s WHERE pgh_id > %s", [moment, newest[table]])
            if table not in UNDATED:
                cursor.execute(f"UPDATE {table} SET created_at = %s WHERE id > %s", [moment, rows[table]])


@contextmanager
def unrecorded() -> Iterator[None]:
    """Without the triggers that would call what is written here a change."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


def _one(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])
