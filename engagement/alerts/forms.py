"""Forms of this room: a rule of one kind, and how one person wants to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from engagement.alerts.causes import CAUSES, parameters_of
from engagement.alerts.services import Wish
from engagement.models import AlertPreference, AlertRule, Subscription


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rule's kind is chosen once, before this form: it decides which limits there are."""

    class Meta:
        model = AlertRule
        fields = ["name", "segment", "least_amount", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cause = CAUSES[self.instance.kind]
        stored = parameters_of(self.instance) if self.instance.pk else {}
        for one in self.cause.parameters:
            self.fields[one.name] = forms.IntegerField(
                label=one.label,
                min_value=one.lowest,
                max_value=one.highest,
                required=one.name != "step",
                help_text=one.help_text,
            )
            self.initial[one.name] = stored.get(one.name) if self.instance.pk else one.initial
        self.fields["segment"].empty_label = "Every segment"  # type: ignore[attr-defined]
        if self.instance.kind == AlertRule.Kind.BELOW_TARGET:
            del self.fields["segment"]
            self.fields["least_amount"].label = "Target at least"
        names = [one.name for one in self.cause.parameters]
        self.order_fields(["name", *names, "segment", "least_amount", "is_active"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.instance.parameters = {
            one.name: cleaned[one.name] for one in self.cause.parameters if cleaned.get(one.name) is not None
        }
        return cleaned


class PreferenceForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = AlertPreference
        fields = ["quiet_from", "quiet_until", "digest_at", "digest_weekday"]
        widgets = {name: forms.TimeInput(attrs={"type": "time"}, format="%H:%M") for name in fields[:3]}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        begin, end = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if not {"quiet_from", "quiet_until"} & set(self.errors):
            if (begin is None) != (end is None):
                missing = "quiet_from" if begin is None else "quiet_until"
                self.add_error(missing, "Quiet hours need a beginning and an end, or neither.")
            elif begin is not None and begin == end:
                self.add_error("quiet_until", "Quiet hours that end when they begin would be none.")
        return cleaned


class WishesForm(forms.Form):
    """Of each rule: of whose rows, and by which channels."""

    def __init__(
        self, *args: Any, rules: Sequence[AlertRule], wishes: Mapping[int, Subscription], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rules = rules
        for rule in rules:
            wish = wishes[rule.pk]
            made: dict[str, forms.Field] = {
                "scope": forms.ChoiceField(
                    choices=Subscription.Scope.choices, initial=wish.scope, widget=forms.Select(SHORT)
                ),
                "app": forms.BooleanField(required=False, initial=wish.in_app),
                "mail": forms.ChoiceField(
                    choices=Subscription.Mail.choices, initial=wish.mail, widget=forms.Select(SHORT)
                ),
                "webhook": forms.BooleanField(required=False, initial=wish.webhook),
            }
            for name, field in made.items():
                field.label = f"{rule}: {WORDS[name]}"
                self.fields[f"{name}-{rule.pk}"] = field

    def rows(self) -> list[tuple[AlertRule, dict[str, forms.BoundField]]]:
        return [(rule, {name: self[f"{name}-{rule.pk}"] for name in WORDS}) for rule in self.rules]

    def wishes(self) -> list[Wish]:
        return [
            Wish(rule.pk, *(self.cleaned_data[f"{name}-{rule.pk}"] for name in ("scope", "app", "mail", "webhook")))
            for rule in self.rules
        ]


SHORT = {"class": "p-input"}
WORDS = {"scope": "of whose rows", "app": "in the app", "mail": "by mail", "webhook": "by webhook"}
