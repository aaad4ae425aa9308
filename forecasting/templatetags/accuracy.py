"""Measures of accuracy as text; a dash where the rows do not define one."""

from __future__ import annotations

from decimal import Decimal

from django import template

from accounts.templatetags.money import NOTHING
from forecasting.accuracy.verdict import percent

register = template.Library()
Number = float | Decimal


@register.filter
def share(value: Number | None) -> str:
    return NOTHING if value is None else percent(float(value))


@register.filter
def signed_share(value: Number | None) -> str:
    if value is None:
        return NOTHING
    return f"{'−' if value < 0 else '+' if value > 0 else ''}{percent(float(value))}"


@register.filter
def score(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4f}"


@register.filter
def whole(value: float) -> str:
    return f"{value:,.0f}"
