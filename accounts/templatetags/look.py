"""Small pieces of the look that have parameters: icons, states, bars."""

import datetime as dt
import json
from functools import cache

from django import template
from django.forms import Form
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from accounts.seen import SEEN, shown_values

register = template.Library()

# Timing class -> (icon, word); the colour is the class p-state-<code> in components.css.
STATES = {
    "upcoming": ("clock", "Upcoming"),
    "in_window": ("calendar-due", "In window"),
    "overdue": ("alert-triangle", "Overdue"),
    "lapsed": ("circle-x", "Lapsed"),
    "early": ("circle-check", "Early"),
    "on_time": ("circle-check", "On time"),
    "late": ("clock-check", "Late"),
    "win_back": ("refresh", "Win-back"),
    "lost": ("mood-sad", "Lost"),
}


# A worker that is free takes up within ten seconds what the broker did not bring it at once.
LONG_SECONDS = 30


@register.filter
def waits_long(since: dt.datetime | None) -> str:
    """What is said of work that no worker has taken up for longer than it should take; else nothing."""
    if not since or (timezone.now() - since).total_seconds() < LONG_SECONDS:
        return ""
    return "no worker has taken it up yet: all are busy, or cannot be reached. It is kept, and starts by itself"


@register.simple_tag
@cache  # as `static`, which takes longer for a page's twenty files than its rows take
def asset(path: str) -> str:
    """The address of a static file."""
    return static(path)


@register.simple_tag
@cache  # as `url`, for addresses without parts
def address(name: str) -> str:
    """The address of a page: `{% address "renewals:table" %}`."""
    return reverse(name)


@register.simple_tag
@cache  # a page of 50 rows asks for the same dozen icons several hundred times
def icon(name: str, label: str = "") -> SafeString:
    """A Tabler outline icon from static/icons.svg: hidden from screen readers, or spoken when it has a label."""
    href = f"{static('icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="p-icon" role="img" aria-label="{}"><title>{}</title><use href="{}"></use></svg>',
            label,
            label,
            href,
        )
    return format_html('<svg class="p-icon" aria-hidden="true"><use href="{}"></use></svg>', href)


@register.filter
def ago(moment: dt.datetime) -> str:
    """How long ago: "just now" within a minute, else "3 minutes ago"."""
    is_now = timezone.now() - moment < dt.timedelta(minutes=1)
    return "just now" if is_now else f"{timesince(moment)} ago"


@register.simple_tag
def seen(form: Form) -> SafeString:
    """What the form was filled with, to tell on its way back what somebody else changed meanwhile."""
    return format_html('<input type="hidden" name="{}" value="{}">', SEEN, json.dumps(shown_values(form)))


@register.simple_tag
def state(code: str, days: int | None = None) -> SafeString:
    """A timing class as icon, word and colour: `{% state "overdue" 12 %}` reads "Overdue 12 d"."""
    name, word = STATES[code]
    text = word if days is None else f"{word} {days} d"
    return format_html('<span class="p-state p-state-{}">{}{}</span>', code, icon(name), text)


@register.simple_tag
def bar(percent: float, tone: str = "quiet") -> SafeString:
    """A short bar for a number from 0 to 100 that stands beside it; tone is good, warn, bad, info or quiet."""
    return format_html(
        '<svg class="p-bar p-bar-{}" aria-hidden="true"><rect width="{}%" height="100%" rx="2"></rect></svg>',
        tone,
        round(min(max(percent, 0), 100)),
    )


@register.filter
def grouped(number: int) -> str:
    """A count as people read it: 1284 gives "1,284"."""
    return f"{number:,}"


@register.filter
def initials(person: object) -> str:
    """At most two letters that stand for a person: "Ana Lucía Ortega" gives AO."""
    words = str(person).split()
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper() if words else ""
