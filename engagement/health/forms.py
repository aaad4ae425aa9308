"""What is typed about health: how the customer feels, what weighs how much, and what a custom signal is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms

from accounts.models import HealthFactor
from engagement.health.signals import MEASURES, why_not_on

LARGEST_WEIGHT = 1000
SENTIMENTS = ((5, "Delighted"), (4, "Content"), (3, "Neutral"), (2, "Unhappy"), (1, "Leaving"))
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class SentimentForm(forms.Form):
    sentiment_score = forms.TypedChoiceField(choices=SENTIMENTS, coerce=int, label="The customer is")
    measured_on = forms.DateField(label="On", required=False, widget=DAY)

    def __init__(self, *args: Any, as_of: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"sentiment_score": 3, "measured_on": as_of}
        self.as_of = as_of

    def clean_measured_on(self) -> dt.date:
        """Left blank it is today."""
        day: dt.date = self.cleaned_data["measured_on"] or self.as_of
        reason = why_not_on(day, self.as_of)
        if reason:
            raise forms.ValidationError(f"{day:%d %b %Y} {reason}.")
        return day


class HealthWeightsForm(forms.Form):
    """One number per factor, by the factor's key, and the bounds of the bands."""

    healthy_from = forms.IntegerField(label="Healthy from", min_value=2, max_value=100)
    watch_from = forms.IntegerField(label="Watch from", min_value=1, max_value=99, help_text="Below that it is poor.")

    def __init__(self, *args: Any, factors: Iterable[HealthFactor], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keys = [factor.key for factor in factors]
        for factor in factors:
            self.fields[f"weight-{factor.key}"] = forms.DecimalField(
                label=factor.label,
                min_value=Decimal(0),
                max_value=Decimal(LARGEST_WEIGHT),
                decimal_places=2,
                widget=forms.NumberInput(
                    {"step": "any", "min": 0, "class": "p-input p-weight", "aria-label": f"Weight of {factor.label}"}
                ),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        names = [f"weight-{key}" for key in self.keys]
        if not any(name in self.errors for name in names) and not any(cleaned.get(name) for name in names):
            self.add_error(None, "One weight at least is above 0: with none there is no health.")
        watch, healthy = cleaned.get("watch_from"), cleaned.get("healthy_from")
        if watch is not None and healthy is not None and watch >= healthy:
            self.add_error("watch_from", f"Watch begins below healthy: {watch} is not below {healthy}.")
        return cleaned

    def weights(self) -> dict[str, float]:
        return {key: float(self.cleaned_data[f"weight-{key}"]) for key in self.keys}


class FactorForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = HealthFactor
        fields = ("key", "label", "explanation", "worst_value", "best_value", "stale_days")
        labels = {"key": "Key", "worst_value": "Worst at", "best_value": "Best at", "stale_days": "Missing after, days"}
        help_texts = {
            "key": "What programs call it: small letters, digits and dashes. It stays as it is.",
            "worst_value": "This value and beyond counts nothing.",
            "best_value": "This value and beyond counts in full. It may be the smaller one.",
            "stale_days": "A value older than this counts as missing, never as zero.",
        }
        error_messages = {"key": {"unique": "There is a signal of this key already."}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["key"]

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"].lower()
        if key in MEASURES:
            raise forms.ValidationError("There is a signal of this key already.")
        return key

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.fields}
