"""What a rule would have done: how often it would have fired lately, and for how many it is so now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from accounts.exchange import read_rates
from accounts.models import Company
from engagement.alerts.causes import CAUSES, PREVIEW_DAYS, counted_by, values_of
from engagement.models import AlertRule


@dataclass(frozen=True)
class Preview:
    """`days`: over how many days `count` was counted; 0 where it is what is so now."""

    count: int
    days: int
    counts: str


def preview_rule(rule: AlertRule, *, company: Company, now: dt.datetime) -> Preview:
    """Counted anew from the book and its history by the same limits, scope and value, whatever alerts were kept."""
    today = company.today(now)
    rates = read_rates(as_of=today, reporting_currency=company.reporting_currency)
    with connection.cursor() as cursor:
        cursor.execute(counted_by(rule), values_of(rule, today=today, now=now, rates=rates))
        (count,) = cursor.fetchone()
    days = 0 if rule.kind == AlertRule.Kind.BELOW_TARGET else PREVIEW_DAYS
    return Preview(count, days, CAUSES[rule.kind].counts)
