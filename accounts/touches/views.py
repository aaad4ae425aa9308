"""Touches over HTTP: logged from the drawer and the account page, edited on a page of their own."""

from __future__ import annotations

import datetime as dt
import json
import zoneinfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import get_editable_account, get_visible_account, signed_in
from accounts.models import Account, Touch, get_company
from accounts.touches import services
from accounts.touches.forms import TouchForm
from accounts.touches.reading import contacts_of, read_touches
from accounts.touches.services import TouchGone, TouchRefused, may_change_touch

INVALID = 422
SECTION = "touches"
RENEWALS_READ_AGAIN = 50


@require_POST
def log(request: HttpRequest, account_id: int) -> HttpResponse:
    user, now, company = signed_in(request), timezone.now(), get_company()
    account = get_editable_account(user, account_id)
    with timezone.override(zoneinfo.ZoneInfo(company.time_zone)):
        form = TouchForm(request.POST, contacts=contacts_of(account.pk), now=now, prefix="touch")
        if form.is_valid():
            try:
                touch = services.log_touch(account_id=account.pk, user=user, now=now, **form.cleaned_data)
            except TouchRefused as refused:
                form.add_error(refused.field, str(refused))
            else:
                undo_url = reverse("touches:delete", args=[touch.pk])
                return _answer(request, account.pk, f"{touch} is logged.", now, undo_url)
        return _show(request, account, now, form)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    user, now, company = signed_in(request), timezone.now(), get_company()
    touch = _visible_touch(request, pk)
    if not may_change_touch(user, touch):
        raise PermissionDenied("A touch is changed by its author, and by who may edit the account.")
    with timezone.override(zoneinfo.ZoneInfo(company.time_zone)):
        initial = {name: getattr(touch, name) for name in services.EDITED}
        contacts = contacts_of(touch.account_id)
        form = TouchForm(request.POST or None, contacts=contacts, now=now, initial=initial, prefix="touch")
        if form.is_valid():
            try:
                touch = services.edit_touch(touch_id=touch.pk, user=user, values=form.cleaned_data, now=now)
            except TouchRefused as refused:
                form.add_error(refused.field, str(refused))
            except TouchGone as gone:
                raise Http404 from gone
            else:
                messages.success(request, f"{touch} is saved.")
                return redirect(_home(touch.account_id))
        context = {"form": form, "touch": touch, "cancel_url": _home(touch.account_id)}
        return render(request, "touches/edit.html", context, status=INVALID if form.is_bound else 200)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    touch, now = _visible_touch(request, pk), timezone.now()
    try:
        services.delete_touch(touch_id=touch.pk, user=signed_in(request), now=now)
    except TouchGone as gone:
        raise Http404 from gone
    return _answer(request, touch.account_id, f"{touch} is deleted.", now, reverse("touches:restore", args=[touch.pk]))


@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    user, now = signed_in(request), timezone.now()
    account_id = services.account_of_deleted(pk)
    if account_id is None:
        raise Http404
    get_visible_account(user, account_id)
    try:
        touch = services.restore_touch(touch_id=pk, user=user, now=now)
    except TouchGone as gone:
        raise Http404 from gone
    return _answer(request, account_id, f"{touch} is back.", now, reverse("touches:delete", args=[pk]))


def _visible_touch(request: HttpRequest, pk: int) -> Touch:
    touches = Touch.objects.visible_to(signed_in(request)).select_related("account", "author", "contact")
    return get_object_or_404(touches, pk=pk)


def _home(account_id: int) -> str:
    return f"{reverse('account_page:page', args=[account_id])}#{SECTION}"


def _answer(request: HttpRequest, account_id: int, text: str, now: dt.datetime, undo_url: str) -> HttpResponse:
    """The section anew where it was asked for, and in any case word to the page around it."""
    if not request.headers.get("HX-Request"):
        messages.success(request, text)
        return redirect(_home(account_id))
    if request.headers.get("HX-Target") == SECTION:
        response = _show(request, get_visible_account(signed_in(request), account_id), now)
    else:
        response = HttpResponse(status=204)
    open_ids = Account.objects.filter(pk=account_id, renewals__outcome="open").values_list("renewals", flat=True)
    told = {
        "toast": {"text": text, "undoUrl": undo_url},
        "touches:changed": {"account": account_id},
        "renewals:changed": {"ids": list(open_ids[:RENEWALS_READ_AGAIN])},
    }
    response.headers["HX-Trigger"] = json.dumps(told)
    return response


def _show(request: HttpRequest, account: Account, now: dt.datetime, form: TouchForm | None = None) -> HttpResponse:
    company = get_company()
    context = read_touches(account, signed_in(request), company, now=now, form=form)
    is_partial = request.headers.get("HX-Target") == SECTION
    template = "touches/_section.html" if is_partial else "touches/log.html"
    with timezone.override(zoneinfo.ZoneInfo(company.time_zone)):
        return render(request, template, context, status=INVALID if form else 200)


@require_GET
def section(request: HttpRequest, account_id: int) -> HttpResponse:
    """The touches of an account, for a page that has to read them again."""
    return _show(request, get_visible_account(signed_in(request), account_id), timezone.now())
