"""One renewal: its page, the same in the drawer beside the table, and its row as a form."""

from __future__ import annotations

import json
import zoneinfo
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.access import signed_in
from accounts.models import User, get_company
from accounts.templatetags.money import money
from accounts.touches.reading import read_touches
from renewals.access import get_editable_renewal, may_edit
from renewals.drawer.card import read_judgement, read_likelihood, read_others, read_outlook, read_signals
from renewals.drawer.notes import TEXT_LENGTH, may_delete, may_write_notes, notes_of, readers_of
from renewals.drawer.row_form import SHOWN, Input, RowStale, build_inputs, read_cells, refill, save_row, show_conflicts
from renewals.forms import LABELS, Editing
from renewals.history.reading import row_history
from renewals.models import DataRule, Renewal
from renewals.overrides.forms import PinForm, read_pin
from renewals.quality.worklist import load_work_rows
from renewals.services import cell_text
from renewals.table import views as table_views
from renewals.table.columns import COLUMNS, TIMING_NAMES, Sight
from renewals.table.editors import find_choices

DRAWER = "drawer"
READERS_SHOWN = 40
HISTORY_SHOWN = 8
NOTES_SHOWN = 50


@require_GET
@vary_on_headers("HX-Request", "HX-Target")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The page; its content alone for the drawer; and the table's row, where the table asks for that."""
    target = request.headers.get("HX-Target", "")
    if target == f"renewal-{pk}":
        return table_views.row(request, pk)
    return show(request, load_renewal(signed_in(request), pk))


def load_renewal(user: User, pk: int) -> Renewal:
    rows = Renewal.objects.visible_to(user).select_related(
        "account__segment", "account__industry", "account__owner", "account__family", "contract", "owner__team",
        "stage", "offer", "churn_reason", "score",
    )  # fmt: skip
    return get_object_or_404(rows, pk=pk)


def show(
    request: HttpRequest, renewal: Renewal, *, inputs: list[Input] | None = None, status: int = 200, **more: Any
) -> HttpResponse:
    """The renewal with everything that belongs to it. `inputs` is the form with what was typed and what is wrong."""
    user, company = signed_in(request), get_company()
    as_of, is_editable = company.today(), may_edit(user, renewal)
    score = getattr(renewal, "score", None)
    rules = {rule.pk: rule for rule in DataRule.objects.all()}
    worked = load_work_rows([renewal.pk], rules, user, as_of=as_of)
    record = {"owner__name": renewal.owner.name if renewal.owner else ""}
    notes = list(notes_of(renewal)[:NOTES_SHOWN])
    context = {
        "renewal": renewal,
        "contract": renewal.contract,
        "account": renewal.account,
        "score": score,
        "timing": TIMING_NAMES[score.timing_class] if score else "",
        "judgement": read_judgement(renewal),
        "pin": read_pin(renewal, as_of=as_of),
        "pin_form": PinForm(as_of=as_of) if is_editable else None,
        "likelihood": read_likelihood(renewal, as_of=as_of) if score else None,
        "outlook": read_outlook(renewal, as_of=as_of) if score else None,
        "signals": read_signals(renewal.account_id, as_of=as_of),
        "breaches": worked[0].breaches if worked else [],
        "others": read_others(renewal, user),
        "entries": row_history(renewal, user, limit=HISTORY_SHOWN),
        "notes": [
            (note, note.author_id == user.pk and may_write_notes(user), may_delete(user, note)) for note in notes
        ],
        "note_length": TEXT_LENGTH,
        "may_write_notes": may_write_notes(user),
        "readers": readers_of(renewal).exclude(pk=user.pk)[:READERS_SHOWN] if may_write_notes(user) else [],
        "inputs": (inputs or build_inputs(renewal)) if is_editable else [],
        "why_not": "" if is_editable else Sight(user, as_of, company.reporting_currency).why_not(record),
        "why": {name: column.attrs["th"]["data-why"] for name, column in COLUMNS.items()},
        "facts": [] if is_editable else _facts(renewal),
        "as_of": as_of,
        **read_touches(renewal.account, user, company, now=timezone.now()),
        **more,
    }
    template = "drawer/_content.html" if request.headers.get("HX-Target") == DRAWER else "drawer/page.html"
    with timezone.override(zoneinfo.ZoneInfo(company.time_zone)):
        return render(request, template, context | {"is_drawer": template == "drawer/_content.html"}, status=status)


def _facts(renewal: Renewal) -> list[tuple[str, str]]:
    """The editable fields as somebody reads them who may not write them."""
    texts = {name: cell_text(renewal, name) for name in SHOWN if name != "churn_reason"}  # the outcome says it
    for name in ("forecast_amount", "final_amount"):
        texts[name] = money(getattr(renewal, name), renewal.currency) if texts[name] else ""
    return [(LABELS[name], text) for name, text in texts.items() if text]


@require_POST
def save(request: HttpRequest, pk: int) -> HttpResponse:
    user, as_of = signed_in(request), get_company().today()
    get_editable_renewal(user, pk)
    data = {name: value.replace("\x00", "") for name, value in request.POST.items() if isinstance(value, str)}
    cells, errors = read_cells(data, Editing(user, as_of))
    if errors:
        return _refused(request, pk, data, errors=errors)
    try:
        texts, batch_id = save_row(renewal_id=pk, cells=cells, user=user, as_of=as_of)
    except RowStale as problem:
        return _refused(request, pk, data, stale=problem)
    text = "; ".join(texts) or "Nothing was changed."
    if not request.headers.get("HX-Request"):
        messages.success(request, text)
        is_visible = Renewal.objects.visible_to(user).filter(pk=pk).exists()
        return redirect(reverse("renewals:row", args=[pk]) if is_visible else reverse("renewals:table"))
    try:
        renewal = load_renewal(user, pk)
    except Http404:
        response, is_editable = render(request, "drawer/_gone.html"), False
    else:
        response, is_editable = show(request, renewal), may_edit(user, renewal)
    toast: dict[str, str] = {"text": text}
    if batch_id and is_editable:
        toast["undoUrl"] = reverse("history:undo", args=[batch_id])
    told: dict[str, Any] = {"toast": toast}
    if batch_id:
        told["renewals:changed"] = {"ids": [pk]}
    response.headers["HX-Trigger"] = json.dumps(told)
    return response


def _refused(
    request: HttpRequest,
    pk: int,
    data: dict[str, str],
    *,
    errors: dict[str, str] | None = None,
    stale: RowStale | None = None,
) -> HttpResponse:
    """The form as it was sent, with what is wrong at each field. Nothing was written."""
    renewal = load_renewal(signed_in(request), pk)
    inputs = build_inputs(renewal)
    refill(inputs, data)
    for one in inputs:
        one.error = (errors or {}).get(one.name, "")
    if stale:
        show_conflicts(inputs, stale.stale)
    return show(request, renewal, inputs=inputs, status=409 if stale else 422)


@require_GET
def options(request: HttpRequest, field: str) -> HttpResponse:
    """Names that can be chosen for a searched field, as options of its datalist."""
    if field not in {"owner", "offer"}:
        raise Http404
    found = find_choices(field, request.GET.get(field, ""), signed_in(request))
    return render(request, "drawer/_options.html", {"choices": found})
