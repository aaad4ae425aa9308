"""The company: its name, zone, year and reporting currency, and the dated exchange rates."""

from __future__ import annotations

from itertools import groupby

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.access import admin_required, signed_in
from accounts.exchange import read_rates
from accounts.models import Company, ExchangeRate, get_company
from accounts.seen import reconciled
from renewals.models import Renewal
from renewals.rules import services
from renewals.rules.forms import CompanyForm, RateForm
from renewals.rules.views.answers import render_form, saved


@admin_required
def company(request: HttpRequest) -> HttpResponse:
    form, is_stale = reconciled(request, lambda data: CompanyForm(data, instance=get_company()))
    if form.is_valid():
        if not form.changed_data:
            return saved(request, "Nothing was changed.", reverse("rules:company"))
        try:
            values = {name: form.cleaned_data[name] for name in form.changed_data}
            run_id = services.update_company(by=signed_in(request), values=values)
        except services.RateMissing as refusal:
            form.add_error("reporting_currency", str(refusal))
        else:
            return saved(request, "The company is saved.", reverse("rules:company"), run_id)
    return _render(request, get_company(), form, None, is_stale=is_stale)


@require_POST
@admin_required
def add_rate(request: HttpRequest) -> HttpResponse:
    owner = get_company()
    form = RateForm(request.POST, company=owner)
    if form.is_valid():
        rate = form.save(commit=False)
        run_id = services.add_rate(by=signed_in(request), rate=rate)
        amount = f"{rate.rate.normalize():f} {owner.reporting_currency}"
        text = f"{rate.currency} is {amount} from {rate.effective_on:%d %b %Y}."
        return saved(request, text, reverse("rules:company"), run_id)
    return _render(request, owner, CompanyForm(instance=owner), form)


@require_POST
@admin_required
def delete_rate(request: HttpRequest, pk: int) -> HttpResponse:
    rate = get_object_or_404(ExchangeRate, pk=pk)
    try:
        run_id = services.delete_rate(by=signed_in(request), rate_id=pk, today=get_company().today())
    except services.RateInForce as refusal:
        messages.error(request, str(refusal))
        return redirect("rules:company")
    text = f"The {rate.currency} rate from {rate.effective_on:%d %b %Y} is deleted."
    return saved(request, text, reverse("rules:company"), run_id)


def _render(
    request: HttpRequest, owner: Company, form: CompanyForm, rate_form: RateForm | None, *, is_stale: bool = False
) -> HttpResponse:
    today = owner.today()
    rates = list(ExchangeRate.objects.all())
    known = read_rates(as_of=today, reporting_currency=owner.reporting_currency)
    context = {
        "form": form,
        "rate_form": rate_form or RateForm(company=owner, initial={"effective_on": today}),
        "company": owner,
        "today": today,
        # As many decimals for all as the finest of them has: below each other they read as one column.
        "decimals": max([2, *(-int(rate.rate.normalize().as_tuple().exponent) for rate in rates)]),
        "rates": [(currency, list(own)) for currency, own in groupby(rates, key=lambda rate: rate.currency)],
        "without_rate": sorted(set(_currencies_in_use()) - set(known)),
    }
    is_invalid = form.is_bound or rate_form is not None
    return render_form(request, "rules/company.html", context, is_invalid=is_invalid, is_stale=is_stale)


def _currencies_in_use() -> QuerySet[Renewal, str]:
    return Renewal.objects.order_by().values_list("currency", flat=True).distinct()
