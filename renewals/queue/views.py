"""The queue as a list, a calendar and a timeline of the same rows."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.access import signed_in
from accounts.models import Company, get_company
from renewals.models import Renewal, RenewalQuerySet
from renewals.periods import month_after
from renewals.queue import totals as totalling
from renewals.queue.address import HORIZONS, VIEWS, Address, read_address
from renewals.queue.rows import CO_TERM_DAYS, QueueRow, load_queue_rows
from renewals.queue.timeline import build_timeline
from renewals.table import menus
from renewals.table.filter_kinds import EVERY, Reader
from renewals.table.filters import FILTERS

LEFT_OUT = {"outcome", "auto_renewing"}  # the queue has open ones that renew by themselves only


def _read(request: HttpRequest) -> tuple[Company, Address, RenewalQuerySet]:
    user, company = signed_in(request), get_company()
    address = read_address(request.GET, Reader(user, company.today(), company.fiscal_year_start_month))
    return company, address, Renewal.objects.visible_to(user)


@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    company, address, visible = _read(request)
    query = address.query
    context: dict[str, Any] = {
        "address": address,
        "query": query,
        "as_of": address.as_of,
        "currency": company.reporting_currency,
        "views": [(label, query.url(view=name), name == address.view) for name, label in VIEWS.items()],
        "horizons": [
            ("All" if days == EVERY else f"{days} days", query.url(horizon=days), days == address.horizon)
            for days in (*HORIZONS, EVERY)
        ],
        "pills": menus.build_pills(query),
        "left_out": LEFT_OUT,
        "total_labels": totalling.LABELS,
        "co_term_days": CO_TERM_DAYS,
    }
    fill = _fill_calendar if address.view == "calendar" else _fill_list
    fill(context, address, visible, request, company)
    return render(request, f"queue/{address.view}.html", context)


def _fill_list(
    context: dict[str, Any], address: Address, visible: RenewalQuerySet, request: HttpRequest, company: Company
) -> None:
    rows = _fill_page(context, address, address.rows_within(visible), request)
    if address.view == "timeline":
        context["timeline"] = build_timeline(rows, as_of=address.as_of)
    if not rows:
        context["is_queue_empty"] = not visible.open().filter(contract__is_auto_renewing=True).exists()


def _fill_calendar(
    context: dict[str, Any], address: Address, visible: RenewalQuerySet, request: HttpRequest, company: Company
) -> None:
    month_on = address.month_on
    context["month"] = totalling.sum_by_day(
        address.rows(visible), month_on, as_of=address.as_of, reporting_currency=company.reporting_currency
    )
    context["month_url"] = address.query.url(day=None, month=f"{month_on:%Y-%m}")
    context["previous_url"] = address.query.url(day=None, month=f"{month_after(month_on, -1):%Y-%m}")
    context["next_url"] = address.query.url(day=None, month=f"{month_after(month_on, 1):%Y-%m}")
    context["today_url"] = address.query.url(day=None, month=None)
    # Each day's own address is this and the day.
    context["day_url"] = f"{address.query.url(day=None, month=None)}&day="
    if address.day_on is not None:
        _fill_page(context, address, address.rows(visible).filter(decision_on=address.day_on), request)


def _fill_page(
    context: dict[str, Any], address: Address, rows: RenewalQuerySet, request: HttpRequest
) -> list[QueueRow]:
    """One page of rows; one row more than fits tells whether there is another page."""
    query = address.query
    first, size = (query.page - 1) * query.page_size, query.page_size
    found = load_queue_rows(rows[first : first + size + 1], signed_in(request), as_of=address.as_of)
    context["rows"] = found[:size]
    context["earlier_url"] = query.url(page=str(query.page - 1)) if query.page > 1 else ""
    context["later_url"] = query.url(page=str(query.page + 1)) if len(found) > size else ""
    return found[:size]


@require_GET
def totals(request: HttpRequest) -> HttpResponse:
    company, address, visible = _read(request)
    currency = company.reporting_currency
    sums = totalling.sum_by_horizon(address.rows(visible), as_of=address.as_of, reporting_currency=currency)
    return render(request, "queue/_totals.html", {"totals": totalling.describe(sums, currency), "notes": sums.notes})


@require_GET
def filter_menu(request: HttpRequest, name: str) -> HttpResponse:
    if name not in FILTERS or name in LEFT_OUT:
        raise Http404
    company, address, _ = _read(request)
    reader = Reader(signed_in(request), company.today(), company.fiscal_year_start_month)
    context = {"menu": menus.build_menu(name, address.query, reader), "action": reverse("queue:list")}
    return render(request, "renewals/_menu.html", context)
