"""What is typed about a touch and a contact. What a day or a person must be is said by the services."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts.models import Contact, Touch
from accounts.touches.services import NOTE_LENGTH

LOCAL = "%Y-%m-%dT%H:%M"
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class TouchForm(forms.Form):
    """Bound and shown in the company's time zone, which the view has switched on."""

    kind = forms.ChoiceField(choices=Touch.Kind.choices, label="Kind")
    happened_at = forms.DateTimeField(
        label="When",
        required=False,
        help_text="",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL),
    )
    contact = forms.ModelChoiceField(Contact.objects.none(), required=False, label="With", empty_label="Nobody named")
    note = forms.CharField(
        required=False,
        label="What came of it",
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto", "placeholder": "What came of it?"}),
    )
    next_touch_on = forms.DateField(required=False, label="Next touch", widget=DAY)

    def __init__(self, *args: Any, contacts: QuerySet[Contact], now: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        self.fields["contact"].queryset = contacts  # type: ignore[attr-defined]

    def clean_happened_at(self) -> dt.datetime:
        """Left blank it is now."""
        return self.cleaned_data["happened_at"] or self.now


class ContactForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Contact
        fields = ("name", "role", "email", "phone", "is_champion", "is_unmailed", "left_on")
        labels = {"is_champion": "Champion", "is_unmailed": "Wants no mail", "left_on": "Left on"}
        help_texts = {
            "is_champion": "Speaks for us there. When the last one leaves, that counts as risk.",
            "is_unmailed": "No mail is sent to them from here, notices among it.",
            "left_on": "The day on which they left the customer.",
        }
        widgets = {"left_on": DAY}
