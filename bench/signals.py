"""Signals made of tickets and invoices: of all accounts, and of one day's news.

As many tickets as the book has renewals, half as many invoices, and as many measured signals as bring the table to five
a renewal.
"""

from __future__ import annotations

from django.db import connection, transaction

from accounts.models import AccountSignal, Ticket, get_company
from accounts.signals_refresh import refresh_signals
from bench.figures import Figure, seconds

SIGNALS_PER_RENEWAL = 5
NEWS_SHARE = 1_000  # one ticket in so many is of today

FILL_TICKETS = """
    INSERT INTO accounts_ticket (account_id, external_id, category, severity, opened_on, resolved_on, reopened_count,
        reporter, satisfaction_score, subject, theme, updated_at)
    SELECT a.id, %(prefix)s || n, 'bug', (ARRAY['low', 'normal', 'high', 'urgent'])[1 + n %% 4],
        %(day)s - age, CASE WHEN n %% 7 > 0 THEN %(day)s - age + least(n %% 12, age) END, (n %% 9 = 0)::int,
        '', CASE WHEN n %% 3 = 0 THEN 1 + n %% 5 END, '', '', now()
    FROM (SELECT n, (n * 7919 %% %(span)s)::int AS age FROM generate_series(1, %(count)s) n) t
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM accounts_account) a
        ON a.place = t.n * 104729 %% (SELECT count(*) FROM accounts_account)
"""
FILL_INVOICES = """
    INSERT INTO accounts_invoice (account_id, external_id, amount, currency, due_on, settled_on, has_failed,
        is_disputed, is_charged_back, updated_at)
    SELECT a.id, 'bench-' || n, 100, 'EUR', %(day)s - age, %(day)s - age + least(n %% 30, age), n %% 40 = 0,
        false, n %% 400 = 0, now()
    FROM (SELECT n, (n * 7907 %% 1000)::int AS age FROM generate_series(1, %(count)s) n) t
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM accounts_account) a
        ON a.place = t.n * 104723 %% (SELECT count(*) FROM accounts_account)
"""
FILL_SIGNALS = """
    INSERT INTO accounts_accountsignal (account_id, measured_on, usage_change_rate)
    SELECT a.id, %(day)s - 2000 - n::int, 0.1 FROM accounts_account a
    CROSS JOIN generate_series(1, greatest(%(count)s / (SELECT count(*) FROM accounts_account), 0)) n
    ON CONFLICT DO NOTHING
"""


def measure(count: int) -> list[Figure]:
    today = get_company().today()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FILL_TICKETS, {"prefix": "bench-", "day": today, "span": 1000, "count": count})
        cursor.execute(FILL_INVOICES, {"day": today, "count": count // 2})
        missing = SIGNALS_PER_RENEWAL * count - AccountSignal.objects.count()
        cursor.execute(FILL_SIGNALS, {"day": today, "count": max(missing, 0)})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_ticket, accounts_invoice, accounts_accountsignal")
    everything = seconds(lambda: refresh_signals(as_of=today))
    with connection.cursor() as cursor:
        news = max(count // NEWS_SHARE, 1)
        cursor.execute(FILL_TICKETS, {"prefix": "news-", "day": today, "span": 1, "count": news})
    one_day = seconds(lambda: refresh_signals(as_of=today))
    nothing = seconds(lambda: refresh_signals(as_of=today))
    what = f"signals of {Ticket.objects.count():,} tickets among {AccountSignal.objects.count():,} signals"
    return [
        Figure(f"{what}, all made anew", everything, "s"),
        Figure(f"signals of one day's {news:,} tickets", one_day, "s"),
        Figure("signals where nothing is new", nothing * 1000, "ms"),
    ]
