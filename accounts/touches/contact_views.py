"""The people of a customer over HTTP: a page to add one and one to change one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import get_editable_account, signed_in
from accounts.models import Account, Contact, get_company
from accounts.touches import people
from accounts.touches.forms import ContactForm
from accounts.touches.people import ContactRefused

INVALID = 422


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, account_id: int) -> HttpResponse:
    account = get_editable_account(signed_in(request), account_id)
    return _edit(request, Contact(account=account))


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    contact = _visible_contact(request, pk)
    get_editable_account(signed_in(request), contact.account_id)
    return _edit(request, contact)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    contact = _visible_contact(request, pk)
    people.delete_contact(contact=contact, user=signed_in(request), today=get_company().today())
    messages.success(request, f"{contact.name} is deleted.")
    return redirect(_home(contact.account))


def _edit(request: HttpRequest, contact: Contact) -> HttpResponse:
    user, today, account = signed_in(request), get_company().today(), contact.account
    # The form writes into the instance that it is given; the service gets one that nothing has touched.
    shown = Contact.objects.get(pk=contact.pk) if contact.pk else Contact(account=account)
    form = ContactForm(request.POST or None, instance=shown)
    if form.is_valid():
        try:
            _save(contact, user=user, values=form.cleaned_data, today=today)
        except ContactRefused as refused:
            form.add_error(refused.field, str(refused))
        else:
            messages.success(request, f"{form.cleaned_data['name']} is saved.")
            return redirect(_home(account))
    context = {"form": form, "contact": contact, "account": account, "cancel_url": _home(account)}
    return render(request, "touches/contact.html", context, status=INVALID if form.is_bound else 200)


def _save(contact: Contact, **values: Any) -> None:
    if contact.pk:
        people.edit_contact(contact=contact, **values)
    else:
        people.add_contact(account_id=contact.account_id, **values)


def _visible_contact(request: HttpRequest, pk: int) -> Contact:
    visible = Account.objects.visible_to(signed_in(request))
    return get_object_or_404(Contact.objects.filter(account__in=visible).select_related("account"), pk=pk)


def _home(account: Account) -> str:
    return f"{reverse('account_page:page', args=[account.pk])}#people"
