"""Import pages. Admins and managers import; a manager sees the imports of their team, and only its rows get in."""

from __future__ import annotations

import csv
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import role_required, signed_in
from accounts.models import User
from accounts.signal_weights import find_unweighed
from renewals.imports import services
from renewals.imports.builtin import builtin_mapping, builtin_names, load_mapping, rank_mappings
from renewals.imports.edit import blank_mapping, edited_mapping, field_choices
from renewals.imports.edit_custom import (
    NEW_KINDS,
    attribute_choices,
    edited_attributes,
    edited_signals,
    known_attributes,
    known_signals,
    signal_choices,
)
from renewals.imports.fields import HOLDERS, ROW_KINDS, WITHOUT_ATTRIBUTES
from renewals.imports.findings import title_of
from renewals.imports.fix import rows_to_fix
from renewals.imports.forms import ConfirmForm, MappingForm, ReadingForm, UploadForm
from renewals.imports.keys import MappingError
from renewals.imports.own import own_mappings
from renewals.imports.reader import FileRejected
from renewals.imports.report import outcome_totals, reasons_of, result_rows
from renewals.models import ImportBatch

importers_only = role_required(User.Role.ADMIN, User.Role.MANAGER)
FINDINGS_SHOWN = 3
FINDINGS_PER_PAGE = 100
BATCHES_PER_PAGE = 25
PLAIN_FORMS = ("accounts", "contracts", "signals", "tickets", "invoices", "touches", "contacts")


def get_batch(request: HttpRequest, pk: int) -> ImportBatch:
    return get_object_or_404(ImportBatch.objects.visible_to(signed_in(request)).select_related("requested_by"), pk=pk)


@require_http_methods(["GET", "POST"])
@importers_only
def list_imports(request: HttpRequest) -> HttpResponse:
    """Past imports, and the place to drop the next file."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            batch = services.receive_file(file_name=file.name, chunks=file.chunks(), user=signed_in(request))
        except FileRejected as error:
            form.add_error("file", str(error))
        else:
            return redirect("imports:batch", pk=batch.pk)
    batches = ImportBatch.objects.visible_to(signed_in(request)).select_related("requested_by")
    page = Paginator(batches, BATCHES_PER_PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page, "plain_forms": [(name, builtin_mapping(name).name) for name in PLAIN_FORMS]}
    return render(request, "imports/list.html", context, status=422 if form.errors else 200)


@require_GET
@importers_only
def blank_file(request: HttpRequest, name: str) -> HttpResponse:
    """A CSV with the headings of one of the plain forms, and no rows."""
    if name not in PLAIN_FORMS:
        raise Http404
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    csv.writer(response).writerow([column for rule in builtin_mapping(name).rules.values() for column in rule.columns])
    return response


@require_GET
@importers_only
def show_batch(request: HttpRequest, pk: int) -> HttpResponse:
    """Wherever an import stands: choose its mapping, watch it, decide on it, or see what it did."""
    return _render_batch(request, get_batch(request, pk))


def _render_batch(request: HttpRequest, batch: ImportBatch, *, error: str = "", status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {"batch": batch, "error": error, "may_edit": signed_in(request).is_admin}
    if batch.state == ImportBatch.State.UPLOADED:
        context |= _mapping_choices(batch, signed_in(request))
    if batch.state in (ImportBatch.State.CHECKED, ImportBatch.State.DONE):
        reasons = reasons_of(batch)
        context |= {
            "totals": outcome_totals(batch),
            "results": result_rows(batch),
            "refusals": _with_examples(batch, [reason for reason in reasons if reason.is_refusal]),
            "warnings": _with_examples(batch, [reason for reason in reasons if not reason.is_refusal]),
        }
    same_file = ImportBatch.objects.filter(content_hash=batch.content_hash, state=ImportBatch.State.DONE)
    context["earlier"] = same_file.visible_to(signed_in(request)).exclude(pk=batch.pk).first()
    return render(request, "imports/batch.html", context, status=status)


def _mapping_choices(batch: ImportBatch, user: User) -> dict[str, Any]:
    fits = rank_mappings(batch.header)
    choices = [{"fit": fit, "mapping": builtin_mapping(fit.name)} for fit in fits]
    whole_count = sum(fit.is_whole for fit in fits)
    return {
        "own": own_mappings(batch, user),
        "fitting": choices[:whole_count],
        "others": choices[whole_count:],
        "row_kinds": ROW_KINDS,
    }


def _with_examples(batch: ImportBatch, reasons: list[Any]) -> list[dict[str, Any]]:
    return [
        {
            "reason": reason,
            "examples": batch.findings.filter(reason_code=reason.code, severity=reason.severity)[:FINDINGS_SHOWN],
        }
        for reason in reasons
    ]


@require_GET
@importers_only
def show_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress bar, asked for every second; the whole page once there is something else to see."""
    batch = get_batch(request, pk)
    response = render(request, "imports/_progress.html", {"batch": batch})
    if not batch.is_working:
        response.headers["HX-Refresh"] = "true"
    return response


@require_POST
@importers_only
def read_again(request: HttpRequest, pk: int) -> HttpResponse:
    """The headings stand elsewhere: in another row, or on another sheet."""
    batch = get_batch(request, pk)
    form = ReadingForm(request.POST, sheets=batch.reading.get("sheets", []))
    if not form.is_valid():
        error = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return _render_batch(request, batch, error=error, status=422)
    try:
        services.read_again(batch=batch, **form.cleaned_data)
    except FileRejected as error:
        return _render_batch(request, batch, error=str(error), status=422)
    except services.ImportRejected as error:
        return _render_batch(request, batch, error=str(error), status=409)
    return redirect("imports:batch", pk=batch.pk)


@require_POST
@importers_only
def choose_mapping(request: HttpRequest, pk: int) -> HttpResponse:
    batch = get_batch(request, pk)
    own = {one.key: one.batch for one in own_mappings(batch, signed_in(request))}
    form = MappingForm(request.POST, header=batch.header, own=own)
    if not form.is_valid():
        return _render_batch(request, batch, error="Choose one of the mappings.", status=422)
    key = form.cleaned_data["mapping"]
    if key in own:
        mapping, name = own[key].mapping, own[key].mapping_name
    else:
        mapping, name = load_mapping(key), builtin_mapping(key).name
    try:
        services.choose_mapping(batch=batch, mapping=mapping, name=name)
    except services.ImportRejected as error:
        return _render_batch(request, batch, error=str(error), status=409)
    return redirect("imports:batch", pk=batch.pk)


def _edited(base: dict[str, Any], data: dict[str, str], header: list[str]) -> dict[str, Any]:
    """The mapping that the page of the columns asks for. Raises MappingError."""
    mapping = edited_mapping(base, data, header)
    has_renewals = "renewal" in HOLDERS[base["rows"]]
    tables = {
        "attributes": edited_attributes(base, data, header, known_attributes(has_renewals=has_renewals)),
        "custom": edited_signals(base, data, header, known_signals()),
    }
    return {key: value for key, value in mapping.items() if key not in tables} | {
        name: table for name, table in tables.items() if table
    }


@require_http_methods(["GET", "POST"])
@importers_only
def edit_columns(request: HttpRequest, pk: int) -> HttpResponse:
    """Which column each field is read from. The change is kept with this import, not with the mapping it started
    from."""
    batch, user = get_batch(request, pk), signed_in(request)
    if not user.is_admin:
        raise PermissionDenied("An admin changes mappings.")
    base = _base_mapping(request, batch)
    error = ""
    if request.method == "POST":
        try:
            base = _edited(base, request.POST.dict(), batch.header)
            name = batch.mapping_name or base.get("name") or "Own mapping"
            services.choose_mapping(batch=batch, mapping=base, name=name.removesuffix(" (changed)") + " (changed)")
            return redirect("imports:batch", pk=batch.pk)
        except (MappingError, services.ImportRejected) as refusal:
            error = str(refusal)
    has_renewals, row_kind = "renewal" in HOLDERS[base["rows"]], ROW_KINDS[base["rows"]]
    attributes, signals = known_attributes(has_renewals=has_renewals), known_signals()
    samples = list(zip(*[row + [""] * (len(batch.header) - len(row)) for row in batch.sample[:3]], strict=False))
    context = {
        "batch": batch,
        "base": base,
        "start": request.GET.get("from", ""),
        "fields": field_choices(base),
        "attributes": attribute_choices(base, batch.header, attributes),
        "attribute_kinds": NEW_KINDS,
        "known_attributes": attributes,
        "has_renewals": has_renewals,
        "has_attributes": base["rows"] not in WITHOUT_ATTRIBUTES,
        "has_signals": base["rows"] == "signals",
        "signals": signal_choices(base, batch.header),
        "known_signals": signals,
        "unweighed": find_unweighed(signals) if base["rows"] == "signals" else [],
        "examples": {
            column: " · ".join(dict.fromkeys(cell for cell in cells if cell))
            for column, cells in zip(batch.header, samples, strict=False)
        },
        "row_kind": row_kind,
        "error": error,
    }
    return render(request, "imports/columns.html", context, status=422 if error else 200)


def _base_mapping(request: HttpRequest, batch: ImportBatch) -> dict[str, Any]:
    """Where the change starts: a mapping that comes with Perennial, a blank one for a kind of rows, or the batch's
    own."""
    start = request.GET.get("from", "")
    if start in builtin_names():
        return load_mapping(start)
    if start in {f"new-{rows}" for rows in ROW_KINDS}:
        return blank_mapping(start.removeprefix("new-"))
    return dict(batch.mapping) if batch.mapping else load_mapping(rank_mappings(batch.header)[0].name)


@require_POST
@importers_only
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    batch = get_batch(request, pk)
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        return _render_batch(
            request, batch, error="Say whether to import the good rows, or all or nothing.", status=422
        )
    try:
        services.confirm_import(batch=batch, is_all_or_nothing=form.cleaned_data["mode"] == "all")
    except services.ImportRejected as error:
        return _render_batch(request, batch, error=str(error), status=409)
    return redirect("imports:batch", pk=batch.pk)


@require_POST
@importers_only
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    batch = get_batch(request, pk)
    try:
        services.cancel_import(batch=batch)
    except services.ImportRejected as error:
        return _render_batch(request, batch, error=str(error), status=409)
    messages.success(request, f"Cancelled: nothing of {batch.file_name} was imported.")
    return redirect("imports:list")


@require_GET
@importers_only
def list_findings(request: HttpRequest, pk: int) -> HttpResponse:
    """Every finding of one reason, row by row."""
    batch = get_batch(request, pk)
    code = request.GET.get("reason", "")
    findings = batch.findings.filter(reason_code=code) if code else batch.findings.all()
    page = Paginator(findings, FINDINGS_PER_PAGE).get_page(request.GET.get("page"))
    title = title_of(code) if code else "All findings"
    return render(request, "imports/findings.html", {"batch": batch, "page": page, "title": title})


@require_GET
@importers_only
def download_rows_to_fix(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    batch = get_batch(request, pk)
    lines = rows_to_fix(batch)
    try:
        first = next(lines)
    except (FileRejected, MappingError) as error:
        return _render_batch(request, batch, error=str(error), status=422)

    def body() -> Any:
        yield first
        yield from lines

    response = StreamingHttpResponse(body(), content_type="text/csv; charset=utf-8")
    # The name stays: a mapping may read the day that the file speaks of from it.
    name = batch.file_name.rpartition(".")[0] or batch.file_name
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{name}-to-fix.csv") or ""
    return response
