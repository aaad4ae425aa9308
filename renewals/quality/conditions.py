"""The conditions that a data rule can have: a closed list of predicates over a renewal, as set-based SQL.

SQL is composed from the constants in this package only; every value of a rule travels as a bound parameter. In a
predicate r is the renewal, c its contract, a its account and s its stage. Predicates may be NULL: that breaks nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from renewals.forms import EARLIEST_ON, LATEST_ON
from renewals.models.quality import DataRule
from renewals.quality import parameters
from renewals.quality.parameters import FIELDS, InvalidParameter, Parameter, read_parameters

Fix = DataRule.Fix
Kind = DataRule.Condition
# Joins that no predicate uses are left out by the planner.
SOURCE = (
    "renewals_renewal r"
    " LEFT JOIN renewals_contract c ON c.id = r.contract_id"
    " LEFT JOIN accounts_account a ON a.id = r.account_id"
    " LEFT JOIN renewals_stage s ON s.id = r.stage_id"
)
# Every contract with its renewals; one that has none is a row without a renewal.
BOOK = (
    "renewals_contract c"
    " LEFT JOIN renewals_renewal r ON r.contract_id = c.id"
    " LEFT JOIN accounts_account a ON a.id = r.account_id"
    " LEFT JOIN renewals_stage s ON s.id = r.stage_id"
)
EVERY, OPEN = "TRUE", "r.outcome = 'open'"
ROWS_SQL = {"open": OPEN, "lost": "r.outcome = 'lost'", "renewed": "r.outcome = 'renewed'", "every": EVERY}
# A currency that a report can convert: the reporting currency, and those with a rate in force (accounts.exchange).
RATED_CURRENCIES = (
    "SELECT reporting_currency FROM accounts_company"
    " UNION ALL SELECT currency FROM accounts_exchangerate WHERE effective_on <= {today}"
)


@dataclass
class Binds:
    """Values of a statement by placeholder; `today` is the business day that the rows are judged by."""

    as_of: dt.date
    values: dict[str, Any] = field(default_factory=dict)

    def __call__(self, value: Any) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"%({name})s"

    @property
    def today(self) -> str:
        self.values["today"] = self.as_of
        return "%(today)s"


Values = Mapping[str, Any]
Predicate = Callable[[Values, Binds], tuple[str, str]]


@dataclass(frozen=True)
class Condition:
    """`predicate` gives which rows are asked and what is wrong with them, both in SQL. It is None for what is asked of
    contracts and accounts: renewals.quality.without_renewal."""

    explanation: str
    predicate: Predicate | None
    parameters: tuple[Parameter, ...] = ()
    fixes: tuple[Fix, ...] = ()


def _impossible_dates(values: Values, binds: Binds) -> tuple[str, str]:
    earliest, latest = binds(EARLIEST_ON), binds(LATEST_ON)
    return EVERY, (
        f"r.due_on NOT BETWEEN {earliest} AND {latest} OR c.starts_on < {earliest} OR c.ends_on > {latest}"
        " OR r.due_on < c.starts_on OR r.decision_on < c.starts_on OR r.expected_order_on < c.starts_on"
        f" OR r.ordered_on NOT BETWEEN c.starts_on AND {binds.today}"
        f" OR r.declined_on NOT BETWEEN c.starts_on AND {binds.today}"
    )


def _missing_dates(values: Values, binds: Binds) -> tuple[str, str]:
    return EVERY, f"(r.outcome = 'lost' AND r.declined_on IS NULL) OR ({OPEN} AND c.is_term_assumed)"


def _open_past_due(values: Values, binds: Binds) -> tuple[str, str]:
    return OPEN, f"r.due_on < {binds.today} - {binds(values['days'])}"


def _confidence_against_stage(values: Values, binds: Binds) -> tuple[str, str]:
    return OPEN, f"abs(r.confidence - s.default_confidence) > {binds(values['points'])}"


def _no_active_owner(values: Values, binds: Binds) -> tuple[str, str]:
    return OPEN, "r.owner_id IS NULL OR r.owner_id IN (SELECT id FROM accounts_user WHERE NOT is_active)"


def _forecast_above_cap(values: Values, binds: Binds) -> tuple[str, str]:
    # The cap is on the price of what was sold: other products are not bound by it.
    return OPEN, (
        "r.forecast_amount - r.cross_sell_amount > r.baseline_amount AND r.forecast_amount - r.cross_sell_amount"
        " > round(r.baseline_amount * (1 + c.uplift_cap_rate), 2)"
    )


def _stale_next_step(values: Values, binds: Binds) -> tuple[str, str]:
    return OPEN, f"r.next_step_on < {binds.today} - {binds(values['days'])}"


def _currency_without_rate(values: Values, binds: Binds) -> tuple[str, str]:
    return EVERY, f"r.currency NOT IN ({RATED_CURRENCIES.format(today=binds.today)})"


def _within(values: Values, binds: Binds, wrong: str) -> tuple[str, str]:
    """A general condition is asked of the rows that its rule names."""
    days = values["due_within_days"]
    due = "" if days is None else f"r.due_on <= {binds.today} + {binds(days)} AND "
    return ROWS_SQL[values["rows"]], f"{due}({wrong})"


def _field_empty(values: Values, binds: Binds) -> tuple[str, str]:
    one = FIELDS[values["field"]]
    return _within(values, binds, f"coalesce({one.sql}, '') = ''" if one.kind == "text" else f"{one.sql} IS NULL")


def _field_old(values: Values, binds: Binds) -> tuple[str, str]:
    return _within(values, binds, f"{FIELDS[values['field']].sql} < {binds.today} - {binds(values['days'])}")


def _field_out_of_range(values: Values, binds: Binds) -> tuple[str, str]:
    sql = FIELDS[values["field"]].sql
    sides = {"<": values["low"], ">": values["high"]}
    outside = [f"{sql} {sign} {binds(bound)}" for sign, bound in sides.items() if bound is not None]
    return _within(values, binds, " OR ".join(outside))


def _date_order(values: Values, binds: Binds) -> tuple[str, str]:
    return _within(values, binds, f"{FIELDS[values['first']].sql} > {FIELDS[values['second']].sql}")


def _days(label: str, initial: int, help_text: str = "") -> Parameter:
    return parameters.whole("days", label, high=3650, initial=initial, help_text=help_text)


WHERE_ASKED = (
    parameters.rows(),
    parameters.whole(
        "due_within_days",
        "Due within days",
        high=3650,
        initial=None,
        is_required=False,
        help_text="Blank: whenever it is due. What is past due is asked as well.",
    ),
)
ENDED = _days("Days since the end", 0, "How long a contract may have ended before its renewal has to be there.")

CONDITIONS: dict[str, Condition] = {
    Kind.IMPOSSIBLE_DATES: Condition(
        "Due, decided or expected before the contract starts, ordered or declined on a day that is still to come, or a"
        f" year outside {EARLIEST_ON.year} to {LATEST_ON.year}.",
        _impossible_dates,
    ),
    Kind.MISSING_DATES: Condition(
        "Lost without the day of the decision, or open on a contract whose start was assumed, as its file had none.",
        _missing_dates,
    ),
    Kind.ENDED_WITHOUT_RENEWAL: Condition("A contract is over, and no row says whether it renewed.", None, (ENDED,)),
    Kind.OPEN_PAST_DUE: Condition(
        "Open, although its due date is past: what did the customer decide?",
        _open_past_due,
        (_days("Days past due", 0, "0: from the day after the due date."),),
    ),
    Kind.CONFIDENCE_AGAINST_STAGE: Condition(
        "The rep's confidence is far from the one that is usual in the stage: one of the two is out of date.",
        _confidence_against_stage,
        (parameters.whole("points", "Points apart", high=100, initial=30, help_text="More than this is a breach."),),
        (Fix.STAGE_CONFIDENCE,),
    ),
    Kind.NO_ACTIVE_OWNER: Condition(
        "Open, and nobody who signs in owns it.", _no_active_owner, fixes=(Fix.ACCOUNT_OWNER,)
    ),
    Kind.DUPLICATE_ACCOUNT: Condition(
        "Another account has the same name but for case, accents, punctuation and legal form (GmbH, Ltd, Inc and so"
        " on). Accounts of one family are left out.",
        None,
    ),
    Kind.FORECAST_ABOVE_CAP: Condition(
        "The forecast, less what is cross-sold, is above the baseline and the uplift that the contract allows.",
        _forecast_above_cap,
        fixes=(Fix.CAPPED_FORECAST, Fix.BASELINE_FORECAST),
    ),
    Kind.STALE_NEXT_STEP: Condition(
        "The day of the next step is past and nobody has moved it.",
        _stale_next_step,
        (_days("Days past", 14),),
        (Fix.NEXT_STEP_DATE,),
    ),
    Kind.CURRENCY_WITHOUT_RATE: Condition(
        "Its amounts are in no total: the currency is missing, or has no exchange rate.", _currency_without_rate
    ),
    Kind.FIELD_EMPTY: Condition(
        "A field that has to be filled in is not.",
        _field_empty,
        (parameters.field("field", "Field", initial="forecast_amount"), *WHERE_ASKED),
        (Fix.BASELINE_FORECAST, Fix.STAGE_CONFIDENCE, Fix.NEXT_STEP_DATE, Fix.ACCOUNT_OWNER),
    ),
    Kind.FIELD_OLD: Condition(
        "A date lies longer ago than it should.",
        _field_old,
        (parameters.field("field", "Date", "date", initial="last_touch_on"), _days("Days ago", 90), *WHERE_ASKED),
        (Fix.NEXT_STEP_DATE,),
    ),
    Kind.FIELD_OUT_OF_RANGE: Condition(
        "A number is lower or higher than it may be.",
        _field_out_of_range,
        (
            parameters.field("field", "Number", "number", initial="baseline_amount"),
            parameters.limit("low", "Lowest"),
            parameters.limit("high", "Highest"),
            *WHERE_ASKED,
        ),
    ),
    Kind.DATE_ORDER: Condition(
        "A date is after one that it has to come before.",
        _date_order,
        (
            parameters.field("first", "This date", "date", initial="starts_on"),
            parameters.field("second", "is after this one", "date", initial="due_on"),
            *WHERE_ASKED,
        ),
    ),
}
# The field that a fix writes; a rule about an empty field is mended by the fix of that field only.
FIX_FIELDS = {
    Fix.STAGE_CONFIDENCE: "confidence",
    Fix.BASELINE_FORECAST: "forecast_amount",
    Fix.CAPPED_FORECAST: "forecast_amount",
    Fix.NEXT_STEP_DATE: "next_step_on",
    Fix.ACCOUNT_OWNER: "owner",
}


def is_of_renewals(rule: DataRule) -> bool:
    """Whether renewals break the rule; others are broken by contracts and accounts."""
    return rule.condition in CONDITIONS and CONDITIONS[rule.condition].predicate is not None


def values_of(rule: DataRule) -> dict[str, Any]:
    """The rule's parameters as its condition uses them.

    Raises:
        InvalidParameter: the condition is unknown, or a parameter is not what it takes.
    """
    if rule.condition not in CONDITIONS:
        raise InvalidParameter(f"condition: “{rule.condition}” is not one of {', '.join(CONDITIONS)}.")
    values = read_parameters(CONDITIONS[rule.condition].parameters, rule.parameters)
    if rule.condition == Kind.FIELD_OUT_OF_RANGE:
        low, high = values["low"], values["high"]
        if low is None and high is None:
            raise InvalidParameter("low, high: one of the two is needed.")
        if low is not None and high is not None and low > high:
            raise InvalidParameter(f"low, high: {low} is above {high}.")
    if rule.condition == Kind.DATE_ORDER and values["first"] == values["second"]:
        raise InvalidParameter("first, second: a date is never after itself.")
    return values


def asked_and_wrong(rule: DataRule, binds: Binds) -> tuple[str, str]:
    """Which renewals the rule is asked of, and what is wrong with those that break it, both in SQL."""
    predicate = CONDITIONS[rule.condition].predicate
    if predicate is None:
        raise InvalidParameter(f"condition: {rule.condition} is not asked of renewals.")
    asked, wrong = predicate(values_of(rule), binds)
    return asked, f"({wrong})"


def predicate_of(rule: DataRule, binds: Binds) -> str:
    """The SQL that is true of a renewal that breaks the rule; its values are added to `binds`."""
    return f"({' AND '.join(asked_and_wrong(rule, binds))})"


def any_of(rules: Iterable[DataRule], binds: Binds) -> str:
    """True of a renewal that breaks any of the rules. What many rules ask first, most often whether the row is open, is
    asked once: four rows of five need nothing more."""
    wrong: dict[str, list[str]] = {}
    for rule in rules:
        asked, sql = asked_and_wrong(rule, binds)
        wrong.setdefault(asked, []).append(sql)
    return " OR ".join(f"({asked} AND ({' OR '.join(sqls)}))" for asked, sqls in wrong.items()) or "FALSE"
