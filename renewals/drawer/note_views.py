"""Notes over HTTP: written, edited and deleted at their renewal; and the list of those one was called to."""

from __future__ import annotations

import json
import re
import zoneinfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.access import signed_in
from accounts.models import get_company
from renewals.drawer.notes import NoteRefused, delete_note, edit_note, mark_read, write_note
from renewals.drawer.views import load_renewal, show
from renewals.models import Mention, Note, Renewal

PAGE_SIZE = 50


@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    renewal = load_renewal(user, pk)
    text = request.POST.get("text", "")
    try:
        written = write_note(renewal=renewal, author=user, text=text)
    except NoteRefused as refused:
        return show(request, renewal, status=422, note_text=text, note_error=str(refused))
    return _answer(request, renewal.pk, written.message)


@require_POST
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    note = _visible_note(request, pk)
    try:
        written = edit_note(note=note, user=user, text=request.POST.get("text", ""))
    except NoteRefused as refused:
        renewal = load_renewal(user, note.renewal_id)
        return show(request, renewal, status=422, edited_note=note.pk, edit_error=str(refused))
    return _answer(request, note.renewal_id, written.message)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    note = _visible_note(request, pk)
    delete_note(note=note, user=signed_in(request))
    return _answer(request, note.renewal_id, "Note deleted.")


def _visible_note(request: HttpRequest, pk: int) -> Note:
    visible = Renewal.objects.visible_to(signed_in(request))
    return get_object_or_404(Note.objects.filter(renewal__in=visible).select_related("author"), pk=pk)


def _answer(request: HttpRequest, renewal_id: int, text: str) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        messages.success(request, text)
        return redirect(f"{reverse('renewals:row', args=[renewal_id])}#notes")
    response = show(request, load_renewal(signed_in(request), renewal_id))
    response.headers["HX-Trigger"] = json.dumps({"toast": {"text": text}, "notes:changed": {}})
    return response


@require_GET
def mentions(request: HttpRequest) -> HttpResponse:
    """Where one was called, the newest first."""
    mine = Mention.objects.told_to(signed_in(request))
    rows = mine.select_related("note__author", "note__renewal__account", "note__renewal__contract")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    with timezone.override(zoneinfo.ZoneInfo(get_company().time_zone)):
        return render(request, "drawer/mentions.html", {"page": page, "unread_count": mine.unread().count()})


@require_GET
def unread(request: HttpRequest) -> HttpResponse:
    """How many one has not read, for the rail; nothing where there are none."""
    count = Mention.objects.told_to(signed_in(request)).unread().count()
    return HttpResponse(f"{count:,}" if count else "", content_type="text/html")


@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """One note is read, or all are."""
    note = request.POST.get("note", "")
    if note and not re.fullmatch(r"[0-9]{1,18}", note):
        raise Http404
    mark_read(user=signed_in(request), note_id=int(note) if note else None)
    return redirect("notes:list")
