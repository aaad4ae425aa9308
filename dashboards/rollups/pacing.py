"""How the periods of the whole book fill up, and what their open ones bring by likelihood, by segment and currency.

Each currency is converted once, by whoever reads, as the forecast lines do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
from django.db import connection, transaction

from accounts.models import Segment
from dashboards.models import LikelyCell, Pace, StaleLikely
from dashboards.rollups.facts import SOURCE
from forecasting.engine.arrays import NO_DAY, NO_ID, Integers
from forecasting.engine.timing import TimingClass
from forecasting.frames import Arrays, Reporting
from forecasting.periods import Grain, days_of_months, first_day, months_of_days

STEP: Final = 7
# Days from the start, and to the end, between which a period is drawn.
FROM_START: Final = {Grain.QUARTER: (-91, 182), Grain.MONTH: (-63, 91)}
TO_END: Final = {Grain.QUARTER: (-182, 91), Grain.MONTH: (-91, 63)}
# More months than these are read from the rows until the background has added them up.
MONTHS_AT_ONCE: Final = 6
LOCK: Final = 7_010_022
KEYS: Final = ("start", "segment_id", "currency")
LIKELY: Final = f"""
INSERT INTO dashboards_likelycell (month_on, segment_id, currency, cents)
SELECT date_trunc('month', r.due_on)::date, a.segment_id, r.currency, sum(round(s.likelihood * s.mean_cents)::bigint)
FROM {SOURCE} WHERE r.outcome = 'open' AND NOT r.is_excluded AND s.timing_class <= {int(TimingClass.OVERDUE)}
    AND {{condition}} GROUP BY 1, 2, 3"""


def days_of(bounds: tuple[int, int]) -> list[int]:
    return list(range(bounds[0], bounds[1] + 1, STEP))


def replace_paces(facts: Arrays, report: Reporting, starts: Sequence[int] | None) -> None:
    """Make the stored ones of these fiscal quarters (of all, where None) those of the rows of `read_facts`."""
    due_month = months_of_days(facts["due"]).astype(np.int64)
    is_kept = (facts["timing"] >= TimingClass.EARLY) & (facts["timing"] <= TimingClass.LATE)
    is_in = is_kept & (facts["ordered"] != NO_DAY)
    quarter = due_month - (due_month - (report.fiscal_start - 1)) % 3
    stored = Pace.objects.all()
    if starts is not None:
        is_in &= np.isin(quarter, starts)
        months = [first_day(start + step) for start in starts for step in range(3)]
        stored = stored.filter(starts_on__in=months)
    own = {name: facts[name][is_in] for name in ("ordered", "segment_id", "currency", "own_kept")}
    stored.delete()
    for grain, start, size in ((Grain.MONTH, due_month[is_in], 1), (Grain.QUARTER, quarter[is_in], 3)):
        Pace.objects.bulk_create(_paces(own | {"start": start}, grain, size, report), batch_size=1000)


def _paces(rows: Arrays, grain: Grain, size: int, report: Reporting) -> list[Pace]:
    keys, place = np.unique(np.stack([rows[name].astype(np.int64) for name in KEYS]), axis=1, return_inverse=True)
    place, count = place.reshape(-1), keys.shape[1]
    first = days_of_months(rows["start"].astype(np.int64))
    last = days_of_months(rows["start"].astype(np.int64) + size) - 1
    from_start = _kept_by(rows, place, count, first, days_of(FROM_START[grain]))
    to_end = _kept_by(rows, place, count, last, days_of(TO_END[grain]))
    currencies = report.currencies
    return [
        Pace(
            grain=grain,
            starts_on=first_day(start),
            segment_id=None if segment == NO_ID else segment,
            currency=currencies[currency],
            from_start_cents=from_start[at].tolist(),
            to_end_cents=to_end[at].tolist(),
        )
        for at, (start, segment, currency) in enumerate(keys.T.tolist())
    ]


def _kept_by(rows: Arrays, place: Integers, count: int, origin: Integers, days: Sequence[int]) -> Integers:
    """int64[count, days]: what was ordered by each day from an origin on."""
    sums = np.zeros((count, len(days) + 1), dtype=np.int64)
    np.add.at(sums, (place, np.searchsorted(days, rows["ordered"].astype(np.int64) - origin)), rows["own_kept"])
    found: Integers = sums[:, :-1].cumsum(axis=1)
    return found


def replace_likely(cursor: Any, months: Collection[dt.date] | None) -> None:
    """Make the stored sums of these months (of all, where None) those of the rows.

    The lock is held until the transaction ends: a reader who finds it taken reads the rows, and waits for nobody.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    stored = LikelyCell.objects.all()
    if months is None:
        stored.delete()
        cursor.execute(LIKELY.format(condition="TRUE"))
        return
    stored.filter(month_on__in=months).delete()
    for month_on in months:
        within = "r.due_on >= %s AND r.due_on < (%s::date + interval '1 month')"
        cursor.execute(LIKELY.format(condition=within), [month_on, month_on])


def keep_likely() -> bool:
    """Add up the months that something was scored in since; False where the rows are to be read instead."""
    marks = dict(StaleLikely.objects.values_list("pk", "month_on"))
    if not marks:
        return True
    if len(set(marks.values())) > MONTHS_AT_ONCE:
        return False
    return _follow(marks)


def follow_likely() -> None:
    """From the background: however many months there are."""
    marks = dict(StaleLikely.objects.values_list("pk", "month_on"))
    if marks:
        _follow(marks)


def _follow(marks: Mapping[int, dt.date]) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return False
        replace_likely(cursor, sorted(set(marks.values())))
        StaleLikely.objects.filter(pk__in=list(marks)).delete()
    return True


def likely_by_month(segment: Segment | None, first_on: dt.date, last_on: dt.date) -> dict[tuple[dt.date, str], int]:
    """Cents by month and currency."""
    cells = LikelyCell.objects.filter(month_on__gte=first_on, month_on__lte=last_on)
    if segment:
        cells = cells.filter(segment=segment)
    found: dict[tuple[dt.date, str], int] = {}
    for month_on, currency, cents in cells.values_list("month_on", "currency", "cents"):
        found[month_on, currency] = found.get((month_on, currency), 0) + cents
    return found


def paces_of(grain: str, segment: Segment | None, starts: Sequence[dt.date]) -> list[Pace]:
    rows = Pace.objects.filter(grain=grain, starts_on__in=starts)
    return list(rows.filter(segment=segment) if segment else rows)
