"""Fields in braces that titles and guidance of steps may name, and what stands for them in a plan."""

from __future__ import annotations

import re
from typing import Final

from accounts.templatetags.money import money
from renewals.models import Renewal
from renewals.table.columns import DATE

# Name -> (what it is, the SQL that gives it; r, a and c are renewal, account and contract), names last: braces in a
# customer's name name no field.
FIELDS: Final = {
    "due_on": ("due date", "to_char(r.due_on, 'DD Mon YYYY')"),
    "decision_on": ("decision date", "to_char(r.decision_on, 'DD Mon YYYY')"),
    "amount": ("baseline", "r.currency || ' ' || trim(to_char(round(r.baseline_amount), '999,999,999,999'))"),
    "contract": ("number of the contract", "c.number"),
    "product": ("product of the contract", "c.product"),
    "account": ("name of the customer", "a.name"),
}
NAMED: Final = re.compile(r"\{([^{}]*)\}")


def unknown_fields(text: str) -> list[str]:
    """What stands in braces and is no field, in the order of the text."""
    return [name for name in NAMED.findall(text) if name not in FIELDS]


def filled_sql(column: str) -> str:
    """The text of a column with each field filled in."""
    filled = column
    for name, (_, value) in FIELDS.items():
        filled = f"replace({filled}, '{{{name}}}', {value})"
    return filled


def fill(text: str, renewal: Renewal) -> str:
    """The same for one renewal whose account and contract are at hand."""
    values = {
        "account": renewal.account.name,
        "contract": renewal.contract.number,
        "product": renewal.contract.product,
        "due_on": f"{renewal.due_on:{DATE}}",
        "decision_on": f"{renewal.decision_on:{DATE}}",
        "amount": money(renewal.baseline_amount, renewal.currency),
    }
    return NAMED.sub(lambda found: values.get(found[1], found[0]), text)
