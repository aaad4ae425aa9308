"""From what is due to what is renewed of it, as decided so far and as expected in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import plotly.graph_objects as go

from accounts.templatetags.money import compact_money, currency_sign
from dashboards.frame import Frame
from dashboards.tiles import Cell, Kind, Row, Tile
from forecasting.models import ForecastLine
from forecasting.overview.dashboard import LOST, OPEN, WON, Period
from forecasting.pictures import Drawing, Series, drawn, empty_figure, unit_of


@dataclass(frozen=True)
class Step:
    """What a bar takes off (below 0) or adds, decided so far and in the end; a level is what is left there."""

    label: str
    actual: Decimal
    forecast: Decimal
    colour: str
    timing: Sequence[str] = ()
    is_level: bool = False


def steps_of(line: ForecastLine) -> list[Step]:
    """Due, less lost, less downsell = gross; with upsell and cross-sell = net. So far, what is open is taken off too.

    Each measure of a line is converted by itself: where currencies are mixed, cents may be left over, and are shown.
    """
    zero = Decimal(0)
    lost = line.churn_amount, line.churn_amount + line.expected_churn_amount
    downsell = line.downsell_amount, line.downsell_amount + line.expected_downsell_amount
    gross = line.renewal_amount, line.renewal_amount + line.expected_renewal_amount
    upsell = line.upsell_amount, line.upsell_amount + line.expected_upsell_amount
    crossed = line.cross_sell_amount, line.cross_sell_amount + line.expected_cross_sell_amount
    net = line.won_amount, line.expected_amount
    still_open = line.open_amount, zero
    below = [gross[at] - (line.due_amount - lost[at] - downsell[at] - still_open[at]) for at in (0, 1)]
    above = [net[at] - gross[at] - upsell[at] - crossed[at] for at in (0, 1)]
    left_over = [
        Step("Exchange, rounded", below[0], below[1], "total"),
        Step("Exchange, rounded, of growth", above[0], above[1], "total"),
    ]
    steps = [
        Step("Due", line.due_amount, line.due_amount, "total", is_level=True),
        Step("Lost", -lost[0], -lost[1], "loss", LOST),
        Step("Downsell", -downsell[0], -downsell[1], "late", WON),
        Step("Still open", -still_open[0], zero, "total", OPEN),
        left_over[0],
        Step("Gross", *gross, "won", WON, is_level=True),
        Step("Upsell", *upsell, "commit", WON),
        Step("Cross-sell", *crossed, "win-back", WON),
        left_over[1],
        Step("Net", *net, "expected", WON, is_level=True),
    ]
    return [step for step in steps if step not in left_over or step.actual or step.forecast]


def waterfall_tile(frame: Frame, chosen: Period) -> Tile:
    steps = steps_of(chosen.line)
    rows = [
        Row(
            step.label,
            [Cell(step.actual, Kind.MONEY, _url(frame, chosen, step)), Cell(step.forecast, Kind.MONEY)],
            is_total=step.is_level,
        )
        for step in steps
    ]
    line, currency = chosen.line, frame.currency
    has_any = bool(line.due_count)
    return Tile(
        "waterfall",
        f"From due to net, {chosen.label}, {_unit(frame, steps)[1]}",
        f"{compact_money(line.due_amount, currency)} is due in {chosen.label}. So far it has become "
        f"{compact_money(line.won_amount, currency)}; {compact_money(line.expected_amount, currency)} is expected in "
        "the end, paler.",
        "Step",
        [f"So far, {currency_sign(currency)}", f"Expected, {currency_sign(currency)}"],
        rows if has_any else [],
        drawn(_figure(frame, chosen, steps)) if has_any and line.due_amount else None,
        f"Nothing is due in {chosen.label} for this choice of filters.",
        "p-span-6",
    )


def _url(frame: Frame, chosen: Period, step: Step) -> str:
    return chosen.rows_url(frame.scope, **({"timing": step.timing} if step.timing else {}))


def _unit(frame: Frame, steps: Sequence[Step]) -> tuple[int, str]:
    return unit_of(
        frame.currency, Series("", [amount for one in steps for amount in (one.actual, one.forecast)], [], "")
    )


def _figure(frame: Frame, chosen: Period, steps: Sequence[Step]) -> Drawing:
    labels = [step.label for step in steps]
    divisor, _ = _unit(frame, steps)
    figure = empty_figure("group", labels)
    for name, amounts, opacity in (
        ("So far", [step.actual for step in steps], 1.0),
        ("Expected", [step.forecast for step in steps], 0.45),
    ):
        bases = _bases(steps, amounts)
        figure.add_trace(
            go.Bar(
                x=labels,
                y=[float(amount / divisor) for amount in amounts],
                base=[float(base / divisor) for base in bases],
                customdata=[
                    [_url(frame, chosen, step), f"{step.label}, {name.lower()}<br>{_amount_text(frame, amount)}"]
                    for step, amount in zip(steps, amounts, strict=True)
                ],
                hovertemplate="%{customdata[1]}<extra></extra>",
                marker={"color": [f"var(--p-chart-{step.colour})" for step in steps], "line": {"width": 0}},
                opacity=opacity,
                name=name,
                showlegend=False,
            )
        )
    return figure


def _amount_text(frame: Frame, amount: Decimal) -> str:
    return f"{compact_money(amount, frame.currency)} ({amount:,.2f})"


def _bases(steps: Sequence[Step], amounts: Sequence[Decimal]) -> list[Decimal]:
    """Where each bar begins: a level on the ground, the others where the one before it ended."""
    at, bases = Decimal(0), []
    for step, amount in zip(steps, amounts, strict=True):
        bases.append(Decimal(0) if step.is_level else at)
        at = amount if step.is_level else at + amount
    return bases
