"""Saved views over HTTP: kept, saved, renamed, deleted; the menu that lays the table out; what groups are worth."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import signed_in
from accounts.forms import posted
from accounts.models import Company, User, get_company
from renewals.models import Renewal, SavedView
from renewals.models.views import ADDRESS_LENGTH
from renewals.saved_views import services
from renewals.saved_views.address import canonical_address, read_address
from renewals.saved_views.bar import build_bar, views_of
from renewals.saved_views.display import build_display
from renewals.saved_views.forms import ViewForm, readers_of
from renewals.table.filter_kinds import Reader
from renewals.table.filters import read_query
from renewals.totals import groups as totalling

TOO_LONG = f"This address is longer than the {ADDRESS_LENGTH:,} characters that a view keeps. Take filters away first."


def _reader(user: User, company: Company) -> Reader:
    return Reader(user, company.today(), company.fiscal_year_start_month)


def _get_view(user: User, pk: int) -> SavedView:
    return get_object_or_404(SavedView.objects.visible_to(user).select_related("team", "owner"), pk=pk)


def _get_own_to_change(user: User, pk: int) -> SavedView:
    view = _get_view(user, pk)
    if not services.may_change(user, view):
        raise PermissionDenied("This view is not yours to change. Save it as a new one of your own.")
    return view


@require_GET
def list_views(request: HttpRequest) -> HttpResponse:
    """Every view that this person can open."""
    user = signed_in(request)
    views = SavedView.objects.visible_to(user).select_related("team", "owner").order_by("visibility", "name", "pk")
    rows = [(view, services.may_change(user, view)) for view in views]
    return render(request, "saved_views/list.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Save as: a name for what the table shows at the address that comes with it."""
    user = signed_in(request)
    query = read_address(request.POST.get("address") or request.GET.urlencode(), _reader(user, get_company()))
    address = canonical_address(query)
    form = ViewForm(posted(request), user=user, initial={"readers": "private"})
    if form.is_valid():
        if len(address) > ADDRESS_LENGTH:
            form.add_error(None, TOO_LONG)
        else:
            try:
                view = services.keep_view(
                    by=user,
                    name=form.cleaned_data["name"],
                    visibility=form.visibility,
                    team=form.team,
                    is_default=form.cleaned_data["is_default"],
                    address=address,
                )
            except services.ViewRefused as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, f"View “{view}” is saved.")
                return _go(request, view.get_absolute_url())
    context = {"form": form, "address": address, "action": reverse("saved_views:new"), "title": "Save as a new view"}
    return _show_form(request, context, form)


@require_POST
def save(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the view open what the table shows now. The answer is the bar; or, as 409, what somebody else made of it."""
    user, company = signed_in(request), get_company()
    view = _get_own_to_change(user, pk)
    query = read_address(request.POST.get("address", ""), _reader(user, company))
    address = canonical_address(query)
    if len(address) > ADDRESS_LENGTH:
        return _told(request, TOO_LONG, status=422)
    try:
        view = services.save_address(by=user, view_id=view.pk, address=address, seen=request.POST.get("seen", ""))
    except services.StaleView as stale:
        return _show_conflict(request, stale, address)
    except SavedView.DoesNotExist:
        return _told(request, f"“{view.name}” was deleted meanwhile. Save this as a new view.", status=409)
    text = f"View “{view}” is saved."
    if not _is_htmx(request):
        messages.success(request, text)
        return redirect(view.get_absolute_url())
    query.layout.view = query.params["view"] = str(view.pk)
    response = render(request, "saved_views/_bar.html", {"bar": build_bar(query, views_of(user), user)})
    response.headers["HX-Trigger"] = json.dumps({"toast": {"text": text}})
    return response


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Name, readers and whether it is their default."""
    user = signed_in(request)
    view = _get_own_to_change(user, pk)
    initial = {"name": view.name, "readers": readers_of(view), "is_default": view.is_default}
    form = ViewForm(posted(request), user=user, view=view, initial=initial)
    status = 422
    if form.is_valid():
        try:
            services.change_view(
                by=user,
                view_id=view.pk,
                name=form.cleaned_data["name"],
                visibility=form.visibility,
                team=form.team,
                is_default=form.cleaned_data["is_default"],
                seen_at=_moment(request.POST.get("seen", "")),
            )
        except (services.StaleView, services.ViewRefused) as refused:
            status = 409
            form.add_error(None, f"{refused} Open this form again to see it as it is now.")
        else:
            messages.success(request, f"View “{form.cleaned_data['name']}” is saved.")
            return _go(request, reverse("saved_views:list"), is_same_page=True)
    context = {
        "form": form,
        "view": view,
        "seen": request.POST.get("seen") or view.updated_at.isoformat(),
        "action": reverse("saved_views:edit", args=[pk]),
        "title": view.name,
    }
    return _show_form(request, context, form, status=status)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    view = _get_own_to_change(user, pk)
    try:
        name = services.delete_view(by=user, view_id=view.pk)
    except SavedView.DoesNotExist:
        name = view.name  # somebody was faster
    messages.success(request, f"View “{name}” is deleted.")
    return redirect("saved_views:list")


@require_GET
def display(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    query = read_query(request.GET, _reader(user, get_company()))
    return render(request, "saved_views/_display.html", {"display": build_display(query)})


@require_GET
def subtotals(request: HttpRequest) -> HttpResponse:
    """What each group is worth, asked for after the page has come; a script puts it into the groups' heads."""
    user, company = signed_in(request), get_company()
    query = read_query(request.GET, _reader(user, company))
    if query.layout.group is None:
        return HttpResponse(status=204)
    rows, currency = query.apply(Renewal.objects.visible_to(user)), company.reporting_currency
    found = totalling.read_subtotals(rows, query.layout.group, as_of=company.today(), reporting_currency=currency)
    return render(request, "saved_views/_subtotals.html", {"subtotals": totalling.describe(found, currency)})


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _go(request: HttpRequest, url: str, *, is_same_page: bool = False) -> HttpResponse:
    """To an address; a dialog sends the whole window there, or, where its page is as good, shows that one anew."""
    if not _is_htmx(request):
        return redirect(url)
    return HttpResponse(status=204, headers={"HX-Refresh": "true"} if is_same_page else {"HX-Redirect": url})


def _show_form(request: HttpRequest, context: dict[str, Any], form: ViewForm, *, status: int = 422) -> HttpResponse:
    template = "saved_views/_form.html" if _is_htmx(request) else "saved_views/form.html"
    return render(request, template, context, status=status if form.is_bound and form.errors else 200)


def _show_conflict(request: HttpRequest, stale: services.StaleView, address: str) -> HttpResponse:
    context = {"stale": stale, "view": stale.view, "address": address}
    if not _is_htmx(request):
        return render(request, "saved_views/conflict.html", context, status=409)
    return _in_dialog(render(request, "saved_views/_conflict.html", context, status=409))


def _told(request: HttpRequest, text: str, *, status: int) -> HttpResponse:
    template = "saved_views/_refused.html" if _is_htmx(request) else "saved_views/refused.html"
    response = render(request, template, {"text": text}, status=status)
    return _in_dialog(response) if _is_htmx(request) else response


def _in_dialog(response: HttpResponse) -> HttpResponse:
    response.headers["HX-Retarget"] = "#shell-dialog"
    response.headers["HX-Reswap"] = "innerHTML"
    return response
