"""A call that is frozen by hand."""

from __future__ import annotations

from django import forms

from accounts.models import Company
from forecasting.as_at import InvalidMoment, parse_moment


class FreezeForm(forms.Form):
    note = forms.CharField(max_length=300, help_text="Why, or for whom.")
    on = forms.CharField(
        required=False,
        label="As at",
        help_text="A past day, drawn from history and marked late; empty for now.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, *args: object, company: Company, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.company = company

    def clean_on(self) -> object:
        text = self.cleaned_data["on"]
        if not text:
            return None
        try:
            asked = parse_moment(text, self.company)
        except InvalidMoment as error:
            raise forms.ValidationError(str(error)) from error
        # Of today: now.
        return None if asked.as_of == self.company.today() else asked.moment
