"""Editing many rows over HTTP: ask, look at the dry run, confirm; and the same for an edited file."""

from __future__ import annotations

import re
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.access import role_required, signed_in
from accounts.models import User, get_company
from renewals.bulk import forms, services
from renewals.bulk.changes import ChangesInvalid, read_changes
from renewals.bulk.selection import Selection, SelectionUnreadable, read_selection
from renewals.bulk.words import read_rows, result_lines
from renewals.imports.reader import FileRejected
from renewals.models import BulkEdit, BulkEditRow

editors_only = role_required(User.Role.ADMIN, User.Role.MANAGER, User.Role.REP)
SHOWN_ROWS = 20
ROWS_PER_PAGE = 200  # of an edited file, where each row can be ticked
EXAMPLES = 5
Verdict = BulkEditRow.Verdict
LISTED = (Verdict.REFUSED, Verdict.SKIPPED, Verdict.SAME)


def get_edit(request: HttpRequest, pk: int) -> BulkEdit:
    """An edit is its requester's own affair; what it did stands in the history for everybody who may see the rows."""
    own = BulkEdit.objects.filter(requested_by=signed_in(request)).select_related("requested_by")
    return get_object_or_404(own, pk=pk)


@require_http_methods(["GET", "POST"])
@editors_only
def new(request: HttpRequest) -> HttpResponse:
    """What to change, in which rows. The rows stand in the address; sent, it becomes a dry run."""
    user, errors, status = signed_in(request), dict[str, str](), 200
    try:
        selection = _selection(request)
        matching = selection.matching(user, get_company())
        count = matching.count()
        if request.method == "POST":
            edit = services.plan_edit(selection=selection, changes=read_changes(request.POST), user=user)
            return redirect("bulk:edit", pk=edit.pk)
    except SelectionUnreadable as error:
        return render(request, "bulk/nothing.html", {"message": str(error)}, status=422)
    except ChangesInvalid as error:
        errors, status = error.errors, 422
    context = {
        "query_string": request.GET.urlencode(),
        "count": count,
        "editable_count": count if user.is_admin else matching.editable_by(user).count(),
        "is_all": selection.is_all,
        "filters": selection.filters(user, get_company()),
        "rows": forms.field_rows(request.POST, errors, user),
        "churn_reasons": forms.churn_reasons(),
        "error": errors.get("", ""),
        "job_from": services.AT_ONCE,
    }
    return render(request, "bulk/new.html", context, status=status)


def _selection(request: HttpRequest) -> Selection:
    """The rows of the address; ids that are too many for one come in the form."""
    ids = request.GET.get("ids") or request.POST.get("ids", "")
    return read_selection({"ids": ids, "all": request.GET.get("all", "")}, request.GET.urlencode())


@require_GET
@editors_only
@vary_on_headers("HX-Request")
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """Wherever an edit stands: being prepared, waiting for a yes, being written, or done."""
    edit = get_edit(request, pk)
    template = "bulk/_edit.html" if request.headers.get("HX-Request") == "true" else "bulk/edit.html"
    return render(request, template, _context(request, edit))


def _context(request: HttpRequest, edit: BulkEdit, error: str = "") -> dict[str, Any]:
    context: dict[str, Any] = {"edit": edit, "error": error, "is_file": edit.kind == BulkEdit.Kind.FILE}
    if edit.is_working:
        return context | {"total": edit.ready_count if edit.state == BulkEdit.State.APPLYING else 0}
    changed = edit.rows.filter(verdict__in=[Verdict.READY, Verdict.WRITTEN])
    per_page = ROWS_PER_PAGE if context["is_file"] else SHOWN_ROWS
    page = Paginator(changed.order_by("row_number", "pk"), per_page).get_page(request.GET.get("page"))
    partly = edit.rows.filter(verdict__in=[Verdict.READY, Verdict.WRITTEN]).exclude(problems=[])
    return context | {
        "page": page,
        "rows": read_rows(list(page.object_list), edit),
        "groups": _groups(edit),
        "partly": read_rows(list(partly.order_by("row_number", "pk")[:EXAMPLES]), edit),
        "partly_count": partly.count(),
    }


def _groups(edit: BulkEdit) -> list[dict[str, Any]]:
    """The rows that are left as they are, by verdict and reason, the largest group first, each with its first rows."""
    left = edit.rows.filter(verdict__in=LISTED).values("verdict", "reason")
    counted = left.annotate(count=Count("pk")).order_by("-count", "reason")
    return [
        {
            "verdict": group["verdict"],
            "title": group["reason"] or Verdict(group["verdict"]).label,
            "count": group["count"],
            "rows": read_rows(
                list(edit.rows.filter(verdict=group["verdict"], reason=group["reason"]).order_by("pk")[:EXAMPLES]), edit
            ),
        }
        for group in counted[:20]
    ]


@require_POST
@editors_only
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Apply it: every row that is ready, or with `accept=ticked` those whose box is ticked."""
    edit = get_edit(request, pk)
    row_ids: list[int] | None = None
    if request.POST.get("accept") == "ticked":
        texts = request.POST.getlist("row")
        if not all(re.fullmatch(r"[0-9]{1,18}", text) for text in texts):
            raise Http404
        row_ids = [int(text) for text in texts]
    try:
        services.confirm_edit(edit=edit, row_ids=row_ids)
    except services.NotWaiting as error:
        return render(request, "bulk/edit.html", _context(request, edit, error=str(error)), status=409)
    return redirect("bulk:edit", pk=pk)


@require_POST
@editors_only
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    edit = get_edit(request, pk)
    try:
        services.discard_edit(edit=edit)
    except services.NotWaiting as error:
        return render(request, "bulk/edit.html", _context(request, edit, error=str(error)), status=409)
    return redirect("renewals:table")


@require_GET
@editors_only
def results(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What becomes, or became, of every row, as a CSV."""
    edit = get_edit(request, pk)
    response = StreamingHttpResponse(result_lines(edit), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="bulk-edit-{edit.pk}-{edit.row_count}-rows.csv"'
    response.headers["X-Row-Count"] = str(edit.row_count)
    return response


@require_http_methods(["GET", "POST"])
@editors_only
def edited_file(request: HttpRequest) -> HttpResponse:
    """Bring back an exported file that was edited."""
    is_sent = request.method == "POST"
    form = forms.EditedFileForm(request.POST, request.FILES) if is_sent else forms.EditedFileForm()
    if is_sent and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            edit = services.receive_edited_file(file_name=file.name, chunks=file.chunks(), user=signed_in(request))
        except FileRejected as error:
            form.add_error("file", str(error))
        else:
            return redirect("bulk:edit", pk=edit.pk)
    return render(request, "bulk/file.html", {"form": form}, status=422 if form.errors else 200)
