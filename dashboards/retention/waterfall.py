"""From what was due to what was renewed of it, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import plotly.graph_objects as go

from accounts.templatetags.money import compact_money, currency_sign
from dashboards.figures import FIGURES
from dashboards.frame import Frame, PeriodTotal
from dashboards.tiles import Cell, Kind, Row, Tile
from forecasting.overview.dashboard import WON
from forecasting.pictures import Drawing, Series, drawn, empty_figure, unit_of


@dataclass(frozen=True)
class Step:
    """A sum of the cohort: added where `sign` is 1, taken off where it is -1; 0 for what everything begins with."""

    key: str
    sign: int
    colour: str
    filters: dict[str, Any] = field(default_factory=dict)


STEPS: Final = (
    Step("due", 0, "total"),
    Step("lost", -1, "loss", {"timing": ("lost", "lapsed", "win_back")}),
    Step("past_due", -1, "late", {"timing": ("in_window", "overdue")}),
    Step("open", -1, "total", {"timing": ("upcoming", "in_window")}),
    Step("downsell", -1, "loss", {"timing": WON}),
    Step("upsell", 1, "commit", {"timing": WON}),
    Step("cross_sell", 1, "win-back", {"timing": WON}),
)
WORDS: Final = {-1: "less ", 0: "", 1: "and "}


def waterfall_tile(frame: Frame, chosen: PeriodTotal) -> Tile:
    amounts = [Decimal(frame.value(step.key, chosen.total) or 0) for step in STEPS]
    renewed = Decimal(frame.value("cohort_renewed", chosen.total) or 0)
    rows = [
        Row(
            f"{WORDS[step.sign]}{FIGURES[step.key].title.lower() if step.sign else FIGURES[step.key].title}",
            [Cell(amount, Kind.MONEY, frame.explain_url(step.key, chosen))],
        )
        for step, amount in zip(STEPS, amounts, strict=True)
    ]
    cell = Cell(renewed, Kind.MONEY, frame.explain_url("cohort_renewed", chosen))
    rows.append(Row("Renewed, of the cohort", [cell], is_total=True))
    return Tile(
        "waterfall",
        f"From due to renewed, {chosen.label}, {_unit(frame, amounts)[1]}",
        f"{compact_money(amounts[0], frame.currency)} was due in {chosen.label}; "
        f"{compact_money(renewed, frame.currency)} of recurring value was renewed of it, whenever it was ordered.",
        "Step",
        [f"Amount, {currency_sign(frame.currency)}"],
        rows if chosen.total.sums["due_count"] else [],
        drawn(_figure(frame, chosen, [*amounts, renewed])) if chosen.total.sums["due_cents"] else None,
        f"Nothing is due in {chosen.label} for this choice of filters.",
        "p-span-6",
    )


def _figure(frame: Frame, chosen: PeriodTotal, amounts: Sequence[Decimal]) -> Drawing:
    labels = [*(FIGURES[step.key].title for step in STEPS), "Renewed"]
    urls = [*(frame.rows_url(chosen, **step.filters) for step in STEPS), frame.rows_url(chosen, timing=WON)]
    colours = [*(step.colour for step in STEPS), "won"]
    divisor, _ = _unit(frame, amounts)
    figure = empty_figure("stack", labels)
    figure.add_trace(
        go.Bar(
            x=labels,
            y=[float(amount / divisor) for amount in amounts],
            base=[float(base / divisor) for base in _bases(amounts)],
            customdata=[
                [url, f"{label}<br>{compact_money(amount, frame.currency)} ({amount:,.2f})"]
                for url, label, amount in zip(urls, labels, amounts, strict=True)
            ],
            hovertemplate="%{customdata[1]}<extra></extra>",
            marker={"color": [f"var(--p-chart-{colour})" for colour in colours], "line": {"width": 0}},
            showlegend=False,
        )
    )
    return figure


def _unit(frame: Frame, amounts: Sequence[Decimal]) -> tuple[int, str]:
    return unit_of(frame.currency, Series("", amounts, [], "total"))


def _bases(amounts: Sequence[Decimal]) -> list[Decimal]:
    """Where each bar begins: the first and the last on the ground, the others where the one before it ended."""
    level, bases = amounts[0], [Decimal(0)]
    for step, amount in zip(STEPS[1:], amounts[1:-1], strict=True):
        bases.append(level - amount if step.sign < 0 else level)
        level += step.sign * amount
    return [*bases, Decimal(0)]
