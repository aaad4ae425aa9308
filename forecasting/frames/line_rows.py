"""What each scored renewal brings to the forecast lines: from a chunk that was just scored, or from what is stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accounts.exchange import read_rates
from accounts.models import User, get_company
from forecasting.engine.arrays import Integers
from forecasting.engine.timing import TimingClass
from forecasting.frames.binary_copy import Arrays, Column, copy_out
from forecasting.frames.book import (
    CONTRACT_COLUMNS,
    MISSING,
    OPEN,
    RENEWAL_COLUMNS,
    SIGNAL_COLUMNS,
    currency_column,
)
from forecasting.frames.outlook import (
    CHANCES,
    MEANS,
    PAYMENT_SIGNALS,
    account_default_rates,
    expected_amounts,
    expected_orders,
    orders_of,
)
from forecasting.frames.rules import Rules, day_number
from forecasting.models import Run
from forecasting.periods import first_day, months_of_days, stored_months

# Packed, so that a chunk hands its rows on as one block of bytes.
LINE_ROW: Final = np.dtype(
    [
        ("month", "i4"),  # that it is due in; see periods
        ("owner", "i4"),
        ("segment", "i4"),
        ("currency", "i2"),
        ("timing", "i1"),
        ("category", "i1"),  # frames.rules.CATEGORIES of its stage
        ("ordered", "i4"),
        ("baseline", "i8"),
        ("amount", "i8"),  # renewed; while open what is forecast, the baseline where nothing is
        ("cross_sell", "i8"),
        ("probability", "f8"),
        # Of open ones, if they are renewed (see outlook): what they bring on average, and how far that may stray.
        *((name, "i8") for name in MEANS),
        ("spread", "f4"),
        ("highest", "f4"),
        *((name, "u2") for name in CHANCES),  # when they are ordered, as shares of WHOLE
        ("default_rate", "f4"),  # of all
    ]
)


@dataclass(frozen=True)
class Reporting:
    """What turns rows into a report: its day, the rates of that day, the fiscal year, and who belongs to which team."""

    as_of: dt.date
    rates: Mapping[str, Decimal]
    fiscal_start: int
    team_of_owner: Mapping[int, int]

    @property
    def currencies(self) -> tuple[str, ...]:
        return tuple(self.rates)

    @property
    def months(self) -> range:
        return stored_months(self.as_of, self.fiscal_start)

    @property
    def bounds(self) -> tuple[dt.date, dt.date]:
        """First and last day of those months."""
        return first_day(self.months[0]), first_day(self.months[-1] + 1) - dt.timedelta(days=1)

    def for_run(self) -> dict[str, Any]:
        """What a run keeps of it: rows that are staged name a currency by its place among the rates."""
        return {
            "rates": [[currency, str(rate)] for currency, rate in self.rates.items()],
            "fiscal_start": self.fiscal_start,
            "team_of_owner": [[owner, team] for owner, team in self.team_of_owner.items()],
        }

    @classmethod
    def of_run(cls, run: Run) -> Reporting:
        """As it was when the run was prepared, whatever became of rates, year and teams since."""
        if run.reporting is None:
            return read_reporting(as_of=run.as_of_on)
        return cls(
            as_of=run.as_of_on,
            rates={currency: Decimal(rate) for currency, rate in run.reporting["rates"]},
            fiscal_start=run.reporting["fiscal_start"],
            team_of_owner=dict(run.reporting["team_of_owner"]),
        )


def read_reporting(*, as_of: dt.date) -> Reporting:
    company = get_company()
    return Reporting(
        as_of=as_of,
        rates=read_rates(as_of=as_of, reporting_currency=company.reporting_currency),
        fiscal_start=company.fiscal_year_start_month,
        team_of_owner=dict(User.objects.filter(team__isnull=False).values_list("pk", "team_id")),
    )


def line_rows(
    rows: Arrays,
    scores: Mapping[str, NDArray[Any]],
    rules: Rules,
    report: Reporting,
    *,
    orders: Arrays | None = None,
) -> tuple[NDArray[Any], int]:
    """(LINE_ROW[m] of the renewals that count, how many do not because their currency has no rate).

    Of the scores: timing_class, probability and MEANS. Approved exceptions are in no line, nor is what is due outside
    the months that lines are kept for. `orders` are those of the rows' accounts (outlook.orders_of); rows of whole
    accounts hold them themselves.
    """
    timing = scores["timing_class"]
    month = months_of_days(rows["due"])
    is_counted = ~rows["is_excluded"] & (month >= report.months[0]) & (month <= report.months[-1])
    is_rated = rows["currency"] != MISSING
    forecast = np.where(rows["forecast"] == MISSING, rows["baseline"], rows["forecast"])
    columns = {
        "month": month,
        "owner": rows["owner_id"],
        "segment": rows["segment_id"],
        "currency": rows["currency"],
        "timing": timing,
        "category": rules.stage_categories[rules.stages_at(rows["stage_id"])],
        "ordered": rows["ordered"],
        "baseline": rows["baseline"],
        "amount": np.where(rows["outcome"] == OPEN, forecast, np.maximum(rows["final"], 0)),
        "cross_sell": rows["cross_sell"],
        **{name: scores[name] for name in ("probability", *MEANS)},
    }
    kept = np.flatnonzero(is_counted & is_rated)
    packed = np.empty(kept.size, dtype=LINE_ROW)
    for name, values in columns.items():
        packed[name] = values[kept]
    packed["default_rate"] = rows["default_rate"][kept]
    _add_outlook(packed, kept, rows, rules, orders_of(rows, timing) if orders is None else orders, report)
    return packed, int(np.count_nonzero(is_counted & ~is_rated))


def _add_outlook(
    packed: NDArray[Any], kept: Integers, rows: Arrays, rules: Rules, orders: Arrays, report: Reporting
) -> None:
    for name in ("spread", "highest", *CHANCES):
        packed[name] = 0
    is_open = np.flatnonzero(packed["timing"] <= TimingClass.OVERDUE)
    open_rows = kept[is_open]
    found = expected_amounts(rows, open_rows, rules.outlook)
    chances = expected_orders(rows, open_rows, rules.outlook, rules.policies, orders, day_number(report.as_of))
    for name, values in {"spread": found["spread"], "highest": found["highest"], **chances}.items():
        packed[name][is_open] = values


STORED_COLUMNS: Final = tuple(
    column
    for column in RENEWAL_COLUMNS
    if column.name
    in {
        "account_id",
        "due",
        "owner_id",
        "stage_id",
        "outcome",
        "ordered",
        "baseline",
        "forecast",
        "final",
        "cross_sell",
        "is_excluded",
    }
)
# The renewals `r` that have a score `s`, with their accounts `a` and contracts `c`.
SCORED: Final = (
    "renewals_renewal r JOIN accounts_account a ON a.id = r.account_id"
    " JOIN renewals_contract c ON c.id = r.contract_id JOIN renewals_renewalscore s ON s.renewal_id = r.id"
)
ORDER_COLUMNS: Final = (
    Column("account_id", "int8", "o.account_id"),
    Column("due", "date", "o.due_on"),
    Column("ordered", "date", "o.ordered_on"),
)


def read_line_rows(
    cursor: Any, rules: Rules, report: Reporting, condition: str, parameters: Sequence[object]
) -> tuple[NDArray[Any], int]:
    """As `line_rows`, from the stored scores of the renewals `r` that meet a condition."""
    rows = copy_out(cursor, scored_columns(report), f"{SCORED} WHERE {condition}", parameters)
    orders = add_account_facts(cursor, rows, rules, condition, parameters)
    return line_rows(rows, {**rows, "timing_class": rows["timing"]}, rules, report, orders=orders)


def add_account_facts(cursor: Any, rows: Arrays, rules: Rules, condition: str, parameters: Sequence[object]) -> Arrays:
    """Add `default_rate` to rows of SCORED, and return the past orders of the accounts of the open ones."""
    add_default_rates(cursor, rows, rules, condition, parameters)
    source = (
        "renewals_renewal o JOIN renewals_renewalscore t ON t.renewal_id = o.id"
        f" WHERE t.timing_class BETWEEN %s AND %s AND o.account_id IN ({_theirs(condition)} AND r.outcome = 'open')"
    )
    within = (int(TimingClass.EARLY), int(TimingClass.LATE))
    return copy_out(cursor, ORDER_COLUMNS, source, (*within, *parameters))


def _theirs(condition: str) -> str:
    return f"SELECT r.account_id FROM {SCORED} WHERE {condition}"


def add_default_rates(cursor: Any, rows: Arrays, rules: Rules, condition: str, parameters: Sequence[object]) -> None:
    """Add `default_rate`, by what is known of the payments of each account, to rows of SCORED."""
    accounts, account = np.unique(rows["account_id"], return_inverse=True)
    columns = [column for column in SIGNAL_COLUMNS if column.name in ("account_id", "measured", *PAYMENT_SIGNALS)]
    blank = " AND num_nonnulls(s.late_payment_days, s.failed_payment_count, s.chargeback_count) > 0"
    source = f"accounts_accountsignal s WHERE s.account_id IN ({_theirs(condition)}){blank}"
    signals = copy_out(cursor, columns, source, parameters)
    order = np.argsort(signals["measured"], kind="stable")
    order = order[np.isin(signals["account_id"][order], accounts)]  # and none that came after the rows were read
    signals = {name: values[order] for name, values in signals.items()}
    place = np.searchsorted(accounts, signals["account_id"])
    terms = rules.outlook.payments
    rows["default_rate"] = account_default_rates(accounts.size, signals, place, terms)[account]


def scored_columns(report: Reporting) -> list[Column]:
    """What `line_rows` takes of SCORED, its timing and probability included."""
    return [
        *STORED_COLUMNS,
        Column("segment_id", "small_id", "COALESCE(a.segment_id, -1)"),
        Column("industry_id", "small_id", "COALESCE(a.industry_id, -1)"),
        *(column for column in CONTRACT_COLUMNS if column.name in ("uplift_cap", "price_locked")),
        currency_column(report.currencies),
        Column("timing", "int2", "s.timing_class"),
        Column("probability", "float8", "s.probability"),
        *(Column(name, "int8", f"s.{name}") for name in MEANS),
    ]
