"""Did the plans work? What is known of it, and in plain words how far that goes."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from accounts.models import User
from engagement.models.plans import PeerStanding, Plan, PlanKind
from engagement.plans.matching import FEWEST, Cell, Comparison, compare
from engagement.templatetags.plans import points
from renewals.models import Renewal, TimingClass

WON = (TimingClass.EARLY, TimingClass.ON_TIME, TimingClass.LATE)
DECIDED = ~Q(renewal__outcome=Renewal.Outcome.OPEN) | Q(renewal__score__timing_class=TimingClass.LAPSED)
RENEWED = Q(renewal__score__timing_class__in=WON)
NOBODY = "No segment"


def read_comparison(user: User, kind: PlanKind) -> Comparison:
    """Of the decided renewals that a user sees; approved exceptions are left out. Two queries."""
    plans = Plan.objects.visible_to(user).filter(DECIDED, kind=kind, renewal__is_excluded=False)
    with_plan = _counted(plans, "start_segment__name", "start_band", "start_stretch")
    peers = PeerStanding.objects.filter(DECIDED, renewal__is_excluded=False).exclude(
        Exists(Plan.objects.filter(renewal=OuterRef("renewal")))
    )
    if not user.sees_all:
        peers = peers.filter(renewal__in=Renewal.objects.visible_to(user))
    without = _counted(peers, "segment__name", "band", "stretch")
    cells = [Cell(*place, *counts, *without.get(place, (0, 0))) for place, counts in sorted(with_plan.items())]
    return compare(cells)


def _counted(rows: QuerySet[Any], segment: str, band: str, stretch: str) -> dict[tuple[str, str, int], tuple[int, int]]:
    """(decided, renewed) by segment, risk band and stretch of days left."""
    found = (
        rows.order_by()
        .values(in_segment=F(segment), in_band=F(band), in_stretch=F(stretch))
        .annotate(decided=Count("renewal", distinct=True), renewed=Count("renewal", filter=RENEWED, distinct=True))
    )
    return {
        (row["in_segment"] or NOBODY, row["in_band"], row["in_stretch"]): (row["decided"], row["renewed"])
        for row in found
    }


def verdict(found: Comparison) -> list[str]:
    """Sentences, the first of which says what is found; None of them claims a cause."""
    if not found.with_count and not found.unmatched_count:
        return ["No renewal with such a plan is decided yet, so there is nothing to compare."]
    told = [_first(found)]
    if found.unmatched_count:
        told.append(
            f"{found.unmatched_count:,} more with a plan had nobody like them without one, and count nothing here."
        )
    told.append(
        "Plans are not dealt out by chance: a rule or a person chose these renewals for a reason. Segment, risk band"
        " and days left are made equal here; what else the choice went by may explain the difference."
    )
    return told


def _first(found: Comparison) -> str:
    counts = f"{found.with_count:,} with a plan, {found.without_count:,} like them without"
    difference = found.difference
    if difference is None or found.lowest is None or found.highest is None:
        return f"Too few to tell: {counts}. It takes {FEWEST} decided renewals on either side."
    bounds = f"95 % interval {points(found.lowest)} to {points(found.highest)} points"
    lead = (
        f"Renewed {abs(100 * difference):.1f} points {'more' if difference >= 0 else 'less'} often ({bounds}; {counts})"
    )
    if found.is_clear:
        return f"{lead}: more than chance alone would do."
    return f"{lead}: no more than chance could do."
