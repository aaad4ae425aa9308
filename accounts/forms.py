"""What an admin types about people and teams."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from accounts.models import Team, User


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: an empty POST is an answer too, and is looked at."""
    return request.POST if request.method == "POST" else None


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("name", "email", "role", "team", "sees_whole_book")
        labels = {"sees_whole_book": "Sees the whole book"}
        help_texts = {
            "team": "Sees the team’s rows; without a team only their own. A manager needs one.",
            "sees_whole_book": "Every team’s rows; what they may edit is not widened. Admins always do.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].empty_label = "No team"  # type: ignore[attr-defined]
        self.fields["role"].choices = User.Role.choices  # type: ignore[attr-defined]

    def clean_email(self) -> str:
        """Kept in lower case, as sign-in looks it up: the same address in capitals is the same person."""
        email: str = self.cleaned_data["email"].lower()
        if User.objects.filter(email=email).exclude(pk=self.instance.pk).exists():
            raise ValidationError("Somebody already signs in with this email.")
        return email

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("role") == User.Role.MANAGER and not cleaned.get("team") and "team" not in self.errors:
            self.add_error("team", "A manager needs a team.")
        return cleaned


class DeactivateForm(forms.Form):
    hand_over_to = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        label="Hand over to",
        empty_label="Nobody: they stay without an active owner",
        help_text="Accounts and open renewals get this owner. Decided renewals keep theirs.",
    )

    def __init__(self, *args: Any, heirs: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hand_over_to"].queryset = heirs  # type: ignore[attr-defined]


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Team
        fields = ("name",)
        error_messages = {"name": {"unique": "There is a team of this name already."}}

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if Team.objects.filter(name__iexact=name).exclude(pk=self.instance.pk).exists():
            raise ValidationError("There is a team of this name already.")
        return name
