"""The demo company's own rules: its year and rates, its lists, its tolerances, its custom attributes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Max

from accounts.models import AttributeDefinition, Company, ExchangeRate, Industry, Segment
from renewals.demo import profile
from renewals.models import (
    ChurnReason,
    Offer,
    RiskFactor,
    RiskWeightVersion,
    Stage,
    TimingPolicy,
    TimingPolicyVersion,
)

SUPPORT_PLAN_WEIGHT = 5
EDITIONS = (("{}, one year", 1.0, 12), ("{}, three years", 0.9, 36), ("{} Plus", 1.35, 12))
LIST_AMOUNTS = (24_000, 18_000, 15_000, 12_000, 30_000)


@dataclass(frozen=True)
class Keys:
    """Primary keys of the lists, in the order of the codes that the generator uses."""

    segments: list[int]
    industries: list[int]
    offers: list[int]
    stages: list[int]
    churn_reasons: list[int]


def create_rules(*, fiscal_year_on: dt.date) -> Keys:
    Company.objects.filter(pk=1).update(
        name=profile.COMPANY_NAME,
        time_zone=profile.TIME_ZONE,
        fiscal_year_start_month=profile.FISCAL_YEAR_START_MONTH,
        reporting_currency=profile.REPORTING_CURRENCY,
        rules_version=F("rules_version") + 1,
    )
    segments = [
        Segment.objects.get_or_create(name=part.name, defaults={"position": position})[0]
        for position, part in enumerate(profile.SEGMENTS, 1)
    ]
    industries = [Industry.objects.get_or_create(name=part.name)[0] for part in profile.INDUSTRIES]
    _create_rates(fiscal_year_on)
    _create_policies(segments, industries, fiscal_year_on)
    _create_attributes()
    return Keys(
        segments=[segment.pk for segment in segments],
        industries=[industry.pk for industry in industries],
        offers=[offer.pk for offer in _create_offers()],
        stages=list(Stage.objects.order_by("position").values_list("pk", flat=True)),
        churn_reasons=list(ChurnReason.objects.order_by("pk").values_list("pk", flat=True)),
    )


def _create_rates(fiscal_year_on: dt.date) -> None:
    """A rate each half-year, from the first day of the history on; the first one also stands for what was before."""
    first_on = fiscal_year_on.replace(year=fiscal_year_on.year - profile.HISTORY_YEARS)
    ExchangeRate.objects.bulk_create(
        (
            ExchangeRate(currency=currency, effective_on=_months_after(first_on, 6 * number), rate=Decimal(rate))
            for currency, rates in profile.RATES.items()
            for number, rate in enumerate(rates)
        ),
        ignore_conflicts=True,
    )


def _months_after(day: dt.date, months: int) -> dt.date:
    years, month = divmod(day.month - 1 + months, 12)
    return day.replace(year=day.year + years, month=month + 1)


def _create_policies(segments: list[Segment], industries: list[Industry], fiscal_year_on: dt.date) -> None:
    segment_by_name = {segment.name: segment for segment in segments}
    industry_by_name = {industry.name: industry for industry in industries}
    for part in profile.POLICIES:
        policy, _ = TimingPolicy.objects.get_or_create(
            account=None,
            segment=segment_by_name[part.segment] if part.segment else None,
            industry=industry_by_name[part.industry] if part.industry else None,
        )
        kinds = TimingPolicyVersion.DayKind
        tolerances = {
            "grace_days": part.grace_days,
            "day_kind": kinds.BUSINESS if part.is_business else kinds.CALENDAR,
        }
        TimingPolicyVersion.objects.get_or_create(
            policy=policy,
            effective_from=dt.date(1970, 1, 1),
            defaults={**tolerances, "early_days": 30, "late_days": part.late_days},
        )
        if part.early_days != 30:  # this fiscal year the company began to count earlier orders as on time there
            TimingPolicyVersion.objects.get_or_create(
                policy=policy,
                effective_from=fiscal_year_on,
                defaults={**tolerances, "early_days": part.early_days, "late_days": part.late_days},
            )


def _create_offers() -> list[Offer]:
    return [
        Offer.objects.get_or_create(
            name=name.format(product),
            defaults={
                "product": product,
                "list_amount": round(LIST_AMOUNTS[number] * price),
                "currency": profile.REPORTING_CURRENCY,
                "term_months": months,
            },
        )[0]
        for number, product in enumerate(profile.PRODUCTS)
        for name, price, months in EDITIONS
    ]


def _create_attributes() -> None:
    kinds = AttributeDefinition.Kind
    plan, _ = AttributeDefinition.objects.get_or_create(
        key="support_plan", defaults={"label": "Support plan", "kind": kinds.CATEGORY}
    )
    AttributeDefinition.objects.get_or_create(
        key="integrations", defaults={"label": "Integrations in use", "kind": kinds.NUMBER}
    )
    AttributeDefinition.objects.get_or_create(
        key="is_reference", defaults={"label": "Reference customer", "kind": kinds.FLAG}
    )
    last = RiskFactor.objects.aggregate(last=Max("position"))["last"]
    factor, is_new = RiskFactor.objects.get_or_create(
        attribute=plan,
        defaults={
            "key": "support_plan",
            "label": "Support plan",
            "explanation": "Customers on the basic plan leave more often.",
            "position": 0 if last is None else last + 1,
            "category_risks": profile.SUPPORT_PLAN_RISKS,
        },
    )
    if is_new:
        newest = RiskWeightVersion.objects.filter(segment=None).first()
        weights = {**(newest.weights if newest else {}), factor.key: SUPPORT_PLAN_WEIGHT}
        RiskWeightVersion.objects.create(segment=None, weights=weights)
