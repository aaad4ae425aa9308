"""The history over HTTP: of everything, of a row, of a cell; and taking a step back."""

from __future__ import annotations

import json
import re
import uuid
import zoneinfo
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.access import signed_in
from accounts.models import Company, User, get_company
from renewals.access import NOT_EDITABLE, get_visible_renewal
from renewals.history import filters
from renewals.history.answers import Undone
from renewals.history.kinds import RENEWAL, RENEWAL_LABELS
from renewals.history.log import read_page
from renewals.history.reading import cell_history, row_history
from renewals.history.undo import BatchGone, NotYours, undo_batch
from renewals.models import Renewal

# A header has to stay small; beyond this the page is told to read its rows anew.
IDS_TOLD = 200


@require_GET
def log(request: HttpRequest) -> HttpResponse:
    """Every change of the rows that this user may see."""
    user, company = signed_in(request), get_company()
    zone = zoneinfo.ZoneInfo(company.time_zone)
    asked = filters.read_address(request.GET, filters.Reader(user, zone))
    page = read_page(asked.as_filters(), user, start=asked.place)
    context = {
        "asked": asked,
        "page": page,
        "today": company.today(),
        "people": _people(user),
        "ways": filters.how_choices(),
        "fields": filters.field_choices(signed_in(request)),
        "newest_url": asked.url() if asked.place else "",
        "older_url": asked.url(place=str(page.next_place)) if page.next_place else "",
    }
    return _render(request, company, "history/log.html", context)


def _people(user: User) -> list[tuple[str, str]]:
    """Who can be asked for: those of the team, or everybody."""
    people = User.objects.all()
    if not user.sees_all:
        people = people.filter(team_id=user.team_id) if user.team_id else people.filter(pk=user.pk)
    return [(str(pk), name) for pk, name in people.order_by("name").values_list("pk", "name")]


@require_GET
@vary_on_headers("HX-Request")
def row(request: HttpRequest, pk: int) -> HttpResponse:
    return _history(request, get_visible_renewal(signed_in(request), pk), "")


@require_GET
@vary_on_headers("HX-Request")
def cell(request: HttpRequest, pk: int, field: str) -> HttpResponse:
    return _history(request, get_visible_renewal(signed_in(request), pk), field)


def _history(request: HttpRequest, renewal: Renewal, field: str, undone: Undone | None = None) -> HttpResponse:
    """The history of a row, or of one of its cells: for the dialog, or as a page of its own."""
    user = signed_in(request)
    try:
        entries = cell_history(renewal, field, user) if field else row_history(renewal, user)
    except KeyError:
        raise Http404 from None
    context = {
        "renewal": renewal,
        "field": field,
        "label": RENEWAL_LABELS.get(field, field.replace("_", " ").capitalize()),
        "entries": entries,
        "undone": undone,
    }
    is_part = request.headers.get("HX-Request") == "true"
    return _render(request, get_company(), "history/_row.html" if is_part else "history/row.html", context)


@require_POST
def undo(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Take a step back; with `renewal`, in that row only. 409 where nothing was: somebody changed all of it since.

    `shown` ("row", or the name of a cell) says that the answer has to be that history anew, because an open dialog
    asked; a toast asks without it and gets what the page has to be told. Without htmx: back to where the form was.
    """
    user, company = signed_in(request), get_company()
    pk = request.POST.get("renewal", "")
    if pk and not re.fullmatch(r"[0-9]{1,18}", pk):
        raise Http404
    try:
        undone = undo_batch(batch_id=batch_id, user=user, as_of=company.today(), renewal_id=int(pk) if pk else None)
    except BatchGone:
        raise Http404 from None
    except NotYours:
        raise PermissionDenied(NOT_EDITABLE) from None
    status = 409 if undone.kept_count + undone.hidden_count and not undone.row_count else 200
    if request.headers.get("HX-Request") != "true":
        return _answer_page(request, company, undone, status)
    shown = request.POST.get("shown", "")
    if pk and shown:
        renewal = Renewal.objects.visible_to(user).select_related("owner").filter(pk=int(pk)).first()
        if renewal is None:
            raise Http404
        response = _history(request, renewal, "" if shown == "row" else shown, undone)
    else:
        response = _render(request, company, "history/_kept_dialog.html", {"undone": undone})
    response.status_code = status
    response.headers["HX-Trigger"] = json.dumps(_told(undone))
    return response


def _answer_page(request: HttpRequest, company: Company, undone: Undone, status: int) -> HttpResponse:
    if undone.kept:
        response = _render(request, company, "history/undone.html", {"undone": undone})
        response.status_code = status
        return response
    messages.success(request, undone.text)
    return redirect("history:log")


def _told(undone: Undone) -> dict[str, Any]:
    """The toast, with its own undo, and which rows have to be read anew: `ids`, or `is_all` where they are too many."""
    toast = {"text": undone.text}
    if undone.batch_id is None:
        return {"toast": toast | ({"level": "error"} if undone.kept_count else {})}
    toast["undoUrl"] = reverse("history:undo", args=[undone.batch_id])
    ids = undone.renewal_ids
    is_all = (
        len(ids) > IDS_TOLD or bool(undone.removed or undone.returned) or bool(set(undone.restored) - {RENEWAL.code})
    )
    return {"toast": toast, "renewals:changed": {"ids": [] if is_all else ids, "is_all": is_all}}


def _render(request: HttpRequest, company: Company, template: str, context: dict[str, Any]) -> HttpResponse:
    """Moments are shown in the company's time."""
    with timezone.override(company.time_zone):
        return render(request, template, context)
