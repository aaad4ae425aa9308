"""Taking rows away over HTTP: at once as the answer, or by a worker and a page that waits; and who took what."""

from __future__ import annotations

import tempfile
from pathlib import Path

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.access import signed_in
from renewals.exports import services
from renewals.exports.files import TooManyRows
from renewals.exports.parts import read_parts
from renewals.models import Export

EXPORTS_PER_PAGE = 25
CONTENT_TYPES = {
    Export.Format.CSV: "text/csv; charset=utf-8",
    Export.Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def get_own_export(request: HttpRequest, pk: int) -> Export:
    """The file is for who asked for it, nobody else; an admin sees that it was taken."""
    return get_object_or_404(Export.objects.filter(requested_by=signed_in(request)), pk=pk)


@require_GET
def list_exports(request: HttpRequest) -> HttpResponse:
    exports = Export.objects.visible_to(signed_in(request)).select_related("requested_by")
    page = Paginator(exports, EXPORTS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "exports/list.html", {"page": page})


@require_POST
def new(request: HttpRequest) -> HttpResponseBase:
    """Export what the table shows at this query string: the file itself, or the page of the export being written."""
    format = request.POST.get("format", "")
    if format not in Export.Format.values:
        raise Http404
    try:
        export = services.request_export(query_string=request.GET.urlencode(), format=format, user=signed_in(request))
    except TooManyRows as error:
        return render(request, "exports/refused.html", {"message": str(error)}, status=422)
    if not services.is_small(export):
        services.send_export(export)
        return redirect("exports:export", pk=export.pk)
    # Written as a whole before the first byte is sent, so that a failure is an error and never half a file.
    with tempfile.TemporaryDirectory(prefix="perennial-") as folder:
        path = Path(folder) / "export"
        services.write_now(export=export, path=path)
        response = HttpResponse(path.read_bytes(), content_type=CONTENT_TYPES[Export.Format(export.format)])
    return _named(response, export)


@require_GET
@vary_on_headers("HX-Request")
def show(request: HttpRequest, pk: int) -> HttpResponse:
    template = "exports/_export.html" if request.headers.get("HX-Request") == "true" else "exports/export.html"
    return render(request, template, {"export": get_own_export(request, pk)})


@require_GET
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    export = get_own_export(request, pk)
    if not export.is_kept():
        raise Http404
    content = StreamingHttpResponse(read_parts(export=export), content_type=CONTENT_TYPES[Export.Format(export.format)])
    content.headers["Content-Length"] = str(export.byte_count)
    return _named(content, export)


def _named(response: HttpResponseBase, export: Export) -> HttpResponseBase:
    response.headers["Content-Disposition"] = f'attachment; filename="{export.file_name}"'
    response.headers["X-Row-Count"] = str(export.row_count)
    return response
