"""What is typed about a plan and its steps. What a day or a person must be is said by the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from accounts.models import User
from engagement.models.plans import Plan, Playbook, PlaybookStep, PlaybookVersion
from engagement.plans.drafts import GUIDANCE_LENGTH, TITLE_LENGTH
from engagement.plans.services import BY_HAND, NOTE_LENGTH

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
BY_WORD = (PlaybookStep.Outcome.NONE, PlaybookStep.Outcome.TEXT)


def able_people(plan: Plan) -> QuerySet[User]:
    """Who sees the renewal of a plan, and may have something to do for it."""
    owner = plan.renewal.owner
    sees = Q(role=User.Role.ADMIN) | Q(sees_whole_book=True)
    if owner is not None:
        sees |= Q(pk=owner.pk) | (Q(team=owner.team_id) if owner.team_id else Q())
    return User.objects.filter(sees, is_active=True).exclude(role=User.Role.VIEWER)


class EditStepForm(forms.Form):
    title = forms.CharField(max_length=200, label="What is to be done", widget=forms.TextInput(attrs={"dir": "auto"}))
    owner = forms.ModelChoiceField(User.objects.none(), label="Who does it", empty_label=None)
    due_on = forms.DateField(label="Due", widget=DAY)

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = able_people(plan)  # type: ignore[attr-defined]


class AddStepForm(EditStepForm):
    title = forms.CharField(
        max_length=TITLE_LENGTH, label="What is to be done", widget=forms.TextInput(attrs={"dir": "auto"})
    )
    guidance = forms.CharField(
        required=False, max_length=GUIDANCE_LENGTH, widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"})
    )
    outcome = forms.ChoiceField(
        choices=[(code.value, code.label) for code in BY_WORD], label="What has to come of it", required=False
    )


class OwnerForm(forms.Form):
    owner = forms.ModelChoiceField(User.objects.none(), label="Who answers for the plan", empty_label=None)

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = able_people(plan)  # type: ignore[attr-defined]


class CloseForm(forms.Form):
    outcome = forms.ChoiceField(choices=[(code.value, code.label) for code in BY_HAND], label="What came of it")
    note = forms.CharField(
        required=False, max_length=NOTE_LENGTH, label="In a sentence",
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )  # fmt: skip


class VersionChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: PlaybookVersion) -> str:
        return f"{obj.playbook} ({obj.playbook.get_kind_display().lower()}, {obj.step_count} steps)"  # type: ignore[attr-defined]


class StartForm(forms.Form):
    version = VersionChoice(PlaybookVersion.objects.none(), label="Playbook", empty_label=None)

    def __init__(self, *args: Any, versions: QuerySet[PlaybookVersion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].queryset = versions  # type: ignore[attr-defined]


def choosable_versions(segment_id: int | None) -> QuerySet[PlaybookVersion]:
    """The newest version of each playbook that is used, for any segment or this one."""
    newest = PlaybookVersion.objects.filter(playbook=OuterRef("playbook")).order_by("-number").values("pk")[:1]
    used = PlaybookVersion.objects.filter(pk=Subquery(newest)).exclude(playbook__use=Playbook.Use.RETIRED)
    fitting = used.filter(Q(segment__isnull=True) | Q(segment=segment_id))
    counted = fitting.annotate(step_count=Count("steps"))
    return counted.select_related("playbook").order_by("playbook__kind", "playbook__name")
