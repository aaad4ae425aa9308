"""Why a rate moved: because segments renewed better or worse, or because others were due."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Segment
from dashboards.frame import Frame, PeriodTotal
from dashboards.rollups.reading import Total

HALF = Decimal("0.5")


@dataclass(frozen=True)
class Effect:
    """Of one segment, shares of 1. A rate is None where nothing of the segment was due."""

    segment: str
    rate_before: Decimal | None
    rate: Decimal | None
    weight_before: Decimal
    weight: Decimal
    rate_effect: Decimal
    mix_effect: Decimal


def effects_of(frame: Frame, before: PeriodTotal, now: PeriodTotal) -> list[Effect]:
    """By segment; rate and mix effects of all of them add up to the change of the cohort's gross rate.

        rate effect = mean weight x change of rate        mix effect = (mean rate - mean rate of all) x change of weight

    Means are of the two periods; a segment that was due in one of them alone has one rate, and no rate effect. Empty
    where nothing was due in one of the periods.
    """
    if not before.total.sums["due_cents"] or not now.total.sums["due_cents"]:
        return []
    sums = {one.starts_on: _by_segment(frame, one) for one in (before, now)}
    past, present = sums[before.starts_on], sums[now.starts_on]
    mean_of_all = HALF * (_rate(before.total) + _rate(now.total))
    names = {segment.pk: str(segment) for segment in Segment.objects.all()}
    order = [*names, None]
    blank = Total.of([])
    found = []
    for key in sorted({*past, *present}, key=order.index):
        old, new = past.get(key, blank), present.get(key, blank)
        weight_before, weight = _weight(old, before.total), _weight(new, now.total)
        rate_before, rate = _rate_or_none(old), _rate_or_none(new)
        if rate_before is None and rate is None:
            continue
        first = rate if rate_before is None else rate_before
        last = rate_before if rate is None else rate
        assert first is not None
        assert last is not None
        found.append(
            Effect(
                names[key] if key is not None else "No segment",
                rate_before,
                rate,
                weight_before,
                weight,
                HALF * (weight_before + weight) * (last - first),
                (HALF * (first + last) - mean_of_all) * (weight - weight_before),
            )
        )
    return found


def _by_segment(frame: Frame, one: PeriodTotal) -> dict[int | None, Total]:
    within = [cell for cell in frame.cells if one.starts_on <= cell.month_on <= one.ends_on]
    keys = {cell.segment_id for cell in within if cell.due_count}
    return {key: Total.of(cell for cell in within if cell.segment_id == key) for key in keys}


def _rate(total: Total) -> Decimal:
    return Decimal(total.sums["kept_cents"]) / total.sums["due_cents"]


def _rate_or_none(total: Total) -> Decimal | None:
    return _rate(total) if total.sums["due_cents"] else None


def _weight(part: Total, whole: Total) -> Decimal:
    return Decimal(part.sums["due_cents"]) / whole.sums["due_cents"]
