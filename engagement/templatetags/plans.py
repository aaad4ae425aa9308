"""How the comparison of plans is written."""

from django import template

from engagement.plans.starting import STRETCH_NAMES

register = template.Library()


@register.filter
def points(rate: float) -> str:
    """A difference of two rates, in points with its sign: +3.5."""
    return f"{100 * rate:+.1f}".replace("-", "−")


@register.filter
def stretch(number: int) -> str:
    """A stretch of days left, in words."""
    return STRETCH_NAMES[number]
