"""Foreign keys that are proved by the statement which writes them, not one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def may_skip_checks(cursor: Any) -> bool:
    cursor.execute("SELECT has_parameter_privilege('session_replication_role', 'SET')")
    return bool(cursor.fetchone()[0])


@contextmanager
def unchecked_keys(cursor: Any) -> Iterator[bool]:
    """Leave out the checks of foreign keys, where we may; whether that is so.

    Who uses it has seen to them by one query. Checking a million one by one takes longer than the rest of the run.
    """
    if not may_skip_checks(cursor):
        yield False
        return
    cursor.execute("SET LOCAL session_replication_role = replica")
    yield True
    cursor.execute("SET LOCAL session_replication_role = origin")
