"""Rules that contracts and accounts break where there is no renewal to show it at."""

from __future__ import annotations

from typing import Any, Final

from renewals.models.quality import DataRule
from renewals.quality.conditions import BOOK, Binds, Kind, values_of
from renewals.quality.duplicates import fold_new_names

# A family's members may well have one name.
LOOK_ALIKE: Final = """
FROM renewals_accountname WHERE key IN (
    SELECT key FROM renewals_accountname GROUP BY key HAVING min(family_id) <> max(family_id))
"""
# Of contracts the pass over the book has found what is here.
STAGE: Final = """
CREATE TEMPORARY TABLE quality_elsewhere AS
SELECT unnest(f.rule_ids) AS rule_id, f.account_id, f.contract_id, c.recurring_amount AS amount, c.currency
FROM quality_found f JOIN renewals_contract c ON c.id = f.contract_id WHERE f.renewal_id IS NULL
"""
STAGE_LOOK_ALIKE: Final = f"INSERT INTO quality_elsewhere SELECT %s, account_id, NULL, NULL, '' {LOOK_ALIKE}"
MENDED: Final = """
DELETE FROM renewals_accountbreach b WHERE b.rule_id <> ALL(%s::smallint[]) AND NOT EXISTS (
    SELECT FROM quality_elsewhere f WHERE b.rule_id = f.rule_id AND b.account_id = f.account_id
        AND coalesce(b.contract_id, 0) = coalesce(f.contract_id, 0))
"""
# A statement of its own: one that looks a row up in the table that it fills finds its own new rows at each look.
KNOWN: Final = """
DELETE FROM quality_elsewhere f USING renewals_accountbreach b
WHERE b.rule_id = f.rule_id AND b.account_id = f.account_id
    AND coalesce(b.contract_id, 0) = coalesce(f.contract_id, 0)
    AND coalesce(b.amount, -1) = coalesce(f.amount, -1) AND b.currency = f.currency
"""
STORE: Final = """
INSERT INTO renewals_accountbreach (rule_id, account_id, contract_id, amount, currency)
SELECT rule_id, account_id, contract_id, amount, currency FROM quality_elsewhere
ON CONFLICT (rule_id, account_id, contract_id) DO UPDATE SET amount = EXCLUDED.amount, currency = EXCLUDED.currency
"""


def ended_sql(rule: DataRule, binds: Binds) -> str:
    """True of a contract that has no renewal and breaks the rule."""
    return f"c.ends_on < {binds.today} - {binds(values_of(rule)['days'])}"


def found_sql(rule: DataRule, binds: Binds) -> str:
    """Currency and amount of what breaks a rule that is not asked of renewals."""
    if rule.condition == Kind.DUPLICATE_ACCOUNT:
        return f"SELECT '' AS currency, NULL::numeric AS amount {LOOK_ALIKE}"
    return (
        f"SELECT c.currency, c.recurring_amount AS amount FROM {BOOK} WHERE r.id IS NULL AND {ended_sql(rule, binds)}"
    )


def merge_account_breaches(cursor: Any, rules: list[DataRule]) -> None:
    """Write what changed of the contracts that the pass has found, and of accounts that look like another."""
    unchanged = []
    has_new_names = fold_new_names(cursor) > 0
    cursor.execute(STAGE)
    for rule in rules:
        if rule.condition == Kind.DUPLICATE_ACCOUNT:
            # Nothing but names and families decides this: what is stored holds until one of them changes.
            cursor.execute("SELECT EXISTS (SELECT FROM renewals_accountbreach WHERE rule_id = %s)", [rule.pk])
            if cursor.fetchone()[0] and not has_new_names:
                unchanged.append(rule.pk)
            else:
                cursor.execute(STAGE_LOOK_ALIKE, [rule.pk])
    cursor.execute("ANALYZE quality_elsewhere")
    cursor.execute(MENDED, [unchanged])
    cursor.execute(KNOWN)
    cursor.execute(STORE)
    if cursor.rowcount:
        cursor.execute("ANALYZE renewals_accountbreach")
    cursor.execute("DROP TABLE quality_elsewhere")
