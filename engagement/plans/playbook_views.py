"""Playbooks over HTTP: the admin's list, the editor, files out and in."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import admin_required, signed_in
from accounts.models import get_company
from engagement.models.plans import Plan, PlanKind, Playbook, PlaybookVersion
from engagement.plans import playbooks as services
from engagement.plans.drafts import PlaybookRefused, Problem, draft_of
from engagement.plans.fields import FIELDS
from engagement.plans.files import MOST_BYTES, read_playbook, write_playbook
from engagement.plans.playbook_forms import PlaybookForm
from engagement.plans.playbooks import PlaybookChanged
from engagement.plans.starting import count_fitting

CONFLICT, INVALID = 409, 422


@dataclass(frozen=True)
class Listed:
    """`fitting_count`: plans that its rule would start now; None where it has none in use."""

    version: PlaybookVersion
    step_count: int
    open_count: int
    closed_count: int
    fitting_count: int | None


@require_GET
@admin_required
def playbooks(request: HttpRequest) -> HttpResponse:
    return _list(request)


def _list(request: HttpRequest, *, problems: list[Problem] | None = None) -> HttpResponse:
    newest = PlaybookVersion.objects.order_by("playbook_id", "-number").distinct("playbook_id").select_related(
        "playbook", "segment", "created_by"
    )  # fmt: skip
    versions = sorted(newest, key=lambda version: (version.playbook.use == "retired", *_name(version)))
    steps = dict(
        PlaybookVersion.objects.filter(pk__in=[one.pk for one in versions]).values_list("pk").annotate(Count("steps"))
    )
    counts = {
        playbook: (open_count, closed_count)
        for playbook, open_count, closed_count in Plan.objects.order_by()
        .values_list("version__playbook")
        .annotate(open=Count("pk", filter=Q(closed_at=None)), closed=Count("pk", filter=Q(closed_at__isnull=False)))
    }
    fitting: dict[int, int] = {}
    for kind in PlanKind:
        fitting |= count_fitting(kind=kind, as_of=get_company().today())
    rows = [
        Listed(
            one, steps[one.pk], *counts.get(one.playbook_id, (0, 0)),
            fitting.get(one.pk, 0) if one.playbook.use == Playbook.Use.RULE else None,
        )
        for one in versions
    ]  # fmt: skip
    context = {"rows": rows, "uses": Playbook.Use.choices, "problems": problems}
    return render(request, "plans/playbooks.html", context, status=INVALID if problems else 200)


def _name(version: PlaybookVersion) -> tuple[str, str]:
    return version.playbook.kind, version.playbook.name


@require_http_methods(["GET", "POST"])
@admin_required
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new playbook, or the next version of one."""
    playbook = get_object_or_404(Playbook, pk=pk) if pk else None
    newest = playbook.versions.select_related("segment", "playbook").first() if playbook else None
    if request.method == "GET":
        return _editor(request, PlaybookForm.of_draft(draft_of(newest) if newest else None), newest)
    form = PlaybookForm.of_post(request.POST, kind=playbook.kind if playbook else "")
    if "more" in request.POST:
        form.add_block()
        return _editor(request, form, newest)
    draft = form.draft()
    if draft is None:
        return _editor(request, form, newest, status=INVALID)
    try:
        version = services.save_playbook(
            by=signed_in(request), draft=draft, playbook_id=pk, seen_version=_seen(request) if pk else None
        )
    except PlaybookRefused as refused:
        form.refuse(refused)
        return _editor(request, form, newest, status=INVALID)
    except PlaybookChanged as changed:
        form.book.add_error(None, f"{changed} Open the page anew to see it.")
        return _editor(request, form, newest, status=CONFLICT)
    messages.success(request, f"{version} is saved.")
    return redirect("playbooks:list")


def _seen(request: HttpRequest) -> int:
    text = request.POST.get("seen", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _editor(
    request: HttpRequest, form: PlaybookForm, newest: PlaybookVersion | None, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "version": newest,
        "fields": [(name, what) for name, (what, _) in FIELDS.items()],
        "open_count": Plan.objects.open().filter(version__playbook=newest.playbook_id).count() if newest else 0,
    }
    return render(request, "plans/playbook.html", context, status=status)


@require_GET
@admin_required
def download(request: HttpRequest, pk: int) -> HttpResponse:
    playbook = get_object_or_404(Playbook, pk=pk)
    version = playbook.versions.select_related("playbook", "segment").order_by("-number")[:1].get()
    response = HttpResponse(write_playbook(draft_of(version)), content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{slugify(playbook.name) or "playbook"}.json"'
    return response


@require_POST
@admin_required
def upload(request: HttpRequest) -> HttpResponse:
    """A new playbook from a file; one of the same name and kind gets a version."""
    sent = request.FILES.get("file")
    try:
        if sent is None:
            raise PlaybookRefused([Problem(0, "file", "", "choose a file first.")])
        if (sent.size or 0) > MOST_BYTES:
            raise PlaybookRefused([Problem(0, "file", sent.name, f"has more than {MOST_BYTES:,} bytes.")])
        draft = read_playbook(sent.read().decode("utf-8-sig"))
        known = Playbook.objects.filter(name=draft.name.strip()).first()
        version = services.save_playbook(by=signed_in(request), draft=draft, playbook_id=known.pk if known else None)
    except UnicodeDecodeError:
        return _list(request, problems=[Problem(0, "file", "", "is no text in UTF-8.")])
    except PlaybookRefused as refused:
        return _list(request, problems=refused.problems)
    messages.success(request, f"{version} is saved.")
    return redirect("playbooks:edit", version.playbook_id)


@require_POST
@admin_required
def use(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Playbook, pk=pk)
    wanted = request.POST.get("use", "")
    if wanted not in Playbook.Use.values:
        return _list(request, problems=[Problem(0, "use", wanted, f"is none of {', '.join(Playbook.Use.values)}.")])
    playbook = services.set_use(by=signed_in(request), playbook_id=pk, use=wanted)
    messages.success(request, f"{playbook}: {playbook.get_use_display().lower()}.")
    return redirect("playbooks:list")


@require_POST
@admin_required
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Playbook, pk=pk)
    try:
        name = services.delete_playbook(by=signed_in(request), playbook_id=pk)
    except PlaybookRefused as refused:
        return _list(request, problems=refused.problems)
    messages.success(request, f"{name} is deleted.")
    return redirect("playbooks:list")
