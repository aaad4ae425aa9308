"""GRR, NRR and what moved recurring revenue, by period: months of `forecasting.mrr` added up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from django.db import connection
from django.db.models import Model, Q, Sum

from dashboards.frame import Frame
from dashboards.tiles import Column, Kind, Tile, bars, lines, tile, unit_text
from forecasting.engine.recurring import Kind as Movement
from forecasting.engine.recurring import State
from forecasting.models import MrrLine, MrrMovement, MrrRollUp
from forecasting.models.mrr import EVERYBODY
from forecasting.mrr.address import rows_url
from forecasting.mrr.ledger import GAINS, KINDS, LOSSES, rows_of
from forecasting.periods import Period

AMOUNTS: Final = tuple(f"{kind.name.lower()}_amount" for kind in Movement)
Month = dict[str, Decimal]  # "all_" and a name of AMOUNTS: a month's sum
ByMonth = dict[dt.date, Month]
# What a movement does to the level, in the order of the columns.
SIGNS: Final = np.array([-1 if kind in LOSSES else 1 for kind in Movement], dtype=np.int64)
OPENED: Final = list(Movement).index(Movement.OPENING)
# Of groups of owners by some days: of each owner the newest level by then.
LEVELS: Final = f"""
SELECT g.place, d.place, {", ".join(f"sum(g.sign * l.{kind.name.lower()}_cents)::bigint" for kind in Movement)}
FROM unnest(%s::int[], %s::bigint[], %s::int[]) AS g (place, owner_id, sign)
CROSS JOIN unnest(%s::date[]) WITH ORDINALITY AS d (day, place)
CROSS JOIN LATERAL (
    SELECT * FROM forecasting_mrrlevel k WHERE k.owner_id = g.owner_id AND k.month_on <= d.day
    ORDER BY k.month_on DESC LIMIT 1
) l
GROUP BY 1, 2"""
COLOURS: Final = {
    Movement.NEW: "won",
    Movement.EXPANSION: "commit",
    Movement.REACTIVATION: "win-back",
    Movement.CONTRACTION: "late",
    Movement.CHURN: "loss",
}
NOT_THEN: Final = "Recurring revenue is kept as of the last run, not as at past moments. Go back to now to see it."
NOT_YET: Final = "Recurring revenue is drawn after the first recompute of the book is published."


@dataclass(frozen=True)
class Moved:
    """A period of recurring revenue: what is in effect by the run's day, and nothing that is signed or expected."""

    period: Period
    label: str
    opening: Decimal
    amounts: dict[Movement, Decimal]

    @property
    def closing(self) -> Decimal:
        gained = sum((self.amounts[kind] for kind in GAINS), Decimal(0))
        return self.opening + gained - sum((self.amounts[kind] for kind in LOSSES), Decimal(0))

    @property
    def grr(self) -> Decimal | None:
        """(opening - contraction - churn) / opening, at most 1; None where nothing was there to keep."""
        if self.opening <= 0:
            return None
        lost = sum((self.amounts[kind] for kind in LOSSES), Decimal(0))
        return min((self.opening - lost) / self.opening, Decimal(1))

    @property
    def nrr(self) -> Decimal | None:
        if self.opening <= 0:
            return None
        lost = sum((self.amounts[kind] for kind in LOSSES), Decimal(0))
        return (self.opening - lost + self.amounts[Movement.EXPANSION]) / self.opening


def recurring_tiles(frame: Frame) -> list[Tile]:
    moved = read_moved(frame)
    return [retention_tile(frame, moved), movements_tile(frame, moved)]


def read_moved(frame: Frame) -> list[Moved]:
    """By period of the frame, the oldest first; empty as at a past moment, and before the first roll-up."""
    if frame.past is not None or not MrrRollUp.objects.exists():
        return []
    if frame.scope.is_of_all:
        return read_levels(frame, [{EVERYBODY: 1}], frame.periods)[0]
    last_on = frame.periods[-1].ends_on
    source = MrrMovement if frame.scope.slice else MrrLine
    lines = rows_of(source, frame.user, frame.scope).filter(state=State.ACTUAL, month_on__lte=last_on)
    months = {row.pop("month_on"): row for row in lines.order_by().values("month_on").annotate(**sums_of(source))}
    return draw_periods(frame, months)


def read_levels(frame: Frame, groups: Sequence[Mapping[int, int]], periods: Sequence[Period]) -> list[list[Moved]]:
    """Of each group, which is its owners with 1 or, where they are taken off, -1: by periods that follow each other,
    from the levels that are kept. One statement."""
    days = [periods[0].starts_on - dt.timedelta(days=1), *(one.ends_on for one in periods)]
    levels = np.zeros((len(groups), len(days), len(Movement)), dtype=np.int64)
    signed = [(at, *pair) for at, owners in enumerate(groups) for pair in owners.items()]
    with connection.cursor() as cursor:
        cursor.execute(LEVELS, [*map(_array, zip(*signed, strict=True)), days])
        for group, day, *cents in cursor.fetchall():
            levels[group, day - 1] = cents
    moved = np.diff(levels, axis=1)
    # What was there when the ledger began is no movement of its first month, but stands at its start.
    openings = levels[:, :-1] @ SIGNS + moved[:, :, OPENED]
    labels = [frame.label(one) for one in periods]
    found: list[list[Moved]] = []
    for level, opening, own in zip(levels, openings.tolist(), moved.tolist(), strict=True):
        drawn = zip(periods, labels, _amounts(opening), map(_by_kind, own), strict=True)
        found.append([Moved(*one) for one in drawn] if level.any() else [])
    return found


def _by_kind(cents: Sequence[int]) -> dict[Movement, Decimal]:
    known = dict(zip(Movement, _amounts(cents), strict=True))
    return {kind: known[kind] for kind in KINDS}


def _amounts(cents: Sequence[int]) -> list[Decimal]:
    return [Decimal(one) / 100 for one in cents]


def _array(numbers: Iterable[int]) -> str:
    """As PostgreSQL reads one: of the hundreds of an ARRAY[...] it takes longer to read each than to look it up."""
    return f"{{{','.join(map(str, numbers))}}}"


def sums_of(source: type[Model]) -> dict[str, Sum]:
    """What is added up to a Month: of lines their columns, of movements their amounts by kind."""
    if source is MrrLine:
        return {f"all_{name}": Sum(name) for name in AMOUNTS}
    return {f"all_{_column(kind)}": Sum("amount", filter=Q(kind=kind), default=Decimal(0)) for kind in Movement}


def draw_periods(frame: Frame, months: Mapping[dt.date, Month]) -> list[Moved]:
    """Months, from the first of the ledger, added up to the periods of the frame; empty where nothing ever moved."""
    if not any(any(row.values()) for row in months.values()):
        return []
    first_on = frame.periods[0].starts_on
    level = sum((_net(row) for month_on, row in months.items() if month_on < first_on), Decimal(0))
    found: list[Moved] = []
    for period in frame.periods:
        rows = [row for month_on, row in months.items() if period.starts_on <= month_on <= period.ends_on]
        # What was there when the ledger began is no movement of its first month, but stands at its start.
        opening = level + sum((row["all_opening_amount"] for row in rows), Decimal(0))
        amounts = {kind: sum((row[f"all_{_column(kind)}"] for row in rows), Decimal(0)) for kind in KINDS}
        found.append(Moved(period, frame.label(period), opening, amounts))
        level = found[-1].closing
    return found


def _column(kind: Movement) -> str:
    return f"{kind.name.lower()}_amount"


def _net(row: Month) -> Decimal:
    gained = sum((row[f"all_{_column(kind)}"] for kind in (Movement.OPENING, *GAINS)), Decimal(0))
    return gained - sum((row[f"all_{_column(kind)}"] for kind in LOSSES), Decimal(0))


def retention_tile(frame: Frame, moved: Sequence[Moved]) -> Tile:
    labels = [one.label for one in moved]
    urls = [rows_url(frame.scope, "closing", one.period.ends_on.replace(day=1)) for one in moved]
    columns = [
        Column("NRR", Kind.RATE, [one.nrr for one in moved], "expected", urls, urls),
        Column("GRR", Kind.RATE, [one.grr for one in moved], "won", urls, urls),
    ]
    return tile(
        "retention",
        f"Revenue retention by {frame.grain}, % of recurring value at its start",
        "GRR is what was left of all recurring value at the start, without what was gained; NRR adds expansion. "
        "Of the running period so far.",
        labels=labels,
        label_head=frame.grain.capitalize(),
        columns=columns,
        figure=lines(columns, labels, current=frame.label(frame.periods[-1])) if moved else None,
        empty=NOT_THEN if frame.past is not None else NOT_YET,
    )


def movements_tile(frame: Frame, moved: Sequence[Moved]) -> Tile:
    labels = [one.label for one in moved]
    columns = [_movement(frame, moved, kind) for kind in KINDS]
    opening = Column("Opening", Kind.MONEY, [one.opening for one in moved])
    closing = Column("Closing", Kind.MONEY, [one.closing for one in moved])
    return tile(
        "movements",
        f"Recurring revenue by {frame.grain}, {unit_text(frame.currency, *columns)} a month",
        "Opening + new + expansion + reactivation − contraction − churn = closing. A figure opens its rows.",
        labels=labels,
        label_head=frame.grain.capitalize(),
        columns=[opening, *columns, closing],
        figure=bars(columns, labels, frame.currency, mode="relative", current=frame.label(frame.periods[-1]))
        if moved
        else None,
        empty=NOT_THEN if frame.past is not None else NOT_YET,
        currency=frame.currency,
    )


def _movement(frame: Frame, moved: Sequence[Moved], kind: Movement) -> Column:
    sign = -1 if kind in LOSSES else 1
    urls = [
        rows_url(
            frame.scope,
            kind.name.lower(),
            one.period.ends_on.replace(day=1),
            state="actual",
            **{"from": f"{one.period.starts_on:%Y-%m}"},
        )
        for one in moved
    ]
    name = kind.name.capitalize()
    return Column(name, Kind.MONEY, [sign * one.amounts[kind] for one in moved], COLOURS[kind], urls, urls)
