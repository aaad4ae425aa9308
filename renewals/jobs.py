"""Work in the background: handing it to a worker, doing it once at a time, and saying how far it is.

A job's state is in a table of its own; a message to a worker is a hint that there is something to do. What nobody works
on is sent again by a sweep, so a broker that is down and a worker that was killed cost time and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from kombu.exceptions import OperationalError

from config.celery import app

log = logging.getLogger(__name__)
# First halves of the locks that say: a process works on this job.
EDIT_LOCK, EXPORT_LOCK = 7_215_010, 7_215_011
MOST_ATTEMPTS = 3
# A person waits for the answer: one try, and the sweep does the rest.
ONE_TRY = {
    "socket_connect_timeout": 1,
    "socket_timeout": 1,
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
    "connect_retries_timeout": 1,
}


def send(task: str, job_id: int) -> bool:
    """Queue a task by name; False, within about two seconds, where the broker does not take it."""
    try:
        with app.connection_for_write() as link:
            link.transport_options = {**(link.transport_options or {}), **ONE_TRY}
            app.send_task(task, args=[job_id], connection=link, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        log.warning("The broker did not take %s of %s: %s. It will be sent again.", task, job_id, error)
        return False
    return True


@contextmanager
def only_one(lock: int, job_id: int) -> Iterator[bool]:
    """False where another process works on the job. The lock goes with the connection: nobody dead holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [lock, job_id])
        (is_mine,) = cursor.fetchone()
    try:
        yield bool(is_mine)
    finally:
        if is_mine and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [lock, job_id])


def is_worked_on(lock: int, job_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s"
            " AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
            [lock, job_id],
        )
        return bool(cursor.fetchone()[0])


class Progress:
    """Says how far a job is while its own transaction is still open: through a connection of its own."""

    def __init__(self, table: str, column: str, job_id: int) -> None:
        self._statement = f"UPDATE {table} SET {column} = %s WHERE id = %s"
        self._job_id = job_id
        self._link: BaseDatabaseWrapper = connection.copy()

    def show(self, done_count: int) -> None:
        with self._link.cursor() as cursor:
            cursor.execute(self._statement, [done_count, self._job_id])

    def close(self) -> None:
        self._link.close()


@contextmanager
def progress_of(table: str, column: str, job_id: int) -> Iterator[Progress]:
    progress = Progress(table, column, job_id)
    try:
        yield progress
    finally:
        progress.close()
