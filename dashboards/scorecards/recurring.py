"""GRR and NRR of reps and teams, over all their recurring value: the ledger of `forecasting.mrr`, by owner."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from django.db.models import Case, DateField, Value, When

from accounts.templatetags.money import currency_sign
from dashboards.frame import Frame
from dashboards.retention.recurring import NOT_THEN, Month, Moved, draw_periods, sums_of
from dashboards.scorecards.credit import whole_books
from dashboards.scorecards.people import Group
from dashboards.tiles import Cell, Kind, Row, Tile
from forecasting.engine.recurring import Kind as Movement
from forecasting.engine.recurring import State
from forecasting.models import MrrLine, MrrMovement, MrrRollUp
from forecasting.mrr.address import rows_url
from forecasting.mrr.ledger import rows_of
from forecasting.periods import Period, first_day, month_number

MOVED: Final = (Movement.CONTRACTION, Movement.CHURN, Movement.EXPANSION)
NOTHING_RECURS: Final = "There is no recurring value in this period for this choice."
ByMonth = dict[dt.date, Month]
Ledger = dict[int | None, ByMonth]


def read_ledger(frame: Frame) -> Ledger:
    """What moved recurring revenue by owner and period, of what the reader sees in the frame's segment and slice.

    Whose a line is says the ledger: its newest renewal's owner's, over all of its past. One statement; nothing as at a
    past moment, and before the first roll-up.
    """
    is_told = frame.past is None and frame.scope.slice.is_of_accounts
    if not is_told or not MrrRollUp.objects.exists():
        return {}
    source = MrrMovement if frame.scope.slice else MrrLine
    lines = rows_of(source, frame.user, whole_books(frame.scope))
    lines = lines.filter(state=State.ACTUAL, month_on__lte=frame.periods[-1].ends_on)
    found: Ledger = defaultdict(dict)
    for row in lines.order_by().values("owner", begins_on=_begins_on(frame)).annotate(**sums_of(source)):
        months = found[row.pop("owner")]
        months[row.pop("begins_on")] = row
    return dict(found)


def _begins_on(frame: Frame) -> Case:
    """The first day of the period that a month is in; of all that is before the periods shown, the day before them."""
    first_on = frame.periods[0].starts_on
    before = When(month_on__lt=first_on, then=Value(first_on - dt.timedelta(days=1)))
    inside = (When(month_on__lte=one.ends_on, then=Value(one.starts_on)) for one in frame.periods)
    return Case(before, *inside, output_field=DateField())


def _together(sums: Month, row: Month) -> Month:
    return {name: sums[name] + amount for name, amount in row.items()}


def moved_of(frame: Frame, ledger: Ledger, owners: Collection[int | None]) -> list[Moved]:
    """Of some owners together, by period of the frame, the oldest first; empty where they never had anything."""
    months: ByMonth = {}
    for owner in owners:
        for month_on, row in ledger.get(owner, {}).items():
            months[month_on] = _together(months[month_on], row) if month_on in months else row
    return draw_periods(frame, months)


def _nothing(frame: Frame) -> str:
    if frame.past is not None:
        return NOT_THEN
    return NOTHING_RECURS if frame.scope.slice.is_of_accounts else frame.not_sliced


def recurring_tile(
    frame: Frame,
    ledger: Ledger,
    *,
    period: Period,
    lines: Sequence[tuple[Group, str]],
    last: tuple[Group, str] | None,
) -> Tile:
    """`lines`: whose cards there are, with their addresses; `last`: all of them together, with their name."""

    def row(group: Group, name: str, url: str = "", *, is_total: bool = False) -> Row | None:
        # What nobody owns is the whole book's too, as on the page of retention.
        is_whole_book = is_total and not {"team", "owner"} & set(group.chosen(frame.scope))
        moved = moved_of(frame, ledger, ledger if is_whole_book else group.owner_ids)
        one = next((one for one in moved if one.period == period), None)
        if one is None or not (one.opening or any(one.amounts.values())):
            return None
        scope = replace(frame.scope, chosen=group.chosen(frame.scope))
        month_on, opened_on = period.ends_on.replace(day=1), first_day(month_number(period.starts_on) - 1)
        since = {"from": f"{period.starts_on:%Y-%m}"}
        cells = [Cell(one.opening, Kind.MONEY, rows_url(scope, "closing", opened_on, state="actual"))]
        cells += [
            Cell(one.amounts[kind], Kind.MONEY, rows_url(scope, kind.name.lower(), month_on, state="actual", **since))
            for kind in MOVED
        ]
        closing = rows_url(scope, "closing", month_on, state="actual")
        cells += [Cell(rate, Kind.RATE, closing) for rate in (one.grr, one.nrr)]
        return Row(name, cells, url, is_total)

    rows = [row(group, group.name, url) for group, url in lines]
    if last:
        rows.append(row(last[0], last[1], is_total=True))
    sign = currency_sign(frame.currency)
    return Tile(
        "recurring",
        f"Retention of all recurring value, {frame.label(period)}",
        f"{sign} a month. GRR = (opening − contraction − churn) / opening, at most 1; NRR adds expansion. A line of "
        "recurring value is its newest renewal’s owner’s, over all of its past. The whole book has what nobody owns.",
        "Who",
        ["Opening", "Contraction", "Churn", "Expansion", "GRR", "NRR"],
        [one for one in rows if one],
        None,
        _nothing(frame),
        "p-span-12",
    )
