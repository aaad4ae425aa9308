"""Risk weights and the factors that weigh a custom attribute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Max

from accounts.models import Segment, User
from renewals.models import RiskFactor, RiskWeightVersion
from renewals.rules.services.change import request_scores, rule_written


def save_weights(*, by: User, segment: Segment | None, weights: Mapping[str, float]) -> int:
    """A new version of a segment's weights (None: of the segments without their own); the id of the recompute.

    Raises:
        ValueError: a weight is negative, or none is above 0.
    """
    if min(weights.values(), default=0) < 0 or sum(weights.values()) <= 0:
        raise ValueError("Weights are 0 or more, and one of them at least is above 0.")
    with rule_written(by):
        RiskWeightVersion.objects.create(segment=segment, weights=dict(weights), created_by=by)
        return request_scores(by)


def share_weights(*, by: User, segment: Segment) -> int:
    """End a segment's own weights: it uses those of the other segments again; the id of the recompute."""
    with rule_written(by):
        RiskWeightVersion.objects.create(segment=segment, weights={}, created_by=by)
        return request_scores(by)


def add_factor(*, by: User, factor: RiskFactor) -> int:
    """A factor for a custom attribute, without weight until an admin gives it one; the id of the recompute.

    Its position is behind every one ever used: factors are never deleted, and contributions are kept by position.
    """
    with rule_written(by):
        # Taking turns: two new factors at once would get one position.
        list(RiskFactor.objects.order_by("position").select_for_update().values_list("pk"))
        last = RiskFactor.objects.aggregate(last=Max("position"))["last"]
        factor.position = 0 if last is None else last + 1
        factor.save()
        return request_scores(by)


def update_factor(*, by: User, factor: RiskFactor, values: Mapping[str, Any]) -> int:
    with rule_written(by):
        for name, value in values.items():
            setattr(factor, name, value)
        factor.save(update_fields=list(values))
        return request_scores(by)
