"""Breaches of accounts by the thousand, into a table that was empty until then."""

import datetime as dt

import pytest
from django.db import connection

from renewals.models.quality import AccountBreach, DataRule
from renewals.quality.conditions import Kind
from renewals.quality.evaluate import evaluate_all
from tests.explained import explained, most_rows, tables_read

AS_OF = dt.date(2026, 11, 21)
ACCOUNTS = 3_000
FILL = """
INSERT INTO accounts_account (name, external_id, region, attributes, created_at, updated_at)
SELECT 'Customer ' || n / 2, 'C' || n, '', '{}', now(), now() FROM generate_series(0, %s - 1) n;
ANALYZE accounts_account, renewals_accountbreach
"""


@pytest.mark.django_db
def test_storing_breaches_looks_at_each_a_few_times() -> None:
    with connection.cursor() as cursor:
        cursor.execute(FILL, [ACCOUNTS])
    tables = (
        "DELETE FROM renewals_accountbreach",
        "DELETE FROM quality_elsewhere",
        "INSERT INTO renewals_accountbreach",
    )
    for _ in range(2):
        with explained(*tables) as plans:
            evaluate_all(as_of=AS_OF)
        assert len(plans) == len(tables)
        assert max(map(most_rows, plans)) <= 4 * ACCOUNTS
        # What looks a row up in the table that it fills finds its own new rows at each look.
        assert tables_read(plans[-1]) == {"quality_elsewhere"}
    rule = DataRule.objects.get(condition=Kind.DUPLICATE_ACCOUNT)
    assert AccountBreach.objects.filter(rule=rule).count() == ACCOUNTS
