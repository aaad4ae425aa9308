"""Plans of the demo company: playbooks in use, plans at work, and plans of renewals that are decided by now.

Which renewals had a plan is drawn by hashes of ids, so that the demo's plans change nothing of what came: the page that
asks whether they worked has to find that no difference is told where there is none.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from django.db import connection, transaction

from accounts.models import Segment, User, get_company
from config.history import recorded_as
from engagement.models import Plan, Playbook
from engagement.plans.drafts import draft_of
from engagement.plans.passes import apply_rules
from engagement.plans.playbooks import save_playbook, set_use
from engagement.plans.starting import BAND, CHOSEN, start_chosen

PAST_DAYS_LEFT = 120
# Playbook -> (segment of its rule, risk from which it begins)
IN_USE: dict[str, tuple[str | None, float]] = {
    "Protect an account at risk": (None, 35.0),
    "Renew in 180 days": (None, 28.0),
    "Renew in 60 days, the short way": ("SMB", 20.0),
}
SALT = "(r.id * 2654435761 %% 1000)"
PAST = f"""
SELECT r.id AS renewal_id, r.account_id, %(version)s::bigint AS version_id
FROM renewals_renewal r JOIN renewals_renewalscore s ON s.renewal_id = r.id
WHERE r.outcome <> 'open' AND NOT r.is_excluded AND r.due_on > %(as_of)s - 730
    AND s.risk_score >= 20 AND {SALT} < 400
"""
# Just filled: planned as empty, what follows would compare each step with each task.
SETTLE = "ANALYZE engagement_plan, engagement_planstep, engagement_task"
FREEZE_PAST = f"""
UPDATE engagement_plan p SET started_on = r.due_on - {PAST_DAYS_LEFT}, start_stretch = 3,
    start_probability = s.likelihood,
    start_collected_cents = (s.likelihood * r.baseline_amount::float8 * 100 * (1 - p.start_default_rate))::bigint,
    closed_at = coalesce(r.ordered_on, r.declined_on, r.due_on)::timestamp AT TIME ZONE 'UTC', outcome = r.outcome
FROM renewals_renewal r JOIN renewals_renewalscore s ON s.renewal_id = r.id
WHERE r.id = p.renewal_id AND p.id = ANY(%(plans)s)
"""
FREEZE_PAST_STEPS = f"""
UPDATE engagement_task t SET due_on = r.due_on - {PAST_DAYS_LEFT} + 18 * x.number, done_by_id = t.owner_id,
    done_at = least(r.due_on - {PAST_DAYS_LEFT} + 18 * x.number, coalesce(r.ordered_on, r.declined_on, r.due_on),
        %(as_of)s - 1)::timestamp AT TIME ZONE 'UTC',
    outcome = CASE WHEN d.outcome = 'choice' THEN d.choices[1] ELSE 'As agreed' END
FROM engagement_planstep x JOIN engagement_playbookstep d ON d.id = x.asks_id
JOIN engagement_plan p ON p.id = x.plan_id JOIN renewals_renewal r ON r.id = p.renewal_id
WHERE t.id = x.task_id AND p.id = ANY(%(plans)s)
"""
# Those without a plan, as they were seen when as many days were left.
PAST_PEERS = f"""
INSERT INTO engagement_peerstanding (renewal_id, account_id, stretch, segment_id, band, seen_on)
SELECT r.id, r.account_id, 3, a.segment_id, {BAND}, r.due_on - {PAST_DAYS_LEFT}
FROM renewals_renewal r
JOIN renewals_renewalscore s ON s.renewal_id = r.id
JOIN accounts_account a ON a.id = r.account_id
WHERE r.outcome <> 'open' AND NOT r.is_excluded AND r.due_on > %(as_of)s - 730
ON CONFLICT DO NOTHING
"""
# Begun up to six weeks ago, when some stood better and some worse.
BEGIN_EARLIER = f"""
UPDATE engagement_plan p SET started_on = p.started_on - (r.id * 7919 %% 43)::int,
    start_probability = least(0.99, greatest(0.02, p.start_probability + ({SALT} %% 19 - 11) / 100.0)),
    start_collected_cents = (least(0.99, greatest(0.02, p.start_probability + ({SALT} %% 19 - 11) / 100.0))
        * s.mean_cents * (1 - p.start_default_rate))::bigint
FROM renewals_renewal r JOIN renewals_renewalscore s ON s.renewal_id = r.id
WHERE r.id = p.renewal_id AND p.closed_at IS NULL
"""
MOVE_STEPS = """
UPDATE engagement_task t SET due_on = greatest(p.started_on, t.due_on - (p.renewal_id * 7919 %% 43)::int)
FROM engagement_planstep x JOIN engagement_plan p ON p.id = x.plan_id
JOIN engagement_playbookstep d ON d.id = x.asks_id
WHERE t.id = x.task_id AND p.closed_at IS NULL AND d.due_from = 'start'
"""
# Most of what is due is done, but for the odd one that is overdue.
WORK_STEPS = """
UPDATE engagement_task t SET done_at = least(t.due_on, %(as_of)s - 1)::timestamp AT TIME ZONE 'UTC',
    done_by_id = t.owner_id, outcome = CASE WHEN d.outcome = 'choice' THEN d.choices[1] ELSE 'Agreed on the phone' END
FROM engagement_planstep x JOIN engagement_playbookstep d ON d.id = x.asks_id JOIN engagement_plan p ON p.id = x.plan_id
WHERE t.id = x.task_id AND p.closed_at IS NULL AND p.renewal_id * 31 %% 7 > 0
    AND (t.due_on < %(as_of)s - 4 OR t.due_on < %(as_of)s + 10 AND x.number <= 1 + p.renewal_id %% 4)
"""
TICK_DONE = """
UPDATE engagement_planstep x SET checked = ARRAY(SELECT generate_series(0, cardinality(d.checks) - 1))
FROM engagement_playbookstep d, engagement_task t
WHERE d.id = x.asks_id AND t.id = x.task_id AND t.done_at IS NOT NULL AND cardinality(d.checks) > 0
"""


def fill_plans() -> None:
    """Nothing where plans are there already, or nobody is an admin. Needs a published run."""
    admin = User.objects.filter(role=User.Role.ADMIN).first()
    if Plan.objects.exists() or admin is None:
        return
    as_of = get_company().today()
    with transaction.atomic(), recorded_as(user_id=None, how="job"):
        _use_playbooks(admin)
        _record_past(as_of)
    apply_rules()
    with transaction.atomic(), recorded_as(user_id=None, how="job"), connection.cursor() as cursor:
        for statement in (SETTLE, BEGIN_EARLIER, MOVE_STEPS, WORK_STEPS, TICK_DONE):
            cursor.execute(statement, {"as_of": as_of})


def _use_playbooks(admin: User) -> None:
    for playbook in Playbook.objects.filter(name__in=IN_USE):
        segment, risk = IN_USE[playbook.name]
        newest = playbook.versions.select_related("playbook", "segment").order_by("-number")[:1].get()
        changed = replace(draft_of(newest), risk_from=risk, segment=Segment.objects.filter(name=segment).first())
        save_playbook(by=admin, draft=changed, playbook_id=playbook.pk)
        set_use(by=admin, playbook_id=playbook.pk, use=Playbook.Use.RULE)


def _record_past(as_of: dt.date) -> None:
    version = Playbook.objects.get(name="Renew in 180 days").versions.order_by("number").first()
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"as_of": as_of, "version": version.pk if version else None}
        cursor.execute(f"{CHOSEN} ({PAST}) past", values)
        values["plans"] = list(start_chosen(cursor, as_of=as_of, user_id=None))
        cursor.execute(SETTLE)
        cursor.execute(FREEZE_PAST, values)
        cursor.execute(FREEZE_PAST_STEPS, values)
        cursor.execute(PAST_PEERS, values)
