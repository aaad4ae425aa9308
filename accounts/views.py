"""People and teams: admins only."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import services
from accounts.access import admin_required, signed_in
from accounts.forms import DeactivateForm, TeamForm, UserForm, posted
from accounts.models import Team, User
from accounts.seen import reconciled

PAGE_SIZE = 50
INVALID = 422
CONFLICT = 409


@require_safe
@admin_required
def users(request: HttpRequest) -> HttpResponse:
    text, status = request.GET.get("q", "").strip(), request.GET.get("status", "active")
    found = User.objects.select_related("team")
    if status != "all":
        found = found.filter(is_active=status != "inactive")
    if text:
        found = found.filter(Q(name__icontains=text) | Q(email__icontains=text) | Q(team__name__icontains=text))
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    open_counts = dict(
        User.objects.filter(pk__in=[user.pk for user in page.object_list])
        .order_by()
        .annotate(open_count=Count("owned_renewals", filter=Q(owned_renewals__outcome="open")))
        .values_list("pk", "open_count")
    )
    rows = [{"user": user, "open_count": open_counts[user.pk]} for user in page.object_list]
    context = {"rows": rows, "page": page, "q": text, "status": status, "tab": "users"}
    return render(request, "people/users.html", context)


@never_cache
@admin_required
def new_user(request: HttpRequest) -> HttpResponse:
    form = UserForm(posted(request), initial={"role": User.Role.REP})
    if form.is_valid():
        fields = {name: form.cleaned_data[name] for name in form.Meta.fields}
        user, password = services.create_user(by=signed_in(request), **fields)
        return _show_password(request, user, password, is_new=True)
    return _render_form(request, "people/user.html", {"form": form, "tab": "users"}, is_invalid=form.is_bound)


@admin_required
def edit_user(request: HttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    form, is_stale = reconciled(request, lambda data: UserForm(data, instance=person))
    if form.is_valid():
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        try:
            services.update_user(by=signed_in(request), user_id=pk, values=values)
        except (services.LastAdmin, services.OwnAccount) as refusal:
            form.add_error("role", str(refusal))
        else:
            messages.success(request, f"{form.cleaned_data['name']} is saved.")
            return redirect("people:users")
    context = {"form": form, "person": User.objects.get(pk=pk), "tab": "users", "is_self": pk == signed_in(request).pk}
    return _render_form(request, "people/user.html", context, is_invalid=form.is_bound, is_stale=is_stale)


@never_cache
@require_POST
@admin_required
def reset_password(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(User, pk=pk)
    user, password = services.reset_password(by=signed_in(request), user_id=pk)
    return _show_password(request, user, password, is_new=False)


@admin_required
def deactivate_user(request: HttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk, is_active=True)
    heirs = _possible_owners().exclude(pk=pk)
    form = DeactivateForm(posted(request), heirs=heirs)
    if form.is_valid():
        heir = form.cleaned_data["hand_over_to"]
        try:
            done = services.deactivate_user(by=signed_in(request), user_id=pk, hand_over_to=heir)
        except (services.LastAdmin, services.OwnAccount) as refusal:
            form.add_error(None, str(refusal))
        else:
            said = f"{person} can no longer sign in."
            if heir:
                said += (
                    f" {heir} now owns {done.renewal_count:,} more open renewals and {done.account_count:,} accounts."
                )
            messages.success(request, said)
            return redirect("people:users")
    context = {
        "form": form,
        "person": person,
        "open_count": person.owned_renewals.filter(outcome="open").count(),
        "account_count": person.owned_accounts.count(),
        "table_url": f"{reverse('renewals:table')}?{urlencode({'owner': pk, 'outcome': 'open'})}",
        "tab": "users",
    }
    return _render_form(request, "people/deactivate.html", context, is_invalid=form.is_bound)


@require_POST
@admin_required
def activate_user(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(User, pk=pk)
    user = services.activate_user(by=signed_in(request), user_id=pk)
    messages.success(request, f"{user} can sign in again.")
    return redirect("people:users")


@admin_required
def teams(request: HttpRequest) -> HttpResponse:
    form = TeamForm(posted(request))
    if form.is_valid():
        team = services.save_team(by=signed_in(request), team=form.save(commit=False))
        messages.success(request, f"Team {team} is added.")
        return redirect("people:teams")
    rows = Team.objects.annotate(
        member_count=Count("members", filter=Q(members__is_active=True)),
        left_count=Count("members", filter=Q(members__is_active=False)),
    )
    context = {"rows": rows, "form": form, "tab": "teams"}
    return _render_form(request, "people/teams.html", context, is_invalid=form.is_bound)


@admin_required
def edit_team(request: HttpRequest, pk: int) -> HttpResponse:
    team = get_object_or_404(Team, pk=pk)
    form, is_stale = reconciled(request, lambda data: TeamForm(data, instance=team))
    if form.is_valid():
        services.save_team(by=signed_in(request), team=form.save(commit=False))
        messages.success(request, f"Team {team} is saved.")
        return redirect("people:teams")
    context = {"form": form, "team_name": Team.objects.get(pk=pk).name, "tab": "teams"}
    return _render_form(request, "people/team.html", context, is_invalid=form.is_bound, is_stale=is_stale)


@require_POST
@admin_required
def delete_team(request: HttpRequest, pk: int) -> HttpResponse:
    team = get_object_or_404(Team, pk=pk)
    try:
        services.delete_team(by=signed_in(request), team_id=pk)
    except services.TeamInUse as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Team {team} is deleted.")
    return redirect("people:teams")


def _possible_owners() -> QuerySet[User]:
    roles = (User.Role.REP, User.Role.MANAGER, User.Role.ADMIN)
    return User.objects.filter(is_active=True, role__in=roles)


def _show_password(request: HttpRequest, user: User, password: str, *, is_new: bool) -> HttpResponse:
    """In the answer itself and nowhere else: no redirect, no session, no cache keeps it."""
    context = {"person": user, "password": password, "is_new": is_new, "tab": "users"}
    return render(request, "people/password.html", context)


def _render_form(
    request: HttpRequest, template: str, context: dict[str, object], *, is_invalid: bool, is_stale: bool = False
) -> HttpResponse:
    return render(request, template, context, status=CONFLICT if is_stale else INVALID if is_invalid else 200)
