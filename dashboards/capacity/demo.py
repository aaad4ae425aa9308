"""What work takes in the demo company, who is away, and whom it plans to win.

Hours of a renewal by segment, less of them the further it has come; holidays; a week off for every second person in
what is a quiet time for the others; and new customers by month, a few for each rep. Whoever has the most to do comes
out near their hours, in some weeks over them, whatever the size of the book: the demo has reps by its work.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

from django.db import transaction

from accounts.models import Segment, User, get_company
from config.history import recorded_as
from dashboards.models import Absence, CapacityTerms, Holiday, PlannedCustomers, RenewalHours
from renewals.demo import profile
from renewals.models import Stage

HOURS: Final = dict(zip((one.name for one in profile.SEGMENTS), (17, 6, 2, 8), strict=True))
# What is left of the hours from a stage on, by how far it has come.
LEFT: Final = {"Negotiation": Decimal("0.7"), "Verbal yes": Decimal("0.35"), "Will not renew": Decimal("0.25")}
SUPPORT_HOURS: Final = Decimal("0.02")
HOLIDAYS: Final = ((12, 25, "Christmas Day"), (12, 26, "Boxing Day"), (1, 1, "New Year"), (5, 1, "Labour Day"))
PLANNED_MONTHS: Final = 6
AWAY_AFTER_WEEKS: Final = 12


def fill_capacity() -> None:
    """Nothing where somebody has said what work takes, or who is away."""
    if CapacityTerms.objects.exists() or RenewalHours.objects.exists() or Absence.objects.exists():
        return
    today = get_company().today()
    with transaction.atomic(), recorded_as(user_id=None, how="job"):
        CapacityTerms.objects.create(pk=1, support_hours=SUPPORT_HOURS)
        _fill_hours()
        _fill_holidays(today)
        _fill_absences(today)
        _fill_plan(today)


def _fill_hours() -> None:
    stages = {one.name: one for one in Stage.objects.filter(name__in=LEFT)}
    rows = []
    for segment in Segment.objects.filter(name__in=HOURS):
        hours = Decimal(HOURS[segment.name])
        rows.append(RenewalHours(segment=segment, hours=hours))
        rows += [RenewalHours(segment=segment, stage=one, hours=hours * LEFT[name]) for name, one in stages.items()]
    RenewalHours.objects.bulk_create(rows)


def _fill_holidays(today: dt.date) -> None:
    days = {dt.date(today.year + ahead, month, day): name for ahead in (0, 1) for month, day, name in HOLIDAYS}
    known = set(Holiday.objects.values_list("on", flat=True))
    Holiday.objects.bulk_create(Holiday(on=on, name=name) for on, name in sorted(days.items()) if on not in known)


def _fill_absences(today: dt.date) -> None:
    monday = today - dt.timedelta(days=today.weekday())
    rows = []
    for place, person in enumerate(User.objects.filter(is_active=True, role=User.Role.REP).order_by("pk")):
        if place % 2 == 0:
            first_on = monday + dt.timedelta(weeks=AWAY_AFTER_WEEKS + place % 5)
            rows.append(
                Absence(person=person, first_on=first_on, last_on=first_on + dt.timedelta(days=4), note="Leave")
            )
    Absence.objects.bulk_create(rows)


def _fill_plan(today: dt.date) -> None:
    reps = User.objects.filter(is_active=True, role=User.Role.REP).count()
    first = today.replace(day=1)
    rows = []
    for ahead in range(PLANNED_MONTHS):
        month_on = dt.date(first.year + (first.month - 1 + ahead) // 12, (first.month - 1 + ahead) % 12 + 1, 1)
        sales, marketing = reps * (2 + ahead % 3) // 6, reps // 6
        rows.append(PlannedCustomers(month_on=month_on, sales_count=sales, marketing_count=marketing))
    PlannedCustomers.objects.bulk_create(row for row in rows if row.count)
