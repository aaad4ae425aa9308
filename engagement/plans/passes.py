"""What happens to plans without anybody: rules start them after a run, a decision closes them.

Each step may be done again, by anybody, at any time: what was done is in the rows themselves.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import get_company
from config.history import recorded_as
from engagement.models.plans import Plan, PlanKind, PlanPass
from engagement.plans.rates import default_rates_of
from engagement.plans.starting import BAND, OPEN_CLASSES, STRETCH, start_fitting
from forecasting.models import Run

LOCK: Final = 7_010_061  # one pass at a time; held until its transaction ends
PLANS_AT_ONCE: Final = 5_000
REOPENED_WITHIN: Final = dt.timedelta(days=30)

SEE_PEERS: Final = f"""
INSERT INTO engagement_peerstanding (renewal_id, account_id, stretch, segment_id, band, seen_on)
SELECT r.id, r.account_id, {STRETCH}, a.segment_id, {BAND}, %(as_of)s
FROM renewals_renewal r
JOIN renewals_renewalscore s ON s.renewal_id = r.id AND s.timing_class IN ({OPEN_CLASSES})
JOIN accounts_account a ON a.id = r.account_id
WHERE r.outcome = 'open' AND NOT r.is_excluded AND r.due_on >= %(as_of)s
    AND NOT EXISTS (SELECT FROM engagement_peerstanding seen WHERE seen.renewal_id = r.id AND seen.stretch = {STRETCH})
ON CONFLICT DO NOTHING
"""
RATES: Final = """
UPDATE engagement_plan p SET default_rate = rate.value
FROM unnest(%(accounts)s::bigint[], %(rates)s::float8[]) AS rate (account_id, value)
WHERE p.account_id = rate.account_id AND p.closed_at IS NULL AND p.default_rate <> rate.value
"""
CLOSE: Final = """
UPDATE engagement_plan p SET closed_at = %(now)s, outcome = r.outcome
FROM renewals_renewal r WHERE r.id = p.renewal_id AND p.closed_at IS NULL AND r.outcome <> 'open'
RETURNING p.id
"""
DROP_STEPS: Final = """
WITH dropped AS (
    UPDATE engagement_planstep s SET is_dropped = true FROM engagement_task t
    WHERE s.plan_id = ANY(%(plans)s) AND t.id = s.task_id AND t.done_at IS NULL RETURNING s.task_id
)
UPDATE engagement_task t SET done_at = %(now)s, done_by_id = %(user)s, outcome = %(words)s, snoozed_until = NULL
FROM dropped WHERE t.id = dropped.task_id
"""
# Decided by mistake and open again: what closed by itself opens by itself, unless there is a newer one by now.
OPEN_AGAIN: Final = """
UPDATE engagement_plan p SET closed_at = NULL, outcome = '' FROM renewals_renewal r
WHERE r.id = p.renewal_id AND r.outcome = 'open' AND p.closed_at > %(since)s AND p.closed_by_id IS NULL
    AND NOT EXISTS (
        SELECT FROM engagement_plan q WHERE q.closed_at IS NULL AND q.kind = p.kind
            AND (q.renewal_id = p.renewal_id OR (p.kind = 'protect' AND q.account_id = p.account_id))
    )
    AND p.id = (
        SELECT max(q.id) FROM engagement_plan q WHERE q.renewal_id = p.renewal_id AND q.kind = p.kind
    )
RETURNING p.id
"""
TAKE_STEPS_UP: Final = """
WITH taken AS (
    UPDATE engagement_planstep s SET is_dropped = false
    WHERE s.plan_id = ANY(%(plans)s) AND s.is_dropped RETURNING s.task_id
)
UPDATE engagement_task t SET done_at = NULL, done_by_id = NULL, outcome = '' FROM taken WHERE t.id = taken.task_id
"""
CLOSED_WORDS: Final = "Dropped: the renewal was decided."


def tend_plans() -> None:
    """Close what is decided, open what is open again, and apply the rules after a new run."""
    follow_decisions()
    apply_rules()


def follow_decisions() -> tuple[int, int]:
    """Close each open plan whose renewal is decided, and open again what was closed so; how many of each."""
    now = timezone.now()
    with transaction.atomic(), recorded_as(user_id=None, how="job"), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(CLOSE, {"now": now})
        closed = [pk for (pk,) in cursor.fetchall()]
        drop_steps(plan_ids=closed, user_id=None, words=CLOSED_WORDS, now=now)
        cursor.execute(OPEN_AGAIN, {"since": now - REOPENED_WITHIN})
        opened = [pk for (pk,) in cursor.fetchall()]
        if opened:
            cursor.execute(TAKE_STEPS_UP, {"plans": opened})
    return len(closed), len(opened)


def drop_steps(*, plan_ids: list[int], user_id: int | None, words: str, now: dt.datetime) -> None:
    """End the steps that are still open. Inside the caller's transaction."""
    if plan_ids:
        with connection.cursor() as cursor:
            cursor.execute(DROP_STEPS, {"plans": plan_ids, "user": user_id, "words": words, "now": now})


def apply_rules() -> int | None:
    """Start what the playbooks' rules ask for after the last published run; how many, or None where that was done.

    In transactions of some thousand plans each: one that is killed leaves whole plans, and the next call goes on.
    """
    run = Run.objects.latest_published()
    if run is None or PlanPass.objects.filter(run=run).exists():
        return None
    as_of, count = get_company().today(), 0
    for kind in PlanKind:
        while started := _start_some(kind, as_of):
            count += started
    with transaction.atomic():
        _take_turn()
        with connection.cursor() as cursor:
            cursor.execute(SEE_PEERS, {"as_of": as_of})
        _refresh_rates(as_of)
        PlanPass.objects.get_or_create(run=run, defaults={"started_count": count})
    return count


def _take_turn() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _start_some(kind: PlanKind, as_of: dt.date) -> int:
    with transaction.atomic(), recorded_as(user_id=None, how="job"):
        _take_turn()
        return start_fitting(kind=kind, as_of=as_of, limit=PLANS_AT_ONCE)


def _refresh_rates(as_of: dt.date) -> None:
    """How likely what is booked is not paid, of the accounts with an open plan."""
    ids = list(Plan.objects.open().order_by().values_list("account", flat=True).distinct())
    with connection.cursor() as cursor:
        rates = default_rates_of(cursor, ids, as_of=as_of)
        cursor.execute(RATES, {"accounts": list(rates), "rates": list(rates.values())})
