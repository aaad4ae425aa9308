"""The form of a rule: what every rule has, and the parameters of its condition."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from renewals.models.quality import DataRule
from renewals.quality.conditions import CONDITIONS, FIX_FIELDS, Kind, values_of
from renewals.quality.parameters import InvalidParameter, Parameter


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rule's condition is chosen once, before this form: it decides which parameters there are."""

    class Meta:
        model = DataRule
        fields = ["name", "severity", "asked", "fix", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.condition = CONDITIONS[self.instance.condition]
        known = [(fix.value, fix.label) for fix in (DataRule.Fix.NONE, *self.condition.fixes)]
        self.fields["fix"] = forms.ChoiceField(choices=known, required=False, label="Suggested fix")
        stored = self.instance.parameters
        for parameter in self.condition.parameters:
            self.fields[parameter.name] = _form_field(parameter)
            self.initial[parameter.name] = stored.get(parameter.name, None if stored else parameter.initial)
        self.order_fields(["name", *(parameter.name for parameter in self.condition.parameters)])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        self.instance.parameters = {
            parameter.name: _stored(cleaned[parameter.name])
            for parameter in self.condition.parameters
            if cleaned[parameter.name] not in (None, "")
        }
        try:
            values_of(self.instance)
        except InvalidParameter as problem:
            raise ValidationError(str(problem)) from None
        fix = cleaned["fix"]
        field = self.instance.parameters.get("field")
        if fix and self.instance.condition in {Kind.FIELD_EMPTY, Kind.FIELD_OLD} and FIX_FIELDS[fix] != field:
            self.add_error("fix", "This does not write the field that the rule asks about.")
        return cleaned


def _form_field(parameter: Parameter) -> forms.Field:
    common: dict[str, Any] = {
        "label": parameter.label,
        "required": parameter.is_required,
        "help_text": parameter.help_text,
    }
    if parameter.choices:
        return forms.ChoiceField(choices=parameter.choices, **common)
    if parameter.highest is None:
        return forms.DecimalField(max_digits=14, decimal_places=4, **common)
    return forms.IntegerField(min_value=0, max_value=parameter.highest, **common)


def _stored(value: Any) -> Any:
    """As JSON holds it; an exact number as text."""
    return str(value) if isinstance(value, Decimal) else value
