"""Data quality over HTTP: the worklist and its fixes, accounts and contracts, the trend. The rules: rule_views."""

from __future__ import annotations

import json
import re
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.access import signed_in
from accounts.models import get_company
from accounts.templatetags.money import compact_money
from renewals.access import get_editable_renewal, get_visible_renewal, may_edit
from renewals.forms import shown
from renewals.models import Renewal
from renewals.models.quality import DataRule
from renewals.quality.accounts import load_account_rows, visible_breaches
from renewals.quality.failures import read_failure
from renewals.quality.marks import ICONS, SEVERITIES, TONES, Severity
from renewals.quality.services import FixRefused, fix_renewal
from renewals.quality.trend import read_trend
from renewals.quality.trust import score, trust
from renewals.quality.worklist import count_by_rule, load_work_rows, read_page, read_work
from renewals.services import Change, StaleRenewal

PAGE_SIZE = 50
LABELS = ("Trust in the data", "Break a rule", "Errors", "Warnings", "Notes")


@require_GET
def worklist(request: HttpRequest) -> HttpResponse:
    """The rows; what there is of each rule comes in a second request."""
    user, company = signed_in(request), get_company()
    work = read_work(request.GET, user)
    rows, has_more = read_page(work, Renewal.objects.visible_to(user), user, as_of=company.today())
    context = {
        "work": work,
        "rows": rows,
        "as_of": company.today(),
        "total_labels": LABELS,
        "severities": [(name, TONES[severity], ICONS[severity]) for name, severity in SEVERITIES.items()],
        "asked": DataRule.Asked.choices,
        "rules": [rule for rule in work.rules.values() if rule.is_active],
        "failure": read_failure() if user.is_admin else None,
        "previous_url": work.url(page=work.page - 1) if work.page > 1 else "",
        "next_url": work.url(page=work.page + 1) if has_more else "",
    }
    return render(request, "quality/worklist.html", context)


@require_GET
def summary(request: HttpRequest) -> HttpResponse:
    """Trust, and count and value of each rule, over what the address asks for."""
    user, company = signed_in(request), get_company()
    work = read_work(request.GET, user)
    as_of, currency = company.today(), company.reporting_currency
    owned = Renewal.objects.visible_to(user).filter(work.where)
    trusted = trust(owned, as_of=as_of, reporting_currency=currency)
    active = [rule for rule in work.rules.values() if rule.is_active]
    counts = count_by_rule(owned, active, as_of=as_of, reporting_currency=currency)
    worst = dict(
        owned.filter(quality__worst_severity__gte=Severity.INFO)
        .order_by()
        .values_list("quality__worst_severity")
        .annotate(Count("pk"))
    )
    totals: list[dict[str, str]] = [
        {
            "value": score(trusted.rate),
            "qualifier": "of 100",
            "title": "Share of the baseline on renewals that break no rule that is a warning or an error",
        },
        {"value": f"{trusted.broken_count:,}", "qualifier": compact_money(trusted.broken_amount, currency)},
        *({"value": f"{worst.get(severity, 0):,}", "qualifier": "at worst"} for severity in reversed(Severity)),
    ]
    context = {
        "totals": [{"label": label} | total for label, total in zip(LABELS, totals, strict=True)],
        "counts": [(count, work.url(rule=count.rule.pk)) for count in counts if count.row_count],
        "currency": currency,
        "work": work,
        "notes": [f"{n:,} in {code}: in no amount, {code} has no rate." for code, n in trusted.without_rate.items()],
    }
    return render(request, "quality/_summary.html", context)


@require_POST
def fix(request: HttpRequest, pk: int, rule_id: int) -> HttpResponse:
    """Write what a rule suggests for a row. The answer to htmx is the row as it is then."""
    user, as_of = signed_in(request), get_company().today()
    renewal = get_editable_renewal(user, pk)
    rule = get_object_or_404(DataRule, pk=rule_id)
    try:
        change = fix_renewal(
            renewal_id=renewal.pk,
            rule=rule,
            value=request.POST.get("value", ""),
            seen=request.POST.get("seen", ""),
            user=user,
            as_of=as_of,
        )
    except FixRefused as refused:
        return _answer(request, pk, status=422, text=f"Not mended: {refused}")
    except StaleRenewal as stale:
        now = shown(stale.theirs or "nothing")
        return _answer(request, pk, status=409, text=f"Not mended: {stale.author.name} has since changed it to {now}.")
    return _answer(request, pk, status=200, text=change.text or "It was so already.", change=change)


def _answer(request: HttpRequest, pk: int, *, status: int, text: str, change: Change | None = None) -> HttpResponse:
    """The row with what it still breaks; somebody without scripts goes back to the list, which says the text."""
    if not request.headers.get("HX-Request"):
        (messages.success if change else messages.error)(request, text)
        return redirect(f"{reverse('quality:list')}?renewal={pk}")
    response = _render_row(request, pk, status=status)
    toast: dict[str, str] = {"text": text} if change else {"text": text, "level": "error"}
    told: dict[str, Any] = {"toast": toast}
    if change and change.batch_id:
        # A fix may have handed the row to somebody else: then only they can take it back.
        if may_edit(signed_in(request), change.renewal):
            toast["undoUrl"] = reverse("history:undo", args=[change.batch_id])
        told["quality:changed"] = {"id": pk}
    response.headers["HX-Trigger"] = json.dumps(told)
    return response


def _render_row(request: HttpRequest, pk: int, *, status: int = 200) -> HttpResponse:
    """One row of the worklist as it is now; blank where it is no longer the reader's to see."""
    user = signed_in(request)
    ids = list(Renewal.objects.visible_to(user).filter(pk=pk).values_list("pk", flat=True))
    rules = {rule.pk: rule for rule in DataRule.objects.all()}
    rows = load_work_rows(ids, rules, user, as_of=get_company().today())
    return render(request, "quality/_row.html", {"row": rows[0] if rows else None, "pk": pk}, status=status)


@require_GET
def row(request: HttpRequest, pk: int) -> HttpResponse:
    """What the page asks for when something else, such as an undo, changed the row."""
    get_visible_renewal(signed_in(request), pk)
    return _render_row(request, pk)


@require_GET
def accounts(request: HttpRequest) -> HttpResponse:
    user, page = signed_in(request), _page(request)
    visible = visible_breaches(user)
    counts = list(visible.order_by().values("rule", "rule__name").annotate(count=Count("pk")).order_by("rule"))
    chosen = request.GET.get("rule", "")
    breaches = visible.filter(rule_id=int(chosen)) if chosen in {str(count["rule"]) for count in counts} else visible
    first = (page - 1) * PAGE_SIZE
    found = list(
        breaches.select_related("rule", "account__owner", "contract").order_by("rule", "account", "contract")[
            first : first + PAGE_SIZE + 1
        ]
    )
    context = {
        "rows": load_account_rows(found[:PAGE_SIZE], user),
        "counts": counts,
        "chosen": chosen,
        "page": page,
        "has_more": len(found) > PAGE_SIZE,
    }
    return render(request, "quality/accounts.html", context)


@require_GET
def trend(request: HttpRequest) -> HttpResponse:
    page = _page(request)
    found = read_trend(signed_in(request), page=page, page_size=PAGE_SIZE)
    context = {
        "trend": found,
        "currency": get_company().reporting_currency,
        "page": page,
        "has_more": found.owner_count > page * PAGE_SIZE,
    }
    return render(request, "quality/trend.html", context)


def _page(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise Http404(f"There is no page “{shown(text)}”.")
    return int(text)
