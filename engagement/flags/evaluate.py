"""Which accounts the rules flag, set-based: a few at once after edits, the whole book after each recompute.

One pass measures every open renewal with what its account has, and only what some rule asks for. Each rule is then a
condition over that.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction

from accounts.exchange import read_rates
from config.history import recorded_as
from engagement.flags.measures import MEASURES, InvalidConditions, is_of_renewals, read_conditions
from engagement.models.flags import FlagRule
from engagement.tasks.stakes import refresh_flag_stakes

log = logging.getLogger(__name__)
# Whoever asks the rules holds it until the transaction ends: two passes would flag an account twice.
LOCK: Final = 7_010_021
MANY: Final = 500
BASE: Final = """
CREATE TEMPORARY TABLE flag_base ON COMMIT DROP AS
SELECT r.id AS renewal_id, r.account_id, r.decision_on{measured}
FROM renewals_renewal r
JOIN renewals_renewalscore s ON s.renewal_id = r.id
JOIN accounts_account a ON a.id = r.account_id
LEFT JOIN accounts_accounthealth h ON h.account_id = r.account_id
LEFT JOIN unnest(%(currencies)s::text[], %(rates)s::numeric[]) AS rate (currency, rate) ON rate.currency = r.currency
{sources}
WHERE r.outcome = 'open' AND NOT r.is_excluded{scope}
"""
# The renewal that a flag is about is the one whose decision comes first.
FOUND: Final = """
INSERT INTO flag_found
SELECT DISTINCT ON (account_id) %(rule)s, account_id, {renewal}, {values} FROM flag_base WHERE {holds}
ORDER BY account_id, decision_on, renewal_id
"""
# What was measured of the renewal that an open flag is about, or of the account's first one.
ENDED: Final = """
UPDATE engagement_flag f SET cleared_at = %(now)s, cause_ended_at = %(now)s, cleared_values = coalesce(
    (SELECT {values} FROM flag_base b WHERE b.account_id = f.account_id AND (f.renewal_id IS NULL
        OR b.renewal_id = f.renewal_id) ORDER BY b.decision_on, b.renewal_id LIMIT 1), '{{}}')
WHERE f.rule_id = %(rule)s AND f.cleared_at IS NULL{scope}
AND NOT EXISTS (SELECT FROM flag_found n WHERE n.rule_id = f.rule_id AND n.account_id = f.account_id)
"""
# A flag that a person cleared holds until its conditions did not hold once, or its renewal is decided.
RELEASED: Final = """
UPDATE engagement_flag f SET cause_ended_at = %(now)s
WHERE f.rule_id IS NOT NULL AND f.cleared_by_id IS NOT NULL AND f.cause_ended_at IS NULL{scope} AND (
    NOT EXISTS (SELECT FROM flag_found n WHERE n.rule_id = f.rule_id AND n.account_id = f.account_id)
    OR (f.renewal_id IS NOT NULL AND NOT EXISTS (SELECT FROM flag_base b WHERE b.renewal_id = f.renewal_id))
)
"""
FLAGGED: Final = """
INSERT INTO engagement_flag (account_id, renewal_id, rule_id, reason, values, cleared_reason, cleared_values,
    flagged_at, stake_amount)
SELECT n.account_id, n.renewal_id, n.rule_id, '', n.values, '', '{}', %(now)s, 0 FROM flag_found n
WHERE NOT EXISTS (
    SELECT FROM engagement_flag f WHERE f.account_id = n.account_id AND f.rule_id = n.rule_id
    AND (f.cleared_at IS NULL OR (f.cleared_by_id IS NOT NULL AND f.cause_ended_at IS NULL))
)
ORDER BY n.account_id, n.rule_id
"""
# An open flag whose renewal is decided, while another one of the account keeps it up, is about that one from now on.
MOVED: Final = """
UPDATE engagement_flag f SET renewal_id = n.renewal_id FROM flag_found n
WHERE f.account_id = n.account_id AND f.rule_id = n.rule_id AND f.cleared_at IS NULL
AND n.renewal_id IS NOT NULL AND f.renewal_id IS DISTINCT FROM n.renewal_id
AND NOT EXISTS (SELECT FROM flag_base b WHERE b.renewal_id = f.renewal_id)
"""


@dataclass(frozen=True)
class Flagged:
    """What a pass changed."""

    flagged_count: int
    cleared_count: int


def active_rules() -> list[FlagRule]:
    """The rules in force. One that was spoiled by hand is left out: it must not stop the others."""
    return [rule for rule in FlagRule.objects.filter(is_active=True).order_by("pk") if _is_whole(rule)]


def _is_whole(rule: FlagRule) -> bool:
    try:
        read_conditions(rule.conditions)
    except InvalidConditions as problem:
        log.error("Flag rule %s (%s) is left out: %s", rule.pk, rule.name, problem)
        return False
    return True


def evaluate_flags(*, as_of: dt.date, now: dt.datetime, account_ids: Collection[int] | None = None) -> Flagged:
    """Ask the rules of these accounts, or of all; flag, clear and release in one transaction.

    Some statements for each rule, whatever the number of accounts. Waits for a pass that is under way.
    """
    rules = active_rules()
    with transaction.atomic(), recorded_as(user_id=None, how="job"), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute("DROP TABLE IF EXISTS pg_temp.flag_base, pg_temp.flag_found")
        cursor.execute("SET LOCAL work_mem = '64MB'")
        measure_base(cursor, [rule.conditions for rule in rules], as_of=as_of, account_ids=account_ids)
        cursor.execute(
            "CREATE TEMPORARY TABLE flag_found (rule_id bigint, account_id bigint, renewal_id bigint, values jsonb)"
            " ON COMMIT DROP"
        )
        for rule in rules:
            _find(cursor, rule)
        cursor.execute("CREATE INDEX ON flag_found (account_id, rule_id)")
        cursor.execute("CREATE INDEX ON flag_base (account_id)")
        cursor.execute("CREATE INDEX ON flag_base (renewal_id)")
        cursor.execute("ANALYZE flag_found")
        cursor.execute("ANALYZE flag_base")
        flagged = _write(cursor, rules, now, account_ids)
        cursor.execute("DROP TABLE flag_base, flag_found")
        refresh_flag_stakes(as_of=as_of, account_ids=account_ids)
    return flagged


def measure_base(
    cursor: Any,
    conditions: Sequence[Mapping[str, Any]],
    *,
    as_of: dt.date,
    account_ids: Collection[int] | None = None,
) -> None:
    """Make flag_base: each open renewal with what any of the conditions asks for."""
    keys = [key for key in MEASURES if any(key in asked for asked in conditions)]
    rates = read_rates(as_of=as_of)
    params = {
        "today": as_of,
        "currencies": list(rates),
        "rates": list(rates.values()),
        "ids": None if account_ids is None else list(account_ids),
    }
    narrowed = "" if account_ids is None else " AND account_id = ANY(%(ids)s)"
    sql = BASE.format(
        measured="".join(f", ({MEASURES[key].sql})::float8 AS {key}" for key in keys),
        sources="\n".join(MEASURES[key].source for key in keys).format(scope=narrowed),
        scope=narrowed.replace("account_id", "r.account_id"),
    )
    cursor.execute(_typed(sql), params)


def _typed(sql: str) -> str:
    """A day less a parameter is only whole days where the parameter is known to be one."""
    return sql.replace("%(today)s", "%(today)s::date")


def holds_sql(conditions: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """True of the rows of flag_base of which the conditions hold, and the values it binds."""
    limits = read_conditions(conditions)
    sql = " AND ".join(f"{key} {MEASURES[key].sign} %(limit_{key})s" for key in limits)
    return sql, {f"limit_{key}": limit for key, limit in limits.items()}


def _values_sql(conditions: Mapping[str, Any]) -> str:
    """Of a row of flag_base: what was measured, and the limit, by measure."""
    pairs = ", ".join(f"'{key}', jsonb_build_array({key}, %(limit_{key})s)" for key in read_conditions(conditions))
    return f"jsonb_build_object({pairs})"


def _find(cursor: Any, rule: FlagRule) -> None:
    holds, limits = holds_sql(rule.conditions)
    renewal = "renewal_id" if is_of_renewals(rule.conditions) else "NULL::bigint"
    sql = FOUND.format(renewal=renewal, values=_values_sql(rule.conditions), holds=holds)
    cursor.execute(sql, {"rule": rule.pk, **limits})


def _write(cursor: Any, rules: Sequence[FlagRule], now: dt.datetime, account_ids: Collection[int] | None) -> Flagged:
    params: dict[str, Any] = {"now": now, "ids": None if account_ids is None else list(account_ids)}
    scope = "" if account_ids is None else " AND f.account_id = ANY(%(ids)s)"
    cursor.execute(MOVED)
    cleared_count = 0
    for rule in rules:
        _, limits = holds_sql(rule.conditions)
        ended = ENDED.format(values=_values_sql(rule.conditions), scope=scope)
        cursor.execute(ended, {**params, **limits, "rule": rule.pk})
        cleared_count += cursor.rowcount
    cursor.execute(RELEASED.format(scope=scope), params)
    cursor.execute(FLAGGED, params)
    flagged_count = cursor.rowcount
    if flagged_count > MANY:
        # What reads them next would be planned for the few that there were.
        cursor.execute("ANALYZE engagement_flag")
    return Flagged(flagged_count, cleared_count)


@dataclass(frozen=True)
class Preview:
    """What a rule would flag now: accounts, and what is expected to be lost of them in the reporting currency."""

    account_count: int
    stake_amount: Decimal
    newly_count: int  # of them not flagged by anything yet


PREVIEW: Final = """
WITH found AS (SELECT DISTINCT account_id FROM flag_base WHERE {holds})
SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (
    SELECT FROM engagement_flag f WHERE f.account_id = found.account_id AND f.cleared_at IS NULL
)), coalesce((
    SELECT sum(round(r.baseline_amount * (1 - s.probability::numeric) * rate.rate, 2))
    FROM renewals_renewal r JOIN renewals_renewalscore s ON s.renewal_id = r.id
    JOIN unnest(%(currencies)s::text[], %(rates)s::numeric[]) AS rate (currency, rate) ON rate.currency = r.currency
    WHERE r.outcome = 'open' AND NOT r.is_excluded AND r.account_id IN (SELECT account_id FROM found)
), 0) FROM found
"""


def preview_conditions(conditions: Mapping[str, Any], *, as_of: dt.date) -> Preview:
    """Count what a rule would flag, saved or not; nothing is written. Raises InvalidConditions."""
    holds, limits = holds_sql(conditions)
    rates = read_rates(as_of=as_of)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.flag_base")
        cursor.execute("SET LOCAL work_mem = '64MB'")
        measure_base(cursor, [conditions], as_of=as_of)
        rated: dict[str, Any] = {"currencies": list(rates), "rates": list(rates.values())}
        cursor.execute(PREVIEW.format(holds=holds), {**limits, **rated})
        account_count, newly_count, stake_amount = cursor.fetchone()
        cursor.execute("DROP TABLE flag_base")
    return Preview(account_count, stake_amount, newly_count)
