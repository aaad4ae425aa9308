"""What a forecast rests on, in words: how far chance moves it, what its periods share, what amounts and days say."""

from __future__ import annotations

from decimal import Decimal

from accounts.templatetags.money import compact_money, exact_rate
from forecasting.frames.outlook import Outlook
from forecasting.models import Run
from forecasting.overview.dashboard import Period

# The mean distance of a normal number from its mean, in standard deviations.
TYPICAL_MISS = Decimal("0.798")
FEW = 30  # decided renewals below which what was learned is mostly the stated prior
KNOWN_RATE = 0.1  # log-odds; some 700 decided renewals of which 85 % came


def typical_miss(period: Period) -> Decimal | None:
    """By how much of itself a forecast with perfect probabilities still misses, on average; None without one."""
    line = period.line
    return TYPICAL_MISS * line.chance_amount / line.expected_amount if line.expected_amount else None


def describe_basis(run: Run, period: Period, currency: str) -> list[str]:
    """Sentences under the totals, about the current period."""
    outlook, line = Outlook.of_run(run), period.line
    told = [
        _describe_chance(period),
        _describe_shock(outlook),
        _describe_rate(outlook),
        _describe_amounts(outlook),
        _describe_orders(outlook),
    ]
    if line.expected_amount:
        told.append(
            f"{exact_rate(line.collected_amount / line.expected_amount)} of what is expected will be paid "
            f"({compact_money(line.collected_amount, currency)}), by how late the accounts pay and what failed or "
            "was charged back."
        )
    return [sentence for sentence in told if sentence]


def _describe_chance(period: Period) -> str:
    miss = typical_miss(period)
    if miss is None or not period.line.open_count:
        return ""
    return (
        f"Chance alone moves {period.label} by {exact_rate(miss)} on average, with {period.line.open_count:,} open: no "
        "forecast of it can be nearer in the long run."
    )


def _describe_shock(outlook: Outlook) -> str:
    shock = outlook.shock
    if not shock.period_count:
        return (
            f"Renewals of a period are taken to move together by {shock.size:.2f} in log-odds: stated, while no past "
            "period was forecast."
        )
    periods = f"{shock.period_count} past period{'' if shock.period_count == 1 else 's'}"
    return f"Renewals of a period move together by {shock.size:.2f} in log-odds, learned from {periods}."


def _describe_rate(outlook: Outlook) -> str:
    unknown = outlook.shock.unknown
    if unknown < KNOWN_RATE:
        return ""
    return (
        "Few renewals are decided: how many of all renew may lie "
        f"{unknown:.2f} in log-odds from what is taken, and every band is wider by that."
    )


def _describe_amounts(outlook: Outlook) -> str:
    count, calls = (int(each) for each in outlook.amounts.counts)
    if count < FEW:
        return f"Amounts spread as stated: only {count:,} decided renewals say what a renewal brings."
    word = f"; a rep's forecast amount counts {outlook.amounts.forecast_weight:.0%} ({calls:,} closed)" if calls else ""
    return f"Upsell and downsell are those of {count:,} decided renewals{word}."


def _describe_orders(outlook: Outlook) -> str:
    count = outlook.order_timing.order_count
    if count < FEW:
        return f"Order days are as stated: only {count:,} settled orders."
    return f"Order days are those of {count:,} settled orders, the account's own among them."
