"""Signals of a second part of the book, while the statistics still say that nothing is derived."""

import datetime as dt

import pytest
from django.db import connection

from accounts import signals_refresh
from accounts.models import AccountSignal
from accounts.signals_refresh import refresh_signals
from tests.explained import explained, most_rows, worst_guess

ACCOUNTS, AT_ONCE = 4_000, 2_000
DAY = dt.date(2026, 6, 30)
FILL = """
INSERT INTO accounts_account (name, external_id, region, attributes, created_at, updated_at)
SELECT 'Customer ' || n, 'C' || n, '', '{}', now(), now() FROM generate_series(1, %s) n;
INSERT INTO accounts_accountsignal (account_id, measured_on, usage_change_rate)
SELECT id, %s, 0.1 FROM accounts_account;
ANALYZE accounts_accountsignal, accounts_account;
INSERT INTO accounts_ticket (account_id, external_id, category, severity, opened_on, resolved_on, reopened_count,
    reporter, subject, theme, updated_at)
SELECT id, 'T' || id, 'bug', 'high', %s, %s, 0, '', '', '', now() FROM accounts_account
"""


@pytest.mark.django_db
def test_clearing_is_planned_for_what_the_first_part_derived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals_refresh, "ACCOUNTS_AT_ONCE", AT_ONCE)
    with connection.cursor() as cursor:
        cursor.execute(FILL, [ACCOUNTS, DAY - dt.timedelta(90), DAY - dt.timedelta(9), DAY - dt.timedelta(3)])
    with explained("UPDATE accounts_accountsignal s SET") as plans:
        refresh_signals(as_of=DAY)
    assert AccountSignal.objects.filter(derived_measures__gt=0).count() == 2 * ACCOUNTS
    assert len(plans) == ACCOUNTS / AT_ONCE
    assert max(worst_guess(plan, "accounts_accountsignal") for plan in plans) < 10
    assert max(map(most_rows, plans)) <= 4 * ACCOUNTS
