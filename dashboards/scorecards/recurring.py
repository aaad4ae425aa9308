"""GRR and NRR of reps and teams, over all their recurring value: the ledger of `forecasting.mrr`, by owner."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from django.db.models import Case, DateField, Value, When

from accounts.models import User
from accounts.templatetags.money import currency_sign
from dashboards.frame import Frame
from dashboards.retention.recurring import NOT_THEN, ByMonth, Month, Moved, draw_periods, read_levels, sums_of
from dashboards.scorecards.credit import whole_books
from dashboards.scorecards.people import Group
from dashboards.tiles import Cell, Kind, Row, Tile, in_currency
from forecasting.engine.recurring import Kind as Movement
from forecasting.engine.recurring import State
from forecasting.models import MrrLine, MrrMovement, MrrRollUp
from forecasting.models.mrr import EVERYBODY, NOBODY
from forecasting.mrr.address import rows_url
from forecasting.mrr.ledger import rows_of
from forecasting.periods import Period, first_day, month_number

MOVED: Final = (Movement.CONTRACTION, Movement.CHURN, Movement.EXPANSION)
NOTHING_RECURS: Final = "There is no recurring value in this period for this choice."
Ledger = dict[int | None, ByMonth]


def read_ledger(frame: Frame) -> Ledger:
    """What moved recurring revenue by owner and period, of what the reader sees in the frame's segment and slice.

    Whose a line is says the ledger: its newest renewal's owner's, over all of its past. One statement; nothing as at a
    past moment, and before the first roll-up.
    """
    if not _is_told(frame):
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


@dataclass(frozen=True, eq=False)
class Recurring:
    """What moved recurring revenue of the people of a frame: by the levels kept of each; in a segment or a slice, of
    which none are kept, by their lines or movements."""

    frame: Frame

    @cached_property
    def ledger(self) -> Ledger:
        return read_ledger(self.frame)

    def moved(
        self, groups: Sequence[Group], periods: Sequence[Period], *, whole: Group | None = None
    ) -> list[list[Moved]]:
        """Of each group by period, the oldest first; empty where they never had anything.

        `whole` is the one of them that stands for all the reader sees, with what nobody owns, as on the page of
        retention.
        """
        frame = self.frame
        if not _is_told(frame):
            return [[] for _ in groups]
        if frame.scope.segment or frame.scope.slice or not frame.user.sees_all:
            found = [moved_of(frame, self.ledger, self.ledger if one is whole else one.owner_ids) for one in groups]
            return [[one for one in moved if one.period in periods] for moved in found]
        return read_levels(frame, [{EVERYBODY: 1} if one is whole else _owners_of(one) for one in groups], periods)


def _owners_of(group: Group) -> dict[int, int]:
    """Of all who work renewals those are named who do not."""
    if group.team or len(group.members) == 1:
        return dict.fromkeys(group.owner_ids, 1)
    viewers = User.objects.filter(role=User.Role.VIEWER).values_list("pk", flat=True)
    return {EVERYBODY: 1, NOBODY: -1, **dict.fromkeys(viewers, -1)}


def _is_told(frame: Frame) -> bool:
    return frame.past is None and frame.scope.slice.is_of_accounts and MrrRollUp.objects.exists()


def _nothing(frame: Frame) -> str:
    if frame.past is not None:
        return NOT_THEN
    return NOTHING_RECURS if frame.scope.slice.is_of_accounts else frame.not_sliced


def recurring_tile(
    frame: Frame,
    recurring: Recurring,
    *,
    period: Period,
    lines: Sequence[tuple[Group, str]],
    last: tuple[Group, str] | None,
) -> Tile:
    """`lines`: whose cards there are, with their addresses; `last`: all of them together, with their name."""

    # What nobody owns is the whole book's too, as on the page of retention.
    whole = last[0] if last and not {"team", "owner"} & set(last[0].chosen(frame.scope)) else None
    groups = [group for group, _ in lines] + ([last[0]] if last else [])
    moved = recurring.moved(groups, [period], whole=whole)

    def row(group: Group, found: list[Moved], name: str, url: str = "", *, is_total: bool = False) -> Row | None:
        if not found or not (found[0].opening or any(found[0].amounts.values())):
            return None
        one = found[0]
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

    rows = [row(group, found, group.name, url) for (group, url), found in zip(lines, moved, strict=False)]
    if last:
        rows.append(row(last[0], moved[-1], last[1], is_total=True))
    sign = currency_sign(frame.currency)
    return Tile(
        "recurring",
        f"Retention of all recurring value, {frame.label(period)}",
        f"{sign} a month. GRR = (opening − contraction − churn) / opening, at most 1; NRR adds expansion. A line of "
        "recurring value is its newest renewal’s owner’s, over all of its past. The whole book has what nobody owns.",
        "Who",
        [
            *(in_currency(name, frame.currency) for name in ("Opening", "Contraction", "Churn", "Expansion")),
            "GRR",
            "NRR",
        ],
        [one for one in rows if one],
        None,
        _nothing(frame),
        "p-span-12",
    )
