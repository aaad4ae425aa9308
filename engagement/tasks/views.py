"""Tasks over HTTP: the list, one task, a new one, and what is done with one or many of them.

Every write answers an htmx request with a toast and word to the lists on the page, which read themselves again; any
other request is led back to where it came from.
"""

from __future__ import annotations

import datetime as dt
import json
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import get_visible_account, may_edit_account, signed_in
from accounts.models import Account, User, get_company
from engagement.models.tasks import MOST_MINUTES, Task
from engagement.tasks import services
from engagement.tasks.forms import (
    FinishForm,
    MinutesForm,
    NewTaskForm,
    QuickTaskForm,
    TaskForm,
    people_for,
    quick_form,
    snooze_days,
)
from engagement.tasks.listing import MOST_AT_ONCE, find_account, find_every, read_filters, row_of
from engagement.tasks.services import Done, NewTask, TaskRefused
from engagement.tasks.undo import NoSuchStep, undo_step
from renewals.models import Renewal

INVALID = 422
SECTION_SHOWN = 20
OPTIONS_SHOWN = 12


@require_GET
def section(request: HttpRequest, account_id: int) -> HttpResponse:
    """The open tasks of an account, for its page; or of one of its renewals and the whole account, for the drawer."""
    return _section(request, get_visible_account(signed_in(request), account_id))


def _section(request: HttpRequest, account: Account, form: QuickTaskForm | None = None) -> HttpResponse:
    user, company = signed_in(request), get_company()
    today, renewal = company.today(), _renewal_asked(request, account)
    tasks = Task.objects.visible_to(user).open().filter(account=account).select_related("owner", "renewal__contract")
    if renewal is not None:
        tasks = tasks.exclude(renewal__isnull=False, renewal__in=account.renewals.exclude(pk=renewal.pk))
    found = list(tasks.order_by("-priority", "pk")[: SECTION_SHOWN + 1])
    may_write = may_edit_account(user, account.pk)
    context = {
        "account": account,
        "renewal": renewal,
        "rows": [row_of(task, today) for task in found[:SECTION_SHOWN]],
        "has_more": len(found) > SECTION_SHOWN,
        "may_write_tasks": may_write,
        "task_form": form or quick_form(today) if may_write else None,
        "tomorrow": (today + dt.timedelta(days=1)).isoformat(),
        "snooze_days": snooze_days(today),
        "as_of": today,
    }
    is_partial = bool(request.headers.get("HX-Request"))
    template = "tasks/_section.html" if is_partial else "tasks/section.html"
    return render(request, template, context, status=INVALID if form else 200)


def _renewal_asked(request: HttpRequest, account: Account) -> Renewal | None:
    text = request.GET.get("renewal", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    visible = Renewal.objects.visible_to(signed_in(request)).select_related("contract")
    return visible.filter(pk=int(text), account=account).first()


@require_POST
def add(request: HttpRequest, account_id: int) -> HttpResponse:
    """A task from the drawer or the account page: a title and a day, of whoever owns the customer."""
    user = signed_in(request)
    account = get_visible_account(user, account_id)
    if not may_edit_account(user, account.pk):
        raise PermissionDenied("Tasks are made by who may edit the account or its renewal.")
    renewal, form = _renewal_asked(request, account), QuickTaskForm(request.POST, prefix="task")
    if form.is_valid():
        new = NewTask(account_id=account.pk, renewal_id=renewal.pk if renewal else None, **form.cleaned_data)
        try:
            task = services.create_task(user=user, task=new)
        except TaskRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            return _answer(request, f"{task} is on the list of {task.owner or 'nobody yet'}.")
    return _section(request, account, form)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    if user.role == User.Role.VIEWER:
        raise PermissionDenied("A viewer looks; tasks are made by those who work on renewals.")
    today = get_company().today()
    initial = {"due_on": today + dt.timedelta(days=7), "account": find_account(user, _asked_account(request)) or ""}
    form = NewTaskForm(request.POST or None, user=user, initial=initial, prefix="task")
    if form.is_valid():
        values = dict(form.cleaned_data)
        owner = values.pop("owner")
        try:
            account = _find_account(user, values.pop("account"))
            made = NewTask(account_id=account.pk, owner_id=owner.pk if owner else None, **values)
            task = services.create_task(user=user, task=made)
        except (TaskRefused, LookupError) as refused:
            field = refused.field if isinstance(refused, TaskRefused) else "account"
            form.add_error(field if field in form.fields else None, str(refused.args[0]))
        except PermissionDenied as denied:
            form.add_error("account", str(denied))
        else:
            messages.success(request, f"{task} is on the list of {task.owner or 'nobody yet'}.")
            return redirect("tasks:list")
    return render(request, "tasks/new.html", {"form": form}, status=INVALID if form.is_bound else 200)


def _asked_account(request: HttpRequest) -> int | None:
    text = request.GET.get("account", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@require_GET
def accounts(request: HttpRequest) -> HttpResponse:
    """Names of accounts that begin with what is typed, as options of the form's datalist."""
    text = request.GET.get("task-account", "").replace("\x00", "").strip()
    visible = Account.objects.visible_to(signed_in(request))
    found = visible.filter(name__istartswith=text).order_by("name", "pk")[:OPTIONS_SHOWN] if text else []
    return render(request, "account_page/_options.html", {"accounts": found})


def _find_account(user: User, text: str) -> Account:
    """By its name or its id elsewhere. LookupError where that is no account, or several."""
    text = text.replace("\x00", "").strip()
    for field in ("external_id", "name"):
        found = list(Account.objects.visible_to(user).order_by().filter(**{field: text})[:2])
        if len(found) == 1:
            return found[0]
        if found:
            raise LookupError(f"Several accounts are called {text}: write the id of the one that is meant.")
    raise LookupError(f"No account that you see is called {text}.")


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """One task: read by who sees it, changed by who may."""
    user, task = signed_in(request), _visible_task(request, pk)
    may_write = Task.objects.editable_by(user).filter(pk=pk).exists()
    if request.method == "POST" and not may_write:
        raise PermissionDenied(services.NOT_YOURS)
    initial = {name: getattr(task, name) for name in (*services.EDITED, "owner")}
    form = TaskForm(request.POST or None, user=user, task=task, initial=initial, prefix="task")
    if form.is_valid():
        try:
            task = services.edit_task(user=user, task=task, values=form.cleaned_data)
        except TaskRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            messages.success(request, f"{task} is saved.")
            return redirect(_back(request))
    return _show_task(request, task, form, may_write=may_write, status=INVALID if form.is_bound else 200)


def _show_task(
    request: HttpRequest,
    task: Task,
    form: TaskForm | None,
    *,
    may_write: bool,
    finish_form: FinishForm | None = None,
    minutes_form: MinutesForm | None = None,
    status: int = 200,
) -> HttpResponse:
    company = get_company()
    context = {
        "task": task,
        "row": row_of(task, company.today()),
        "form": form,
        "finish_form": finish_form or FinishForm(initial={"spent_minutes": task.estimated_minutes}, prefix="finish"),
        "minutes_form": minutes_form or MinutesForm(initial={"spent_minutes": task.spent_minutes}, prefix="took"),
        "may_write": may_write,
        "currency": company.reporting_currency,
        "cancel_url": _back(request),
        "edit_url": reverse("tasks:task", args=[task.pk]),
    }
    return render(request, "tasks/task.html", context, status=status)


@require_POST
def finish(request: HttpRequest, pk: int) -> HttpResponse:
    """Done, from a row or from the task's page, which asks for what came of it."""
    user, task = signed_in(request), _visible_task(request, pk)
    form = FinishForm(request.POST, prefix="finish")
    if form.is_valid():
        try:
            done = services.finish_task(user=user, task=task, **form.cleaned_data)
        except TaskRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            # One click is done; how long it took is asked for beside, where the form did not say it.
            asked = {} if done.tasks[0].spent_minutes else {"minutes": _asked_minutes(task)}
            return _answer(request, f"Done: {task}.", done, **asked)
    if request.headers.get("HX-Request"):
        # What came of it is asked for on the task's own page.
        return HttpResponse(status=204, headers={"HX-Redirect": reverse("tasks:task", args=[pk]) + "#finish"})
    return _show_task(request, task, _unchanged(user, task), may_write=True, finish_form=form, status=INVALID)


def _unchanged(user: User, task: Task) -> TaskForm:
    initial = {name: getattr(task, name) for name in (*services.EDITED, "owner")}
    return TaskForm(user=user, task=task, initial=initial, prefix="task")


def _asked_minutes(task: Task) -> dict[str, object]:
    """What a toast asks: how long it took, the estimate at first."""
    url = reverse("tasks:minutes", args=[task.pk])
    return {"url": url, "name": "took-spent_minutes", "value": task.estimated_minutes, "most": MOST_MINUTES}


@require_POST
def minutes(request: HttpRequest, pk: int) -> HttpResponse:
    """How long a done task took, from the toast, its row or its page."""
    user, task = signed_in(request), _visible_task(request, pk)
    if not Task.objects.editable_by(user).filter(pk=pk).exists():
        raise PermissionDenied(services.NOT_YOURS)
    form = MinutesForm(request.POST, prefix="took")
    if form.is_valid():
        try:
            done = services.record_minutes(user=user, task=task, minutes=form.cleaned_data["spent_minutes"])
        except TaskRefused as refused:
            return _refuse(request, str(refused))
        took = done.tasks[0].spent_minutes
        return _answer(request, f"{task} took {took:,} minutes." if took else f"{task}: minutes unknown.", done)
    if request.headers.get("HX-Request"):
        return _refuse(request, str(form.errors["spent_minutes"][0]))
    return _show_task(request, task, _unchanged(user, task), may_write=True, minutes_form=form, status=INVALID)


@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    task = _visible_task(request, pk)
    try:
        done = services.reopen_task(user=signed_in(request), task=task)
    except TaskRefused as refused:
        return _refuse(request, str(refused))
    return _answer(request, f"{task} is open again.", done)


@require_POST
def snooze(request: HttpRequest, pk: int) -> HttpResponse:
    """Put off until a day; without one it is woken."""
    task, today = _visible_task(request, pk), get_company().today()
    try:
        until = _read_day(request.POST.get("until", ""))
        done = services.snooze_task(user=signed_in(request), task=task, until=until, today=today)
    except TaskRefused as refused:
        return _refuse(request, str(refused))
    return _answer(request, f"{task} is back on {until:%d %b %Y}." if until else f"{task} is awake.", done)


def _read_day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise TaskRefused("until", f"“{text[:40]}” is not a date.") from None


@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Several tasks at once: done, put off, or given to somebody."""
    user, today = signed_in(request), get_company().today()
    if user.role == User.Role.VIEWER:
        raise PermissionDenied(services.NOT_YOURS)
    if "every" in request.POST:
        ids = find_every(user, read_filters(QueryDict(request.POST["every"].removeprefix("?")), user), today)
    else:
        ids = {int(one) for one in request.POST.getlist("task") if one.isascii() and one.isdigit() and len(one) < 19}
    if len(ids) > MOST_AT_ONCE:
        return _refuse(request, f"At most {MOST_AT_ONCE} tasks at once.")
    if not ids:
        return _refuse(request, "No task is selected.")
    if Task.objects.visible_to(user).filter(pk__in=ids).count() < len(ids):
        raise Http404
    try:
        match request.POST.get("action", ""):
            case "done":
                done = services.finish_tasks(user=user, task_ids=ids)
                text = f"Done: {_named(done)}."
            case "snooze":
                until = _read_day(request.POST.get("until", ""))
                done = services.snooze_tasks(user=user, task_ids=ids, until=until, today=today)
                text = f"{_named(done)} put off until {until:%d %b %Y}." if until else f"{_named(done)} awake."
            case "reassign":
                owner = people_for(user).filter(pk=_number(request.POST.get("owner", ""))).first()
                if owner is None:
                    return _refuse(request, "Choose who is to have them.")
                done = services.reassign_tasks(user=user, task_ids=ids, owner=owner)
                text = f"{_named(done)} given to {owner}."
            case action:
                return _refuse(request, f"“{action[:40]}” is nothing that can be done with tasks.")
    except TaskRefused as refused:
        return _refuse(request, str(refused))
    left = list(done.refused.values())
    if left:
        text += f" {len(left):,} left as {'it is' if len(left) == 1 else 'they are'}: {left[0]}"
    return _answer(request, text, done if done.tasks else None)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _named(done: Done) -> str:
    return str(done.tasks[0]) if len(done.tasks) == 1 else f"{len(done.tasks):,} tasks"


@require_POST
def undo(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    try:
        undone = undo_step(user=signed_in(request), batch_id=batch_id)
    except NoSuchStep as missing:
        raise Http404 from missing
    kept = f" {undone.kept_count:,} changed since, and left as they are." if undone.kept_count else ""
    text = f"{undone.count:,} task{'' if undone.count == 1 else 's'} put back.{kept}"
    return _answer(request, text, Done(undone.batch_id, []) if undone.count else None)


def _visible_task(request: HttpRequest, pk: int) -> Task:
    tasks = Task.objects.visible_to(signed_in(request)).select_related(
        "account", "owner", "renewal__contract", "done_by"
    )
    return get_object_or_404(tasks, pk=pk)


def _back(request: HttpRequest) -> str:
    """Where the request came from, if that is a page of ours; else the list."""
    asked = request.POST.get("next", "") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()})
    return urlsplit(asked)._replace(scheme="", netloc="").geturl() if asked and is_ours else reverse("tasks:list")


def _answer(
    request: HttpRequest, text: str, done: Done | None = None, minutes: dict[str, object] | None = None
) -> HttpResponse:
    undo_url = reverse("tasks:undo", args=[done.batch_id]) if done else ""
    if not request.headers.get("HX-Request"):
        messages.success(request, text, extra_tags=undo_url)  # the toast of the next page offers it
        return redirect(_back(request))
    toast: dict[str, object] = {"text": text}
    if minutes is not None:
        toast["minutes"] = minutes
    if undo_url:
        toast["undoUrl"] = undo_url
    return HttpResponse(status=204, headers={"HX-Trigger": json.dumps({"toast": toast, "tasks:changed": {}})})


def _refuse(request: HttpRequest, text: str) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        messages.error(request, text)
        return redirect(_back(request))
    told = {"toast": {"text": text, "level": "error"}}
    return HttpResponse(status=INVALID, headers={"HX-Trigger": json.dumps(told), "HX-Reswap": "none"})
