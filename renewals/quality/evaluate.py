"""Which rules each renewal breaks, set-based: the rows of an edit at once, the whole book with every recompute."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from renewals.models.quality import DataRule
from renewals.quality.conditions import BOOK, SOURCE, Binds, Kind, any_of, is_of_renewals, predicate_of, values_of
from renewals.quality.parameters import InvalidParameter
from renewals.quality.snapshots import take_snapshot
from renewals.quality.without_renewal import ended_sql, merge_account_breaches

log = logging.getLogger(__name__)
# Whoever judges the rows of an edit holds it shared, a recompute exclusive while it merges, until the transaction ends.
# Taken before forecasting's lock on scores, by both.
LOCK: Final = 7_010_003
KEPT: Final = "account_id, due_on, rule_ids, worst_severity"

JUDGED: Final = f"""
found AS MATERIALIZED ({{found}}), mended AS (
    DELETE FROM renewals_renewalquality q USING found f WHERE q.renewal_id = f.renewal_id AND f.rule_ids = '{{{{}}}}'
), judged AS (
    INSERT INTO renewals_renewalquality AS q (renewal_id, {KEPT})
    SELECT renewal_id, {KEPT} FROM found WHERE rule_ids <> '{{{{}}}}'
    ON CONFLICT (renewal_id) DO UPDATE SET ({KEPT}) = ROW(EXCLUDED.account_id, EXCLUDED.due_on, EXCLUDED.rule_ids,
        EXCLUDED.worst_severity)
    WHERE (q.account_id, q.due_on, q.rule_ids, q.worst_severity) IS DISTINCT FROM
        (EXCLUDED.account_id, EXCLUDED.due_on, EXCLUDED.rule_ids, EXCLUDED.worst_severity)
)
"""
MERGE: Final = f"WITH {JUDGED} SELECT 1"
# What the book looks like now against what is stored; both sides hold only rows that break a rule.
CHANGED: Final = f"""
CREATE TEMPORARY TABLE quality_changed ON COMMIT DROP AS
SELECT renewal_id FROM (SELECT * FROM quality_found WHERE renewal_id IS NOT NULL) f
FULL JOIN renewals_renewalquality q USING (renewal_id)
WHERE ({", ".join(f"f.{name}" for name in KEPT.split(", "))}) IS DISTINCT FROM
    ({", ".join(f"q.{name}" for name in KEPT.split(", "))})
"""


@dataclass(frozen=True)
class Judged:
    """A recompute's result: renewals whose broken rules changed, and rows that break one now."""

    changed_count: int
    broken_count: int


# Which versions of which rows the rules are, so that no writer has to say that it wrote.
VERSIONS: Final = "(SELECT string_agg(concat(id, ctid, xmin), ',') FROM renewals_datarule)"
# By database: the rules as this process last read them, and which versions they were.
_read: dict[str, tuple[str, list[DataRule]]] = {}


def active_rules(*, lock_sql: str = "NULL") -> list[DataRule]:
    """The rules in force, the most severe first. One that was spoiled by hand is left out: it must not stop an edit.

    Cached in the process and checked by one query.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {VERSIONS}, {lock_sql}")
        return rules_of(str(cursor.fetchone()[0]))


def rules_of(versions: str) -> list[DataRule]:
    """The active rules, of which VERSIONS was just read."""
    known_versions, rules = _read.get(connection.settings_dict["NAME"], ("", []))
    if versions != known_versions:
        stored = DataRule.objects.filter(is_active=True).order_by("-severity", "pk")
        rules = [rule for rule in stored if _is_whole(rule)]
        _read[connection.settings_dict["NAME"]] = (versions, rules)
    return rules


def _is_whole(rule: DataRule) -> bool:
    try:
        values_of(rule)
    except InvalidParameter as problem:
        log.error("Data rule %s (%s) is left out: %s", rule.pk, rule.name, problem)
        return False
    return True


def evaluate_renewals(*, renewal_ids: Sequence[int], as_of: dt.date) -> None:
    """Judge these rows anew inside the caller's transaction: one statement, after the one that takes the lock."""
    rules = active_rules(lock_sql=f"pg_advisory_xact_lock_shared({LOCK})")
    judging, values = judging_sql(rules, renewal_ids, as_of)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {judging} SELECT 1", values)


def judging_sql(rules: list[DataRule], renewal_ids: Sequence[int], as_of: dt.date) -> tuple[str, dict[str, Any]]:
    """Judging these rows anew by some of `rules_of`, as the first parts of a WITH: what else is written of the rows
    goes into the same statement. With the values it binds, of which `ids` are the rows'. The caller holds LOCK."""
    binds = Binds(as_of, {"ids": list(renewal_ids)})
    found = _found_sql([rule for rule in rules if is_of_renewals(rule)], binds, "r.id = ANY(%(ids)s)")
    return JUDGED.format(found=found), binds.values


def evaluate_all(*, as_of: dt.date) -> Judged:
    """Judge the whole book in one pass, write only what changed, and take the day's snapshot.

    The pass holds no lock. The rows in which it differs from what is stored are then judged once more under the lock,
    so that an edit made meanwhile is never put back.
    """
    rules = active_rules()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.quality_found, pg_temp.quality_changed")
        # The joins of a book of a million rows then stay in memory.
        cursor.execute("SET LOCAL work_mem = '128MB'")
        binds = Binds(as_of)
        book = _book_sql(rules, binds)
        cursor.execute(f"CREATE TEMPORARY TABLE quality_found ON COMMIT DROP AS {book}", binds.values)
        cursor.execute("ANALYZE quality_found")
        cursor.execute(CHANGED)
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        changed_count = _judge_again(cursor, rules, as_of)
        merge_account_breaches(cursor, rules)
        take_snapshot(cursor, as_of=as_of)
        cursor.execute("SELECT count(*) FROM renewals_renewalquality")
        (broken_count,) = cursor.fetchone()
        cursor.execute("DROP TABLE quality_found, quality_changed")
    return Judged(changed_count, broken_count)


def _judge_again(cursor: Any, rules: list[DataRule], as_of: dt.date) -> int:
    cursor.execute("ANALYZE quality_changed")
    cursor.execute("SELECT count(*) FROM quality_changed")
    (changed_count,) = cursor.fetchone()
    if changed_count:
        binds = Binds(as_of)
        of_renewals = [rule for rule in rules if is_of_renewals(rule)]
        found = _found_sql(of_renewals, binds, "r.id IN (SELECT renewal_id FROM quality_changed)")
        cursor.execute(MERGE.format(found=found), binds.values)
        cursor.execute("ANALYZE renewals_renewalquality")
    return int(changed_count)


def _found_sql(rules: list[DataRule], binds: Binds, where: str) -> str:
    """What some renewals break: the ids of the rules, the most severe first, and the worst severity."""
    broken = _array(_predicates(rules, binds))
    return (
        f"SELECT renewal_id, {KEPT} FROM (SELECT j.*, {_worst(rules, binds)} AS worst_severity FROM"
        f" (SELECT r.id AS renewal_id, r.account_id, r.due_on, {broken} AS rule_ids FROM {SOURCE} WHERE {where}) j) k"
    )


def _book_sql(rules: list[DataRule], binds: Binds) -> str:
    """One pass over contracts and their renewals: what breaks any rule. A contract without a renewal is a row whose
    `renewal_id` is NULL; rows in order are left out before anything is collected for them."""
    of_renewals = [rule for rule in rules if is_of_renewals(rule)]
    ended = {rule.pk: ended_sql(rule, binds) for rule in rules if rule.condition == Kind.ENDED_WITHOUT_RENEWAL}
    broken = f"CASE WHEN r.id IS NULL THEN {_array(ended)} ELSE {_array(_predicates(of_renewals, binds))} END"
    has_ended = " OR ".join(ended.values()) or "FALSE"
    where = f"CASE WHEN r.id IS NULL THEN {has_ended} ELSE {any_of(of_renewals, binds)} END"
    return (
        f"SELECT j.*, {_worst(rules, binds)} AS worst_severity FROM (SELECT r.id AS renewal_id, c.id AS contract_id,"
        f" coalesce(r.account_id, c.account_id) AS account_id, r.due_on, {broken} AS rule_ids FROM {BOOK}"
        f" WHERE {where}) j"
    )


def _predicates(rules: list[DataRule], binds: Binds) -> dict[int, str]:
    return {rule.pk: predicate_of(rule, binds) for rule in rules}


def _array(predicates: dict[int, str]) -> str:
    broken = ", ".join(f"CASE WHEN {sql} THEN {pk}::smallint END" for pk, sql in predicates.items())
    return f"array_remove(ARRAY[{broken}]::smallint[], NULL)"


def _worst(rules: list[DataRule], binds: Binds) -> str:
    """The severity of a row's first rule, by an array over rule ids; 0 where it breaks none."""
    severities = [0] * max((rule.pk for rule in rules), default=1)
    for rule in rules:
        severities[rule.pk - 1] = rule.severity
    return f"coalesce(({binds(severities)}::smallint[])[j.rule_ids[1]], 0::smallint)"
