"""Each owner's data quality over the last months, from the daily snapshots."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from accounts.models import User, owners_visible_to
from renewals.models.quality import QualitySnapshot
from renewals.quality.trust import score

DAYS = 90
COMPARED = 30  # days back, or as far as there are snapshots
WIDTH, HEIGHT, EDGE = 120, 24, 2


@dataclass(frozen=True)
class OwnerTrend:
    owner: User | None
    latest: QualitySnapshot
    change: int | None  # of broken rows against COMPARED days ago; None where there is nothing to compare with
    points: str  # of an SVG polyline, WIDTH x HEIGHT

    @property
    def trust(self) -> str:
        baseline = self.latest.baseline_amount
        return score(1 - self.latest.broken_amount / baseline if baseline else None)

    @property
    def fewer(self) -> int:
        """How many rows less, where the change is for the better."""
        return -(self.change or 0)

    @property
    def spoken(self) -> str:
        """What the line shows, for those who do not see it."""
        change = "" if self.change is None else f", {self.change:+,} since"
        return f"{self.latest.broken_count:,} renewals break a rule{change}"


@dataclass(frozen=True)
class Trend:
    taken_on: dt.date | None  # the newest snapshot's day
    rows: list[OwnerTrend]
    owner_count: int
    compared_on: dt.date | None


def read_trend(user: User, *, page: int, page_size: int) -> Trend:
    """The owners whose rows the user sees, those with most broken value first. Three queries."""
    snapshots = QualitySnapshot.objects.all()
    if not user.sees_all:
        snapshots = snapshots.filter(owner__in=owners_visible_to(user))
    days = list(snapshots.order_by("-taken_on").values_list("taken_on", flat=True).distinct()[: DAYS + 1])
    if not days:
        return Trend(None, [], 0, None)
    taken_on = days[0]
    compared_on = next((day for day in reversed(days) if (taken_on - day).days <= COMPARED and day < taken_on), None)
    of_day = snapshots.filter(taken_on=taken_on).select_related("owner").order_by("-broken_amount", "owner_id")
    everybody = list(of_day)
    latest = everybody[(page - 1) * page_size : page * page_size]
    earlier: dict[int | None, list[QualitySnapshot]] = defaultdict(list)
    for snapshot in snapshots.filter(taken_on__gt=taken_on - dt.timedelta(days=DAYS)).order_by("taken_on"):
        earlier[snapshot.owner_id].append(snapshot)
    rows = [_trend(snapshot, earlier[snapshot.owner_id], compared_on) for snapshot in latest]
    return Trend(taken_on, rows, len(everybody), compared_on)


def _trend(latest: QualitySnapshot, history: list[QualitySnapshot], compared_on: dt.date | None) -> OwnerTrend:
    before = next((snapshot for snapshot in history if snapshot.taken_on == compared_on), None)
    change = latest.broken_count - before.broken_count if before else None
    return OwnerTrend(latest.owner, latest, change, _points(history))


def _points(history: list[QualitySnapshot]) -> str:
    """The broken rows by day as a line from the first to the last of DAYS; 0 at the bottom."""
    last, highest = history[-1].taken_on, max(1, *(snapshot.broken_count for snapshot in history))
    points = []
    for snapshot in history:
        x = EDGE + (WIDTH - 2 * EDGE) * (1 - (last - snapshot.taken_on).days / (DAYS - 1))
        y = EDGE + (HEIGHT - 2 * EDGE) * (1 - snapshot.broken_count / highest)
        points.append(f"{x:.1f},{y:.1f}")
    # One day is a short dash, or nothing would be seen.
    return " ".join([f"{WIDTH - EDGE - 4},{points[0].split(',')[1]}", *points] if len(points) == 1 else points)
