"""Timing policies: the list, a new version with its preview, deleting what is not in force yet."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal

from django.contrib import messages
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.db.models import Case, IntegerField, Prefetch, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.access import admin_required, signed_in
from accounts.forms import posted
from accounts.models import Account, Company, get_company
from renewals.models import TimingClass, TimingPolicy, TimingPolicyVersion
from renewals.rules import services
from renewals.rules.forms import PolicyForm, VersionForm
from renewals.rules.views.answers import render_form, saved
from renewals.scoring import ProposedTolerances, TimingMove, scoring

PAGE_SIZE = 50
MATCHES = 12
TOLERANCES = ("early_days", "grace_days", "late_days", "day_kind")
# How good a class is for the company: a move between equals is neither better nor worse.
STANDING = {
    TimingClass.UPCOMING: 3,
    TimingClass.IN_WINDOW: 3,
    TimingClass.EARLY: 3,
    TimingClass.ON_TIME: 3,
    TimingClass.OVERDUE: 2,
    TimingClass.LATE: 2,
    TimingClass.LAPSED: 1,
    TimingClass.WIN_BACK: 1,
    TimingClass.LOST: 0,
}


@dataclass(frozen=True)
class PolicyRow:
    """A policy as it is listed: which of its versions is in force, and which wait for their day."""

    policy: TimingPolicy
    scope: str
    current: TimingPolicyVersion | None
    upcoming: list[TimingPolicyVersion]
    earlier: list[TimingPolicyVersion]


@dataclass(frozen=True)
class Move:
    before: str  # codes, as the state tag takes them
    after: str
    way: str  # better, worse or neither
    count: int
    baseline: Decimal


@require_safe
@admin_required
def timing(request: HttpRequest) -> HttpResponse:
    today = get_company().today()
    page = Paginator(_policies(), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [_row(policy, today) for policy in page.object_list]
    return render(request, "rules/timing.html", {"rows": rows, "page": page, "today": today})


@admin_required
def new_policy(request: HttpRequest) -> HttpResponse:
    today = get_company().today()
    policy_form = PolicyForm(posted(request))
    policy = policy_form.instance
    form = VersionForm(posted(request), policy=policy, initial=_initial(None, today))
    is_valid = all([policy_form.is_valid(), form.is_valid()])
    context = {
        "policy_form": policy_form,
        "chosen_account": _chosen_account(policy_form),
        "today": today,
        **_found_accounts(request.POST.get("q", "")),
    }
    return _answer(request, policy, form, is_valid=is_valid, context=context)


@admin_required
def new_version(request: HttpRequest, pk: int) -> HttpResponse:
    today = get_company().today()
    policies = TimingPolicy.objects.select_related("account", "segment", "industry").prefetch_related("versions")
    policy = get_object_or_404(policies, pk=pk)
    row = _row(policy, today)
    form = VersionForm(posted(request), policy=policy, initial=_initial(row.current, today))
    is_valid = form.is_valid()
    return _answer(request, policy, form, is_valid=is_valid, context={"row": row, "today": today})


@require_POST
@admin_required
def delete_version(request: HttpRequest, pk: int) -> HttpResponse:
    version = get_object_or_404(TimingPolicyVersion.objects.select_related("policy"), pk=pk)
    text = f"{version.policy}: the version from {version.effective_from:%d %b %Y} is deleted."
    try:
        run_id = services.delete_timing_version(by=signed_in(request), version_id=pk, today=get_company().today())
    except services.VersionInForce as refusal:
        messages.error(request, str(refusal))
        return redirect("rules:timing")
    return saved(request, text, reverse("rules:timing"), run_id)


@require_safe
@admin_required
def find_accounts(request: HttpRequest) -> HttpResponse:
    """Accounts to choose from while the name is typed."""
    return render(request, "rules/_accounts.html", _found_accounts(request.GET.get("q", "")))


def _answer(
    request: HttpRequest, policy: TimingPolicy, form: VersionForm, *, is_valid: bool, context: dict[str, object]
) -> HttpResponse:
    """First the form, then what it would change, and only then the save."""
    context |= {"form": form, "policy": policy}
    if not is_valid:
        return render_form(request, "rules/version.html", context, is_invalid=form.is_bound)
    if "confirm" not in request.POST:
        company = get_company()
        moves = scoring().preview_timing(_proposed(policy, form.instance), as_of=company.today())
        return render(request, "rules/version_preview.html", context | _preview(moves, company, form))
    try:
        run_id = services.add_timing_version(by=signed_in(request), policy=policy, version=form.instance)
    except IntegrityError:  # somebody else was quicker; the forms looked before
        form.add_error(None, "Somebody saved a version of this policy from the same day just now; look at it first.")
        return render_form(request, "rules/version.html", context, is_invalid=True)
    text = f"{policy}: new tolerances for renewals due from {form.instance.effective_from:%d %b %Y}."
    return saved(request, text, reverse("rules:timing"), run_id)


def _policies() -> QuerySet[TimingPolicy]:
    """From the most general to the most specific, which is the reverse of the order in which they are looked up."""
    specificity = Case(
        When(account__isnull=False, then=Value(4)),
        When(segment__isnull=False, industry__isnull=False, then=Value(3)),
        When(industry__isnull=False, then=Value(2)),
        When(segment__isnull=False, then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )
    versions = TimingPolicyVersion.objects.select_related("created_by")
    return (
        TimingPolicy.objects.select_related("account", "segment", "industry")
        .prefetch_related(Prefetch("versions", versions))
        .annotate(specificity=specificity)
        .order_by("specificity", "segment__position", "industry__name", "account__name", "pk")
    )


def _row(policy: TimingPolicy, today: dt.date) -> PolicyRow:
    versions = list(policy.versions.all())  # newest first
    in_force = [version for version in versions if version.effective_from <= today]
    return PolicyRow(
        policy=policy,
        scope=_scope(policy),
        current=in_force[0] if in_force else None,
        upcoming=[version for version in versions if version.effective_from > today],
        earlier=in_force[1:],
    )


def _scope(policy: TimingPolicy) -> str:
    if policy.account_id:
        return "Account"
    if policy.segment_id and policy.industry_id:
        return "Segment and industry"
    if policy.industry_id:
        return "Industry"
    return "Segment" if policy.segment_id else "Default"


def _initial(current: TimingPolicyVersion | None, today: dt.date) -> dict[str, object]:
    """What is in force now, of the policy or of everybody: people change one number, not four."""
    in_force = current or (
        TimingPolicyVersion.objects.filter(
            policy__account=None, policy__segment=None, policy__industry=None, effective_from__lte=today
        ).first()
    )
    tolerances = {name: getattr(in_force, name) for name in TOLERANCES} if in_force else {}
    return {**tolerances, "effective_from": today}


def _proposed(policy: TimingPolicy, version: TimingPolicyVersion) -> ProposedTolerances:
    return ProposedTolerances(
        account_id=policy.account_id,
        segment_id=policy.segment_id,
        industry_id=policy.industry_id,
        effective_from=version.effective_from,
        early_days=version.early_days,
        grace_days=version.grace_days,
        late_days=version.late_days,
        is_business=version.day_kind == TimingPolicyVersion.DayKind.BUSINESS,
    )


def _preview(moves: list[TimingMove], company: Company, form: VersionForm) -> dict[str, object]:
    rows = sorted((_move(move) for move in moves if move.before != move.after), key=lambda row: -row.count)
    return {
        "moves": rows,
        "counts": {way: sum(row.count for row in rows if row.way == way) for way in ("better", "worse", "neither")},
        "total": sum(row.count for row in rows),
        "baseline": sum((row.baseline for row in rows), Decimal(0)),
        "currency": company.reporting_currency,
        "version": form.instance,
    }


def _move(move: TimingMove) -> Move:
    before, after = TimingClass(move.before), TimingClass(move.after)
    difference = STANDING[after] - STANDING[before]
    return Move(
        before=before.name.lower(),
        after=after.name.lower(),
        way="better" if difference > 0 else "worse" if difference < 0 else "neither",
        count=move.count,
        baseline=Decimal(move.baseline_cents) / 100,
    )


def _chosen_account(form: PolicyForm) -> Account | None:
    """Named again beside the search, even when another field is wrong."""
    value = str(form["account"].value() or "")
    return Account.objects.filter(pk=value).first() if re.fullmatch(r"[0-9]{1,18}", value) else None


def _found_accounts(text: str) -> dict[str, object]:
    """The first accounts whose words begin with these, or the one with this external id."""
    words = re.findall(r"\w+", text)[:8]
    if not words:
        return {"q": text, "accounts": [], "is_cut": False}
    wanted = SearchQuery(" & ".join(f"'{word}':*" for word in words), search_type="raw", config="simple")
    vector = SearchVector("name", "external_id", config="simple")
    by_words = Account.objects.annotate(words=vector).filter(words=wanted).order_by("name", "pk")
    # An id such as X-77 is cut into words of its own by the parser of the index: it is also looked up whole.
    by_id = Account.objects.filter(external_id__in={text.strip(), text.strip().upper()})
    accounts = list({account.pk: account for account in (*by_id, *by_words[: MATCHES + 1])}.values())
    return {"q": text, "accounts": accounts[:MATCHES], "is_cut": len(accounts) > MATCHES}
