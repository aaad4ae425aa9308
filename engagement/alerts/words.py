"""Alerts in words: what was found, as one line, and where to act on it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.urls import reverse

from accounts.models import Company
from accounts.templatetags.money import compact_money
from engagement.models import Alert, AlertRule
from forecasting.models import Target
from forecasting.periods import Period

Kind = AlertRule.Kind
RELATED = (
    "rule", "account", "renewal__account", "renewal__contract", "renewal__owner", "target__team", "target__owner",
)  # fmt: skip


def subject_of(alert: Alert, company: Company) -> str:
    """What it is about: the account, or whose target of which period."""
    if alert.target is not None:
        return f"{held_by(alert.target)}, {period_of(alert.target).label(company.fiscal_year_start_month)}"
    return str(alert.account)


def held_by(target: Target) -> str:
    return str(target.owner or target.team or "The company")


def period_of(target: Target) -> Period:
    return Period(target.grain, target.starts_on)


def detail_of(alert: Alert, company: Company) -> str:
    """What was found, as it was when it was found."""
    facts: dict[str, Any] = alert.facts
    match alert.rule.kind:
        case Kind.RISK_JUMP:
            return f"Risk {facts['to']}, up from {facts['from']} on {_day(facts['since'])}"
        case Kind.DECISION_NEAR:
            return f"The customer decides by {_day(facts['on'])}"
        case Kind.OVERDUE:
            days = f"{round(alert.level):,} day{'' if alert.level == 1 else 's'}"
            return f"Due since {_day(facts['due'])}, {days} past due"
        case Kind.SEVERE_TICKET:
            named = f"{facts['ticket']}: {facts['subject']}" if facts["subject"] else facts["ticket"]
            opened = f"open since {_day(facts['opened'])}"
            return f"{facts['severity'].capitalize()} ticket {named}, {opened}; due {_day(facts['due'])}"
        case Kind.CHAMPION_LEFT:
            who = f"{facts['who']}, the champion, has left" if facts["who"] else "The champion has left"
            return f"{who}, known since {_day(facts['on'])}; due {_day(facts['due'])}"
        case Kind.CONFIDENCE_CUT:
            by = f" by {facts['by']}" if facts["by"] else ""
            return f"Confidence cut from {facts['from']} % to {facts['to']} %{by}"
        case Kind.BELOW_TARGET:
            expected, target = (_money(facts[name], company) for name in ("expected", "target"))
            return f"Expected {expected}, {alert.level:.0f} % below the target of {target}"
    raise ValueError(f"No words for alerts of the kind {alert.rule.kind!r}.")


def act_url(alert: Alert) -> str:
    """Where to act on it: the renewal's own page, which the app opens beside the list; a target's forecast."""
    if alert.target is None:
        return reverse("renewals:row", args=[alert.renewal_id])
    scope = f"&owner={alert.target.owner_id}" if alert.target.owner_id else ""
    scope = f"&team={alert.target.team_id}" if alert.target.team_id else scope
    return f"{reverse('forecasting:overview')}?by={alert.target.grain}{scope}"


def _money(amount: Any, company: Company) -> str:
    return compact_money(Decimal(str(amount)), company.reporting_currency)


def _day(text: str) -> str:
    return f"{dt.date.fromisoformat(text):%d %b %Y}"
