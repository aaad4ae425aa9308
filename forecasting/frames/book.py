"""What the database knows of a part of the book, as arrays: its renewals, and the signals of their accounts."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import NO_DAY, Integers
from forecasting.frames.binary_copy import Arrays, Column, copy_out
from forecasting.frames.likelihood_columns import attribute_sql
from forecasting.frames.outlook import account_default_rates
from forecasting.frames.past import copy_out_at
from forecasting.frames.rules import CustomFactor, Rules

OPEN, RENEWED, LOST = range(3)
MISSING: Final = -1  # an amount, a confidence or an id that is blank

RENEWAL_COLUMNS: Final = (
    Column("id", "int8", "r.id"),
    Column("account_id", "int8", "r.account_id"),
    Column("owner_id", "small_id", "COALESCE(r.owner_id, -1)"),
    Column("stage_id", "small_id", "r.stage_id"),
    Column("contract_id", "int8", "r.contract_id"),
    Column("due", "date", "r.due_on"),
    Column("ordered", "date", "r.ordered_on"),
    Column("declined", "date", "r.declined_on"),
    Column("outcome", "int2", "CASE r.outcome WHEN 'open' THEN 0 WHEN 'renewed' THEN 1 ELSE 2 END"),
    Column("confidence", "int2", "COALESCE(r.confidence, -1)"),
    Column("baseline", "int8", "r.baseline_amount * 100"),
    Column("forecast", "int8", "COALESCE(r.forecast_amount * 100, -1)"),
    Column("final", "int8", "COALESCE(r.final_amount * 100, -1)"),
    Column("cross_sell", "int8", "r.cross_sell_amount * 100"),
    Column("is_excluded", "bool", "r.is_excluded"),
)
ACCOUNT_COLUMNS: Final = (
    Column("id", "int8", "a.id"),
    Column("segment_id", "small_id", "COALESCE(a.segment_id, -1)"),
    Column("industry_id", "small_id", "COALESCE(a.industry_id, -1)"),
    Column("customer_since", "date", "a.customer_since_on"),
    Column("last_touch", "date", "a.last_touch_on"),
)
CONTRACT_COLUMNS: Final = (
    Column("id", "int8", "c.id"),
    Column("starts", "date", "c.starts_on"),
    Column("ends", "date", "c.ends_on"),
    Column("uplift_cap", "int4", "COALESCE(c.uplift_cap_rate * 10000, -1)"),  # hundredths of a percent
    Column("price_locked", "date", "c.price_locked_until_on"),
    Column("is_auto_renewing", "int2", "c.is_auto_renewing::int"),
    Column("notice_days", "int2", "c.notice_days"),
)
# Of a renewal's pinned probability, beside it by a LEFT JOIN: few have one.
PIN_COLUMNS: Final = (
    Column("pinned", "int2", "COALESCE(o.percent, -1)"),
    Column("pinned_until", "date", "o.until_on"),
)
SIGNAL_VALUES: Final = (
    "usage_change_rate",
    "seat_change_rate",
    "reopened_ticket_rate",
    "csat_score",
    "nps_score",
    "late_payment_days",
)
SIGNAL_COUNTS: Final = ("severe_ticket_count", "failed_payment_count", "chargeback_count")
SIGNAL_COLUMNS: Final = (
    Column("account_id", "int8", "s.account_id"),
    Column("measured", "date", "s.measured_on"),
    *(Column(name, "float4", f"COALESCE(s.{name}, 'NaN')") for name in SIGNAL_VALUES),
    *(Column(name, "count", f"s.{name}") for name in SIGNAL_COUNTS),
    Column("has_champion_left", "count", "s.has_champion_left"),
    Column("last_touch", "date", "s.last_touch_on"),
)


@dataclass(frozen=True)
class Accounts:
    """Whose rows to read; whole accounts always, because a renewal's past is its account's other renewals.

    `condition` holds `{}` where the column with the account's id goes.
    """

    condition: str
    parameters: tuple[object, ...]

    @classmethod
    def between(cls, first_id: int, last_id: int) -> "Accounts":
        return cls("{} BETWEEN %s AND %s", (first_id, last_id))

    @classmethod
    def listed(cls, ids: Sequence[int]) -> "Accounts":
        return cls("{} = ANY(%s)", (list(ids),))

    @classmethod
    def one_in(cls, share: int) -> "Accounts":
        """Every account whose id is a multiple of `share`: the same ones whenever asked."""
        return cls("{} %% %s = 0", (share,)) if share > 1 else cls("TRUE", ())


@dataclass(frozen=True, eq=False)
class Book:
    """n renewals and the signals of their accounts, sorted by account and day.

    account       int64[n], position of the row's account among those of the book
    signal_keys   int64[m], account position and day as one sortable number (`account_day_keys`)
    """

    renewals: Arrays
    signals: Arrays
    account: Integers
    signal_keys: Integers

    @property
    def row_count(self) -> int:
        return int(self.account.size)

    def by_id(self) -> "Book":
        """The same with its renewals in the order of their ids.

        The database gives them as its scan comes by, and sums of floats differ with the order in their last digits.
        """
        order = np.argsort(self.renewals["id"], kind="stable")
        return replace(
            self,
            renewals={name: values[order] for name, values in self.renewals.items()},
            account=self.account[order],
        )


def account_day_keys(account: Integers, day: Integers | int) -> Integers:
    """(account, day) as one int64, in the same order; NO_DAY is before every day."""
    keys: Integers = (account.astype(np.int64) << 33) + day
    return keys


def read_book(
    cursor: Any,
    rules: Rules,
    accounts: Accounts,
    *,
    currencies: Sequence[str] = (),
    closed_by: dt.date | None = None,
    moment: dt.datetime | None = None,
) -> Book:
    """Read the renewals of some accounts with what was measured about these.

    `currencies` are those with a rate: each row's `currency` is a position among them, or MISSING. With `closed_by`
    only rows are read that have an outcome or were due before that day. With `moment` the book is read as it stood
    then (see frames.past); what was recorded later of an earlier day is not in it.
    """
    condition, parameters = accounts.condition.format("r.account_id"), accounts.parameters
    if closed_by is not None:
        condition += " AND (r.outcome <> 'open' OR r.due_on < %s)"
        parameters = (*parameters, closed_by)
    own, of_account = custom_columns(rules, is_of_account=False), custom_columns(rules, is_of_account=True)
    columns = [*RENEWAL_COLUMNS, currency_column(currencies), *own]
    # One table at a time, joined here: the database reads each by its index on the account, whatever it would estimate.
    renewals = _rows(cursor, columns, "renewals_renewal r", condition, parameters, moment)
    for table, key, held in (
        ("accounts_account a", "account_id", [*ACCOUNT_COLUMNS, *of_account]),
        ("renewals_contract c", "contract_id", contract_columns(rules)),
    ):
        owner = "a.id" if key == "account_id" else "c.account_id"
        condition = accounts.condition.format(owner)
        renewals |= _joined(renewals[key], _rows(cursor, held, table, condition, accounts.parameters, moment))
    renewals |= _read_pins(cursor, renewals["id"], accounts, moment)
    source, condition = "accounts_accountsignal s", accounts.condition.format("s.account_id")
    if moment is None:
        signals = copy_out(cursor, SIGNAL_COLUMNS, f"{source} WHERE {condition}", accounts.parameters)
        return _with_default_rates(as_book(renewals, signals), rules)
    columns = [Column("id", "int8", "s.id"), *SIGNAL_COLUMNS]
    signals = copy_out_at(cursor, columns, source, condition, accounts.parameters, moment)
    del signals["id"]
    return _with_default_rates(as_book(renewals, signals), rules)


def _read_pins(cursor: Any, ids: Integers, accounts: Accounts, moment: dt.datetime | None) -> Arrays:
    """PIN_COLUMNS by row of `ids`. A pin is never rewritten: its own moments say which stood at another one."""
    stood = "o.ended_at IS NULL" if moment is None else "o.pinned_at <= %s AND (o.ended_at IS NULL OR o.ended_at > %s)"
    pins = copy_out(
        cursor,
        [Column("id", "int8", "o.renewal_id"), *PIN_COLUMNS],
        "renewals_override o JOIN renewals_renewal r ON r.id = o.renewal_id"
        f" WHERE {stood} AND {accounts.condition.format('r.account_id')}",
        [*([] if moment is None else [moment, moment]), *accounts.parameters],
    )
    return _joined(ids, pins)


def _with_default_rates(book: Book, rules: Rules) -> Book:
    """The book whose renewals also say how likely their account is not to pay."""
    count = int(book.account.max(initial=-1)) + 1
    rates = account_default_rates(count, book.signals, book.signal_keys >> 33, rules.outlook.payments)
    book.renewals["default_rate"] = rates[book.account]
    return book


def _rows(
    cursor: Any,
    columns: Sequence[Column],
    source: str,
    condition: str,
    parameters: Sequence[object],
    moment: dt.datetime | None,
) -> Arrays:
    if moment is None:
        return copy_out(cursor, columns, f"{source} WHERE {condition}", parameters)
    return copy_out_at(cursor, columns, source, condition, parameters, moment)


def _joined(keys: Integers, table: Arrays) -> Arrays:
    """The table's columns but its id, by row of `keys`; missing where the id is not there."""
    ids = table.pop("id")
    order = np.argsort(ids, kind="stable")
    place = np.minimum(np.searchsorted(ids, keys, sorter=order), max(ids.size - 1, 0))
    if not ids.size:
        return {name: np.full(keys.size, _blank(values), values.dtype) for name, values in table.items()}
    place = order[place]
    is_there = ids[place] == keys
    return {name: np.where(is_there, values[place], _blank(values)) for name, values in table.items()}


def _blank(values: NDArray[Any]) -> Any:
    kinds = {"f": np.nan, "i": NO_DAY if values.dtype.itemsize == 4 else MISSING}
    return values.dtype.type(kinds[values.dtype.kind])


def currency_column(currencies: Sequence[str]) -> Column:
    """The currency's position among those that have a rate, or MISSING."""
    position = "COALESCE(array_position(%s::text[], r.currency::text), 0) - 1"
    return Column("currency", "int2", position, (list(currencies),))


def as_book(renewals: Arrays, signals: Arrays) -> Book:
    """Of whole accounts; signals of accounts without a renewal are left out."""
    account_ids, account = np.unique(renewals["account_id"], return_inverse=True)
    if account_ids.size == 0:
        signals = {name: values[:0] for name, values in signals.items()}
    place = np.searchsorted(account_ids, signals["account_id"])
    is_known = np.append(account_ids, -1)[place] == signals["account_id"]
    keys = account_day_keys(place, signals["measured"])
    order = np.flatnonzero(is_known)
    order = order[np.argsort(keys[order], kind="stable")]
    return Book(
        renewals=renewals,
        signals={name: values[order] for name, values in signals.items()},
        account=account,
        signal_keys=keys[order],
    )


def custom_columns(rules: Rules, *, is_of_account: bool | None = None) -> list[Column]:
    """Of all custom factors, or of those that are, or are not, of accounts; and what the fitted likelihood asks."""
    factors = rules.custom_factors
    custom = [_custom_column(one) for one in factors if is_of_account is None or one.is_of_account == is_of_account]
    holders = ("r", "a") if is_of_account is None else ("a",) if is_of_account else ("r",)
    return custom + [column for holder in holders for column in rules.inputs.read_columns(holder)]


def contract_columns(rules: Rules) -> list[Column]:
    return [*CONTRACT_COLUMNS, *rules.inputs.read_columns("c")]


def _custom_column(factor: CustomFactor) -> Column:
    """The attribute's value as a number, NaN where it is blank or of another kind; a category's place in its risks."""
    holder = "a" if factor.is_of_account else "r"
    sql, parameters = attribute_sql(holder, factor.key, factor.kind, list(factor.category_risks))
    return Column(f"custom_{factor.position}", "float8", sql, parameters)
