"""Django's PostgreSQL, but that what a test committed is cleared away fast.

Django truncates all tables, and saves the rows that migrations made again, one by one: 2 s of processor for 170 tables
and 900 rows, after each test that commits. Here the tables that are not as they were at the start are put back, and no
others, without triggers and checks of keys.
"""

import io
from typing import Any

from django.db import transaction
from django.db.backends.postgresql import base, creation, operations

from config.foreign_keys import unchecked_keys

# What a table holds, whatever the order of its rows.
HELD = "SELECT '{0}', count(*), sum(hashtextextended(t::text, 0)) FROM {0} t"


class DatabaseCreation(creation.DatabaseCreation):
    """Keeps the rows that migrations made as COPY writes them."""

    rows: dict[str, str]
    held_at_start: set[tuple[Any, ...]]

    def serialize_db_to_string(self) -> str:
        with self.connection.cursor() as cursor:
            # Less what no model names, such as the history of migrations and the cache.
            names = sorted(self.connection.introspection.django_table_names(only_existing=True, include_views=False))
            self.all_held, self.all_tables = " UNION ALL ".join(map(HELD.format, names)), ", ".join(names)
            self.held_at_start = self._held(cursor)
            self.rows = {name: self._copied(cursor, name) for name, count, _ in self.held_at_start if count}
        return str(super().serialize_db_to_string())

    def deserialize_db_from_string(self, data: str) -> None:
        with self.connection.cursor() as cursor:
            is_as_at_start = self._held(cursor) == self.held_at_start
        if not is_as_at_start:
            super().deserialize_db_from_string(data)

    def put_back(self) -> bool:
        """Whether we may: the role has to be allowed to switch triggers off."""
        with transaction.atomic(self.connection.alias), self.connection.cursor() as cursor:
            # Waits for what a killed process still writes, as TRUNCATE would.
            cursor.execute(f"LOCK TABLE {self.all_tables} IN SHARE ROW EXCLUSIVE MODE")
            changed = [name for name, *_ in self._held(cursor) - self.held_at_start]
            with unchecked_keys(cursor) as may_be:
                for name in changed if may_be else ():
                    cursor.execute(f"DELETE FROM {name}")
                    if name in self.rows:
                        cursor.copy_expert(f"COPY {name} FROM STDIN", io.StringIO(self.rows[name]))
        return may_be

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        """The session of a worker that a test has killed may outlive it."""
        with self._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {self.connection.ops.quote_name(test_database_name)} WITH (FORCE)")

    def _held(self, cursor: Any) -> set[tuple[Any, ...]]:
        cursor.execute(self.all_held)
        return set(cursor.fetchall())

    def _copied(self, cursor: Any, name: str) -> str:
        rows = io.StringIO()
        cursor.copy_expert(f"COPY {name} TO STDOUT", rows)
        return rows.getvalue()


class DatabaseOperations(operations.DatabaseOperations):
    def execute_sql_flush(self, sql_list: list[str]) -> None:
        if not self.connection.creation.put_back():
            super().execute_sql_flush(sql_list)


class DatabaseWrapper(base.DatabaseWrapper):
    creation_class = DatabaseCreation
    ops_class = DatabaseOperations
