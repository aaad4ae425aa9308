"""The causes of alerts: what each kind of rule asks of the book, in SQL with bound values, and its parameters.

Each asks how things are, not what happened: a pass compares the answer with the alerts that are open, so whatever was
missed while no worker ran, or comes from a transaction that commits late, is found by the next pass. Columns of an
answer: cause_key, renewal_id, target_id, level (how bad, rising), facts (for words, see engagement.alerts.words).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from engagement.alerts.risk import WINDOW_DAYS
from engagement.models import AlertRule
from renewals.models import TimingClass

Kind = AlertRule.Kind
CHAMPION_KNOWN_DAYS: Final = 90
PREVIEW_DAYS: Final = 30


@dataclass(frozen=True)
class Parameter:
    """A whole number of a rule. `initial` None: optional."""

    name: str
    label: str
    lowest: int
    highest: int
    initial: int | None
    help_text: str = ""


@dataclass(frozen=True)
class Cause:
    """`find` answers what is so now, `count` how often it came to be so in the last days (one number)."""

    explanation: str
    parameters: tuple[Parameter, ...]
    find: str
    count: str
    counts: str  # what the number of `count` counts, in words
    icon: str


def _step(label: str, initial: int | None) -> Parameter:
    return Parameter("step", label, 1, 365, initial, "Blank: an alert that stays is told once.")


RISK_JUMP: Final = """
SELECT 'renewal:' || m.renewal_id AS cause_key, m.renewal_id, NULL::bigint AS target_id, m.jump AS level,
    jsonb_build_object('from', round(m.reference_risk), 'to', round(m.risk), 'since', m.reference_on) AS facts
FROM engagement_riskmark m WHERE m.jump >= %(points)s AND m.jump >= 1 AND m.risk >= %(least_risk)s
"""
RISK_JUMP_COUNT: Final = """
SELECT m.renewal_id, NULL::bigint AS target_id FROM engagement_riskmark m
WHERE m.peak_jump >= %(points)s AND m.peak_risk >= %(least_risk)s
"""
DECISION_NEAR: Final = """
SELECT 'renewal:' || r.id AS cause_key, r.id AS renewal_id, NULL::bigint AS target_id,
    %(days)s - (r.decision_on - %(today)s) AS level, jsonb_build_object('on', r.decision_on) AS facts
FROM renewals_renewal r
WHERE r.outcome = 'open' AND r.decision_on BETWEEN %(today)s AND %(today)s + %(days)s
"""
DECISION_NEAR_COUNT: Final = """
SELECT r.id AS renewal_id, NULL::bigint AS target_id FROM renewals_renewal r
WHERE r.decision_on - %(days)s > %(today)s - %(past)s AND r.decision_on - %(days)s <= %(today)s
    AND coalesce(r.ordered_on, r.declined_on, 'infinity') > r.decision_on - %(days)s
    AND (r.outcome = 'open' OR r.ordered_on IS NOT NULL OR r.declined_on IS NOT NULL)
"""
OVERDUE: Final = f"""
SELECT 'renewal:' || r.id AS cause_key, r.id AS renewal_id, NULL::bigint AS target_id,
    %(today)s - r.due_on AS level, jsonb_build_object('due', r.due_on) AS facts
FROM renewals_renewal r JOIN renewals_renewalscore s ON s.renewal_id = r.id
WHERE r.outcome = 'open' AND r.due_on <= %(today)s - %(days)s AND s.timing_class = {TimingClass.OVERDUE.value}
"""
OVERDUE_COUNT: Final = """
SELECT r.id AS renewal_id, NULL::bigint AS target_id FROM renewals_renewal r
WHERE r.due_on + %(days)s > %(today)s - %(past)s AND r.due_on + %(days)s <= %(today)s
    AND coalesce(r.ordered_on, r.declined_on, 'infinity') > r.due_on + %(days)s
    AND (r.outcome = 'open' OR r.ordered_on IS NOT NULL OR r.declined_on IS NOT NULL)
"""
# One alert for each owner whose renewal is due soon, about the first of them.
SEVERE_TICKET: Final = """
SELECT DISTINCT ON (t.id, r.owner_id) 'ticket:' || t.id || ':' || coalesce(r.owner_id, 0) AS cause_key,
    r.id AS renewal_id, NULL::bigint AS target_id, CASE t.severity WHEN 'urgent' THEN 2 ELSE 1 END AS level,
    jsonb_build_object('ticket', t.external_id, 'subject', t.subject, 'severity', t.severity, 'opened', t.opened_on,
        'due', r.due_on) AS facts
FROM accounts_ticket t JOIN renewals_renewal r ON r.account_id = t.account_id AND r.outcome = 'open'
    AND NOT r.is_excluded AND r.due_on <= %(today)s + %(days)s
WHERE t.resolved_on IS NULL AND t.severity IN ('high', 'urgent') AND t.opened_on <= %(today)s
ORDER BY t.id, r.owner_id, r.due_on, r.id
"""
SEVERE_TICKET_COUNT: Final = """
SELECT DISTINCT ON (t.id, r.owner_id) r.id AS renewal_id, NULL::bigint AS target_id
FROM accounts_ticket t JOIN renewals_renewal r ON r.account_id = t.account_id AND r.outcome = 'open'
    AND NOT r.is_excluded AND r.due_on <= %(today)s + %(days)s
WHERE t.severity IN ('high', 'urgent') AND t.opened_on > %(today)s - %(past)s
ORDER BY t.id, r.owner_id, r.due_on, r.id
"""
CHAMPION_LEFT: Final = """
SELECT DISTINCT ON (r.account_id, r.owner_id)
    'account:' || r.account_id || ':' || coalesce(r.owner_id, 0) AS cause_key, r.id AS renewal_id,
    NULL::bigint AS target_id, 0 AS level, jsonb_build_object('on', gone.on_day, 'due', r.due_on,
        'who', (SELECT c.name FROM accounts_contact c WHERE c.account_id = r.account_id AND c.is_champion
            AND c.left_on IS NOT NULL ORDER BY c.left_on DESC, c.id DESC LIMIT 1)) AS facts
FROM (
    SELECT s.account_id, min(s.measured_on) AS on_day, max(s.measured_on) AS last_day FROM accounts_accountsignal s
    WHERE s.has_champion_left AND s.measured_on > %(today)s - %(known)s AND s.measured_on <= %(today)s
    GROUP BY s.account_id
) gone JOIN renewals_renewal r ON r.account_id = gone.account_id AND r.outcome = 'open' AND NOT r.is_excluded
    AND r.due_on <= %(today)s + %(days)s
WHERE NOT EXISTS (SELECT FROM accounts_accountsignal s WHERE s.account_id = gone.account_id
    AND s.measured_on > gone.last_day AND s.measured_on <= %(today)s AND NOT s.has_champion_left)
ORDER BY r.account_id, r.owner_id, r.due_on, r.id
"""
CHAMPION_LEFT_COUNT: Final = """
SELECT DISTINCT ON (r.account_id, r.owner_id) r.id AS renewal_id, NULL::bigint AS target_id
FROM accounts_accountsignal s JOIN renewals_renewal r ON r.account_id = s.account_id AND r.outcome = 'open'
    AND NOT r.is_excluded AND r.due_on <= %(today)s + %(days)s
WHERE s.has_champion_left AND s.measured_on > %(today)s - %(past)s AND s.measured_on <= %(today)s
    AND coalesce((SELECT NOT b.has_champion_left FROM accounts_accountsignal b WHERE b.account_id = s.account_id
        AND b.measured_on < s.measured_on AND b.has_champion_left IS NOT NULL
        ORDER BY b.measured_on DESC LIMIT 1), true)
ORDER BY r.account_id, r.owner_id, r.due_on, r.id
"""
# The highest that it was within the days, as its events keep it, less what it is. What an undo took back is not what
# somebody meant; what it is now has to be somebody's word and no job's.
CUTS: Final = """
SELECT r.id AS renewal_id, was.confidence AS was, r.confidence AS now, made.user_id, made.at
FROM {candidates} c JOIN renewals_renewal r ON r.id = c.id AND r.outcome = 'open' AND r.confidence IS NOT NULL
JOIN LATERAL (
    SELECT max(e.confidence) AS confidence FROM renewals_renewalevent e
    WHERE e.pgh_obj_id = r.id AND e.pgh_created_at > %(since)s
        AND coalesce(e.pgh_context ->> 'how', '') NOT IN ('undo', 'redo')
) was ON was.confidence - r.confidence >= %(points)s
JOIN LATERAL (
    SELECT (e.pgh_context ->> 'user')::bigint AS user_id, e.pgh_created_at AS at FROM renewals_renewalevent e
    WHERE e.pgh_obj_id = r.id AND e.confidence IS DISTINCT FROM r.confidence ORDER BY e.pgh_id DESC LIMIT 1
) made ON made.user_id IS NOT NULL
"""
EDITED: Final = """(
    SELECT unnest(%(edited)s::bigint[]) AS id
    UNION SELECT a.renewal_id FROM engagement_alert a WHERE a.rule_id = %(rule)s AND a.ended_at IS NULL
)"""
CHANGED: Final = """(
    SELECT DISTINCT e.pgh_obj_id AS id FROM renewals_renewalevent e WHERE e.pgh_created_at > %(since)s
)"""
CONFIDENCE_CUT: Final = f"""
SELECT 'renewal:' || cut.renewal_id AS cause_key, cut.renewal_id, NULL::bigint AS target_id, cut.was - cut.now AS level,
    jsonb_build_object('from', cut.was, 'to', cut.now, 'by', (SELECT u.name FROM accounts_user u
        WHERE u.id = cut.user_id)) AS facts
FROM ({CUTS.format(candidates=EDITED)}) cut
"""
CONFIDENCE_CUT_COUNT: Final = f"""
SELECT cut.renewal_id, NULL::bigint AS target_id FROM ({CUTS.format(candidates=CHANGED)}) cut
"""
BELOW_TARGET: Final = """
SELECT 'target:' || t.id AS cause_key, NULL::bigint AS renewal_id, t.id AS target_id,
    round(100 * (1 - l.expected_amount / t.amount), 2) AS level,
    jsonb_build_object('expected', l.expected_amount, 'target', t.amount) AS facts
FROM forecasting_target t JOIN forecasting_forecastline l ON l.grain = t.grain AND l.starts_on = t.starts_on
    AND l.team_id IS NOT DISTINCT FROM t.team_id AND l.owner_id IS NOT DISTINCT FROM t.owner_id
    AND l.segment_id IS NULL
WHERE t.starts_on > %(today)s - CASE t.grain WHEN 'month' THEN interval '1 month' ELSE interval '3 months' END
    AND l.expected_amount < t.amount * (1 - %(percent)s / 100.0)
"""

CAUSES: Final[Mapping[str, Cause]] = {
    Kind.RISK_JUMP: Cause(
        f"The risk score of an open renewal rose above its lowest of the last {WINDOW_DAYS} days.",
        (
            Parameter("points", "Points up", 1, 100, 12),
            Parameter("least_risk", "And is at least", 0, 100, 25),
            _step("Again after so many points more", 10),
        ),
        RISK_JUMP,
        RISK_JUMP_COUNT,
        f"renewals whose risk made such a jump within {WINDOW_DAYS} days",
        "trending-up",
    ),
    Kind.DECISION_NEAR: Cause(
        "The day on which the customer has to say no is near, and nothing is decided.",
        (
            Parameter("days", "Days before the decision date", 0, 365, 14),
            _step("Again each time it is so many days nearer", 7),
        ),
        DECISION_NEAR,
        DECISION_NEAR_COUNT,
        "renewals that came that near to their decision date undecided",
        "calendar-due",
    ),
    Kind.OVERDUE: Cause(
        "An open renewal is past its due date and the policy’s grace, and has not lapsed.",
        (Parameter("days", "Days past due", 1, 365, 1), _step("Again after so many days more", 14)),
        OVERDUE,
        OVERDUE_COUNT,
        "renewals that were that long past due undecided, grace left aside",
        "alert-triangle",
    ),
    Kind.SEVERE_TICKET: Cause(
        "A ticket of high or urgent severity is open at an account with a renewal due soon. Told again if it becomes "
        "urgent.",
        (Parameter("days", "Due within days", 0, 1000, 120),),
        SEVERE_TICKET,
        SEVERE_TICKET_COUNT,
        "severe tickets opened at accounts that are due soon",
        "flame",
    ),
    Kind.CHAMPION_LEFT: Cause(
        f"The last champion of an account has left, as the account’s people or an import said within the last "
        f"{CHAMPION_KNOWN_DAYS} days.",
        (Parameter("days", "With a renewal due within days", 0, 1000, 365),),
        CHAMPION_LEFT,
        CHAMPION_LEFT_COUNT,
        "accounts that lost their champion",
        "user-off",
    ),
    Kind.CONFIDENCE_CUT: Cause(
        "A person lowered the confidence of an open renewal.",
        (
            Parameter("points", "Points down", 1, 100, 20),
            Parameter("days", "Within days", 1, 90, 7),
            _step("Again after so many points more", 15),
        ),
        CONFIDENCE_CUT,
        CONFIDENCE_CUT_COUNT,
        "open renewals whose confidence was cut that far",
        "trending-down",
    ),
    Kind.BELOW_TARGET: Cause(
        "What the forecast expects of a month or quarter that is not over is below its target.",
        (
            Parameter("percent", "Per cent below the target", 0, 99, 5),
            _step("Again after so many per cent more", 5),
        ),
        BELOW_TARGET,
        BELOW_TARGET,
        "targets that the forecast is below at present",
        "target",
    ),
}

# Around each: what the rule leaves out. An amount without a rate is unknown, and nobody's reason to be silent.
SCOPED: Final = """
SELECT {columns} FROM ({found}) found
LEFT JOIN renewals_renewal rr ON rr.id = found.renewal_id
LEFT JOIN accounts_account ra ON ra.id = rr.account_id
LEFT JOIN forecasting_target rt ON rt.id = found.target_id
LEFT JOIN unnest(%(currencies)s::text[], %(rates)s::numeric[]) AS x (currency, rate) ON x.currency = rr.currency
WHERE (rt.id IS NOT NULL OR (NOT rr.is_excluded AND (%(segment)s::bigint IS NULL OR ra.segment_id = %(segment)s)))
    AND (%(least_amount)s::numeric IS NULL
        OR coalesce(rr.baseline_amount * x.rate, rt.amount, 'infinity') >= %(least_amount)s)
"""


def parameters_of(rule: AlertRule) -> dict[str, int | None]:
    """The rule's limits, with the initial one where it has none; an optional one may be blank."""
    stored = rule.parameters if isinstance(rule.parameters, dict) else {}
    return {
        one.name: stored.get(one.name) if one.name == "step" else stored.get(one.name, one.initial)
        for one in CAUSES[rule.kind].parameters
    }


def step_of(rule: AlertRule) -> float | None:
    """By how much the level has to rise for an alert that is open to be told again; None: never."""
    if rule.kind == Kind.SEVERE_TICKET:
        return 1.0
    step = parameters_of(rule).get("step")
    return None if step is None else float(step)


def values_of(
    rule: AlertRule, *, today: dt.date, now: dt.datetime, rates: Mapping[str, Decimal], edited: list[int] | None = None
) -> dict[str, Any]:
    """What the statements of a rule are bound to."""
    limits = parameters_of(rule)
    days = PREVIEW_DAYS if edited is None else int(limits.get("days") or 0)
    return {
        **limits,
        "rule": rule.pk,
        "today": today,
        "past": PREVIEW_DAYS,
        "known": CHAMPION_KNOWN_DAYS,
        "since": now - dt.timedelta(days=days),
        "edited": edited or [],
        "currencies": list(rates),
        "rates": list(rates.values()),
        "segment": rule.segment_id,
        "least_amount": rule.least_amount,
    }


def found_by(rule: AlertRule) -> str:
    """The statement that answers what a rule finds now."""
    columns = "found.*, rr.account_id"
    return SCOPED.format(columns=columns, found=CAUSES[rule.kind].find)


def counted_by(rule: AlertRule) -> str:
    """The statement that counts how often a rule would have fired lately."""
    return SCOPED.format(columns="count(*)", found=CAUSES[rule.kind].count)
