"""The account page, the pages of its story, and the edit of its family."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.access import get_visible_account, signed_in
from accounts.models import Account, Company, User, get_company
from accounts.touches.reading import contacts_of, read_touches
from engagement.account_page.family import FamilyLoop, may_edit_family, read_family, set_family
from engagement.account_page.measures import HEIGHT, WIDTH, read_lines
from engagement.account_page.sections import read_contracts, read_renewals, read_totals, shown_of
from engagement.account_page.sources import SOURCES
from engagement.account_page.timeline import Page, Place, Story, read_page
from engagement.health.views import section_context
from engagement.plans.reading import plans_of_account
from renewals.drawer.card import read_signals

INVALID = 422
OPTIONS_SHOWN = 12


@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    return _show(request, get_visible_account(signed_in(request), pk))


def _show(
    request: HttpRequest, account: Account, *, status: int = 200, family_text: str = "", family_error: str = ""
) -> HttpResponse:
    user, company, now = signed_in(request), get_company(), timezone.now()
    as_of = company.today(now)
    touches = read_touches(account, user, company, now=now)
    contracts, has_more_contracts = shown_of(read_contracts(account, user))
    context = {
        **touches,
        **section_context(account, user),
        "as_of": as_of,
        "totals": read_totals(
            account, user, as_of=as_of, reporting_currency=company.reporting_currency,
            next_touch_on=touches["next_touch_on"],
        ),
        "renewals": read_renewals(account, user),
        "contracts": contracts,
        "has_more_contracts": has_more_contracts,
        "contacts": contacts_of(account.pk),
        "family": read_family(account, user),
        "may_edit_family": may_edit_family(user, account),
        "family_text": family_text or _parent_name(user, account),
        "family_error": family_error,
        "signals": read_signals(account.pk, as_of=as_of),
        "lines": read_lines(account.pk),
        "plans": plans_of_account(account.pk, user, as_of=as_of),
        "line_size": (WIDTH, HEIGHT),
        **_story(request, account, user, company, now),
    }  # fmt: skip
    with timezone.override(zoneinfo.ZoneInfo(company.time_zone)):
        return render(request, "account_page/page.html", context, status=status)


def _parent_name(user: User, account: Account) -> str:
    """Of the account that it is part of, where the reader sees that one."""
    if account.family_id is None:
        return ""
    parent = Account.objects.visible_to(user).filter(pk=account.family_id).first()
    return parent.name if parent else ""


@require_GET
def story(request: HttpRequest, pk: int) -> HttpResponse:
    """One more page of the story, for the end of the list."""
    user, company, now = signed_in(request), get_company(), timezone.now()
    account = get_visible_account(user, pk)
    context = {"account": account, **_story(request, account, user, company, now)}
    with timezone.override(zoneinfo.ZoneInfo(company.time_zone)):
        return render(request, "account_page/_story.html", context)


def _story(request: HttpRequest, account: Account, user: User, company: Company, now: dt.datetime) -> dict[str, Any]:
    only = request.GET.get("only", "")
    only = only if only in {source.code for source in SOURCES} else ""
    told = Story(account, user, zoneinfo.ZoneInfo(company.time_zone))
    found: Page = read_page(told, SOURCES, now=now, start=_place(request), only=only)
    return {"story": found, "only": only, "sources": SOURCES, "is_first_page": _place(request) is None}


def _place(request: HttpRequest) -> Place | None:
    """Where the page begins; what cannot be read is the newest."""
    try:
        return Place.parse(request.GET["place"]) if "place" in request.GET else None
    except (ValueError, OverflowError):
        return None


@require_POST
def family(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    account = get_visible_account(user, pk)
    if not may_edit_family(user, account):
        raise PermissionDenied("A manager of the account's team or an admin sets its family.")
    text = request.POST.get("parent", "").replace("\x00", "").strip()
    try:
        parent = _find_account(user, text) if text else None
        set_family(account_id=pk, parent_id=parent.pk if parent else None, user=user)
    except (FamilyLoop, LookupError) as refused:
        return _show(request, account, status=INVALID, family_text=text, family_error=str(refused.args[0]))
    messages.success(request, f"{account} is part of {parent}." if parent else f"{account} stands alone.")
    return redirect(f"{reverse('account_page:page', args=[pk])}#family")


def _find_account(user: User, text: str) -> Account:
    """By its name or its id elsewhere. LookupError where that is no account, or several."""
    visible = Account.objects.visible_to(user).order_by()
    for field in ("external_id", "name"):
        found = list(visible.filter(**{field: text})[:2])
        if len(found) == 1:
            return found[0]
        if found:
            raise LookupError(f"Several accounts are called {text}: write the id of the one that is meant.")
    raise LookupError(f"No account that you see is called {text}.")


@require_GET
def options(request: HttpRequest) -> HttpResponse:
    """Names of accounts that begin with what is typed, as options of a datalist."""
    text = request.GET.get("parent", "").replace("\x00", "").strip()
    visible = Account.objects.visible_to(signed_in(request))
    found = visible.filter(name__istartswith=text).order_by("name", "pk")[:OPTIONS_SHOWN] if text else []
    return render(request, "account_page/_options.html", {"accounts": found})
