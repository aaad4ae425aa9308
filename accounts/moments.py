"""Moments are shown and typed in the company's time, on every page: what says 14:05 on one says so on all."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable
from functools import cached_property

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from accounts.models import get_company


class CompanyZone(dt.tzinfo):
    """The zone of the company, read when the first moment of a request is shown: most pages show none, and a view that
    has the company at hand overrides it by the zone itself."""

    @cached_property
    def _zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(get_company().time_zone)

    def fromutc(self, moment: dt.datetime) -> dt.datetime:
        return self._zone.fromutc(moment.replace(tzinfo=self._zone)).replace(tzinfo=self)

    def utcoffset(self, moment: dt.datetime | None) -> dt.timedelta | None:
        return self._zone.utcoffset(moment)

    def dst(self, moment: dt.datetime | None) -> dt.timedelta | None:
        return self._zone.dst(moment)

    def tzname(self, moment: dt.datetime | None) -> str | None:
        return self._zone.tzname(moment)

    def __str__(self) -> str:
        return str(self._zone)


class CompanyTimeMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with timezone.override(CompanyZone()):
            return self.get_response(request)
