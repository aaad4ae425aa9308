"""What is typed about capacity."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms

from accounts.models import Segment, User
from dashboards.models import Absence, CapacityTerms, Holiday
from dashboards.models.capacity import MOST_CUSTOMERS, MOST_HOURS
from renewals.models import Stage

MOST_PEOPLE = 1000
FIRST_YEAR, LAST_YEAR = 2000, 2100
Key = tuple[int | None, int | None]  # segment and stage


def _day(label: str, **more: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **more)


class WhatIfForm(forms.Form):
    """All blank is the book as it is."""

    people = forms.IntegerField(label="More people", required=False, min_value=0, max_value=MOST_PEOPLE)
    utilisation = forms.DecimalField(
        label="Utilisation, %", required=False, min_value=Decimal(1), max_value=Decimal(100), decimal_places=2
    )
    hours = forms.DecimalField(
        label="Hours of every renewal",
        required=False,
        min_value=Decimal(0),
        max_value=Decimal(MOST_HOURS),
        decimal_places=2,
    )


@dataclass(frozen=True)
class HoursRow:
    name: str
    fields: list[forms.BoundField]


class TermsForm(forms.ModelForm):  # type: ignore[type-arg]
    """The terms, and a field for each segment and stage; a blank one follows its segment, its stage, or all others."""

    class Meta:
        model = CapacityTerms
        fields = (
            *("week_hours", "utilisation_rate", "overhead_rate", "work_weeks", "onboarding_hours"),
            *("onboarding_weeks", "support_hours", "hiring_weeks"),
        )
        labels = {"support_hours": "Hours of support a customer and week"}
        help_texts = {
            "utilisation_rate": "A share from 0 to 1: of the hours of a week, what is worked for customers.",
            "overhead_rate": "A share from 0 to 1: of that, what meetings and the like leave.",
            "work_weeks": "A renewal's hours fall evenly on these weeks up to its due date.",
            "hiring_weeks": "From the decision to hire until somebody does a full share.",
        }

    def __init__(
        self,
        *args: Any,
        segments: Sequence[Segment],
        stages: Sequence[Stage],
        hours: Mapping[Key, Decimal],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.segments: list[tuple[str, int | None]] = [("Every segment", None)]
        self.segments += [(one.name, one.pk) for one in segments]
        self.stages: list[tuple[str, int | None]] = [("Every stage", None)]
        self.stages += [(one.name, one.pk) for one in stages]
        for segment, segment_id in self.segments:
            for stage, stage_id in self.stages:
                self.fields[_name(segment_id, stage_id)] = forms.DecimalField(
                    label=f"{segment}, {stage.lower()}",
                    required=segment_id is None and stage_id is None,
                    min_value=Decimal(0),
                    max_value=Decimal(MOST_HOURS),
                    decimal_places=2,
                    initial=hours.get((segment_id, stage_id)),
                )

    def rows(self) -> list[HoursRow]:
        return [
            HoursRow(segment, [self[_name(segment_id, stage_id)] for _, stage_id in self.stages])
            for segment, segment_id in self.segments
        ]

    def plain_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.Meta.fields]

    def terms(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    def hours(self) -> dict[Key, Decimal | None]:
        return {
            (segment_id, stage_id): self.cleaned_data[_name(segment_id, stage_id)]
            for _, segment_id in self.segments
            for _, stage_id in self.stages
        }


def _name(segment_id: int | None, stage_id: int | None) -> str:
    return f"hours-{segment_id or 'any'}-{stage_id or 'any'}"


class AbsenceForm(forms.ModelForm):  # type: ignore[type-arg]
    first_on = _day("From")
    last_on = _day("To")

    class Meta:
        model = Absence
        fields = ("person", "first_on", "last_on", "note")

    def __init__(self, *args: Any, people: set[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = User.objects.filter(pk__in=people)  # type: ignore[attr-defined]
        self.fields["person"].empty_label = None if len(people) == 1 else "Choose"  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first_on, last_on = cleaned.get("first_on"), cleaned.get("last_on")
        if first_on and last_on and last_on < first_on:
            self.add_error("last_on", f"An absence from {first_on:%d %b %Y} does not end on {last_on:%d %b %Y}.")
        return cleaned


class HolidayForm(forms.ModelForm):  # type: ignore[type-arg]
    on = _day("Day")

    class Meta:
        model = Holiday
        fields = ("on", "name")


class PlanForm(forms.Form):
    """What sales and marketing aim at in a month; nothing by either takes the plan of that month away."""

    month = forms.RegexField(
        r"^\d{4}-(0[1-9]|1[0-2])$",
        label="Month",
        widget=forms.TextInput(attrs={"type": "month"}),
        error_messages={"invalid": "A month is year and month, such as 2027-01."},
    )
    sales_count = forms.IntegerField(label="By sales", min_value=0, max_value=MOST_CUSTOMERS, initial=0)
    marketing_count = forms.IntegerField(label="By marketing", min_value=0, max_value=MOST_CUSTOMERS, initial=0)

    def clean_month(self) -> dt.date:
        year, month = map(int, self.cleaned_data["month"].split("-"))
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise forms.ValidationError(f"A year is from {FIRST_YEAR} to {LAST_YEAR}, not {year}.")
        return dt.date(year, month, 1)
