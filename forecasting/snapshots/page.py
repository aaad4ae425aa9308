"""What the pages of calls show: figures of a scope from frozen lines, and the renewals behind them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from accounts.models import User
from forecasting.as_at.standing import SHARES, Standing, is_open
from forecasting.bridge.changes import allocate
from forecasting.engine.arrays import Booleans, Integers
from forecasting.frames.binary_copy import Arrays
from forecasting.frames.rules import EPOCH
from forecasting.models import ForecastLine, Snapshot
from forecasting.periods import Period, month_number, period_of
from forecasting.scopes.scope import Scope
from forecasting.snapshots.reading import lines_of_scope, read_call_lines
from renewals.models import Renewal, Stage, TimingClass

ROWS_PER_PAGE = 50


@dataclass(frozen=True)
class ListedCall:
    """A call in the list, with what it said of the period that it was made in."""

    snapshot: Snapshot
    period: str
    line: ForecastLine | None


@dataclass(frozen=True)
class OwnerTotal:
    owner: str
    count: int
    open_count: int
    expected_amount: Decimal


@dataclass(frozen=True)
class CallRow:
    """A renewal as it stood; `renewal` is today's row, for its names and its link."""

    renewal: Renewal
    owner: str
    stage: str
    timing: str
    due_on: dt.date
    confidence: Decimal | None
    likelihood: Decimal
    probability: Decimal
    baseline_amount: Decimal
    currency: str
    expected_amount: Decimal


@dataclass(frozen=True)
class Rest:
    """Renewals that the reader does not see at present: how many, and their sum, so that the page adds up."""

    count: int
    amount: Decimal


def list_calls(snapshots: Sequence[Snapshot], scope: Scope) -> list[ListedCall]:
    found = []
    for snapshot in snapshots:
        period = period_of(scope.grain, snapshot.as_of_on, snapshot.fiscal_start)
        first = month_number(period.starts_on)
        line = lines_of_scope(read_call_lines(snapshot, months=[first]), scope, scope.grain).get(first)
        found.append(ListedCall(snapshot, period.label(snapshot.fiscal_start), line))
    return found


def scope_lines(lines: Arrays, standing: Standing, scope: Scope) -> dict[int, ForecastLine]:
    """By first month; of an owner within a segment, which no line is kept of, what its renewals add up to."""
    if not (scope.owner and scope.segment):
        return lines_of_scope(lines, scope, scope.grain)
    whole = lines_of_scope(lines, Scope(scope.grain), scope.grain)
    return {month: _summed(standing, scope, line) for month, line in whole.items()}


def _summed(standing: Standing, scope: Scope, like: ForecastLine) -> ForecastLine:
    within = standing.within(scope) & in_period(standing, Period(scope.grain, like.starts_on))
    cents = int(np.rint(standing.values()[within].sum()))
    return ForecastLine(
        grain=scope.grain,
        starts_on=like.starts_on,
        due_count=int(np.count_nonzero(within & standing.is_counted)),
        open_count=int(np.count_nonzero(within & standing.is_counted & is_open(standing.rows["timing"]))),
        expected_amount=Decimal(cents) / 100,
    )


def in_period(standing: Standing, period: Period) -> Booleans:
    first, month = month_number(period.starts_on), standing.month
    within: Booleans = (month >= first) & (month < first + period.month_count)
    return within


def expected_by_row(standing: Standing, scope: Scope, period: Period, total: Decimal) -> tuple[Integers, Integers]:
    """(places of the counted renewals of a scope's period, their cents, which add up to the total)."""
    places = np.flatnonzero(in_period(standing, period) & standing.within(scope) & standing.is_counted)
    return places, allocate(standing.values()[places], int(total * 100))


def owner_totals(standing: Standing, places: Integers, cents: Integers) -> list[OwnerTotal]:
    """The largest first."""
    rows = standing.rows[places]
    owners, place = np.unique(rows["owner"], return_inverse=True)
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=owners.tolist())}
    counts = np.bincount(place, minlength=owners.size)
    open_counts = np.bincount(place, is_open(rows["timing"]), owners.size)
    sums = np.zeros(owners.size, dtype=np.int64)
    np.add.at(sums, place, cents)
    found = [
        OwnerTotal(names.get(int(owner), "Nobody"), int(counts[at]), int(open_counts[at]), Decimal(int(sums[at])) / 100)
        for at, owner in enumerate(owners)
    ]
    return sorted(found, key=lambda total: -total.expected_amount)


def visible_rows(user: User, ids: Integers) -> Booleans:
    """Which of these renewals the reader sees at present."""
    seen = Renewal.objects.visible_to(user).filter(pk__in=ids.tolist()).values_list("pk", flat=True)
    found: Booleans = np.isin(ids, np.fromiter(seen, dtype=np.int64))
    return found


def read_rows(
    user: User, standing: Standing, places: Integers, cents: Integers, *, page: int
) -> tuple[list[CallRow], bool, Rest | None]:
    """(a page of the renewals that the reader sees at present, whether there are more, what the others come to)."""
    order = np.argsort(-cents, kind="stable")
    places, cents = places[order], cents[order]
    seen = visible_rows(user, standing.rows["renewal"][places])
    hidden = ~seen
    rest = Rest(int(hidden.sum()), Decimal(int(cents[hidden].sum())) / 100) if hidden.any() else None
    shown = np.flatnonzero(seen)
    first = (page - 1) * ROWS_PER_PAGE
    part = shown[first : first + ROWS_PER_PAGE]
    rows = _rows(standing.of(standing.rows[places[part]]), cents[part])
    return rows, shown.size > first + ROWS_PER_PAGE, rest


def _rows(standing: Standing, cents: Integers) -> list[CallRow]:
    rows = standing.rows
    renewals = {
        row.pk: row for row in Renewal.objects.filter(pk__in=rows["renewal"].tolist()).select_related("account")
    }
    owners = {user.pk: str(user) for user in User.objects.filter(pk__in=rows["owner"].tolist())}
    stages = dict(Stage.objects.values_list("pk", "name"))
    return [
        CallRow(
            renewal=renewals[int(row["renewal"])],
            owner=owners.get(int(row["owner"]), "Nobody"),
            stage=stages.get(int(row["stage"]), "–"),
            timing=str(TimingClass(int(row["timing"])).label),
            due_on=EPOCH + dt.timedelta(days=int(row["due"])),
            confidence=None if row["confidence"] < 0 else Decimal(int(row["confidence"])) / 100,
            likelihood=Decimal(int(row["likelihood"])) / SHARES,
            probability=Decimal(int(row["probability"])) / SHARES,
            baseline_amount=Decimal(int(row["baseline"])) / 100,
            currency=currency,
            expected_amount=Decimal(int(worth)) / 100,
        )
        for row, currency, worth in zip(rows, standing.currency_names(), cents, strict=True)
    ]
