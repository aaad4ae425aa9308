"""Every address of the site, asked by every role; what is denied must be shown to have changed nothing."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

from config.prepared import execute_prepared
from tests import permissions
from tests.cast import Cast
from tests.permissions import ROLES, Row, Value

PARTS = [import_module(f"tests.permissions.{part.name}") for part in pkgutil.iter_modules(permissions.__path__)]
ROWS: list[Row] = [row for part in PARTS for row in part.ROWS]
State = set[tuple[Any, ...]]
OUR_APPS = ("accounts", "renewals", "forecasting", "engagement", "dashboards")


def addresses(patterns: list[URLPattern | URLResolver], namespace: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from addresses(pattern.url_patterns, inner)
        else:
            yield f"{namespace}{pattern.name or f'(no name: {pattern.pattern})'}"


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    asked, there = {row.name for row in ROWS}, set(addresses(get_resolver().url_patterns))
    assert (sorted(there - asked), sorted(asked - there)) == ([], [])


def test_every_row_names_every_role() -> None:
    assert [str(row) for row in ROWS if set(row.expect) != set(ROLES)] == []


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_address_answers_each_role_as_stated(row: Row, cast: Cast) -> None:
    url = reverse(row.name, kwargs=made(row.kwargs, cast))
    data = made(row.data, cast)
    clients = {role: Client() if role == "anonymous" else cast.client_of(role) for role in ROLES}
    before = state_of_the_book()
    answers = {role: answer_to(role, client, row, url, data, before) for role, client in clients.items()}
    assert answers == row.expect


def made(values: dict[str, Value], cast: Cast) -> dict[str, Any]:
    return {name: value(cast) if callable(value) else value for name, value in values.items()}


def answer_to(role: str, client: Client, row: Row, url: str, data: dict[str, Any], before: State) -> int:
    """The status that the role gets, in a transaction of its own that is taken back: `before` holds for every role."""
    with transaction.atomic():
        response = getattr(client, row.method)(url, data, headers=row.headers)
        after = state_of_the_book()
        transaction.set_rollback(True)
    if role == "anonymous" and response.status_code == 302:
        assert leads_to_sign_in(response), f"{row} sends somebody anonymous to {response.headers['Location']}"
    if is_denied(role, response) or row.method == "get":
        assert after == before, f"{row} was answered {response.status_code} for {role}, and yet something changed"
    return response.status_code


def leads_to_sign_in(response: HttpResponseBase) -> bool:
    return resolve(response.headers["Location"].partition("?")[0]).view_name == settings.LOGIN_URL


def is_denied(role: str, response: HttpResponseBase) -> bool:
    return response.status_code >= 400 or (role == "anonymous" and response.status_code == 302)


def state_of_the_book() -> State:
    """A fingerprint of every table of ours, in no order of its rows; history tables among them."""
    tables = sorted({model._meta.db_table for app in OUR_APPS for model in apps.get_app_config(app).get_models()})
    tables.remove("dashboards_bookchange")  # it counts statements, and one of a refused request may have found no row
    query = " UNION ALL ".join(
        f"SELECT '{table}', count(*), sum(hashtextextended(t::text, 0)) FROM \"{table}\" t" for table in tables
    )
    with connection.cursor() as cursor:
        # Asked thousands of times: to plan it takes three times as long as to answer it.
        execute_prepared(cursor, query, ())
        return set(cursor.fetchall())
