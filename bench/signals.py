"""Signals made of tickets and invoices: of all accounts, and of one day's news, beside bare SQL that writes as many.

As many tickets as the book has renewals, half as many invoices, and as many measured signals as bring the table to five
a renewal: a book of a million has 1,000,000 tickets and 5,000,000 signals.
"""

from __future__ import annotations

import re
import statistics
from pathlib import Path

from django.db import connection, transaction

from accounts.models import AccountSignal, Ticket, get_company
from accounts.signals_refresh import DERIVED, refresh_signals
from bench.figures import Figure, against, seconds

SIGNALS_PER_RENEWAL = 5
NEWS_SHARE = 1_000  # one ticket in so many is of today
NEWS_DAYS = 3
# What is derived is read, put in order and summed by three windows, compared with what is there, and marked for
# health; the floor only writes what came of it.
FIRST_BAR = 6
NEWS_BAR_S, NOTHING_BAR_MS = 2, 50
MEMORY_BAR_MB = 700

FILL_TICKETS = """
    INSERT INTO accounts_ticket (account_id, external_id, category, severity, opened_on, resolved_on, reopened_count,
        reporter, satisfaction_score, subject, theme, updated_at)
    SELECT a.id, %(prefix)s || n, 'bug', (ARRAY['low', 'normal', 'high', 'urgent'])[1 + n %% 4],
        %(day)s - age, CASE WHEN n %% 7 > 0 THEN %(day)s - age + least(n %% 12, age)::int END, (n %% 9 = 0)::int,
        '', CASE WHEN n %% 3 = 0 THEN 1 + n %% 5 END,
        (ARRAY['Data export fails', 'Sign on page', 'Report takes long', 'Mobile app'])[1 + n %% 4], '', now()
    FROM (SELECT n, (n * 7919 %% %(span)s)::int AS age FROM generate_series(1, %(count)s::bigint) n) t
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM accounts_account) a
        ON a.place = t.n * 104729 %% (SELECT count(*) FROM accounts_account)
"""
FILL_INVOICES = """
    INSERT INTO accounts_invoice (account_id, external_id, amount, currency, due_on, settled_on, has_failed,
        is_disputed, is_charged_back, updated_at)
    SELECT a.id, 'bench-' || n, 100, 'EUR', %(day)s - age, %(day)s - age + least(n %% 30, age)::int, n %% 40 = 0,
        false, n %% 400 = 0, now()
    FROM (SELECT n, (n * 7907 %% 1000)::int AS age FROM generate_series(1, %(count)s::bigint) n) t
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
        missing = SIGNALS_PER_RENEWAL * count - AccountSignal.objects.count() - 2 * count
        cursor.execute(FILL_SIGNALS, {"day": today, "count": max(missing, 0)})
    _settle()
    everything = seconds(lambda: refresh_signals(as_of=today))
    memory = _own_memory_mb()
    _settle()
    floor = statistics.median(seconds(copy_derived) for _ in range(3))
    news = max(count // NEWS_SHARE, 1)
    one_day = statistics.median(_seconds_of_news(number, news) for number in range(NEWS_DAYS))
    nothing = statistics.median(seconds(lambda: refresh_signals(as_of=today)) for _ in range(5))
    what = f"signals of {Ticket.objects.count():,} tickets among {AccountSignal.objects.count():,} signals"
    first = "INSERT ... SELECT of the same rows"
    found = [
        against(f"{what}, all made anew", everything, floor, unit="s", what=first, bar=FIRST_BAR),
        Figure(f"signals of one day's {news:,} tickets", one_day, "s", bar=NEWS_BAR_S),
        Figure("signals where nothing is new", nothing * 1000, "ms", bar=NOTHING_BAR_MS),
    ]
    if memory:
        found.append(Figure("signals: peak memory of the database's process", memory, "MB", bar=MEMORY_BAR_MB))
    return found


def _seconds_of_news(number: int, count: int) -> float:
    today = get_company().today()
    with connection.cursor() as cursor:
        cursor.execute(FILL_TICKETS, {"prefix": f"news-{number}-", "day": today, "span": 1, "count": count})
    return seconds(lambda: refresh_signals(as_of=today))


def _settle() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) accounts_ticket, accounts_invoice, accounts_accountsignal")


def copy_derived() -> None:
    """The floor: the rows that were derived, into a table with the same keys, by one statement."""
    columns = f"account_id, measured_on, derived_measures, {', '.join(DERIVED)}"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_floor")
        cursor.execute("CREATE TABLE bench_floor (LIKE accounts_accountsignal INCLUDING DEFAULTS)")
        cursor.execute("ALTER TABLE bench_floor ALTER id ADD GENERATED BY DEFAULT AS IDENTITY, ADD PRIMARY KEY (id)")
        cursor.execute("ALTER TABLE bench_floor ADD UNIQUE (account_id, measured_on)")
        cursor.execute(
            f"INSERT INTO bench_floor ({columns}) SELECT {columns} FROM accounts_accountsignal"
            " WHERE derived_measures > 0 ORDER BY account_id, measured_on"
        )
        cursor.execute("DROP TABLE bench_floor")


def _own_memory_mb() -> float:
    """Peak memory of this connection's server process, less the memory that all of them share; 0 on another machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), pg_size_bytes(current_setting('shared_buffers')) / 1048576")
        pid, shared_mb = cursor.fetchone()
    status = Path(f"/proc/{pid}/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return max(int(found[1]) / 1024 - shared_mb, 0.0) if found else 0.0
