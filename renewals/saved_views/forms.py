"""What a person says of a view: its name, whom it is for, and whether the table opens with it."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from accounts.models import Team, User
from renewals.models import SavedView
from renewals.saved_views.services import Shared, may_keep_for, may_set_default

Visibility = SavedView.Visibility


class ReadersForm(forms.Form):
    """A name, and for whom what has it is kept: oneself, a team, everyone."""

    name = forms.CharField(max_length=80)
    readers = forms.ChoiceField(label="For")  # private, everyone, or team- with its number

    def __init__(self, *args: Any, user: User, is_own: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.teams = {f"team-{team.pk}": team for team in Team.objects.all() if _may_share(user, team)}
        choices = [(key, f"Team {team}") for key, team in self.teams.items()]
        if is_own:
            choices.insert(0, ("private", "Only me"))
        if may_keep_for(user, Visibility.EVERYONE, None):
            choices.append(("everyone", "Everyone"))
        self.fields["readers"].choices = choices  # type: ignore[attr-defined]

    @property
    def visibility(self) -> str:
        readers = str(self.cleaned_data["readers"])
        return Visibility.TEAM if readers in self.teams else readers

    @property
    def team(self) -> Team | None:
        return self.teams.get(self.cleaned_data["readers"])

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"} for character in name):
            raise ValidationError("A name has no control characters, and none that turn the direction of text.")
        return name

    def same_readers(self) -> Q:
        """What is kept for the same people: names are once among them."""
        match self.visibility:
            case Visibility.PRIVATE:
                return Q(visibility=Visibility.PRIVATE, owner=self.user)
            case Visibility.TEAM:
                return Q(visibility=Visibility.TEAM, team=self.team)
        return Q(visibility=Visibility.EVERYONE)


class ViewForm(ReadersForm):
    is_default = forms.BooleanField(
        required=False,
        label="Open the table with it",
        help_text="For you, or for all whom it is for. What they chose for themselves comes first.",
    )

    def __init__(self, *args: Any, user: User, view: SavedView | None = None, **kwargs: Any) -> None:
        super().__init__(*args, user=user, is_own=view is None or view.owner_id == user.pk, **kwargs)
        self.view = view

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        was_default = self.view is not None and self.view.is_default and self.view.visibility == self.visibility
        if cleaned["is_default"] and not was_default and not may_set_default(self.user, self.visibility):
            self.add_error("is_default", "A team’s manager or an admin chooses what the others begin with.")
        namesakes = SavedView.objects.filter(self.same_readers(), name__iexact=cleaned["name"])
        if any(other != self.view for other in namesakes):
            self.add_error("name", "There is a view of this name here already.")
        return cleaned


def readers_of(view: Shared) -> str:
    """The form's word for whom a view is for."""
    return f"team-{view.team_id}" if view.visibility == Visibility.TEAM else view.visibility


def _may_share(user: User, team: Team) -> bool:
    return may_keep_for(user, Visibility.TEAM, team)
