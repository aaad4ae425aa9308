"""Starting plans: any number of them in a handful of statements, by rule and by hand alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection

from engagement.models.plans import PlanKind
from engagement.plans.fields import filled_sql
from engagement.plans.rates import default_rates_of
from engagement.tasks.stakes import refresh_stakes
from renewals.models import RiskBand, TimingClass
from renewals.models.scores import HIGH_RISK_FROM, MEDIUM_RISK_FROM

# The first half of its duration is when a contract at risk can still be turned round (docs/domain.md section 6).
PROTECTED_SHARE: Final = 0.5
# Days left from which on the next stretch begins: renewals are compared within one.
STRETCHES: Final = (31, 61, 91, 181, 366)
STRETCH_NAMES: Final = (
    "up to 30 days", "31 to 60 days", "61 to 90 days", "91 to 180 days", "181 to 365 days", "more than a year",
)  # fmt: skip
STRETCH: Final = f"width_bucket(r.due_on - %(as_of)s, ARRAY[{', '.join(map(str, STRETCHES))}])"
BAND: Final = (
    f"CASE WHEN s.risk_score >= {HIGH_RISK_FROM} THEN '{RiskBand.HIGH}' WHEN s.risk_score >= {MEDIUM_RISK_FROM}"
    f" THEN '{RiskBand.MEDIUM}' WHEN s.risk_score IS NULL THEN '' ELSE '{RiskBand.LOW}' END"
)
OPEN_CLASSES: Final = ", ".join(
    str(int(code)) for code in (TimingClass.UPCOMING, TimingClass.IN_WINDOW, TimingClass.OVERDUE)
)
# Who sees the renewal, and may have something to do for it; `u` is the person, `o` the renewal's owner.
MAY_DO: Final = (
    "u.is_active AND u.role <> 'viewer' AND"
    " (u.role = 'admin' OR u.sees_whole_book OR u.id = r.owner_id OR u.team_id = o.team_id)"
)

# The newest version of each playbook whose rule is in use.
RULES: Final = """
SELECT v.id, b.kind, v.segment_id, v.risk_from, v.within_days FROM engagement_playbook b
JOIN LATERAL (
    SELECT * FROM engagement_playbookversion v WHERE v.playbook_id = b.id ORDER BY v.number DESC LIMIT 1
) v ON true
WHERE b.use = 'rule'
"""
# Open renewals that a rule fits and that had no plan of the kind yet; an account that is flagged is at risk, whatever
# the scores of its renewals. Of several rules that of the segment goes before one for all, then the one for the higher
# risk, the fewer days, the newer.
FITTING: Final = f"""
SELECT DISTINCT ON (r.id) r.id AS renewal_id, r.account_id, v.id AS version_id,
    r.baseline_amount * (1 - s.probability::numeric) AS stake
FROM ({RULES}) v
JOIN renewals_renewal r ON r.outcome = 'open' AND NOT r.is_excluded
JOIN renewals_renewalscore s ON s.renewal_id = r.id AND s.timing_class IN ({OPEN_CLASSES})
JOIN accounts_account a ON a.id = r.account_id
JOIN renewals_contract c ON c.id = r.contract_id
WHERE v.kind = %(kind)s AND {{when}}
    AND (v.segment_id IS NULL OR v.segment_id = a.segment_id)
    AND (v.risk_from IS NULL OR s.risk_score >= v.risk_from OR (v.kind = 'protect' AND EXISTS (
        SELECT FROM engagement_flag f WHERE f.account_id = r.account_id AND f.cleared_at IS NULL)))
    AND NOT EXISTS (SELECT FROM engagement_plan p WHERE p.renewal_id = r.id AND p.kind = %(kind)s)
ORDER BY r.id, v.segment_id IS NULL, v.risk_from DESC NULLS LAST, v.within_days NULLS LAST, v.id DESC
"""
WHEN: Final = {
    PlanKind.RENEWAL: "r.due_on BETWEEN %(as_of)s AND %(as_of)s + v.within_days",
    PlanKind.PROTECT: (
        f"%(as_of)s >= c.starts_on AND %(as_of)s <= c.starts_on + floor((c.ends_on - c.starts_on) * {PROTECTED_SHARE})"
        "::int"
    ),
}
# Of an account one renewal is protected at a time, that at which most is expected to be lost.
ONE_OF_ACCOUNT: Final = """
SELECT DISTINCT ON (f.account_id) f.* FROM ({fitting}) f
WHERE NOT EXISTS (
    SELECT FROM engagement_plan p WHERE p.account_id = f.account_id AND p.kind = %(kind)s AND p.closed_at IS NULL
)
ORDER BY f.account_id, f.stake DESC, f.renewal_id
"""
CHOSEN: Final = "CREATE TEMPORARY TABLE plan_chosen ON COMMIT DROP AS SELECT renewal_id, account_id, version_id FROM "
MAKE_PLANS: Final = f"""
WITH rate (account_id, value) AS (SELECT * FROM unnest(%(accounts)s::bigint[], %(rates)s::float8[])),
made AS (
    INSERT INTO engagement_plan (kind, renewal_id, account_id, version_id, owner_id, started_on, created_by_id, outcome,
        outcome_note, start_segment_id, start_band, start_stretch, start_probability, start_default_rate,
        start_collected_cents, default_rate)
    SELECT b.kind, r.id, r.account_id, x.version_id, coalesce(r.owner_id, a.owner_id), %(as_of)s, %(user)s, '', '',
        a.segment_id, {BAND}, {STRETCH}, s.probability, rate.value,
        ((s.probability * s.mean_cents)::bigint * (1 - rate.value))::bigint, rate.value
    FROM plan_chosen x
    JOIN engagement_playbookversion v ON v.id = x.version_id
    JOIN engagement_playbook b ON b.id = v.playbook_id
    JOIN renewals_renewal r ON r.id = x.renewal_id
    JOIN renewals_renewalscore s ON s.renewal_id = r.id
    JOIN accounts_account a ON a.id = r.account_id
    JOIN rate ON rate.account_id = r.account_id
    ORDER BY r.id
    ON CONFLICT DO NOTHING
    RETURNING id
)
SELECT id FROM made
"""
# A step that would have been due before the plan began is due on the day on which it begins.
STEPS: Final = f"""
CREATE TEMPORARY TABLE plan_step_made ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('engagement_task', 'id')) AS task_id, p.id AS plan_id, p.account_id, p.renewal_id,
    d.id AS asks_id, d.number, left({filled_sql("d.title")}, 200) AS title, d.estimated_minutes, d.outcome, d.choices,
    greatest(p.started_on, d.days + CASE d.due_from WHEN 'start' THEN p.started_on WHEN 'decision' THEN r.decision_on
        ELSE r.due_on END) AS due_on,
    coalesce(CASE d.owner_is WHEN 'manager' THEN (
            SELECT m.id FROM accounts_user m WHERE m.role = 'manager' AND m.is_active AND m.team_id = o.team_id
            ORDER BY m.id LIMIT 1
        ) WHEN 'renewal' THEN r.owner_id ELSE u.id END, r.owner_id, a.owner_id) AS owner_id
FROM engagement_plan p
JOIN engagement_playbookstep d ON d.version_id = p.version_id
JOIN renewals_renewal r ON r.id = p.renewal_id
JOIN accounts_account a ON a.id = p.account_id
JOIN renewals_contract c ON c.id = r.contract_id
LEFT JOIN accounts_user o ON o.id = r.owner_id
LEFT JOIN accounts_user u
    ON u.id = CASE d.owner_is WHEN 'account' THEN a.owner_id WHEN 'person' THEN d.person_id END AND {MAY_DO}
WHERE p.id = ANY(%(plans)s)
ORDER BY p.id, d.number
"""
# What has to be said before a task is done, as the list of tasks shows it; facts are looked up, nobody writes them.
REQUIRED: Final = (
    "CASE outcome WHEN 'text' THEN 'What came of it' WHEN 'choice'"
    " THEN left('One of: ' || array_to_string(choices, ', '), 200) ELSE '' END"
)
MAKE_TASKS: Final = f"""
INSERT INTO engagement_task (id, account_id, renewal_id, title, note, owner_id, due_on, kind, estimated_minutes,
    required_outcome, outcome, created_by_id, stake_amount)
SELECT task_id, account_id, renewal_id, title, '', owner_id, due_on, 'plan', estimated_minutes, {REQUIRED}, '',
    %(user)s, 0
FROM plan_step_made ORDER BY task_id
"""
MAKE_STEPS: Final = """
INSERT INTO engagement_planstep (plan_id, account_id, task_id, asks_id, number, position, checked, is_dropped)
SELECT plan_id, account_id, task_id, asks_id, number, number, '{}', false FROM plan_step_made ORDER BY task_id
"""


def start_fitting(*, kind: PlanKind, as_of: dt.date, limit: int) -> int:
    """Start plans of one kind for up to `limit` renewals that a rule fits; how many. Inside the caller's transaction.

    Whoever else starts one for the same renewal meanwhile is first or second, never both: the later insert finds the
    earlier one and leaves it.
    """
    sql = FITTING.format(when=WHEN[kind])
    if kind == PlanKind.PROTECT:
        sql = ONE_OF_ACCOUNT.format(fitting=sql)
    with connection.cursor() as cursor:
        cursor.execute(f"{CHOSEN} ({sql}) fitting LIMIT %(limit)s", {"kind": str(kind), "as_of": as_of, "limit": limit})
        return len(start_chosen(cursor, as_of=as_of, user_id=None))


def start_for(*, renewal_id: int, account_id: int, version_id: int, as_of: dt.date, user_id: int) -> int | None:
    """Start one by hand; its id, or None where one of the kind is open already. Inside the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{CHOSEN} (VALUES (%s::bigint, %s::bigint, %s::bigint)) chosen (renewal_id, account_id, version_id)",
            [renewal_id, account_id, version_id],
        )
        return next(iter(start_chosen(cursor, as_of=as_of, user_id=user_id)), None)


def count_fitting(*, kind: PlanKind, as_of: dt.date) -> dict[int, int]:
    """How many plans the rules in use would start now, by version."""
    sql = FITTING.format(when=WHEN[kind])
    if kind == PlanKind.PROTECT:
        sql = ONE_OF_ACCOUNT.format(fitting=sql)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT version_id, count(*) FROM ({sql}) fitting GROUP BY version_id", {"kind": str(kind), "as_of": as_of}
        )
        return dict(cursor.fetchall())


def start_chosen(cursor: Any, *, as_of: dt.date, user_id: int | None) -> Sequence[int]:
    """Plans, tasks and steps of what stands in the temporary table plan_chosen; the ids of the plans."""
    cursor.execute("SELECT DISTINCT account_id FROM plan_chosen")
    rates = default_rates_of(cursor, [account_id for (account_id,) in cursor.fetchall()], as_of=as_of)
    values: dict[str, Any] = {"as_of": as_of, "user": user_id}
    values |= {"accounts": list(rates), "rates": list(rates.values())}
    cursor.execute(MAKE_PLANS, values)
    plans = [plan_id for (plan_id,) in cursor.fetchall()]
    cursor.execute("DROP TABLE plan_chosen")
    if plans:
        cursor.execute(STEPS, {"plans": plans})
        cursor.execute(MAKE_TASKS, values)
        cursor.execute(MAKE_STEPS)
        cursor.execute("SELECT task_id FROM plan_step_made")
        refresh_stakes(as_of=as_of, task_ids=[task_id for (task_id,) in cursor.fetchall()])
        cursor.execute("DROP TABLE plan_step_made")
    return plans
