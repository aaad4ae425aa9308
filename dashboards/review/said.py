"""The last call that was frozen in an earlier month, line by line, beside what came of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from accounts.models import User
from dashboards.review.due import DAYS
from forecasting.as_at.standing import SHARES, is_open
from forecasting.frames import day_number
from forecasting.models import Snapshot
from forecasting.periods import month_number
from forecasting.scopes.scope import Scope
from forecasting.scopes.slices import are_sliced
from forecasting.snapshots import read_standing
from forecasting.snapshots.page import visible_rows
from renewals.models import Renewal, TimingClass

WON: Final = (TimingClass.EARLY, TimingClass.ON_TIME, TimingClass.LATE)
RENEWED, LOST, OPEN = "Renewed", "Lost", "Still open"


@dataclass(frozen=True)
class Line:
    """A renewal as the call had it, and what came: amounts in the reporting currency, at the rates of the call."""

    renewal: Renewal
    confidence: Decimal | None
    probability: Decimal
    said_amount: Decimal
    came_amount: Decimal
    state: str


@dataclass(frozen=True)
class Said:
    snapshot: Snapshot
    last_on: dt.date
    lines: list[Line]  # the largest difference first
    hidden_count: int  # of renewals that the reader does not see at present


def read_said(user: User, scope: Scope, today: dt.date) -> Said | None:
    """What the call expected of the 30 days after it, of renewals that were open then; None without such a call."""
    snapshot = Snapshot.objects.filter(as_of_on__lt=today.replace(day=1)).order_by("-moment", "-pk").first()
    if snapshot is None:
        return None
    last_on = snapshot.as_of_on + dt.timedelta(days=DAYS)
    months = range(month_number(snapshot.as_of_on), month_number(last_on) + 1)
    standing = read_standing(snapshot, months=list(months))
    due = standing.rows["due"]
    is_due = (due >= day_number(snapshot.as_of_on)) & (due <= day_number(last_on))
    own = standing.only(is_due & is_open(standing.rows["timing"]) & standing.is_counted & standing.within(scope))
    seen = visible_rows(user, own.rows["renewal"])
    # A call keeps neither region nor booking type: which rows are of a slice is asked of today.
    hidden_count = 0 if scope.slice else int(np.count_nonzero(~seen))
    own = own.only(seen & are_sliced(scope.slice, own.rows["renewal"]))
    found = Renewal.objects.select_related("account", "score").in_bulk(own.rows["renewal"].tolist())
    names = own.currency_names()
    said = np.rint(own.values()).astype(np.int64)
    lines = []
    for row, cents, currency in zip(own.rows, said.tolist(), names, strict=True):
        renewal = found[int(row["renewal"])]
        state, final = _came(renewal)
        rate = own.rates.get(renewal.currency, own.rates[currency])
        lines.append(
            Line(
                renewal,
                None if row["confidence"] < 0 else Decimal(int(row["confidence"])) / 100,
                Decimal(int(row["probability"])) / SHARES,
                Decimal(cents) / 100,
                round(final * rate, 2),
                state,
            )
        )
    lines.sort(key=lambda line: (-abs(line.came_amount - line.said_amount), line.renewal.pk))
    return Said(snapshot, last_on, lines, hidden_count)


def _came(renewal: Renewal) -> tuple[str, Decimal]:
    """As the last run has it. A win-back had lapsed: lost."""
    score = getattr(renewal, "score", None)
    if score is None or score.timing_class < TimingClass.LAPSED:
        return OPEN, Decimal(0)
    return (RENEWED, renewal.final_amount or Decimal(0)) if score.timing_class in WON else (LOST, Decimal(0))
