"""What is typed about a task. What can be a task is said by the services."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts.models import User
from engagement.models.tasks import MOST_MINUTES, Task
from engagement.tasks.services import NOTE_LENGTH, TITLE_LENGTH

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
NEXT_WEEK = 7


def people_for(user: User) -> QuerySet[User]:
    """Whom a user can give tasks to: those who work in their team, or anybody who works."""
    people = User.objects.filter(is_active=True).exclude(role=User.Role.VIEWER).order_by("name", "pk")
    if user.is_admin:
        return people
    return people.filter(team=user.team_id) if user.team_id else people.filter(pk=user.pk)


def spent_minutes_field() -> forms.IntegerField:
    return forms.IntegerField(label="Minutes it took", required=False, min_value=1, max_value=MOST_MINUTES)


class TaskForm(forms.Form):
    title = forms.CharField(
        label="What is to be done", max_length=TITLE_LENGTH, widget=forms.TextInput(attrs={"dir": "auto"})
    )
    due_on = forms.DateField(label="Due", widget=DAY)
    owner = forms.ModelChoiceField(
        User.objects.none(), label="Who", required=False, empty_label="Who owns the customer"
    )
    estimated_minutes = forms.IntegerField(label="Minutes", min_value=1, max_value=MOST_MINUTES, initial=30)
    note = forms.CharField(
        label="Note",
        required=False,
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
    required_outcome = forms.CharField(
        label="What has to come of it",
        required=False,
        max_length=TITLE_LENGTH,
        widget=forms.TextInput(attrs={"dir": "auto"}),
        help_text="Filled in, the task is done only with an answer.",
    )

    def __init__(self, *args: Any, user: User, task: Task | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = people_for(user)
        if task is not None and task.owner_id:
            people = people | User.objects.filter(pk=task.owner_id)
        self.fields["owner"].queryset = people  # type: ignore[attr-defined]
        if task is not None:
            self.fields["owner"].empty_label = "Nobody"  # type: ignore[attr-defined]


class NewTaskForm(TaskForm):
    """On the page of a new task: for which account."""

    account = forms.CharField(
        label="Account",
        max_length=200,
        widget=forms.TextInput(attrs={"dir": "auto", "list": "task-accounts", "placeholder": "Its name, or its id"}),
    )
    field_order = ("account", "title", "due_on", "owner", "estimated_minutes", "note", "required_outcome")


class QuickTaskForm(forms.Form):
    """Beside a renewal or an account: a title and a day."""

    title = forms.CharField(label="New task", max_length=TITLE_LENGTH, widget=forms.TextInput(attrs={"dir": "auto"}))
    due_on = forms.DateField(label="Due", widget=DAY)


def quick_form(today: dt.date) -> QuickTaskForm:
    return QuickTaskForm(initial={"due_on": today + dt.timedelta(days=NEXT_WEEK)}, prefix="task")


class FinishForm(forms.Form):
    outcome = forms.CharField(
        label="What came of it",
        required=False,
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
    spent_minutes = spent_minutes_field()


class MinutesForm(forms.Form):
    """How long a done task took; empty where nobody knows any more."""

    spent_minutes = spent_minutes_field()


def snooze_days(today: dt.date) -> list[tuple[str, str, str]]:
    """Days that a task is put off to by one click: their name, as a form sends them, and in words."""
    days = {
        "Tomorrow": today + dt.timedelta(days=1),
        "Next week": today + dt.timedelta(days=7 - today.weekday()),
        "In a month": today + dt.timedelta(days=30),
    }
    return [(name, day.isoformat(), f"{day:%a %d %b}") for name, day in days.items()]
