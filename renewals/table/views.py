"""The central table and its edits over HTTP. Every answer to an edit is one table row."""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.access import signed_in
from accounts.models import get_company
from renewals.access import get_editable_renewal, get_visible_renewal, may_edit
from renewals.forms import CellForm, Editing
from renewals.models import Renewal, RiskFactor
from renewals.saved_views.address import canonical_address
from renewals.saved_views.bar import build_bar, find_default, views_of
from renewals.services import Change, StaleRenewal, update_renewal
from renewals.table import editors, menus
from renewals.table.columns import EDITABLE, Sight, read_columns
from renewals.table.filter_kinds import Reader
from renewals.table.filters import FILTERS
from renewals.table.headings import build_headings
from renewals.table.matching import read_matching
from renewals.table.paging import PAGE_SIZES
from renewals.table.rows import load_rows
from renewals.table.sections import read_page
from renewals.totals import strip as totalling

LIST_ID = "renewal-list"


@require_GET
@vary_on_headers("HX-Request", "HX-Target")
def table(request: HttpRequest) -> HttpResponse:
    """The page; or, where only order or page changed, the list alone. How many rows there are comes with the totals."""
    company, query, matching = read_matching(signed_in(request), request.GET)
    sight = Sight.of(signed_in(request), company)
    is_whole = request.headers.get("HX-Target") != LIST_ID
    views = views_of(sight.user) if is_whole else []
    if is_whole and not request.GET and (default := find_default(views, sight.user)):
        return redirect(default)
    bar = build_bar(query, views, sight.user) if is_whole else None
    page = read_page(matching, query)
    rows = {row.id: row for row in load_rows(page.ids, sight, query.columns)}
    first, unsorted_url = (query.page - 1) * query.page_size, query.url(sort=None)
    context: dict[str, Any] = {
        "query": query,
        "address": canonical_address(query),
        "as_of": sight.as_of,
        "page": page,
        "sections": [(section, [rows[pk] for pk in section.ids if pk in rows]) for section in page.sections],
        "rows": rows,
        "first_number": first + 1,
        "last_number": first + len(page.ids),
        "headings": build_headings(query.sort, lambda sort: f"{unsorted_url}&sort={sort}", sight, query.columns),
        "previous_url": query.url(page=str(query.page - 1)) if query.page > 1 else "",
        "first_url": query.url(page=None),
        "next_url": query.url(page=str(query.page + 1)) if page.has_more else "",
        "page_sizes": [(size, query.url(per_page=str(size), page=None)) for size in PAGE_SIZES],
    }
    if not page.ids:
        context["is_book_empty"] = not Renewal.objects.visible_to(sight.user).exists()
    if bar is None:
        return render(request, "renewals/_list.html", context)
    context |= {
        "bar": bar,
        "rail_views": bar.own,
        "pills": menus.build_pills(query),
        "total_labels": totalling.LABELS,
    }
    return render(request, "renewals/table.html", context)


@require_GET
def patterns(request: HttpRequest) -> HttpResponse:
    """What the page needs once and not at first: a blank editor for each column, and the names of the risk factors."""
    context = {"patterns": editors.patterns(), "risk_factors": json.dumps(_risk_factors())}
    return render(request, "renewals/_patterns.html", context)


def _risk_factors() -> list[list[str]]:
    """Label and explanation of each factor at its position in a score's contributions."""
    factors = {position: [label, text] for position, label, text in _factor_rows()}
    return [factors.get(position, ["", ""]) for position in range(max(factors, default=-1) + 1)]


def _factor_rows() -> list[tuple[int, str, str]]:
    return list(RiskFactor.objects.values_list("position", "label", "explanation"))


@require_GET
def filter_menu(request: HttpRequest, name: str) -> HttpResponse:
    """What a filter's pill opens: made when it is opened, so that the page does not wait for it."""
    if name not in FILTERS:
        raise Http404
    company, query, _ = read_matching(signed_in(request), request.GET)
    reader = Reader(signed_in(request), company.today(), company.fiscal_year_start_month)
    return render(request, "renewals/_menu.html", {"menu": menus.build_menu(name, query, reader)})


@require_GET
def choices(request: HttpRequest, field: str) -> HttpResponse:
    if field not in {"owner", "offer"}:
        raise Http404
    found = editors.find_choices(field, request.GET.get("q", ""), signed_in(request))
    return render(request, "renewals/_choices.html", {"choices": found, "field": field})


@require_GET
def row(request: HttpRequest, pk: int) -> HttpResponse:
    renewal = get_visible_renewal(signed_in(request), pk)
    return _answer(request, renewal.pk, Sight.of(signed_in(request), get_company()))


@require_POST
def cell(request: HttpRequest, pk: int, field: str) -> HttpResponse:
    """Save one cell. 422 and 409 come back as the same row with the cell open.

    Whether the user may see and edit the row is asked once, by update_renewal of the row that it has locked.
    """
    if field not in EDITABLE:
        raise Http404
    user = signed_in(request)
    sight = Sight.of(user, get_company())
    form = CellForm(request.POST, field=field, editing=Editing(user, sight.as_of))
    if not form.is_valid():
        get_editable_renewal(user, pk)
        return _answer(request, pk, sight, status=422, invalid=(field, form.message))
    try:
        change = update_renewal(
            renewal_id=pk,
            field=field,
            value=form.cleaned_data["value"],
            seen=form.cleaned_data["was"],
            user=user,
            as_of=sight.as_of,
        )
    except StaleRenewal as stale:
        return _answer(request, pk, sight, status=409, stale=stale)
    return _answer(request, pk, sight, change=change)


def _answer(
    request: HttpRequest,
    pk: int,
    sight: Sight,
    *,
    status: int = 200,
    change: Change | None = None,
    invalid: tuple[str, str] | None = None,
    stale: StaleRenewal | None = None,
) -> HttpResponse:
    """The row as it is now, with its cell open where there is something to say or to choose."""
    # The page says which columns it shows: the address of an answer to an edit has none.
    columns, _ = read_columns([request.headers.get("X-Columns", "")])
    (fresh,) = load_rows([pk], sight, columns)
    data = request.POST.dict()
    if invalid:
        editors.open_with_error(fresh, invalid[0], data, invalid[1])
    if stale:
        editors.open_with_conflict(fresh, stale.field, data, stale)
    response = render(request, "renewals/_rows.html", {"rows": [fresh]}, status=status)
    if change and change.batch_id:
        response.headers["HX-Trigger"] = json.dumps(_told(change, fresh.account, sight))
    return response


def _told(change: Change, account: str, sight: Sight) -> dict[str, Any]:
    """What the page is told of a save: a toast, with undo where the person could do it, and that totals have moved."""
    toast: dict[str, str] = {"text": change.told_of(account)}
    if may_edit(sight.user, change.renewal):
        toast["undoUrl"] = reverse("history:undo", args=[change.batch_id])
    return {"toast": toast, "renewals:changed": {"ids": []}}
