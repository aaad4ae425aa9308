"""Rows on which rep and model disagree strongly, and rows on which a probability is pinned, as conditions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import F, FloatField, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from renewals.models import Override, Renewal

# From so many points between confidence and likelihood on; the engine's bound (forecasting.engine.probability), a test
# holds the two together.
STRONG_POINTS = 30
HIGHER, LOWER = "higher", "lower"
DISAGREEMENTS = {HIGHER: f"rep ≥ {STRONG_POINTS} points higher", LOWER: f"rep ≥ {STRONG_POINTS} points lower"}


def _likelihood_points(offset: float) -> Combinable:
    return Cast(F("score__likelihood") * 100 + offset, FloatField())


def disagreeing(sides: Iterable[str] = (HIGHER, LOWER), points: int = STRONG_POINTS) -> Q:
    """Open rows whose rep says so many points more, or less, than the model. A blank confidence disagrees with nobody.

    Likelihoods are whole hundredths of a point: half of one keeps sums of floats from deciding at the bound.
    """
    where = Q(pk__in=[])
    for side in sides:
        if side == HIGHER:
            where |= Q(confidence__gte=_likelihood_points(points - 0.005))
        else:
            where |= Q(confidence__lte=_likelihood_points(0.005 - points))
    return Q(outcome=Renewal.Outcome.OPEN, confidence__isnull=False) & where


def pinned(as_of: dt.date) -> Q:
    standing = Override.objects.standing(as_of).order_by().values("renewal")
    return Q(outcome=Renewal.Outcome.OPEN, pk__in=standing)
