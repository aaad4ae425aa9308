"""Targets as figures beside a forecast."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from forecasting.models import Target
from forecasting.periods import Grain, first_day, month_number


def read_targets(
    grain: str, starts: Sequence[dt.date], *, team_id: int | None = None, owner_id: int | None = None
) -> dict[dt.date, Decimal]:
    """The target of each period, by its first day, in the reporting currency; a period without one is missing.

    A quarter without a target of its own has the sum of its months, where all three have one. Whoever may see the
    forecast of a team or an owner may see their target; asking that is the caller's part. One query.
    """
    months = [first_day(month_number(start) + at) for start in starts for at in range(3)]
    wanted = Target.objects.filter(team=team_id, owner=owner_id, starts_on__in={*starts, *months})
    found = {(target.grain, target.starts_on): target.amount for target in wanted}
    targets = {start: found[grain, start] for start in starts if (grain, start) in found}
    if grain == Grain.QUARTER:
        for start in starts:
            parts = [found.get((Grain.MONTH, first_day(month_number(start) + at))) for at in range(3)]
            if start not in targets and None not in parts:
                targets[start] = sum((part for part in parts if part is not None), Decimal(0))
    return targets
