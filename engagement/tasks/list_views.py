"""The list of tasks, and what is said over it once its rows are there."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.access import signed_in
from accounts.models import User, get_company, people_visible_to
from engagement.models.tasks import Task
from engagement.tasks.forms import people_for, snooze_days
from engagement.tasks.listing import (
    DONE_DAYS,
    DUES,
    MOST_AT_ONCE,
    STATES,
    TOTALS,
    find_account,
    find_every,
    matching,
    read_filters,
    read_page,
    read_totals,
    whose_of,
)


@require_GET
def task_list(request: HttpRequest) -> HttpResponse:
    user, company = signed_in(request), get_company()
    today, filters = company.today(), read_filters(request.GET, user)
    page = read_page(matching(user, filters, today), filters.page, today)
    context = {
        "page": page,
        "filters": filters,
        "whose": [(name, label, filters.query(whose=name, owner=None)) for name, label in whose_of(user).items()],
        "states": [(name, label, filters.query(state=name, due="")) for name, label in STATES.items()],
        "dues": [(name, label, filters.query(due="" if filters.due == name else name)) for name, label in DUES.items()],
        "kinds": [
            (name, label, filters.query(kind="" if filters.kind == name else name)) for name, label in Task.Kind.choices
        ],
        "account": find_account(user, filters.account_id),
        "owner": people_visible_to(user).filter(pk=filters.owner_id or 0).first(),
        "without_account": filters.query(account=None),
        "without_owner": filters.query(owner=None),
        "previous_url": filters.query(page=filters.page - 1),
        "next_url": filters.query(page=filters.page + 1),
        "total_labels": TOTALS,
        "currency": company.reporting_currency,
        "as_of": today,
        "snooze_days": snooze_days(today),
        "tomorrow": (today + dt.timedelta(days=1)).isoformat(),
        "people": people_for(user) if user.role != User.Role.VIEWER else [],
        "may_write": user.role != User.Role.VIEWER,
    }
    is_partial = request.headers.get("HX-Target") == "task-list"
    return render(request, "tasks/_list.html" if is_partial else "tasks/list.html", context)


@require_GET
def totals(request: HttpRequest) -> HttpResponse:
    """The strip over the list, which the rows do not wait for."""
    user, company = signed_in(request), get_company()
    today, week_ago = company.today(), timezone.now() - dt.timedelta(days=DONE_DAYS)
    filters, currency = read_filters(request.GET, user), company.reporting_currency
    found = read_totals(user, filters, today=today, currency=currency, week_ago=week_ago)
    return render(request, "components/strip.html", {"totals": found})


@require_GET
def every(request: HttpRequest) -> HttpResponse:
    """What one step can take of a list with more than a page."""
    user = signed_in(request)
    filters = read_filters(request.GET, user)
    count = len(find_every(user, filters, get_company().today()))
    return render(request, "tasks/_every.html", {"count": count, "most": MOST_AT_ONCE, "query": filters.query})
