"""Coverage over HTTP: who is looked after how closely, what is suggested, and the manager who says so."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import admin_required, role_required, signed_in
from accounts.exchange import read_rates
from accounts.forms import posted
from accounts.models import Segment, get_company, people_visible_to
from accounts.paging import PAGE_SIZE, read_pages
from accounts.templatetags.money import compact_money
from engagement.coverage.allocation import HIGH
from engagement.coverage.forms import TermsForm
from engagement.coverage.reads import (
    Plan,
    fingerprint,
    load_rows,
    order_of,
    read_matrix,
    read_plan,
    read_reps,
    read_terms,
)
from engagement.coverage.services import ROLES, apply_touch_models, editable_ids, save_terms
from engagement.models import CoverageTerms
from renewals.exports.guard import guarded

EXPORTED_AT_ONCE = 2_000
INVALID, STALE = 422, 409
SHOWN = {"": "All changes", "up": "Closer", "down": "Looser", "all": "Every account"}
HEAD = (
    *("Account id", "Account", "Segment", "Owner", "Present", "Suggested"),
    *("Baseline due", "At risk", "Risk %", "Hours now", "Hours suggested", "Saved an hour", "Currency"),
)


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    return _show(request, _plan(request))


def _plan(request: HttpRequest) -> Plan:
    company = get_company()
    as_of = company.today()
    rates = read_rates(as_of=as_of, reporting_currency=company.reporting_currency)
    return read_plan(signed_in(request), as_of=as_of, rates=rates, owner_id=_owner_id(request))


def _owner_id(request: HttpRequest) -> int | None:
    text = request.GET.get("owner", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _shown(request: HttpRequest) -> str:
    show = request.GET.get("show", "")
    return show if show in SHOWN else ""


def _show(request: HttpRequest, plan: Plan, *, status: int = 200, error: str = "") -> HttpResponse:
    user, company = signed_in(request), get_company()
    pages, places = read_pages(request), order_of(plan, _shown(request))
    shown = places[pages.rows]
    rows = load_rows(plan, shown[:PAGE_SIZE])
    terms = read_terms()
    context = {
        "rows": rows,
        "editable": editable_ids(user, [row.account.pk for row in rows]),
        "pages": pages.of(shown.size),
        "row_count": int(places.size),
        "change_count": int(plan.is_change.sum()),
        "totals": _totals(plan, company.reporting_currency),
        "matrix": read_matrix(plan),
        "reps": read_reps(plan),
        "owner_id": _owner_id(request),
        "owner": people_visible_to(user).filter(pk=_owner_id(request) or 0).first(),
        "shown": SHOWN,
        "show": _shown(request),
        "terms": terms[None],
        "own_term_count": len(terms) - 1,
        "fingerprint": fingerprint(plan),
        "may_apply": user.role in ROLES,
        "currency": company.reporting_currency,
        "as_of": company.today(),
        "without_rate": plan.without_rate,
        "error": error,
    }
    return render(request, "coverage/page.html", context, status=status)


def _totals(plan: Plan, currency: str) -> list[dict[str, str]]:
    """As components/strip.html shows them."""
    present, suggested = plan.present, plan.suggested
    cover = plan.coverage
    hours = cover.hours_of(present).sum(), cover.hours_of(suggested).sum()
    saved = cover.saved_of(present).sum(), cover.saved_of(suggested).sum()
    values = (
        ("Accounts", f"{suggested.size:,}", f"{int(plan.is_change.sum()):,} would change"),
        ("Baseline due", compact_money(float(plan.rows["baseline"].sum()), currency), "within 12 months"),
        ("At risk", compact_money(float(plan.rows["stake"].sum()), currency), "baseline × chance of loss"),
        ("High touch", f"{int((suggested == HIGH).sum()):,}", f"now {int((plan.rows['present'] == HIGH).sum()):,}"),
        ("Hours a quarter", f"{hours[1]:,.0f}", f"now {hours[0]:,.0f} of {cover.rep_hours.sum():,.0f}"),
        ("Saved", compact_money(float(saved[1]), currency), f"now {compact_money(float(saved[0]), currency)}"),
    )
    return [{"label": label, "value": value, "qualifier": qualifier} for label, value, qualifier in values]


@require_POST
@role_required(*ROLES)
def apply(request: HttpRequest) -> HttpResponse:
    """The suggestions of the chosen accounts, or of all, if they still are what the page showed."""
    user, plan = signed_in(request), _plan(request)
    if request.POST.get("fingerprint") != fingerprint(plan):
        text = "The suggestions have changed since the page was read. Nothing was set; look at them again."
        return _show(request, plan, status=STALE, error=text)
    changed = plan.is_change
    changes = dict(zip(plan.rows["id"][changed].tolist(), plan.suggested[changed].tolist(), strict=True))
    if request.POST.get("scope") != "all":
        chosen = {int(text) for text in request.POST.getlist("account") if text.isascii() and text.isdigit()}
        changes = {pk: model for pk, model in changes.items() if pk in chosen}
        if not changes:
            return _show(request, plan, status=INVALID, error="Choose the accounts first.")
    batch = apply_touch_models(by=user, changes=changes)
    left = len(changes) - batch.row_count
    others = f" {left:,} of other teams stay as they are." if left else ""
    messages.success(request, f"{batch.description} set.{others} History takes it back as one step.")
    query = {name: value for name in ("owner", "show") if (value := request.GET.get(name))}
    return redirect(reverse("coverage:page") + (f"?{urlencode(query)}" if query else ""))


@require_GET
def export(request: HttpRequest) -> StreamingHttpResponse:
    plan = _plan(request)
    places = order_of(plan, _shown(request))
    currency = get_company().reporting_currency
    response = StreamingHttpResponse(_csv_lines(plan, places, currency), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="coverage.csv"'
    return response


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _csv_lines(plan: Plan, places: Any, currency: str) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(HEAD)
    for first in range(0, places.size, EXPORTED_AT_ONCE):
        for row in load_rows(plan, places[first : first + EXPORTED_AT_ONCE]):
            account = row.account
            names = (account.external_id, account.name, str(account.segment or ""), str(account.owner or ""))
            numbers = (
                f"{row.baseline_amount:.2f}",
                f"{row.stake_amount:.2f}",
                "" if row.risk_rate is None else f"{100 * row.risk_rate:.1f}",
                f"{row.present_hours:g}",
                f"{row.suggested_hours:g}",
                f"{row.gain_amount:.2f}",
                currency,
            )
            yield writer.writerow([*(guarded(name) for name in names), row.present, row.suggested, *numbers])


@require_http_methods(["GET", "POST"])
@admin_required
def terms(request: HttpRequest) -> HttpResponse:
    own = {one.segment_id for one in CoverageTerms.objects.all()} | {None}
    known = {pk: one for pk, one in read_terms().items() if pk in own}
    form = TermsForm(posted(request), segments=list(Segment.objects.all()), terms=known)
    if form.is_valid():
        save_terms(by=signed_in(request), terms=form.terms())
        messages.success(request, "What touch models cost and save is kept.")
        return redirect("coverage:page")
    return render(request, "coverage/terms.html", {"form": form}, status=INVALID if form.is_bound else 200)
