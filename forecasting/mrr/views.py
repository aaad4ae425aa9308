"""Monthly recurring revenue: the page, the rows behind each of its figures, and the table as a file."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db.models import Case, F, Sum, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from accounts.access import signed_in
from accounts.models import User, get_company
from accounts.templatetags.money import currency_sign
from forecasting.kept import audience_of, kept
from forecasting.models import MrrMovement, MrrRollUp
from forecasting.mrr.address import BACKS, CLOSING, OPEN, read_back, read_rows
from forecasting.mrr.files import as_csv, as_xlsx, table_of
from forecasting.mrr.ledger import LOSSES, Ledger, read_ledger, rows_of
from forecasting.mrr.page import HEADS, build_charts, build_rows, build_totals, error_text
from forecasting.scopes.scope import Scope, get_scope, read_pills
from renewals.models import Renewal

ROWS_PER_PAGE = 50
FORMATS = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


def _scope(request: HttpRequest, page: str, *, is_sliced: bool = False) -> Scope:
    """`is_sliced`: of a region or an industry too, which movements know."""
    unread = ("by", "currency", "booking")
    given = {name: str(value) for name, value in request.GET.items() if name not in unread}
    return get_scope(signed_in(request), given, page=page, own=("back",), is_sliced=is_sliced)


@require_GET
def mrr(request: HttpRequest) -> HttpResponse:
    user, company = signed_in(request), get_company()
    scope, back = _scope(request, "forecasting:mrr"), read_back(request.GET)
    currency = company.reporting_currency
    roll_up = MrrRollUp.objects.first()
    context: dict[str, Any] = {
        "scope": scope,
        "currency": currency,
        "currency_sign": currency_sign(currency),
        "backs": [(months, scope.url(back=str(months) if months != BACKS[0] else None)) for months in BACKS],
        "back": back,
        "roll_up": roll_up,
    }
    if roll_up is not None:

        @cache
        def read() -> Ledger:
            return read_ledger(user, scope, roll_up, back=back)

        choices = tuple(sorted(scope.query.items()))
        # Lines know their owner, and not the team: whoever joins it brings theirs along.
        members = tuple(scope.team.members.order_by("pk").values_list("pk", flat=True)) if scope.team else ()
        version = (roll_up.run_id, roll_up.rolled_up_at, roll_up.as_of_on)
        key = (scope.page, audience_of(user), choices, members, currency, version)
        context["filters"] = kept(("filters", *key), lambda: _filters(user, scope))
        context["totals"] = kept(("totals", *key), lambda: _totals(scope, currency, read()))
        context["cards"] = kept(("cards", *key), lambda: _cards(scope, currency, read()))
    return render(request, "forecasting/mrr/page.html", context)


def _filters(user: User, scope: Scope) -> SafeString:
    return render_to_string("forecasting/_filters.html", {"pills": read_pills(user, scope)})


def _totals(scope: Scope, currency: str, ledger: Ledger) -> SafeString:
    return render_to_string("components/strip.html", {"totals": build_totals(scope, currency, ledger)})


def _cards(scope: Scope, currency: str, ledger: Ledger) -> SafeString:
    context = {
        "scope": scope,
        "currency": currency,
        "currency_sign": currency_sign(currency),
        "ledger": ledger,
        "charts": build_charts(scope, currency, ledger),
        "heads": HEADS,
        "rows": build_rows(scope, ledger),
        "error_text": error_text(ledger.errors),
    }
    return render_to_string("forecasting/mrr/_cards.html", context)


@require_GET
def mrr_rows(request: HttpRequest) -> HttpResponse:
    """The movements behind a figure, largest first, and their sum, which is the figure."""
    user, company = signed_in(request), get_company()
    scope, asked = _scope(request, "forecasting:mrr", is_sliced=True), read_rows(request.GET)
    rows = asked.of(rows_of(MrrMovement, user, scope))
    figure = F("open_amount") if asked.kind == OPEN else F("amount")
    signed = Case(When(kind__in=LOSSES, then=-F("amount")), default=F("amount")) if asked.kind == CLOSING else figure
    sums = rows.order_by().aggregate(total=Sum(signed, default=0), cross_sell=Sum("cross_sell_amount", default=0))
    level = rows.order_by().values("account").annotate(level=Sum(signed)).filter(level__gt=0)
    number = _page(request.GET.get("page", "1"))
    first = (number - 1) * ROWS_PER_PAGE
    found = list(rows.select_related("account", "contract", "renewal__offer")[first : first + ROWS_PER_PAGE + 1])
    renewals = [row.renewal_id for row in found if row.renewal_id]
    return render(
        request,
        "forecasting/mrr/rows.html",
        {
            "asked": asked,
            "scope": scope,
            "roll_up": MrrRollUp.objects.first(),
            "currency": company.reporting_currency,
            "rows": found[:ROWS_PER_PAGE],
            "seen": set(Renewal.objects.visible_to(user).filter(pk__in=renewals).values_list("pk", flat=True)),
            "title": asked.title,
            "customer_count": level.count() if asked.kind == CLOSING and (asked.came or asked.is_before) else None,
            "losses": LOSSES if asked.kind == CLOSING else (),
            "page": number,
            "has_more": len(found) > ROWS_PER_PAGE,
            **sums,
        },
    )


def _page(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 7 and int(text)):
        raise Http404(f"There is no page {text!r}.")
    return int(text)


@require_GET
def mrr_file(request: HttpRequest, suffix: str) -> HttpResponse:
    user, currency = signed_in(request), get_company().reporting_currency
    scope, back, roll_up = _scope(request, "forecasting:mrr"), read_back(request.GET), MrrRollUp.objects.first()
    if roll_up is None or suffix not in FORMATS:
        raise Http404("There is nothing to export yet.")
    ledger = read_ledger(user, scope, roll_up, back=back)
    write, content_type = FORMATS[suffix]
    response = HttpResponse(write(table_of(ledger, currency)), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="mrr-{ledger.roll_up.as_of_on:%Y-%m-%d}.{suffix}"'
    return response
