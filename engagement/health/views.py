"""Health over HTTP: the list and its back-test, the rep's word on an account, and rows that programs post."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.access import get_editable_account, may_edit_account, signed_in
from accounts.exchange import read_rates
from accounts.models import Account, HealthBand, Segment, User, get_company
from accounts.paging import PAGE_SIZE, read_pages
from engagement.health.backtest import HORIZONS, MONTHS_BACK, read_backtest
from engagement.health.forms import SentimentForm
from engagement.health.reads import (
    HEIGHT,
    UNKNOWN,
    WIDTH,
    Filters,
    bands_by_segment,
    listed_accounts,
    load_rows,
    ordered,
    read_card,
)
from engagement.health.signals import PostedSignal, SignalsRefused, read_rows, record_signals

INVALID = 422
SECTION = "health"
BANDS = {str(int(band)): band.label for band in reversed(HealthBand)} | {UNKNOWN: "Not known"}
TRENDS = {"down": "Falling", "up": "Rising"}
MOST_BYTES = 2_000_000


@require_GET
def health_list(request: HttpRequest) -> HttpResponse:
    user, company = signed_in(request), get_company()
    as_of, currency = company.today(), company.reporting_currency
    filters = _filters(request)
    pages = read_pages(request)
    found = listed_accounts(user, filters)
    page = ordered(found)[pages.rows]
    rows = load_rows(page, user, read_rates(as_of=as_of, reporting_currency=currency))
    context = {
        "rows": rows[:PAGE_SIZE],
        "pages": pages.of(len(rows)),
        "row_count": found.count(),
        "bands": bands_by_segment(user),
        "band_names": BANDS,
        "trend_names": TRENDS,
        "filters": filters,
        "is_filtered": filters != Filters(),
        "segments": Segment.objects.all(),
        "currency": currency,
        "as_of": as_of,
        "backtest_query": request.GET.urlencode(),
    }
    return render(request, "health/list.html", context)


def _filters(request: HttpRequest) -> Filters:
    band, trend = request.GET.get("band", ""), request.GET.get("trend", "")
    return Filters(
        band=band if band in BANDS else "",
        segment_id=_segment_id(request),
        trend=trend if trend in TRENDS else "",
        is_mine=request.GET.get("whose") == "mine",
        name=request.GET.get("name", "").replace("\x00", "").strip()[:200],
    )


def _segment_id(request: HttpRequest) -> int | None:
    text = request.GET.get("segment", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@require_GET
def backtest(request: HttpRequest) -> HttpResponse:
    """What became of the bands: a part of the page that is asked for by itself, because it takes a moment."""
    user, company = signed_in(request), get_company()
    as_of, currency = company.today(), company.reporting_currency
    text = request.GET.get("horizon", "")
    horizon = int(text) if text in {str(days) for days in HORIZONS} else HORIZONS[0]
    segment_id = _segment_id(request)
    rates = read_rates(as_of=as_of, reporting_currency=currency)
    context = {
        "backtest": read_backtest(user, as_of=as_of, horizon_days=horizon, segment_id=segment_id, rates=rates),
        "horizon": horizon,
        "horizons": HORIZONS,
        "months": MONTHS_BACK,
        "segment": Segment.objects.filter(pk=segment_id).first() if segment_id is not None else None,
        "currency": currency,
    }
    return render(request, "health/_backtest.html", context)


def section_context(account: Account, user: User, form: SentimentForm | None = None) -> dict[str, Any]:
    """What templates/health/_section.html shows of an account."""
    as_of = get_company().today()
    may_write = may_edit_account(user, account.pk)
    return {
        "account": account,
        "health": read_card(account, as_of=as_of),
        "health_size": (WIDTH, HEIGHT),
        "sentiment_form": (form or SentimentForm(as_of=as_of, prefix="health")) if may_write else None,
    }


@require_POST
def sentiment(request: HttpRequest, pk: int) -> HttpResponse:
    """What the rep makes of the customer's mood, as a signal of the day."""
    user, as_of = signed_in(request), get_company().today()
    account = get_editable_account(user, pk)
    form = SentimentForm(request.POST, as_of=as_of, prefix="health")
    if not form.is_valid():
        return _show_section(request, account, form)
    given = form.cleaned_data
    row = PostedSignal(pk, given["measured_on"], {"sentiment_score": given["sentiment_score"]})
    word = dict(form.fields["sentiment_score"].choices)[given["sentiment_score"]]  # type: ignore[attr-defined]
    text = f"{account}: {word.lower()} on {given['measured_on']:%d %b %Y}."
    record_signals(user=user, rows=[row], as_of=as_of, described=f"Sentiment of {text}")
    if request.headers.get("HX-Target") != SECTION:
        messages.success(request, text)
        return redirect(f"{reverse('account_page:page', args=[pk])}#{SECTION}")
    response = _show_section(request, account)
    response.headers["HX-Trigger"] = json.dumps({"toast": {"text": text}})
    return response


def _show_section(request: HttpRequest, account: Account, form: SentimentForm | None = None) -> HttpResponse:
    is_partial = request.headers.get("HX-Target") == SECTION
    template = "health/_section.html" if is_partial else "health/sentiment.html"
    context = section_context(account, signed_in(request), form)
    return render(request, template, context, status=INVALID if form else 200)


@require_POST
def post_signals(request: HttpRequest) -> JsonResponse:
    """{"rows": [{"account", "measured_on", measure: value ..., "custom": {key: value}}]}: all of them, or none.

    422 names row, field, value and reason of everything that is wrong.
    """
    user, as_of = signed_in(request), get_company().today()
    if user.role == User.Role.VIEWER:
        return JsonResponse({"error": "Your role does not write signals."}, status=403)
    if len(request.body) > MOST_BYTES:
        return JsonResponse({"error": f"Send at most {MOST_BYTES:,} bytes at once."}, status=413)
    try:
        sent = json.loads(request.body)
        rows = sent["rows"]
        if not isinstance(rows, list):
            raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError):
        return JsonResponse({"error": 'Send JSON like {"rows": [{"account": "A-1", ...}]}.'}, status=INVALID)
    try:
        signals = read_rows(rows, user=user, as_of=as_of)
        record_signals(user=user, rows=signals, as_of=as_of)
    except SignalsRefused as refused:
        findings = [vars(one) for one in refused.findings]
        return JsonResponse({"error": "Nothing was written.", "findings": findings}, status=INVALID)
    return JsonResponse({"written": len(signals)})
