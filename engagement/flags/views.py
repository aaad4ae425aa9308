"""Flags and watchlists over HTTP. A write answers an htmx request with a toast and word to the lists on the page."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from accounts.access import get_editable_account, get_visible_account, may_edit_account, signed_in
from accounts.exchange import read_rates
from accounts.models import Account, Team, User, get_company
from accounts.paging import PAGE_SIZE, Pages, read_pages
from engagement.flags import services
from engagement.flags.listing import (
    BY_HAND,
    find_flagged,
    load_rows,
    read_cleared,
    read_sums,
    show_flag,
    watches_of,
)
from engagement.flags.services import FlagRefused, may_keep_team_list
from engagement.models.flags import Flag, FlagRule, Watch

INVALID, STALE = 422, 409


@require_GET
def flag_list(request: HttpRequest) -> HttpResponse:
    """Flagged accounts, the most at stake first."""
    user, pages, asked = signed_in(request), read_pages(request), _asked(request)
    found = find_flagged(user, pages, **asked)
    context = {"tab": "flagged", "list_url": reverse("flags:list"), **asked, **_shown(user, found, pages)}
    context["rule"] = FlagRule.objects.filter(pk=int(asked["what"])).first() if asked["what"].isdigit() else None
    return _render(request, "flags/list.html", context)


@require_GET
def sums(request: HttpRequest) -> HttpResponse:
    """What is at stake over the whole list, and the rules to choose from: asked for once the rows are there."""
    asked = _asked(request)
    company, found = get_company(), read_sums(signed_in(request), **asked)
    return render(request, "flags/_sums.html", {"sums": found, "currency": company.reporting_currency, **asked})


def _asked(request: HttpRequest) -> dict[str, Any]:
    what = request.GET.get("what", "")
    is_known = what == BY_HAND or (what.isascii() and what.isdigit() and len(what) < 10)
    return {"what": what if is_known else "", "is_mine": request.GET.get("whose") == "mine"}


@require_GET
def watchlist(request: HttpRequest) -> HttpResponse:
    """One's own watched accounts, or those of the team, the newest first."""
    user, team = signed_in(request), _team_asked(request)
    pages = read_pages(request)
    watches = {watch.account_id: watch for watch in watches_of(user, team)[pages.rows]}
    context = {
        "tab": "team" if team else "mine",
        "team": team,
        "may_keep": may_keep_team_list(user, team) if team else True,
        "list_url": request.path,
        **_shown(user, list(watches), pages),
    }
    for row in context["rows"]:
        row.watch = watches[row.account.pk]
    return _render(request, "flags/watchlist.html", context)


@require_GET
def cleared(request: HttpRequest) -> HttpResponse:
    """What was cleared, by whom or by what, the newest first."""
    user, pages = signed_in(request), read_pages(request)
    found = read_cleared(user, pages)
    context = {"tab": "cleared", "cleared": found[:PAGE_SIZE], "pages": pages.of(len(found)), "as_of": _today()}
    return _render(request, "flags/cleared.html", context)


def _shown(user: User, ids: list[int], pages: Pages) -> dict[str, Any]:
    """Of a page of accounts, and one more."""
    company, today = get_company(), _today()
    rates = read_rates(as_of=today, reporting_currency=company.reporting_currency)
    return {
        "rows": load_rows(ids[:PAGE_SIZE], user, rates),
        "currency": company.reporting_currency,
        "as_of": today,
        "pages": pages.of(len(ids)),
    }


def _render(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """The page, or the list alone where it reads itself again."""
    context["is_partial"] = request.headers.get("HX-Target") == "flag-list"
    context["teams"] = _teams_of(signed_in(request))
    return render(request, template, context)


def _today() -> Any:
    return get_company().today()


def _teams_of(user: User) -> list[Team]:
    """Those whose watchlist a user reads: their own, or every one for who sees the whole book."""
    if user.sees_all:
        return list(Team.objects.all())
    return [user.team] if user.team else []


def _team_asked(request: HttpRequest) -> Team | None:
    text = request.GET.get("team", "") or request.POST.get("team", "")
    if not text:
        return None
    found = [team for team in _teams_of(signed_in(request)) if str(team.pk) == text]
    if not found:
        raise Http404
    return found[0]


@require_GET
def section(request: HttpRequest, account_id: int) -> HttpResponse:
    """Why an account is flagged, and who watches it: for its page and for the drawer."""
    return _section(request, get_visible_account(signed_in(request), account_id))


def _section(request: HttpRequest, account: Account, *, error: str = "", text: str = "") -> HttpResponse:
    user = signed_in(request)
    flags = Flag.objects.visible_to(user).open().filter(account=account).select_related("rule", "flagged_by")
    shown = [show_flag(flag) for flag in flags.order_by("flagged_at", "pk")]
    watches = Watch.objects.filter(account=account)
    context = {
        "account": account,
        "flags": shown,
        "is_flagged_by_hand": any(one.flag.rule_id is None for one in shown),
        "may_write": may_edit_account(user, account.pk),
        "is_watched": watches.filter(user=user).exists(),
        "team": user.team,
        "is_team_watching": user.team is not None and watches.filter(team=user.team).exists(),
        "may_keep": user.team is not None and may_keep_team_list(user, user.team),
        "error": error,
        "text": text,
    }
    is_partial = bool(request.headers.get("HX-Request"))
    template = "flags/_section.html" if is_partial else "flags/section.html"
    return render(request, template, context, status=INVALID if error else 200)


@require_POST
def add(request: HttpRequest, account_id: int) -> HttpResponse:
    """Flag an account by hand."""
    user = signed_in(request)
    account = get_editable_account(user, account_id)
    reason = request.POST.get("reason", "")
    try:
        services.flag_account(account_id=account.pk, user=user, reason=reason)
    except FlagRefused as refused:
        return _section(request, account, error=str(refused), text=reason)
    return _answer(request, f"{account} is flagged.")


@require_POST
def clear(request: HttpRequest, pk: int) -> HttpResponse:
    flag = _visible_flag(request, pk)
    try:
        reason = request.POST.get("reason", "")
        services.clear_flag(flag_id=flag.pk, user=signed_in(request), reason=reason, now=timezone.now())
    except FlagRefused as refused:
        return _refuse(request, str(refused))
    what = show_flag(flag).what
    return _answer(request, f"{flag.account}: “{what}” is cleared.", undo_url=reverse("flags:reopen", args=[pk]))


@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    flag = _visible_flag(request, pk)
    try:
        services.reopen_flag(flag_id=flag.pk, user=signed_in(request))
    except FlagRefused as refused:
        return _refuse(request, str(refused), status=STALE)
    return _answer(request, f"{flag.account} is flagged again.")


def _visible_flag(request: HttpRequest, pk: int) -> Flag:
    flags = Flag.objects.visible_to(signed_in(request)).select_related("account", "rule", "flagged_by")
    return get_object_or_404(flags, pk=pk)


@require_POST
def watch(request: HttpRequest, account_id: int) -> HttpResponse:
    """Onto one's own list, or onto the team's."""
    user = signed_in(request)
    account, team = get_visible_account(user, account_id), _team_asked(request)
    services.watch_account(account_id=account.pk, user=user, team=team, reason=request.POST.get("reason", ""))
    return _answer(request, f"{account} is on {f'the watchlist of {team}' if team else 'your watchlist'}.")


@require_POST
def unwatch(request: HttpRequest, account_id: int) -> HttpResponse:
    user = signed_in(request)
    account, team = get_visible_account(user, account_id), _team_asked(request)
    services.unwatch_account(account_id=account.pk, user=user, team=team)
    return _answer(request, f"{account} is off {f'the watchlist of {team}' if team else 'your watchlist'}.")


def _back(request: HttpRequest) -> str:
    asked = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()})
    return urlsplit(asked)._replace(scheme="", netloc="").geturl() if asked and is_ours else reverse("flags:list")


def _answer(request: HttpRequest, text: str, *, undo_url: str = "") -> HttpResponse:
    if not request.headers.get("HX-Request"):
        messages.success(request, text)
        return redirect(_back(request))
    toast = {"text": text, "undoUrl": undo_url} if undo_url else {"text": text}
    return HttpResponse(status=204, headers={"HX-Trigger": json.dumps({"toast": toast, "flags:changed": {}})})


def _refuse(request: HttpRequest, text: str, *, status: int = INVALID) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        messages.error(request, text)
        return redirect(_back(request))
    told = {"toast": {"text": text, "level": "error"}}
    return HttpResponse(status=status, headers={"HX-Trigger": json.dumps(told), "HX-Reswap": "none"})
