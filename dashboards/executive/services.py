"""Writes of the executive page's mail: when somebody gets it, and "send me one now"."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Collection

from django.db import transaction

from accounts.models import User, get_company
from config.history import recorded_as
from dashboards.models import ExecutiveMail


def company_clock(now: dt.datetime) -> dt.datetime:
    """What the company's calendar and clock say at a moment."""
    return now.astimezone(zoneinfo.ZoneInfo(get_company().time_zone))


def save_mail(
    *, user: User, is_on: bool, weekdays: Collection[int], hour: int, now: dt.datetime
) -> ExecutiveMail:  # fmt: skip
    """Set on which weekdays (1 is Monday) and at which hour `user` gets the page; the next one is after `now`.

    Raises:
        ValidationError: no weekday, or a day or hour that there is not.
    """
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        mail = _locked(user, now)
        mail.is_on, mail.weekdays, mail.hour = is_on, sorted(set(weekdays)), hour
        mail.full_clean()
        clock = company_clock(now)
        mail.next_on = mail.next_day(clock.date(), clock.hour)
        mail.save()
    return mail


def ask_for_mail(*, user: User, now: dt.datetime) -> None:
    """One mail of the page as soon as a worker comes by. Asking again before that is the same wish."""
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        mail = _locked(user, now)
        if mail.asked_at is None:
            mail.asked_at = now
            mail.save(update_fields=["asked_at"])


def _locked(user: User, now: dt.datetime) -> ExecutiveMail:
    """The one row of a person; who has none yet gets one that is off."""
    start = {"is_on": False, "next_on": company_clock(now).date()}
    return ExecutiveMail.objects.select_for_update().get_or_create(user=user, defaults=start)[0]
