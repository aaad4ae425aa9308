"""One look for causes: what is so, against the alerts that are open, in one transaction.

A look that is killed leaves nothing behind and is done again; two at once are one. What an edit scored waits in
FreshScore until a look that commits has taken it, whenever its transaction ended.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from accounts.exchange import read_rates
from accounts.models import get_company
from engagement.alerts.causes import found_by, step_of, values_of
from engagement.alerts.recipients import tell
from engagement.alerts.risk import observe_risk
from engagement.models import AlertPass, AlertRule, GroundedRule
from forecasting.models import Run

TAKE_FRESH: Final = "DELETE FROM forecasting_freshscore RETURNING renewal_id"
CHANGED_WITHIN: Final = "SELECT DISTINCT pgh_obj_id FROM renewals_renewalevent WHERE pgh_created_at > %s"
# A table, because what is compared with the alerts has to be planned for as many as it is: taken for one cause, all
# would be gone through for each alert.
FOUND: Final = """
CREATE TEMP TABLE IF NOT EXISTS found_cause (
    cause_key text, renewal_id bigint, account_id bigint, target_id bigint, level float8, facts jsonb
) ON COMMIT DROP
"""
FIND: Final = """
INSERT INTO found_cause (cause_key, renewal_id, account_id, target_id, level, facts)
SELECT found.cause_key, found.renewal_id, found.account_id, found.target_id, found.level, found.facts
FROM ({found}) found
"""
# Ends what is away, and what became worse by the rule's step, which is then found as a new alert.
END: Final = """
UPDATE engagement_alert a SET ended_at = %(now)s, is_worse = found.cause_key IS NOT NULL
FROM engagement_alert o LEFT JOIN found_cause found ON found.cause_key = o.cause_key
WHERE a.id = o.id AND o.rule_id = %(rule)s AND o.ended_at IS NULL
    AND (found.cause_key IS NULL OR found.level >= o.level + %(step)s::float8)
"""
FIRE: Final = """
INSERT INTO engagement_alert
    (rule_id, cause_key, renewal_id, account_id, target_id, level, facts, is_quiet, is_worse, fired_at)
SELECT %(rule)s, found.cause_key, found.renewal_id, found.account_id, found.target_id, found.level, found.facts,
    %(is_quiet)s, false, %(now)s
FROM found_cause found
WHERE NOT EXISTS (SELECT FROM engagement_alert a
    WHERE a.rule_id = %(rule)s AND a.cause_key = found.cause_key AND a.ended_at IS NULL)
ORDER BY found.renewal_id, found.account_id, found.target_id
RETURNING id
"""
# Until autovacuum comes, a plan would take so many alerts, or causes, for a few, and compare each with each.
MANY: Final = 500
END_OF_OFF: Final = """
UPDATE engagement_alert a SET ended_at = %s FROM engagement_alertrule r
WHERE r.id = a.rule_id AND NOT r.is_active AND a.ended_at IS NULL
"""


def look_for_causes(*, now: dt.datetime | None = None) -> int:
    """Raise what is new, end what is away, and write down who is told; how many were raised and told of.

    0 where another process is just looking.
    """
    now, company = now or timezone.now(), get_company()
    today = company.today(now)
    with transaction.atomic(), connection.cursor() as cursor:
        last = AlertPass.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        if last is None:
            return 0
        published = Run.objects.filter(state=Run.State.PUBLISHED).order_by("-published_at", "-pk")
        run_id = published.values_list("pk", flat=True).first() or 0
        is_whole = run_id != last.observed_run_id
        cursor.execute(TAKE_FRESH)
        edited = sorted({pk for (pk,) in cursor.fetchall()})
        observe_risk(cursor, today=today, renewal_ids=None if is_whole else edited)
        rates = read_rates(as_of=today, reporting_currency=company.reporting_currency)
        cursor.execute(FOUND)
        # Held, so that nobody changes a rule between what it finds and the note that it was looked at.
        held = AlertRule.objects.select_for_update(of=("self",), no_key=True)
        rules = list(held.filter(is_active=True).select_related("ground").order_by("pk"))
        raised = [pk for rule in rules for pk in _look_by(cursor, rule, now, today, rates, edited, is_whole=is_whole)]
        cursor.execute(END_OF_OFF, [now])
        tell(cursor, alert_ids=raised, company=company, now=now)
        last.observed_run_id, last.passed_at = run_id, now
        last.save(update_fields=["observed_run_id", "passed_at"])
    return len(raised)


def _look_by(
    cursor: Any,
    rule: AlertRule,
    now: dt.datetime,
    today: dt.date,
    rates: Mapping[str, Decimal],
    edited: list[int],
    *,
    is_whole: bool,
) -> list[int]:
    """The ids of the alerts that this rule raised, and that somebody is to be told of."""
    is_grounded = hasattr(rule, "ground")
    values = values_of(rule, today=today, now=now, rates=rates, edited=edited)
    if rule.kind == AlertRule.Kind.CONFIDENCE_CUT and (is_whole or not is_grounded):
        # What a run scored left no marks of its edits: an import may have changed any row.
        cursor.execute(CHANGED_WITHIN, [values["since"]])
        values["edited"] = sorted({*edited, *(pk for (pk,) in cursor.fetchall())})
    values |= {"now": now, "step": step_of(rule), "is_quiet": not is_grounded}
    cursor.execute("TRUNCATE found_cause")
    cursor.execute(FIND.format(found=found_by(rule)), values)
    if cursor.rowcount >= MANY:
        cursor.execute("ANALYZE found_cause")
    cursor.execute(END, values)
    cursor.execute(FIRE, values)
    raised = [pk for (pk,) in cursor.fetchall()]
    if len(raised) >= MANY:
        cursor.execute("ANALYZE engagement_alert")
    if is_grounded:
        return raised
    GroundedRule.objects.get_or_create(rule=rule)
    return []
