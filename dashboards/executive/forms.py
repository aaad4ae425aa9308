"""When somebody wants the executive page by mail."""

from __future__ import annotations

from typing import Any

from django import forms

from dashboards.models import ExecutiveMail, Weekday


class MailForm(forms.ModelForm):  # type: ignore[type-arg]
    weekdays = forms.TypedMultipleChoiceField(
        label="On",
        coerce=int,
        choices=Weekday.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose a weekday, or more."},
    )
    hour = forms.TypedChoiceField(label="At", coerce=int, choices=[(hour, f"{hour:02}:00") for hour in range(24)])

    class Meta:
        model = ExecutiveMail
        fields = ("is_on", "weekdays", "hour")
        labels = {"is_on": "Mail me the executive page"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            start = ExecutiveMail()
            # Nothing is mailed so far: a tick that stood there already would say that it is.
            self.initial = {name: getattr(start, name) for name in self.Meta.fields} | {"is_on": False}
