"""Custom signals of health that nobody has weighed yet: they are kept, and count for nothing until somebody does.

A weight of 0 is an admin's word; one that is not there is nobody's.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from accounts.models import HealthFactor, HealthWeightVersion, Segment

USUAL_WEIGHT: Final = 10.0


@dataclass(frozen=True)
class Unweighed:
    """A signal, and the segments in whose weights it is not; None are those without weights of their own."""

    factor: HealthFactor
    segments: list[Segment | None]


def find_unweighed(factors: Iterable[HealthFactor]) -> list[Unweighed]:
    """Of these signals. One query. A segment's version without weights ends its own."""
    newest = HealthWeightVersion.objects.order_by("segment_id", "-created_at", "-pk").distinct("segment_id")
    versions = [one for one in newest.select_related("segment") if one.weights or one.segment_id is None]
    versions.sort(key=lambda one: (one.segment is not None, one.segment.name if one.segment else ""))
    found = [
        Unweighed(factor, [one.segment for one in versions if factor.key not in one.weights])
        for factor in factors
        if factor.is_custom
    ]
    return [one for one in found if one.segments]


def propose_weight(weights: Mapping[str, float]) -> float:
    """The median of those that count: neither the loudest signal nor none."""
    counting = [weight for weight in weights.values() if weight > 0]
    return round(statistics.median(counting), 2) if counting else USUAL_WEIGHT
