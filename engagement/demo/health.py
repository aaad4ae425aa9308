"""What the demo's reps made of their customers' mood month by month, and how often people signed in.

Near what the newest measured signals of each account with an open renewal say, and drifting there over a year. Drawn by
hashes of ids: the same book has the same words.
"""

from __future__ import annotations

from django.db import connection, transaction

from accounts.models import AccountSignal, get_company
from config.history import recorded_as

MONTHS = 12
FILL = """
INSERT INTO accounts_accountsignal (account_id, measured_on, sentiment_score, login_change_rate)
SELECT account_id, measured_on,
    CASE WHEN mood_noise < 0.75 THEN least(5, greatest(1, round(3.3 + 1.1 * state + 2.4 * (mood_noise - 0.375)))) END,
    round(least(1.5, greatest(-0.9, 0.02 + 0.17 * state + 0.3 * (use_noise - 0.5)))::numeric, 3)
FROM (
    SELECT n.account_id, %(as_of)s - 30 * month - abs(hashtext(n.account_id || '/' || month)) %% 27 AS measured_on,
        n.state * (1 - month / 18.0) AS state,
        abs(hashtext('mood' || n.account_id || '/' || month)) %% 1000 / 1000.0 AS mood_noise,
        abs(hashtext('use' || n.account_id || '/' || month)) %% 1000 / 1000.0 AS use_noise
    FROM (
        SELECT DISTINCT ON (s.account_id) s.account_id,
            coalesce((s.usage_change_rate - 0.03) / 0.16, (s.csat_score - 4) / 0.55, (s.nps_score - 22) / 38) AS state
        FROM accounts_accountsignal s
        WHERE EXISTS (SELECT FROM renewals_renewal r WHERE r.account_id = s.account_id AND r.outcome = 'open')
            AND s.measured_on <= %(as_of)s AND num_nonnulls(s.usage_change_rate, s.csat_score, s.nps_score) > 0
        ORDER BY s.account_id, s.measured_on DESC) n
    CROSS JOIN generate_series(0, %(months)s - 1) month) drawn
ON CONFLICT (account_id, measured_on) DO UPDATE
    SET sentiment_score = excluded.sentiment_score, login_change_rate = excluded.login_change_rate
"""


def fill_health() -> None:
    """Nothing where somebody has said something already."""
    if AccountSignal.objects.filter(sentiment_score__isnull=False).exists():
        return
    with transaction.atomic(), recorded_as(user_id=None, how="job"), connection.cursor() as cursor:
        cursor.execute(FILL, {"as_of": get_company().today(), "months": MONTHS})
