"""What somebody types who pins a probability, and the pin as its reader finds it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from renewals.models import Override, Renewal, TimingClass
from renewals.models.overrides import REASON_LENGTH
from renewals.table.columns import DATE

# A judgement that nobody looks at again for a year is none.
LONGEST_DAYS = 366
USUAL_DAYS = 30
EARLIER_SHOWN = 5


class PinForm(forms.Form):
    percent = forms.IntegerField(
        label="Probability, %",
        min_value=0,
        max_value=100,
        widget=forms.NumberInput(attrs={"class": "p-input"}),
        error_messages={"required": "How probable is it?", "invalid": "Whole per cent, 0 to 100."},
    )
    until_on = forms.DateField(
        label="Counts until",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "p-input"}),
        error_messages={"required": "Until which day?", "invalid": "A date written as 2026-11-21."},
    )
    reason = forms.CharField(
        label="Reason",
        max_length=REASON_LENGTH,
        widget=forms.TextInput(attrs={"class": "p-input", "dir": "auto"}),
        error_messages={"required": "Why? Whoever reads the forecast asks that first."},
    )
    # The pin that stood when the form was shown; blank where none did.
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, as_of: dt.date, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"until_on": as_of + dt.timedelta(days=USUAL_DAYS)})
        kwargs.setdefault("auto_id", "pin-%s")
        super().__init__(*args, **kwargs)
        self.as_of = as_of

    def clean_until_on(self) -> dt.date:
        until_on: dt.date = self.cleaned_data["until_on"]
        last = self.as_of + dt.timedelta(days=LONGEST_DAYS)
        if not self.as_of <= until_on <= last:
            raise ValidationError(f"A day from {self.as_of:{DATE}} to {last:{DATE}}.")
        return until_on


@dataclass(frozen=True)
class Pin:
    """What is pinned on a renewal now, and what was before. `counts`: it stands in the place of the probability."""

    override: Override | None
    may_be_pinned: bool
    earlier: list[Override]

    @property
    def counts(self) -> bool:
        return self.override is not None and self.may_be_pinned


def read_pin(renewal: Renewal, *, as_of: dt.date) -> Pin:
    """One query. On a decided or lapsed renewal nothing counts."""
    overrides = list(renewal.overrides.select_related("pinned_by", "ended_by")[: EARLIER_SHOWN + 1])
    standing = next((one for one in overrides if one.ended_at is None and one.until_on >= as_of), None)
    score = getattr(renewal, "score", None)
    has_lapsed = score is not None and score.timing_class == TimingClass.LAPSED
    is_open = renewal.outcome == Renewal.Outcome.OPEN and not has_lapsed
    return Pin(standing, is_open, [one for one in overrides if one != standing][:EARLIER_SHOWN])
