"""What the forecast page shows: the published lines of a scope by period, and the six totals over the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Company, User
from accounts.strip import Total
from accounts.templatetags.money import SPACE, compact_money, exact_money, exact_rate, percent
from forecasting.models import ForecastLine
from forecasting.overview.at_risk import AtRisk
from forecasting.periods import Grain, first_day, month_number, period_of
from forecasting.periods import Period as PlainPeriod
from forecasting.scopes.lines import Credit, credit_of_line, read_credits, read_lines, rows_of
from forecasting.scopes.scope import Scope

# Periods shown before and after the current one.
SHOWN = {Grain.MONTH: (12, 5), Grain.QUARTER: (6, 3)}
OPEN = ("upcoming", "in_window", "overdue")
WON = ("early", "on_time", "late")
LOST = ("lost", "lapsed", "win_back")
ATTRIBUTIONS = {
    Company.Attribution.DUE_PERIOD: "by due period",
    Company.Attribution.ORDER_PERIOD: "by order period",
    Company.Attribution.HYBRID: "by hybrid attribution",
}
COUNTED = {
    Company.Attribution.DUE_PERIOD: "due",
    Company.Attribution.ORDER_PERIOD: "ordered",
    Company.Attribution.HYBRID: "hybrid",
}


@dataclass(frozen=True)
class Period:
    """One period of one scope, with its forecast line; all zeros where nothing is due in it."""

    starts_on: dt.date
    ends_on: dt.date
    label: str
    line: ForecastLine
    credit: Credit
    is_over: bool = False
    is_current: bool = False

    def rate(self, amount: Decimal) -> Decimal | None:
        """A share of what was due; None where nothing was."""
        return amount / self.line.due_amount if self.line.due_amount else None

    @property
    def gross_rate(self) -> Decimal | None:
        return self.rate(self.credit.kept_amount)

    @property
    def net_rate(self) -> Decimal | None:
        return self.rate(self.credit.renewed_amount)

    @property
    def in_period_rate(self) -> Decimal | None:
        return self.rate(self.line.in_period_amount)

    @property
    def on_time_rate(self) -> Decimal | None:
        return self.rate(self.credit.kept_in_time_amount)

    @property
    def expected_gross_rate(self) -> Decimal | None:
        return self.rate(self.line.renewal_amount + self.line.expected_renewal_amount)

    @property
    def expected_net_rate(self) -> Decimal | None:
        return self.rate(self.line.expected_amount)

    def rows_url(self, scope: Scope, **filters: object) -> str:
        return scope.rows_url(due_from=self.starts_on, due_to=self.ends_on, **filters)


def read_periods(user: User, scope: Scope, company: Company, *, today: dt.date) -> list[Period]:
    """The periods of the page, the oldest first, each with the line of the scope and what counts as renewed in it."""
    shown = shown_periods(scope.grain, company, today=today)
    lines = read_lines(scope, [period.starts_on for period in shown])
    credits = {start: credit_of_line(line) for start, line in lines.items()}
    if company.attribution != Company.Attribution.DUE_PERIOD:
        credits = read_credits(rows_of(user, scope), company, shown, today=today)
    return periods_of(scope, company, lines, credits, today=today)


def shown_periods(grain: str, company: Company, *, today: dt.date) -> list[PlainPeriod]:
    before, after = SHOWN[Grain(grain)]
    current = period_of(grain, today, company.fiscal_year_start_month)
    month, step = month_number(current.starts_on), current.month_count
    return [PlainPeriod(grain, first_day(month + step * at)) for at in range(-before, after + 1)]


def periods_of(
    scope: Scope,
    company: Company,
    lines: Mapping[dt.date, ForecastLine],
    credits: Mapping[dt.date, Credit],
    *,
    today: dt.date,
) -> list[Period]:
    """The periods of the page from lines and credits, wherever these were read."""
    fiscal_start = company.fiscal_year_start_month
    current = period_of(scope.grain, today, fiscal_start)
    blank = ForecastLine(grain=scope.grain)
    return [
        Period(
            starts_on=period.starts_on,
            ends_on=period.ends_on,
            label=_label(period, fiscal_start),
            line=lines.get(period.starts_on, blank),
            credit=credits.get(period.starts_on, Credit()),
            is_over=period.starts_on < current.starts_on,
            is_current=period == current,
        )
        for period in shown_periods(scope.grain, company, today=today)
    ]


def current_of(periods: Sequence[Period]) -> Period:
    return next(period for period in periods if period.is_current)


def _label(period: PlainPeriod, fiscal_start: int) -> str:
    """Short enough to stand under a bar: Nov 26 or Q4 FY27."""
    return f"{period.starts_on:%b %y}" if period.grain == Grain.MONTH else period.label(fiscal_start)


def build_totals(scope: Scope, company: Company, periods: Sequence[Period], at_risk: AtRisk) -> list[Total]:
    """The six figures over the page, each with the address of the rows behind it."""
    current = current_of(periods)
    return [
        *_forecast_totals(scope, company.reporting_currency, current),
        _rate_total(scope, company, periods),
        *_open_totals(scope, company.reporting_currency, at_risk),
    ]


def _forecast_totals(scope: Scope, currency: str, current: Period) -> list[Total]:
    line, period = current.line, "month" if scope.grain == Grain.MONTH else "quarter"
    won_and_commit = line.won_amount + line.commit_amount
    return [
        Total(
            f"Expected this {period}",
            compact_money(line.expected_amount, currency),
            range_text(line.p10_amount, line.p90_amount, beside=line.expected_amount),
            f"{exact_money(line.expected_amount, currency)}: won so far and the probability-weighted rest. "
            f"With 80 % probability between {exact_money(line.p10_amount, currency)} (P10) and "
            f"{exact_money(line.p90_amount, currency)} (P90). "
            f"{exact_money(line.collected_amount, currency)} is expected to be collected.",
            current.rows_url(scope),
        ),
        Total(
            "Commit, open",
            compact_money(line.commit_amount, currency),
            _share_text(current, line.commit_amount),
            f"{exact_money(line.commit_amount, currency)} open in commit, as a share of what is due this {period}; "
            f"{exact_money(won_and_commit, currency)} together with what is won.",
            current.rows_url(scope, timing=OPEN, category="commit"),
        ),
        Total(
            "Won so far",
            compact_money(line.won_amount, currency),
            _share_text(current, line.won_amount),
            f"{exact_money(line.won_amount, currency)} from {renewals(line.won_count)}: "
            f"{_share_text(current, line.won_amount)} of {exact_money(line.due_amount, currency)} due this {period}.",
            current.rows_url(scope, timing=WON),
        ),
    ]


def _share_text(period: Period, amount: Decimal) -> str:
    share = period.rate(amount)
    return "nothing due" if share is None else percent(share)


def _rate_total(scope: Scope, company: Company, periods: Sequence[Period]) -> Total:
    """Of the last period that is over: the current one is mostly undecided, and its rate would mislead."""
    attribution = ATTRIBUTIONS[Company.Attribution(company.attribution)]
    judged = next((period for period in reversed(periods) if period.is_over and period.line.due_amount), None)
    if judged is None:
        return Total("Gross / net rate", "–", "no period is over yet", "", "")
    gross, net = exact_rate(judged.gross_rate), exact_rate(judged.net_rate)
    return Total(
        f"Gross / net, {COUNTED[Company.Attribution(company.attribution)]} {judged.label}",
        f"{gross.removesuffix('%').rstrip()} / {net}",
        "",
        f"Of {exact_money(judged.line.due_amount, company.reporting_currency)} due in {judged.label}, {gross} was kept "
        f"and {net} with expansion, {attribution}.",
        judged.rows_url(scope),
    )


def _open_totals(scope: Scope, currency: str, at_risk: AtRisk) -> list[Total]:
    high, past_due = at_risk.total("high"), at_risk.past_due
    return [
        Total(
            "At risk, 90 days",
            compact_money(high.amount, currency),
            _count_text(high.count),
            f"{exact_money(high.amount, currency)} in {renewals(high.count)} at high risk, due by "
            f"{at_risk.last_on:%d %b %Y}.",
            at_risk_url(scope, at_risk),
        ),
        Total(
            "Open past due",
            compact_money(past_due.amount, currency),
            _count_text(past_due.count),
            f"{exact_money(past_due.amount, currency)} in {renewals(past_due.count)}: past due and grace, "
            "neither renewed nor lost yet.",
            scope.rows_url(timing="overdue"),
        ),
    ]


def _count_text(count: int) -> str:
    return f"{count:,}" if count else "none"


def at_risk_url(scope: Scope, at_risk: AtRisk) -> str:
    window = {"due_from": at_risk.first_on, "due_to": at_risk.last_on}
    return scope.rows_url(outcome="open", risk="high", **window, sort="-baseline_amount")


def window_url(scope: Scope, at_risk: AtRisk) -> str:
    """Every open renewal of the window."""
    return scope.rows_url(outcome="open", due_from=at_risk.first_on, due_to=at_risk.last_on, sort="-risk")


def range_text(low: Decimal, high: Decimal, *, beside: Decimal) -> str:
    """73.9 to 79.1, both in the unit of the higher one, which is named where it is not that of the amount beside it."""
    number, _, letter = compact_money(high).partition(SPACE)
    if not letter:
        return f"{compact_money(low)} to {number}"
    step = 1000 ** (" KMB".index(letter))
    is_named = compact_money(beside)[-1] != letter
    return f"{(low / step).quantize(Decimal('0.1'))} to {number}{f'{SPACE}{letter}' if is_named else ''}"


def renewals(count: int) -> str:
    return f"{count:,} renewal{'' if count == 1 else 's'}"
