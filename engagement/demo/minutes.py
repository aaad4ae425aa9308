"""How long the demo's done tasks took, of most of them.

A task takes its estimate x 2 x n ^ b x e ^ noise minutes, to the next five: n counts the renewals won up to this one,
b is -0.2, a learning rate of 13 % a doubling, and noise has a spread of 0.35. Small customers' renewals were routine
before the first of these was done and take estimate x e ^ noise, so that the page of the learning curve has to refuse
them. Of each five tasks one was never recorded. All is drawn by hashes of ids: the same book has the same minutes.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import connection, transaction

from config.history import recorded_as
from engagement.models import Task
from engagement.models.tasks import MOST_MINUTES
from renewals.demo import profile

EXPONENT: Final = -0.2
ROUTINE: Final = profile.SEGMENTS[2].name
# Three even draws of 0 to 1, less their mean, have a spread of 0.5.
FILL: Final = """
WITH won AS (
    SELECT r.id, s.name AS segment, greatest(1, count(*) FILTER (WHERE r.outcome = 'renewed') OVER (
        ORDER BY coalesce(r.ordered_on, r.declined_on, r.due_on), r.id)) AS n
    FROM renewals_renewal r
    JOIN accounts_account a ON a.id = r.account_id
    LEFT JOIN accounts_segment s ON s.id = a.segment_id
    WHERE EXISTS (SELECT FROM engagement_task t WHERE t.renewal_id = r.id AND t.done_at IS NOT NULL)
), drawn AS (
    SELECT t.id, t.estimated_minutes * exp(0.7 * (noise.total - 1.5))
        * CASE WHEN won.segment = %(routine)s THEN 1 ELSE 2 * power(won.n::float8, %(exponent)s) END AS minutes
    FROM engagement_task t JOIN won ON won.id = t.renewal_id
    CROSS JOIN LATERAL (
        SELECT sum(abs(hashint8(t.id * 31 + dice)::bigint) %% 1000 / 1000.0) AS total FROM generate_series(1, 3) dice
    ) noise
    WHERE t.done_at IS NOT NULL AND abs(hashint8(t.id * 31 + 7)::bigint) %% 5 > 0
)
UPDATE engagement_task t SET spent_minutes = least(%(most)s, greatest(5, 5 * round(drawn.minutes / 5)))
FROM drawn WHERE drawn.id = t.id
"""


def fill_minutes() -> None:
    """Nothing where somebody recorded minutes already."""
    if Task.objects.filter(spent_minutes__isnull=False).exists():
        return
    values: dict[str, Any] = {"routine": ROUTINE, "exponent": EXPONENT, "most": MOST_MINUTES}
    with transaction.atomic(), recorded_as(user_id=None, how="job"), connection.cursor() as cursor:
        cursor.execute(FILL, values)
