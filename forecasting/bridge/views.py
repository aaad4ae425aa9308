"""The bridge between two moments, and the renewals behind each of its bars."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.access import signed_in
from accounts.models import Company, get_company
from accounts.templatetags.money import currency_sign
from forecasting.as_at import known_since
from forecasting.bridge import BARS, Bridge, End, InvalidEnd, build_bridge, read_end
from forecasting.bridge.ends import CALL, NOW
from forecasting.bridge.page import LABELS, MEANINGS, build_bars, build_chart, caption_of, read_moves
from forecasting.models import Snapshot
from forecasting.periods import Period, first_day, month_number, period_of
from forecasting.scopes.parts import part_pills
from forecasting.scopes.scope import Scope, get_scope, read_pills
from forecasting.snapshots.views import asked_period, page_number

OWN = ("from", "to", "from_on", "to_on", "period")
CALLS_OFFERED = 60
PERIODS_OFFERED = (4, 4)  # before and after the current one


@dataclass(frozen=True)
class Asked:
    """What an address asks for; `ends` is None, and `error` says why, where it names no two moments."""

    scope: Scope
    period: Period
    texts: tuple[str, str]
    ends: tuple[End, End] | None
    error: str = ""

    @property
    def query(self) -> str:
        kept = {name: value for name, value in self.scope.query.items() if name not in OWN}
        named = {"from": self.texts[0], "to": self.texts[1], "period": self.period.starts_on.isoformat()}
        return urlencode({**kept, **named})


@require_GET
def bridge(request: HttpRequest) -> HttpResponse:
    user, company = signed_in(request), get_company()
    asked = _asked(request, company)
    today = company.today()
    context: dict[str, Any] = {
        "asked": asked,
        "scope": asked.scope,
        "pills": [*read_pills(user, asked.scope), *part_pills(asked.scope, company)],
        "currency_sign": currency_sign(company.reporting_currency),
        "currency": company.reporting_currency,
        "calls": [(f"{CALL}{call.pk}", str(call)) for call in Snapshot.objects.all()[:CALLS_OFFERED]],
        "periods": _periods(asked.scope, company, today, asked.period),
        "period_label": asked.period.label(company.fiscal_year_start_month),
        "month_url": asked.scope.url(by="month"),
        "quarter_url": asked.scope.url(by=None),
        "since": known_since(),
        "today": today,
    }
    if asked.ends is not None:
        found = build_bridge(*asked.ends, asked.scope, asked.period)
        context |= _pictured(found, asked, company)
    return render(request, "forecasting/bridge/bridge.html", context, status=200 if asked.ends else 422)


def _pictured(found: Bridge, asked: Asked, company: Company) -> dict[str, Any]:
    currency = found.end.standing.reporting_currency
    bars = build_bars(found, asked.scope, f"{reverse('forecasting:bridge_rows')}?{asked.query}")
    heads = (found.start.label, found.end.label)
    return {
        "found": found,
        "bars": bars,
        "opening": _money(found.opening_cents),
        "closing": _money(found.closing_cents),
        "chart": build_chart(found, bars, currency, heads, caption_of(found, bars, currency)),
        "heads": heads,
    }


def _money(cents: int) -> Decimal:
    return Decimal(cents) / 100


@require_GET
def bridge_rows(request: HttpRequest) -> HttpResponse:
    """The renewals whose changes add up to one bar."""
    user, company = signed_in(request), get_company()
    bar = request.GET.get("bar", "")
    if bar not in BARS:
        raise Http404(f"There is no bar {bar!r}.")
    asked = _asked(request, company)
    if asked.ends is None:
        raise Http404(asked.error)
    found = build_bridge(*asked.ends, asked.scope, asked.period)
    number = page_number(request.GET.get("page", "1"))
    moves, has_more, rest = read_moves(user, found, bar, page=number)
    context = {
        "asked": asked,
        "currency": found.end.standing.reporting_currency,
        "label": LABELS[bar],
        "meaning": MEANINGS[bar],
        "period_label": asked.period.label(company.fiscal_year_start_month),
        "heads": (found.start.label, found.end.label),
        "total": _money(int(found.bars[bar].sum())),
        "moves": moves,
        "rest": rest,
        "page": number,
        "has_more": has_more,
    }
    return render(request, "forecasting/bridge/rows.html", context)


def _asked(request: HttpRequest, company: Company) -> Asked:
    scope = get_scope(signed_in(request), request.GET, page="forecasting:bridge", own=OWN, is_sliced=True)
    period = asked_period(request, scope, company.today(), company.fiscal_year_start_month)
    # A day that was entered goes before what is chosen from the list.
    first = request.GET.get("from_on") or request.GET.get("from") or _usual_start(company)
    last = request.GET.get("to_on") or request.GET.get("to") or NOW
    try:
        ends = read_end(first, company), read_end(last, company)
    except InvalidEnd as error:
        return Asked(scope, period, (first, last), None, str(error))
    if ends[0].moment > ends[1].moment:
        ends, first, last = (ends[1], ends[0]), last, first
    return Asked(scope, period, (first, last), ends)


def _usual_start(company: Company) -> str:
    """The newest call, or the first day of the month where there is none."""
    newest = Snapshot.objects.values_list("pk", flat=True).first()
    return f"{CALL}{newest}" if newest else (company.today().replace(day=1) - dt.timedelta(days=1)).isoformat()


def _periods(scope: Scope, company: Company, today: dt.date, shown: Period) -> list[tuple[str, str]]:
    """(first day, label) of the periods that are offered, the shown one among them."""
    fiscal_start = company.fiscal_year_start_month
    current = period_of(scope.grain, today, fiscal_start)
    month, step = month_number(current.starts_on), current.month_count
    before, after = PERIODS_OFFERED
    offered = {Period(scope.grain, first_day(month + step * at)) for at in range(-before, after + 1)} | {shown}
    ordered = sorted(offered, key=lambda period: period.starts_on)
    return [(period.starts_on.isoformat(), period.label(fiscal_start)) for period in ordered]
