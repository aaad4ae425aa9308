"""How a pinned probability is marked where renewals are listed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField
from django.db.models.expressions import RawSQL
from django.utils.html import format_html

from accounts.templatetags.look import icon
from renewals.models import Renewal, TimingClass

# Of renewals that are read: the last day, who pinned and why, as texts; NULL where nothing is pinned.
PINNED = RawSQL(
    "(SELECT ARRAY[p.until_on::text, w.name, p.reason] FROM renewals_override p JOIN accounts_user w ON"
    ' w.id = p.pinned_by_id WHERE p.renewal_id = "renewals_renewal"."id" AND p.ended_at IS NULL)',
    (),
    output_field=ArrayField(CharField()),
)


def is_pinned(record: Mapping[str, Any], as_of: dt.date) -> bool:
    """Whether what is pinned counts: on an open row that has not lapsed, up to its last day."""
    return (
        record["pinned"] is not None
        and record["outcome"] == Renewal.Outcome.OPEN
        and record["score__timing_class"] != TimingClass.LAPSED
        and dt.date.fromisoformat(record["pinned"][0]) >= as_of
    )


def pin_mark(until_on: str, who: str, why: str) -> str:
    """An icon with who, why and until when, in words for those who do not see it."""
    words = f"Pinned by {who} until {dt.date.fromisoformat(until_on):%d %b %Y}: {why}"
    pin = '<span class="g-pin" title="{}">{}<span class="visually-hidden">{}</span></span> '
    return format_html(pin, words, icon("pin"), words)
