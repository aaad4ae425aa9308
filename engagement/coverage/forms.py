"""What touch models cost and save, in one form for all segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms

from accounts.models import Segment
from engagement.models import CoverageTerms
from engagement.models.coverage import MOST_HOURS

HOURS = (("low_hours", "Low touch, hours"), ("mid_hours", "Mid touch, hours"), ("high_hours", "High touch, hours"))
RATES = (
    ("low_saved_rate", "Low touch saves, %"),
    ("mid_saved_rate", "Mid touch saves, %"),
    ("high_saved_rate", "High touch saves, %"),
)


@dataclass(frozen=True)
class Row:
    name: str
    hours: list[forms.BoundField]
    rates: list[forms.BoundField]


class TermsForm(forms.Form):
    """Six fields for everybody else, and six for each segment, which are all given or all blank."""

    rep_hours = forms.DecimalField(
        label="Hours of a rep in a quarter",
        min_value=Decimal(1),
        max_value=Decimal(MOST_HOURS),
        decimal_places=2,
        help_text="13 weeks of 40 hours, 75 % of them used, 85 % after overhead, are 331.5.",
    )

    def __init__(
        self, *args: Any, segments: Sequence[Segment], terms: Mapping[int | None, CoverageTerms], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.initial["rep_hours"] = terms[None].rep_hours
        self.names: list[tuple[str, int | None]] = [("Everybody else", None)]
        self.names += [(segment.name, segment.pk) for segment in segments]
        for name, pk in self.names:
            one = terms.get(pk)
            for field, label in HOURS:
                self.fields[f"{field}-{pk or 'others'}"] = forms.DecimalField(
                    label=f"{name}: {label.lower()}", required=pk is None, min_value=Decimal(0),
                    max_value=Decimal(MOST_HOURS), decimal_places=2, initial=getattr(one, field, None),
                )  # fmt: skip
            for field, label in RATES:
                initial = None if one is None else round(100 * getattr(one, field), 2)
                self.fields[f"{field}-{pk or 'others'}"] = forms.FloatField(
                    label=f"{name}: {label.lower()}", required=pk is None, min_value=0, max_value=100, initial=initial
                )

    def rows(self) -> list[Row]:
        return [
            Row(
                name,
                [self[f"{field}-{pk or 'others'}"] for field, _ in HOURS],
                [self[f"{field}-{pk or 'others'}"] for field, _ in RATES],
            )
            for name, pk in self.names
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, pk in self.names:
            hours = [f"{field}-{pk or 'others'}" for field, _ in HOURS]
            rates = [f"{field}-{pk or 'others'}" for field, _ in RATES]
            if any(field in self.errors for field in (*hours, *rates)):
                continue
            given = [field for field in (*hours, *rates) if cleaned.get(field) is not None]
            if not given:
                continue
            missing = [field for field in (*hours, *rates) if cleaned.get(field) is None]
            if missing:
                self.add_error(missing[0], f"{name} needs all six, or none.")
            else:
                self._check_order(name, [cleaned[field] for field in hours], [cleaned[field] for field in rates], pk)
        return cleaned

    def _check_order(self, name: str, hours: list[Decimal], rates: list[float], pk: int | None) -> None:
        low, mid, high = hours
        if not low < mid < high:
            text = f"{name}: hours rise from low to mid to high touch, and {low}, {mid}, {high} do not."
            self.add_error(f"mid_hours-{pk or 'others'}", text)
        if not rates[0] <= rates[1] <= rates[2]:
            text = f"{name}: a closer touch saves no less, and {rates[0]:g}, {rates[1]:g}, {rates[2]:g} % fall."
            self.add_error(f"mid_saved_rate-{pk or 'others'}", text)

    def terms(self) -> dict[int | None, dict[str, Any] | None]:
        found: dict[int | None, dict[str, Any] | None] = {}
        for _, pk in self.names:
            values: dict[str, Any] = {field: self.cleaned_data[f"{field}-{pk or 'others'}"] for field, _ in HOURS}
            for field, _ in RATES:
                rate = self.cleaned_data[f"{field}-{pk or 'others'}"]
                values[field] = None if rate is None else round(rate / 100, 6)
            found[pk] = None if values["low_hours"] is None else values
        others = found[None]
        assert others is not None
        others["rep_hours"] = self.cleaned_data["rep_hours"]
        return found
