"""What an open renewal is expected to bring, when, and how much of that will be paid: numbers and words for one row."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

import numpy as np
from django.db import connection

from accounts.templatetags.money import exact_rate, money
from forecasting.engine.amounts import NO_CEILING, UPLIFT, WITH, WITHOUT, ceilings, place_of
from forecasting.engine.booking import weighted
from forecasting.engine.order_timing import HORIZONS
from forecasting.engine.timing import TimingClass
from forecasting.frames import Arrays, Rules, day_number, judge
from forecasting.frames.few import read_few
from forecasting.frames.outlook import (
    MISSING,
    WHOLE,
    account_default_rates,
    expected_orders,
    orders_of,
)
from renewals.models import Renewal
from renewals.scoring import OrderChance, OutlookExplanation

CHANCE_NAMES: Final = ("by_due", "by_30", "by_60", "by_90")


def explain_outlook(*, renewal_id: int, as_of: dt.date) -> OutlookExplanation | None:
    """None where the renewal is not open, or not scored yet. The amounts are the stored ones, which totals add up."""
    with connection.cursor() as cursor:
        rules, book, _ = read_few(cursor, [renewal_id])
    judged, rows = judge(book, rules, day_number(as_of)), book.renewals
    at = np.flatnonzero((rows["id"] == renewal_id) & (judged.timing <= TimingClass.OVERDUE))
    renewal = Renewal.objects.select_related("score", "contract").filter(pk=renewal_id, score__isnull=False).first()
    if not at.size or renewal is None:
        return None
    orders = orders_of(rows, judged.timing)
    chances = expected_orders(rows, at, rules.outlook, rules.policies, orders, day_number(as_of))
    default_rate = float(account_default_rates(1, book.signals, book.signal_keys >> 33, rules.outlook.payments)[0])
    score = renewal.score
    expected = weighted(np.array([score.probability]), np.array([score.mean_cents]))
    collected = weighted(np.array([1 - default_rate]), expected)
    return OutlookExplanation(
        mean_amount=_amount(score.mean_cents),
        expected_amount=_amount(int(expected[0])),
        collected_amount=_amount(int(collected[0])),
        default_rate=default_rate,
        words=_words({name: values[at] for name, values in rows.items()}, renewal, rules),
        chances=[
            OrderChance(days, float(chances[name][0]) / WHOLE)
            for days, name in zip(HORIZONS, CHANCE_NAMES, strict=True)
        ],
        order_count=int(orders["due"].size),
    )


def _amount(cents: int) -> Decimal:
    return Decimal(cents) / 100


def _words(row: Arrays, renewal: Renewal, rules: Rules) -> list[str]:
    """How the amount came about: the rep's word and its weight, what such renewals came to, and the ceiling."""
    model, currency = rules.outlook.amounts, renewal.currency
    usual_ratio, called_ratio = model.mean_ratios[place_of(model.segment_ids, row["segment_id"])[0]].tolist()
    baseline, forecast = int(row["baseline"][0]), int(row["forecast"][0])
    if forecast == MISSING:
        behind = f"{int(model.counts[WITHOUT]):,} decided ones" if model.counts[WITHOUT] else "a stated prior"
        said = f"Nobody has forecast it: its baseline of {_money(baseline, currency)} times {_rate(usual_ratio)}, "
        said += f"which is what such renewals come to by {behind}."
        reference = float(baseline)
    else:
        weight, usual = model.forecast_weight, baseline * usual_ratio
        said = f"The forecast of {_money(forecast, currency)} counts for {_rate(weight)}"
        if weight < 1:
            said += f", what such renewals usually bring, {_money(round(usual), currency)}, for the rest"
        behind = f"{int(model.counts[WITH]):,} closed calls" if model.counts[WITH] else "a stated prior"
        said += f"; of that comes {_rate(called_ratio)} on average by {behind}."
        reference = weight * forecast + (1 - weight) * usual
    highest = reference * float(model.ratios[int(forecast != MISSING), UPLIFT])
    return [said, *_ceiling_words(row, renewal, highest, forecast)]


def _ceiling_words(row: Arrays, renewal: Renewal, highest: float, forecast: int) -> list[str]:
    names = ("baseline", "uplift_cap", "price_locked", "due", "cross_sell")
    ceiling = max(int(ceilings(*(row[name] for name in names))[0]), forecast)
    if ceiling >= min(highest, NO_CEILING):
        return []
    locked = renewal.contract.price_locked_until_on
    is_locked = locked is not None and locked > renewal.due_on
    why = "the price is locked beyond the due day" if is_locked else "the uplift cap of its contract"
    said = f"No price above {_money(ceiling, renewal.currency)} is counted: {why}."
    return [f"{said} Seats and products may grow beyond it."]


def _rate(ratio: float) -> str:
    return exact_rate(Decimal(ratio))


def _money(cents: int, currency: str) -> str:
    return money(_amount(cents), currency)
