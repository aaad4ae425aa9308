"""Prepared statements: planned once per connection, for any values; sent as they are where that is switched off."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from config.history import recorded_as
from config.prepared import execute_prepared

SQL = "SELECT n * %s FROM generate_series(1, 3) n WHERE n = ANY(%s) AND 'n%%' LIKE '%%'"


def fetch(sql: str, params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        execute_prepared(cursor, sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def commands(sql: str, params: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        fetch(sql, params)
    return [query["sql"].split()[0] for query in captured.captured_queries]


@pytest.mark.parametrize("is_prepared", [True, False])
def test_answers_as_the_statement_itself(db: None, settings: Settings, is_prepared: bool) -> None:
    settings.PREPARED_STATEMENTS = is_prepared
    assert fetch(SQL, [2, [1, 3]]) == [(2,), (6,)]
    assert fetch(SQL, [2, []]) == []
    assert fetch(SQL, [2**40, [2]]) == [(2**41,)]
    assert fetch("SELECT 7 %% 4", []) == [(3,)]


def test_is_prepared_once_per_connection(db: None) -> None:
    sql = f"{SQL} -- once"
    assert commands(sql, [2, [1]]) == ["PREPARE", "EXECUTE"]
    assert commands(sql, [9, [1, 2, 3]]) == ["EXECUTE"]


def test_is_sent_as_it_is_behind_a_pooler(db: None, settings: Settings) -> None:
    settings.PREPARED_STATEMENTS = False
    assert commands(SQL, [2, [1]]) == ["SELECT"]


def test_named_values_may_come_more_than_once(db: None) -> None:
    sql = "SELECT %(day)s - %(days)s, %(day)s + %(days)s"
    expected = [(dt.date(2026, 11, 1), dt.date(2026, 11, 3))]
    assert fetch(sql, {"day": dt.date(2026, 11, 2), "days": 1}) == expected


@pytest.mark.parametrize(
    "value", [True, 5, 2**40, 0.1, Decimal("0.10"), dt.date(2026, 1, 2), dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "%s'"]
)
def test_value_keeps_its_type(db: None, value: object) -> None:
    (found,) = fetch("SELECT %s", [value])[0]
    assert (found, type(found)) == (value, type(value))


def test_is_recorded_in_a_step_of_the_history(db: None) -> None:
    sql = "SELECT %s || '%%' || current_setting('pghistory.context_metadata', true)"
    with recorded_as(user_id=7, how="cell"):
        assert fetch(sql, ["5"]) == [('5%{"user": 7, "how": "cell"}',)]
    assert fetch(sql, ["5"]) == [("5%",)]


def test_is_there_after_the_transaction_that_prepared_it_failed(db: None) -> None:
    sql = "SELECT 1 / %s"
    with pytest.raises(DatabaseError, match="division by zero"), transaction.atomic():
        fetch(sql, [0])
    assert commands(sql, [1]) == ["EXECUTE"]


def test_plan_is_made_for_any_values_at_once(db: None) -> None:
    sql = "SELECT pk.n FROM generate_series(1, 3) AS pk (n) WHERE pk.n = %s"
    fetch(sql, [1])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%pk.n = $1'"
        )
        assert cursor.fetchall() == [(1, 0)]
