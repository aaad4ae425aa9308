"""What plans are about in money: expected to be collected when they began, which is frozen, and now.

Collected is what is booked less what is expected not to be paid (docs/domain.md section 4.3): while open probability x
mean amount, once renewed the final amount, nothing where lost; each times 1 - default probability.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import BigIntegerField, Case, Count, F, FloatField, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce

from engagement.models.plans import Plan, PlanQuerySet
from renewals.models import Renewal

CENT = Decimal("0.01")


def collected_now() -> Combinable:
    """Cents of the renewal's currency, rounded as `renewals.models.scores.expected_cents` is."""
    expected = Cast(
        F("renewal__score__probability") * Cast(F("renewal__score__mean_cents"), FloatField()), BigIntegerField()
    )
    final = Cast(F("renewal__final_amount") * Value(100), BigIntegerField())
    booked = Case(
        When(renewal__outcome=Renewal.Outcome.OPEN, then=expected),
        When(renewal__outcome=Renewal.Outcome.RENEWED, then=final),
        default=Value(0),
        output_field=BigIntegerField(),
    )
    return Coalesce(Cast(Cast(booked, FloatField()) * (Value(1.0) - F("default_rate")), BigIntegerField()), Value(0))


@dataclass
class Effect:
    """Sums over plans in the reporting currency, both at today's rates: no rate looks like an effect."""

    plan_count: int = 0
    before_amount: Decimal = Decimal(0)
    now_amount: Decimal = Decimal(0)
    without_rate: list[str] = field(default_factory=list)

    @property
    def change_amount(self) -> Decimal:
        return self.now_amount - self.before_amount


def read_effect(plans: PlanQuerySet, rates: Mapping[str, Decimal]) -> Effect:
    """Over all of them; each currency is converted once. One query."""
    effect = Effect()
    sums = plans.order_by().values("renewal__currency").annotate(
        plan_count=Count("pk"), before=Sum("start_collected_cents"), now=Sum(collected_now())
    )  # fmt: skip
    for one in sums:
        effect.plan_count += one["plan_count"]
        rate = rates.get(one["renewal__currency"])
        if rate is None:
            effect.without_rate.append(one["renewal__currency"])
            continue
        effect.before_amount += (Decimal(one["before"]) / 100 * rate).quantize(CENT)
        effect.now_amount += (Decimal(one["now"]) / 100 * rate).quantize(CENT)
    effect.without_rate.sort()
    return effect


def amounts_of(plan: Plan) -> tuple[Decimal, Decimal]:
    """(before, now) of one that was read with `now_cents`, in its renewal's currency."""
    now: int = plan.now_cents  # type: ignore[attr-defined]
    return Decimal(plan.start_collected_cents) / 100, Decimal(now) / 100
