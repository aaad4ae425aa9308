"""The feedback board, a theme with its tickets, and the writes to both."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import admin_required, signed_in
from accounts.models import Ticket, User, get_company
from accounts.paging import PAGE_SIZE, read_pages
from engagement.feedback import reads, services
from engagement.feedback.changes import read_changes
from engagement.feedback.files import theme_lines, ticket_lines
from engagement.feedback.forms import HandlingForm, RuleForm
from engagement.feedback.matching import SPAN_LABELS, read_span, since_of, tickets_of
from engagement.feedback.services import StaleTheme
from engagement.feedback.sums import find_scope
from engagement.models import FeedbackTheme

STALE, INVALID = 409, 422
# Who answers what the support desk calls so.
ROUTES = {
    Ticket.Category.DOCUMENTATION: FeedbackTheme.Route.DOCUMENTATION,
    Ticket.Category.TRAINING: FeedbackTheme.Route.ONBOARDING,
    Ticket.Category.INSTALLATION: FeedbackTheme.Route.ONBOARDING,
}


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    return _show_board(request)


def _show_board(request: HttpRequest, *, moved: int = 0, status: int = 200) -> HttpResponse:
    """The page, or its columns alone where they were asked for."""
    user, company = signed_in(request), get_company()
    span, as_of = read_span(request.GET.get("span")), company.today()
    columns = reads.read_board(user, span=span, as_of=as_of, reporting_currency=company.reporting_currency)
    context = {
        "columns": columns,
        "card_count": sum(len(column.cards) for column in columns),
        "currency": company.reporting_currency,
        "as_of": as_of,
        "span": span,
        "spans": SPAN_LABELS,
        "moved": moved,
    }
    name = "columns" if request.headers.get("HX-Request") else "board"
    return render(request, f"feedback/{name}.html", context, status=status)


@require_GET
def unsorted(request: HttpRequest) -> HttpResponse:
    """What is in no theme, and what could be one: asked for after the board, for it reads every ticket of the span."""
    user, as_of, span = signed_in(request), get_company().today(), read_span(request.GET.get("span"))
    found = reads.read_unsorted(list(FeedbackTheme.objects.all()), user, span=span, as_of=as_of)
    return render(request, "feedback/unsorted.html", {"found": found, "span": span})


@require_GET
def board_file(request: HttpRequest) -> StreamingHttpResponse:
    user, company = signed_in(request), get_company()
    span, currency = read_span(request.GET.get("span")), company.reporting_currency
    columns = reads.read_board(user, span=span, as_of=company.today(), reporting_currency=currency)
    return _file(theme_lines(columns, currency), "feedback-themes.csv")


@require_GET
def tickets_file(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    theme, as_of = get_object_or_404(FeedbackTheme, pk=pk), get_company().today()
    since = since_of(read_span(request.GET.get("span")), as_of)
    tickets = tickets_of(theme, signed_in(request), since=since, as_of=as_of)
    return _file(ticket_lines(tickets), f"feedback-theme-{theme.pk}-tickets.csv")


def _file(lines: Any, name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_GET
def theme(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(FeedbackTheme.objects.select_related("owner"), pk=pk)
    user = signed_in(request)
    form = _form_class(user)(instance=found) if reads.may_handle(user, found) else None
    return _show_theme(request, found, form)


def _form_class(user: User) -> type[HandlingForm]:
    return RuleForm if user.is_admin else HandlingForm


def _show_theme(
    request: HttpRequest, theme: FeedbackTheme, form: HandlingForm | None, status: int = 200
) -> HttpResponse:
    user, company = signed_in(request), get_company()
    span, as_of = read_span(request.GET.get("span")), company.today()
    pages = read_pages(request)
    tickets = tickets_of(theme, user, since=since_of(span, as_of), as_of=as_of).select_related("account")
    rows = list(tickets.order_by("-opened_on", "-pk")[pages.rows])
    currency = company.reporting_currency
    labels = dict(Ticket.Category.choices)
    scope = find_scope(user, as_of=as_of)
    stakes = reads.read_stakes([theme], user, span=span, as_of=as_of, reporting_currency=currency, scope=scope)
    context = {
        "theme": theme,
        "form": form,
        "stake": stakes[theme.pk],
        "effect": reads.read_effects([theme], user, as_of=as_of, scope=scope).get(theme.pk),
        "months": reads.read_months(theme, user, as_of=as_of),
        "accounts": reads.read_accounts(theme, user, span=span, as_of=as_of),
        "changes": read_changes(theme),
        "most_accounts": reads.SHOWN_ACCOUNTS,
        "categories": [str(labels[one]) for one in theme.categories],
        "tickets": rows[:PAGE_SIZE],
        "pages": pages.of(len(rows)),
        "span": span,
        "spans": SPAN_LABELS,
        "currency": currency,
        "as_of": as_of,
    }
    return render(request, "feedback/theme.html", context, status=status)


@require_http_methods(["GET", "POST"])
@admin_required
def create(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return render(request, "feedback/new.html", {"form": RuleForm(initial=_suggested(request))})
    form = RuleForm(request.POST)
    if form.is_valid():
        try:
            made = services.create_theme(by=signed_in(request), values=form.cleaned_data, today=get_company().today())
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, f"“{made}” is on the board.")
            return redirect("feedback:theme", made.pk)
    return render(request, "feedback/new.html", {"form": form}, status=INVALID)


def _suggested(request: HttpRequest) -> dict[str, Any]:
    """What a suggestion's link names."""
    word, category = request.GET.get("word", "")[:60], request.GET.get("category", "")
    labels = dict(Ticket.Category.choices)
    if category not in labels:
        return {"name": word.capitalize(), "words": [word]} if word else {}
    route = ROUTES.get(Ticket.Category(category), FeedbackTheme.Route.ENGINEERING)
    return {"name": labels[category], "categories": [category], "route": route}


@require_POST
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    found = get_object_or_404(FeedbackTheme.objects.select_related("owner"), pk=pk)
    if not reads.may_handle(user, found):
        raise PermissionDenied("A theme is handled by its owner, by managers and admins.")
    form = _form_class(user)(request.POST, instance=found)
    if not form.is_valid():
        return _show_theme(request, found, form, INVALID)
    try:
        services.edit_theme(
            by=user, theme_id=pk, seen_edit_count=_seen(request), values=form.cleaned_data, today=get_company().today()
        )
    except StaleTheme as stale:
        form.add_error(None, str(stale))
        return _show_theme(request, stale.theme, form, STALE)
    except ValidationError as refused:
        form.add_error(None, refused)
        return _show_theme(request, found, form, INVALID)
    messages.success(request, f"“{form.cleaned_data.get('name', found.name)}” is saved.")
    return redirect("feedback:theme", pk)


def _seen(request: HttpRequest) -> int:
    text = request.POST.get("seen", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    found, status = get_object_or_404(FeedbackTheme, pk=pk), request.POST.get("status", "")
    today: dt.date = get_company().today()
    try:
        moved = services.move_theme(
            by=signed_in(request), theme_id=pk, seen_edit_count=_seen(request), status=status, today=today
        )
    except StaleTheme as stale:
        return _answer(request, pk, str(stale), status=STALE)
    except ValidationError as refused:
        return _answer(request, pk, " ".join(refused.messages), status=INVALID)
    return _answer(request, pk, f"“{found}” is now {moved.get_status_display().lower()}.")


def _answer(request: HttpRequest, pk: int, text: str, *, status: int = 200) -> HttpResponse:
    """The columns anew with the focus on what was moved; without htmx, the page with a word on it."""
    if not request.headers.get("HX-Request"):
        (messages.success if status == 200 else messages.error)(request, text)
        if status == 200:
            return redirect(reverse("feedback:board"))
    response = _show_board(request, moved=pk, status=status)
    if request.headers.get("HX-Request"):
        told = {"text": text} if status == 200 else {"text": text, "level": "error"}
        response.headers["HX-Trigger"] = json.dumps({"toast": told})
    return response


@require_POST
@admin_required
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(FeedbackTheme, pk=pk)
    try:
        services.delete_theme(by=signed_in(request), theme_id=pk, seen_edit_count=_seen(request))
    except StaleTheme as stale:
        return _show_theme(request, stale.theme, RuleForm(instance=stale.theme), STALE)
    messages.success(request, f"“{found}” is deleted. Its tickets are as they were.")
    return redirect("feedback:board")
