"""Tickets and invoices of the demo's customers, and themes of what they ask.

They say what the newest measured signals of each account with an open renewal say: as many severe tickets are open, the
shares that were reopened, the satisfaction and the days late are near. What is made of them is then no other truth than
the one that the renewals were drawn by. Drawn by hashes of places: the same book has the same tickets, wherever its
numbers begin.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction

from accounts.models import Ticket, get_company
from config.history import recorded_as
from engagement.models import FeedbackTheme

DONE_DAYS_AGO = 130
# Category, subject, how many days ago its cause was mended (0: it was not); the two that were come first.
SUBJECTS: tuple[tuple[str, str, int], ...] = (
    ("bug", "Data export stops after 10,000 rows", DONE_DAYS_AGO),
    ("bug", "Data export has empty columns", DONE_DAYS_AGO),
    ("documentation", "How to set up single sign on", 0),
    ("documentation", "Sign on page describes the old menu", 0),
    ("training", "New colleague needs an introduction", 0),
    ("training", "How to share a report with a team", 0),
    ("installation", "Mobile app does not install", 0),
    ("installation", "Mobile app asks for an update", 0),
    ("troubleshooting", "Report takes minutes to load", 0),
    ("troubleshooting", "Report load time at month end", 0),
    ("bug", "Wrong total in the monthly invoice", 0),
    ("maintenance", "Change of the billing address", 0),
    ("upgrade", "Question about more seats", 0),
    ("troubleshooting", "Password reset mail does not arrive", 0),
    ("troubleshooting", "Password reset link has expired", 0),
    ("ending_service", "How to export all data before we leave", 0),
    ("other", "Feedback on the new dashboard", 0),
)
THEMES: tuple[dict[str, object], ...] = (
    {"name": "Data export", "words": ["data export"], "route": "engineering", "status": "done"},
    {"name": "Single sign-on guide", "words": ["sign on"], "categories": ["documentation"], "route": "documentation",
     "status": "in_progress", "note": "The page still shows the menu of two versions ago."},
    {"name": "First steps", "categories": ["training"], "route": "onboarding", "status": "accepted"},
    {"name": "Slow reports", "words": ["report load", "minutes to load"], "route": "engineering", "status": "accepted"},
    {"name": "Mobile app", "words": ["mobile app"], "route": "engineering", "status": "new"},
    {"name": "Billing address", "words": ["billing address"], "route": "onboarding", "status": "declined",
     "note": "Each change needs a check by a person: support stays the way."},
)  # fmt: skip

STATES = """
    WITH state AS (
        SELECT a.id AS account_id, (a.id - first.id + 1) * 2654435761 %% 1000003 AS salt,
            coalesce(s.severe_ticket_count, 0) AS severe, coalesce(s.reopened_ticket_rate, 0.05) AS reopened,
            s.csat_score AS csat, coalesce(s.late_payment_days, 0) AS late,
            coalesce(s.failed_payment_count, 0) AS failed, coalesce(s.chargeback_count, 0) AS charged
        FROM accounts_account a CROSS JOIN (SELECT min(id) AS id FROM accounts_account) first LEFT JOIN LATERAL (
            SELECT * FROM accounts_accountsignal WHERE account_id = a.id AND measured_on <= %(today)s
            ORDER BY measured_on DESC LIMIT 1) s ON true
        WHERE EXISTS (SELECT FROM renewals_renewal r WHERE r.account_id = a.id AND r.outcome = 'open'))
"""
TICKETS = f"""
    {STATES}, drawn AS (
        SELECT state.*, n, (salt * 7919 + n * 104729) %% 1000003 AS dice, n <= severe AS is_open
        FROM state CROSS JOIN LATERAL generate_series(1, severe + 3 + (salt %% 8)::int) n
    ), aged AS (
        SELECT *, (CASE WHEN is_open THEN dice %% 25 ELSE 13 + dice %% 387 END)::int AS age,
            1 + ((dice / 7) %% %(subject_count)s)::int AS first_choice FROM drawn
    )
    INSERT INTO accounts_ticket (account_id, external_id, category, severity, opened_on, resolved_on, reopened_count,
        reporter, satisfaction_score, subject, theme, updated_at)
    SELECT account_id, 'T-' || account_id || '-' || n, t.category,
        CASE WHEN is_open THEN (ARRAY['high', 'urgent'])[1 + dice %% 2]
            ELSE (ARRAY['low', 'normal', 'normal', 'high'])[1 + dice %% 4] END,
        %(today)s - age, CASE WHEN NOT is_open THEN %(today)s - age + (dice %% 12)::int END,
        CASE WHEN NOT is_open AND dice %% 1000 < reopened * 1000 THEN 1 ELSE 0 END,
        (ARRAY['', 'Operations', 'Finance', 'IT desk', 'Sales'])[1 + (dice / 3) %% 5],
        CASE WHEN NOT is_open AND csat IS NOT NULL AND dice %% 3 > 0
            THEN least(5, greatest(1, round(csat::numeric + (dice %% 3 - 1) * 0.4, 1))) END,
        t.subject, '', now()
    FROM aged JOIN unnest(%(categories)s::text[], %(subjects)s::text[], %(mended)s::int[])
        WITH ORDINALITY t (category, subject, mended, place) ON t.place =
        -- What is mended is asked for a quarter as often since.
        CASE WHEN age < (%(mended)s::int[])[first_choice] AND dice %% 4 > 0
            THEN 3 + dice %% (%(subject_count)s - 2)
            ELSE first_choice END
"""
INVOICES = f"""
    {STATES}, contract AS (
        SELECT account_id, currency, round(sum(baseline_amount) / 4, 2) AS amount FROM renewals_renewal
        WHERE outcome = 'open' GROUP BY 1, 2
    ), drawn AS (
        SELECT state.*, currency, amount, n, (salt * 6007 + n * 15485863) %% 1000003 AS dice,
            %(today)s - (n * 91 - 91 + salt %% 80)::int AS due_on
        FROM state JOIN contract USING (account_id) CROSS JOIN generate_series(1, 5) n
    ), paid AS (
        SELECT *, due_on + (CASE WHEN late < 1 THEN -(dice %% 9) ELSE round(late + dice %% 5 - 2) END)::int AS paid_on,
            n > 2 AND dice %% 1000 < 4 + 2 * least(late, 30) AS is_never_paid
        FROM drawn
    )
    INSERT INTO accounts_invoice (account_id, external_id, amount, currency, due_on, settled_on, has_failed,
        is_disputed, is_charged_back, updated_at)
    SELECT account_id, 'I-' || account_id || '-' || currency || '-' || n, amount, currency, due_on,
        CASE WHEN paid_on <= %(today)s AND NOT is_never_paid THEN paid_on END, n <= failed, dice %% 90 = 0,
        n <= charged AND paid_on <= %(today)s, now()
    FROM paid
"""


def fill_support() -> None:
    """Tickets, invoices and themes; nothing where there are tickets already."""
    if Ticket.objects.exists():
        return
    today = get_company().today()
    categories, subjects, mended = ([subject[place] for subject in SUBJECTS] for place in range(3))
    values: dict[str, Any] = {"today": today, "subject_count": len(SUBJECTS)}
    with transaction.atomic(), recorded_as(user_id=None, how="job"), connection.cursor() as cursor:
        cursor.execute(TICKETS, {**values, "categories": categories, "subjects": subjects, "mended": mended})
        cursor.execute(INVOICES, values)
        done_on = today - dt.timedelta(DONE_DAYS_AGO)
        FeedbackTheme.objects.bulk_create(
            FeedbackTheme(**theme, done_on=done_on if theme["status"] == "done" else None) for theme in THEMES
        )
