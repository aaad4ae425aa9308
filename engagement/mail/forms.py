"""What is typed of a mail to a customer, of a template, and of the rule of notices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from accounts.models import Contact
from engagement.mail.fields import TemplateWrong, check_template
from engagement.mail.outbox import SUBJECT_LENGTH
from engagement.mail.services import recipients_among
from engagement.models import MailTemplate, NoticeRule

AREA = forms.Textarea(attrs={"rows": 14, "dir": "auto"})


class LetterForm(forms.Form):
    """Whom to write, and what. Who cannot be written to is not offered."""

    to = forms.MultipleChoiceField(label="To", widget=forms.CheckboxSelectMultiple)
    subject = forms.CharField(max_length=SUBJECT_LENGTH, widget=forms.TextInput(attrs={"dir": "auto"}))
    text = forms.CharField(widget=AREA)
    key = forms.CharField(max_length=60, widget=forms.HiddenInput)
    template = forms.IntegerField(required=False, widget=forms.HiddenInput)
    proposal = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, contacts: Sequence[Contact], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["to"]
        field.choices = [(contact.pk, str(contact)) for contact in recipients_among(contacts)]


class TemplateForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = MailTemplate
        fields = ("name", "subject", "text", "is_active")
        widgets = {"text": AREA, "subject": forms.TextInput(attrs={"dir": "auto"})}
        help_texts = {"is_active": "Reps can choose it."}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for field in ("subject", "text"):
            try:
                check_template(cleaned.get(field, ""), name=cleaned.get("name", ""))
            except TemplateWrong as wrong:
                self.add_error(field, str(wrong))
        return cleaned


class NoticeForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = NoticeRule
        fields = ("is_on", "days_before", "template", "is_automatic")
        help_texts = {
            "is_on": "Each rep finds theirs under Mail, looks at them and sends them.",
            "is_automatic": "They go out in the rep's name within minutes of being proposed, and count as no touch.",
        }
