"""Rules that contracts and accounts break where there is no renewal to show it at."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from renewals.models.quality import DataRule
from renewals.quality.conditions import Binds, values_of
from renewals.quality.duplicates import fold_new_names

Kind = DataRule.Condition
ENDED: Final = """
SELECT {rule}::smallint, c.account_id, c.id, c.recurring_amount, c.currency FROM renewals_contract c
WHERE c.ends_on < {today} - {days} AND NOT EXISTS (SELECT FROM renewals_renewal r WHERE r.contract_id = c.id)
"""
# A family's members may well have one name.
LOOK_ALIKE: Final = """
SELECT {rule}::smallint, account_id, NULL::bigint, NULL::numeric, '' FROM renewals_accountname WHERE key IN (
    SELECT key FROM renewals_accountname GROUP BY key HAVING min(family_id) <> max(family_id))
"""
# Into a table of its own first: only a statement that writes nothing else is spread over several cores.
STAGE: Final = (
    "CREATE TEMPORARY TABLE quality_elsewhere (rule_id, account_id, contract_id, amount, currency) AS {found}"
)
MENDED: Final = """
DELETE FROM renewals_accountbreach b WHERE NOT EXISTS (
    SELECT FROM quality_elsewhere f WHERE b.rule_id = f.rule_id AND b.account_id = f.account_id
        AND coalesce(b.contract_id, 0) = coalesce(f.contract_id, 0))
"""
STORE: Final = """
INSERT INTO renewals_accountbreach AS b (rule_id, account_id, contract_id, amount, currency)
SELECT rule_id, account_id, contract_id, amount, currency FROM quality_elsewhere f WHERE NOT EXISTS (
    SELECT FROM renewals_accountbreach b WHERE b.rule_id = f.rule_id AND b.account_id = f.account_id
        AND coalesce(b.contract_id, 0) = coalesce(f.contract_id, 0)
        AND coalesce(b.amount, -1) = coalesce(f.amount, -1) AND b.currency = f.currency)
ON CONFLICT (rule_id, account_id, contract_id) DO UPDATE SET amount = EXCLUDED.amount, currency = EXCLUDED.currency
"""


def found_sql(rule: DataRule, binds: Binds) -> str:
    """What breaks the rule: (rule, account, contract, amount of a year, currency)."""
    if rule.condition == Kind.DUPLICATE_ACCOUNT:
        return LOOK_ALIKE.format(rule=binds(rule.pk or 0))
    return ENDED.format(rule=binds(rule.pk or 0), today=binds.today, days=binds(values_of(rule)["days"]))


def is_without_renewal(rule: DataRule) -> bool:
    return rule.condition in {Kind.DUPLICATE_ACCOUNT, Kind.ENDED_WITHOUT_RENEWAL}


def evaluate_without_renewal(cursor: Any, rules: list[DataRule], *, as_of: dt.date) -> None:
    """Judge every contract and account anew, and write only what changed."""
    rules = [rule for rule in rules if is_without_renewal(rule)]
    if not rules:
        cursor.execute("DELETE FROM renewals_accountbreach")
        return
    fold_new_names(cursor)
    binds = Binds(as_of)
    found = " UNION ALL ".join(found_sql(rule, binds) for rule in rules)
    cursor.execute(STAGE.format(found=found), binds.values)
    cursor.execute("ANALYZE quality_elsewhere")
    cursor.execute(MENDED)
    cursor.execute(STORE)
    cursor.execute("DROP TABLE quality_elsewhere")
