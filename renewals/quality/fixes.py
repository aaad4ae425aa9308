"""What would mend a broken rule: the value that one click writes, or why there is none.

A fix is an edit like any other: its value goes through the cell's own form and through update_renewal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from accounts.models import User
from accounts.templatetags.money import exact_money, money
from renewals.models import Renewal
from renewals.models.quality import DataRule
from renewals.quality.conditions import FIX_FIELDS

Fix = DataRule.Fix
NEXT_STEP_IN = dt.timedelta(days=7)
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Suggestion:
    """`value` as a person would type it into the cell of `field`; `text` is what the button says."""

    field: str
    value: str
    text: str


class NoFix(LookupError):
    """This row cannot be mended by one click; the message says why."""


def suggest(rule: DataRule, renewal: Renewal, *, as_of: dt.date) -> Suggestion:
    """The rule's fix for this row, whose stage, contract and account with its owner are at hand.

    Raises:
        NoFix: the rule has none, or the row lacks what it would be taken from.
    """
    if rule.fix not in FIXES:
        raise NoFix("No suggestion: somebody has to look.")
    value, text = FIXES[rule.fix](renewal, as_of)
    return Suggestion(FIX_FIELDS[Fix(rule.fix)], value, text)


def _stage_confidence(renewal: Renewal, as_of: dt.date) -> tuple[str, str]:
    usual = renewal.stage.default_confidence
    return str(usual), f"Set confidence to {usual}%"


def _baseline_forecast(renewal: Renewal, as_of: dt.date) -> tuple[str, str]:
    if not renewal.baseline_amount:
        raise NoFix("Its baseline is 0: the forecast has to be known by somebody.")
    return _forecast(renewal.baseline_amount, renewal.currency)


def _capped_forecast(renewal: Renewal, as_of: dt.date) -> tuple[str, str]:
    cap = renewal.contract.uplift_cap_rate
    if cap is None:
        raise NoFix("Its contract has no uplift cap.")
    capped = (renewal.baseline_amount * (1 + cap)).quantize(CENT, rounding=ROUND_HALF_UP)
    return _forecast(capped + renewal.cross_sell_amount, renewal.currency)


def _forecast(amount: Decimal, currency: str) -> tuple[str, str]:
    shown = money(amount, currency) if amount == amount.to_integral_value() else exact_money(amount, currency)
    return str(amount), f"Set forecast to {shown}"


def _next_step_date(renewal: Renewal, as_of: dt.date) -> tuple[str, str]:
    day = as_of + NEXT_STEP_IN
    return day.isoformat(), f"Move it to {day:%d %b %Y}"


def _account_owner(renewal: Renewal, as_of: dt.date) -> tuple[str, str]:
    owner = renewal.account.owner
    if owner is None:
        raise NoFix("The account has no owner either.")
    if not owner.is_active:
        raise NoFix(f"{owner}, who owns the account, has left as well.")
    if owner.role == User.Role.VIEWER:
        raise NoFix(f"{owner}, who owns the account, only looks and works no renewals.")
    return str(owner.pk), f"Hand to {owner}"


FIXES: dict[str, Callable[[Renewal, dt.date], tuple[str, str]]] = {
    Fix.STAGE_CONFIDENCE: _stage_confidence,
    Fix.BASELINE_FORECAST: _baseline_forecast,
    Fix.CAPPED_FORECAST: _capped_forecast,
    Fix.NEXT_STEP_DATE: _next_step_date,
    Fix.ACCOUNT_OWNER: _account_owner,
}
