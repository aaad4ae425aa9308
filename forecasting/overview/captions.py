"""What is seen in each chart, in words computed from its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from accounts.templatetags.money import compact_money, exact_rate, percent
from forecasting.overview.at_risk import AtRisk
from forecasting.overview.dashboard import Period, renewals


def value(currency: str, periods: Sequence[Period]) -> str:
    current = next(period for period in periods if period.is_current)
    line = current.line
    if not line.due_count:
        return f"Nothing is due in {current.label}. {LEGEND}"
    low, high = compact_money(line.p10_amount, currency), compact_money(line.p90_amount, currency)
    expected = compact_money(line.expected_amount, currency)
    if line.p10_amount == line.p90_amount:
        return f"{current.label}: {expected}, all of it decided. {LEGEND}"
    return (
        f"{current.label}: {compact_money(line.won_amount, currency)} won, {expected} expected, "
        f"with 80 % probability between {low} and {high}. {LEGEND}"
    )


LEGEND = (
    "Bars stack what is won and what is open in commit and best case; the line is the expectation, "
    "in which pipeline counts too, the thin one what of it is expected to be paid."
)


def booking(currency: str, periods: Sequence[Period]) -> str:
    over = [period for period in periods if period.is_over and period.line.due_amount]
    how_to_read = "Above the line what is booked, below it what is given up; paler is expected from open renewals."
    if not over:
        return f"No period is over yet. {how_to_read}"
    line = over[-1].line
    grown, given_up = line.upsell_amount + line.cross_sell_amount, line.downsell_amount + line.churn_amount
    return (
        f"{over[-1].label}: {compact_money(grown, currency)} of upsell and cross-sell against "
        f"{compact_money(given_up, currency)} of downsell and churn. {how_to_read}"
    )


def rates(attribution: str, periods: Sequence[Period]) -> str:
    how_to_read = f"Counted {attribution}; hollow points still move, dotted ones are expected."
    over = [period for period in periods if period.is_over and period.line.due_amount]
    if not over:
        return f"No period with anything due is over yet. {how_to_read}"
    last = over[-1]
    return (
        f"{last.label} kept {exact_rate(last.gross_rate)} of the value due{_change(over)}, "
        f"{exact_rate(last.net_rate)} with expansion; {exact_rate(last.in_period_rate)} was in by its last day. "
        f"{how_to_read}"
    )


def _change(over: Sequence[Period]) -> str:
    """How the last gross rate compares with the one before, in points."""
    if len(over) < 2 or over[-1].gross_rate is None or over[-2].gross_rate is None:
        return ""
    points = (over[-1].gross_rate - over[-2].gross_rate) * 100
    if abs(points) < Decimal("0.05"):
        return f", as {over[-2].label} did"
    return f" ({abs(points):.1f} points {'more' if points > 0 else 'less'} than {over[-2].label})"


def timing(periods: Sequence[Period]) -> str:
    return f"{_timing_so_far(periods)}{_timing_to_come(periods)}"


def _timing_to_come(periods: Sequence[Period]) -> str:
    line = next(period for period in periods if period.is_current).line
    if line.expected_renewal_amount <= 0:
        return ""
    late = percent(line.expected_late_amount / line.expected_renewal_amount)
    by_30 = percent(line.expected_by_30_amount / line.expected_renewal_amount)
    return (
        f" Paler is expected: of what is still to come in the running period, {late} late and {by_30} by 30 days after "
        "the due day."
    )


def _timing_so_far(periods: Sequence[Period]) -> str:
    for period in reversed(periods):
        line = period.line
        renewed = line.early_amount + line.on_time_amount + line.late_amount + line.win_back_amount
        if period.is_over and renewed:
            return (
                f"Of what was ordered for {period.label}, {percent(line.early_amount / renewed)} came early, "
                f"{percent(line.on_time_amount / renewed)} on time and {percent(line.late_amount / renewed)} late"
                f"{_won_back(line.win_back_amount / renewed)}."
            )
    return "Orders of the running period only; no period that is over has any."


def _won_back(share: Decimal) -> str:
    return f"; {percent(share)} had lapsed and was won back, which is no renewal" if share else ""


def risk(currency: str, at_risk: AtRisk) -> str:
    high, every = at_risk.total("high"), at_risk.total("high", "medium", "low", "unscored")
    if not every.count:
        return f"No open renewal is due by {at_risk.last_on:%d %b %Y}."
    if not high.count:
        return f"None of the {renewals(every.count)} open until {at_risk.last_on:%d %b %Y} is at high risk."
    worst = max(at_risk.weeks, key=lambda week: week.bands["high"].amount if "high" in week.bands else Decimal(-1))
    share = "all" if worst.bands["high"].amount == high.amount else "most"
    return (
        f"{compact_money(high.amount, currency)} of {compact_money(every.amount, currency)} is at high risk "
        f"({high.count:,} of {renewals(every.count)}), {share} of it due in the week of {worst.starts_on:%d %b}."
    )
