"""The form of a flag rule: one field for each measure, blank where the rule does not ask for it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from engagement.flags.measures import MEASURES, InvalidConditions, read_conditions
from engagement.models.flags import FlagRule


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = FlagRule
        fields = ("name", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance.conditions if isinstance(self.instance.conditions, dict) else {}
        for key, measure in MEASURES.items():
            common: dict[str, Any] = {
                "label": f"{measure.label}, {measure.unit}" if measure.unit else measure.label,
                "required": False,
                "help_text": measure.help_text,
                "initial": stored.get(key),
            }
            if measure.choices:
                self.fields[key] = forms.ChoiceField(choices=[("", "Any"), *measure.choices], **common)
            else:
                self.fields[key] = forms.IntegerField(min_value=measure.lowest, max_value=measure.highest, **common)

    def of_renewal(self) -> list[forms.BoundField]:
        return [self[key] for key, measure in MEASURES.items() if measure.is_of_renewal]

    def of_account(self) -> list[forms.BoundField]:
        return [self[key] for key, measure in MEASURES.items() if not measure.is_of_renewal]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        asked = {key: int(cleaned[key]) for key in MEASURES if cleaned[key] not in (None, "")}
        try:
            self.instance.conditions = read_conditions(asked)
        except InvalidConditions as problem:
            raise ValidationError(str(problem)) from None
        return cleaned
