"""The bridge as a picture, a table, and the renewals behind each bar."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import plotly.graph_objects as go

from accounts.models import User
from accounts.templatetags.money import compact_money
from forecasting.as_at.standing import SHARES
from forecasting.bridge.changes import BARS, Bridge
from forecasting.charts import Chart
from forecasting.engine.arrays import Integers
from forecasting.frames.rules import EPOCH
from forecasting.pictures import Series, drawn, empty_figure, unit_of
from forecasting.scopes.scope import Scope
from forecasting.snapshots.page import ROWS_PER_PAGE, Rest, visible_rows
from renewals.models import Renewal, TimingClass

LABELS = {
    "new": "New",
    "pulled_in": "Pulled in",
    "won": "Won",
    "lost": "Lost",
    "pushed": "Pushed",
    "amount": "Amount",
    "probability": "Probability",
    "owner": "Owner",
    "reclassified": "Reclassified",
    "removed": "Removed",
    "rates": "Exchange rates",
}
MEANINGS = {
    "new": "recorded since, or an approved exception before",
    "pulled_in": "due in another period before",
    "won": "decided: renewed, less what was expected of it",
    "lost": "lost, lapsed, or won back as lost",
    "pushed": "due in another period now",
    "amount": "another amount, at the probability of before",
    "probability": "another probability of what is still open",
    "owner": "came to, or left, this scope with its owner",
    "reclassified": "decided otherwise by a changed policy, or of another part than what is filtered by",
    "removed": "deleted, or an approved exception now",
    "rates": "the same amounts at the rates of the end",
}


@dataclass(frozen=True)
class Bar:
    key: str
    label: str
    meaning: str
    amount: Decimal
    row_count: int
    url: str


@dataclass(frozen=True)
class Move:
    """One renewal behind a bar, before and after; today's row gives its names and its link."""

    renewal: Renewal
    before: Stand | None
    after: Stand | None
    opening_amount: Decimal
    closing_amount: Decimal
    amount: Decimal

    @property
    def probabilities(self) -> tuple[Decimal | None, Decimal | None]:
        """Before and after; None where there was no such renewal."""
        return (self.before.probability if self.before else None, self.after.probability if self.after else None)


@dataclass(frozen=True)
class Stand:
    due_on: dt.date
    owner: str
    timing: str
    probability: Decimal


def build_bars(found: Bridge, scope: Scope, rows_url: str) -> list[Bar]:
    """In their order; exchange rates only where one changed."""
    return [
        Bar(
            name,
            LABELS[name],
            MEANINGS[name],
            _amount(found.bars[name].sum()),
            int(np.count_nonzero(found.bars[name])),
            f"{rows_url}&bar={name}",
        )
        for name in BARS
        if name != "rates" or found.bars[name].any()
    ]


def _amount(cents: Any) -> Decimal:
    return Decimal(int(cents)) / 100


def build_chart(found: Bridge, bars: Sequence[Bar], currency: str, heads: tuple[str, str], caption: str) -> Chart:
    """Bars that hang where the one before ended, between the sums of both ends."""
    opening, closing = _amount(found.opening_cents), _amount(found.closing_cents)
    ends = [f"{one.standing.as_of:%d %b %y}" for one in (found.start, found.end)]
    labels = [ends[0], *(bar.label for bar in bars), ends[1] if ends[1] != ends[0] else f"{ends[1]}, end"]
    amounts = [opening, *(bar.amount for bar in bars), closing]
    urls = ["", *(bar.url for bar in bars), ""]
    levels = [opening]
    for bar in bars:
        levels.append(levels[-1] + bar.amount)
    series = Series("Change", amounts, urls, "total")
    divisor, unit = unit_of(currency, series)
    figure = empty_figure("overlay", labels)
    figure.update_xaxes(categoryorder="array", categoryarray=labels)
    floor = _floor(levels)
    inner = range(1, len(labels) - 1)
    for name, colour, places in (
        ("Expected", "total", [0, len(labels) - 1]),
        ("More", "won", [at for at in inner if amounts[at] >= 0]),
        ("Less", "loss", [at for at in inner if amounts[at] < 0]),
    ):
        bases = [Decimal(0) if at in (0, len(labels) - 1) else levels[at - 1] for at in places]
        figure.add_trace(
            go.Bar(
                x=[labels[at] for at in places],
                y=[float(amounts[at] / divisor) for at in places],
                base=[float(base / divisor) for base in bases],
                customdata=[
                    [urls[at], f"{labels[at]}<br>{compact_money(amounts[at], currency)} ({amounts[at]:,.2f})"]
                    for at in places
                ],
                hovertemplate="%{customdata[1]}<extra></extra>",
                name=name,
                marker={"color": f"var(--p-chart-{colour})", "line": {"width": 0}},
            )
        )
    if floor:
        figure.update_yaxes(range=[float(floor / divisor), float(max(levels) * Decimal("1.01") / divisor)])
        caption += f" The axis is cut below {compact_money(floor, currency)}."
    is_empty = not found.renewal.size
    return Chart(
        "bridge",
        f"Expected, {heads[0]} to {heads[1]}, {unit}",
        caption,
        labels,
        "Bar",
        [series],
        unit,
        None if is_empty else drawn(figure),
        "Nothing is due in this period at either end.",
        "p-span-12",
    )


def _floor(levels: Sequence[Decimal]) -> Decimal:
    """Where the axis is cut so that changes can be seen: 0 unless they are small beside the sums."""
    low, high = min(levels), max(levels)
    spread = max(high - low, high / 50)
    return Decimal(0) if low < 3 * spread else low - spread / 2


def read_moves(user: User, found: Bridge, bar: str, *, page: int) -> tuple[list[Move], bool, Rest | None]:
    """(a page of the renewals of a bar that the reader sees at present, whether there are more, the others)."""
    places = found.rows_of(bar)
    seen = visible_rows(user, found.renewal[places])
    hidden = places[~seen]
    rest = Rest(hidden.size, _amount(found.bars[bar][hidden].sum())) if hidden.size else None
    shown = places[seen]
    first = (page - 1) * ROWS_PER_PAGE
    return _moves(found, bar, shown[first : first + ROWS_PER_PAGE]), shown.size > first + ROWS_PER_PAGE, rest


def _moves(found: Bridge, bar: str, places: Integers) -> list[Move]:
    ids = found.renewal[places].tolist()
    renewals = {row.pk: row for row in Renewal.objects.filter(pk__in=ids).select_related("account")}
    owner_ids = {int(side[at]["owner"]) for side in (found.before, found.after) for at in places}
    owners = {user.pk: str(user) for user in User.objects.filter(pk__in=owner_ids)}
    return [
        Move(
            renewals[int(found.renewal[at])],
            _stand(found.before[at], owners),
            _stand(found.after[at], owners),
            _amount(found.opening[at]),
            _amount(found.closing[at]),
            _amount(found.bars[bar][at]),
        )
        for at in places
    ]


def _stand(row: Any, owners: dict[int, str]) -> Stand | None:
    if not row["renewal"]:
        return None
    return Stand(
        EPOCH + dt.timedelta(days=int(row["due"])),
        owners.get(int(row["owner"]), "Nobody"),
        str(TimingClass(int(row["timing"])).label),
        Decimal(int(row["probability"])) / SHARES,
    )


def caption_of(found: Bridge, bars: Sequence[Bar], currency: str) -> str:
    """The largest moves in words."""
    moved = _amount(found.closing_cents - found.opening_cents)
    largest = sorted((bar for bar in bars if bar.amount), key=lambda bar: -abs(bar.amount))[:2]
    if not largest:
        return "Nothing has moved."
    named = " and ".join(f"{bar.label.lower()} {_signed(bar.amount, currency)}" for bar in largest)
    return f"{_signed(moved, currency)} in all, most of it {named}. A bar opens its renewals."


def _signed(amount: Decimal, currency: str) -> str:
    return f"{'+' if amount > 0 else ''}{compact_money(amount, currency)}"
